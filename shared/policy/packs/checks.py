"""What the sections of a pack must hold beyond their shape, each check over the sections that it names."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from inspect import signature
from typing import Any, Final, get_args

from shared.events.vocabulary import LEVELS, STARTED_TIMERS, Level, Procedure, SuspensionGround, Timer
from shared.policy.calendars import unknown_between
from shared.policy.packs.document import Rule
from shared.policy.packs.tree import Path
from shared.policy.policy import (
    CalendarYear,
    Category,
    ExtensionRule,
    Meeting,
    Occasion,
    QuorumRule,
    SafetyRule,
    SeatedBody,
    SeatsRule,
    Span,
    SuspensionRule,
    TimerRule,
    TimersRule,
)

Found = Iterator[tuple[Path, str]]

SHIFTABLE: Final[frozenset[Timer]] = frozenset(("T8", "T13"))
"""Source: 信访工作条例 art. 36 leaves hearings out of the re-review; the ladder is the local rules' own."""
_DAYS: Final = {"CALENDAR_DAYS": 1, "WORKING_DAYS": 1, "MONTHS": 28}
"""The least that one of a unit can be."""


def failures(sections: Mapping[str, Any]) -> Found:
    """What the checks find; one whose sections aren't all there, because they are broken, is left out."""
    for check in _CHECKS:
        needed = signature(check).parameters
        if needed.keys() <= sections.keys():
            yield from check(**{name: sections[name] for name in needed})


def _every_timer(timers: Mapping[Timer, TimerRule]) -> Found:
    """A clock that runs when the pack is adopted finds its rule there, whichever it is."""
    yield from _missing("timers", timers, STARTED_TIMERS)


def _timers_of_procedures(
    timers: Mapping[Timer, TimerRule], procedures: Mapping[Procedure, TimersRule]
) -> Found:
    yield from _missing("procedures", procedures, get_args(Procedure))
    for procedure, rule in procedures.items():
        yield from _without_length(timers, rule.timers, "procedures", procedure, "timers")


def _timers_of_occasions(
    timers: Mapping[Timer, TimerRule], occasions: Mapping[Occasion, TimersRule]
) -> Found:
    yield from _missing("occasions", occasions, get_args(Occasion))
    for occasion, rule in occasions.items():
        yield from _without_length(timers, rule.timers, "occasions", occasion, "timers")


def _shifts_of_suspensions(
    timers: Mapping[Timer, TimerRule], suspensions: Mapping[SuspensionGround, SuspensionRule]
) -> Found:
    for ground, rule in suspensions.items():
        yield from _without_length(timers, rule.shifts, "suspensions", ground, "shifts")
        for index, timer in enumerate(rule.shifts):
            if timer not in SHIFTABLE:
                yield (
                    ("suspensions", ground, "shifts", str(index)),
                    f"{timer} can't be shifted; T8 and T13 can",
                )


def _extensions(
    timers: Mapping[Timer, TimerRule],
    ladder: Rule[Mapping[Level, Span]],
    extensions: Mapping[Timer, ExtensionRule],
) -> Found:
    for timer, rule in extensions.items():
        if timer not in timers:
            yield ("extensions", timer), f"{timer} has no length under timers"
        elif rule.at_most != "OWN_LENGTH":
            units = {span.unit for span in _spans(timers[timer], ladder)}
            if units != {rule.at_most.unit}:
                yield (
                    ("extensions", timer, "at_most"),
                    f"must be counted as {timer} itself, in {' and '.join(sorted(units))}",
                )


def _ladder(ladder: Rule[Mapping[Level, Span]]) -> Found:
    yield from _missing("ladder.value", ladder.value, LEVELS)


def _warnings_in_time(timers: Mapping[Timer, TimerRule], ladder: Rule[Mapping[Level, Span]]) -> Found:
    for timer, rule in timers.items():
        if any(_days(rule.approaching) > _days(span) for span in _spans(rule, ladder)):
            yield ("timers", timer, "approaching"), "is longer than the time that it warns of"


def _safety(categories: Rule[Mapping[str, Category]], safety: SafetyRule) -> Found:
    for index, code in enumerate(safety.categories):
        if code not in categories.value:
            yield ("safety", "categories", str(index)), f"there is no category {code}"


def _shares(quorums: Mapping[Meeting, QuorumRule]) -> Found:
    for meeting, rule in quorums.items():
        attendance = ((("attendance", str(index)), each) for index, each in enumerate(rule.attendance))
        for place, threshold in (*attendance, (("approval",), rule.approval)):
            if Fraction(threshold.share) > 1:
                yield ("quorums", meeting, *place, "share"), "is more than the whole"


def _seats(seats: Mapping[SeatedBody, SeatsRule]) -> Found:
    for body, rule in seats.items():
        if rule.at_least is not None and rule.at_least > rule.at_most:
            yield ("seats", body, "at_least"), "is more than at_most"


def _calendar(calendar_years: Mapping[int, CalendarYear]) -> Found:
    for year, calendar in calendar_years.items():
        for name, days in (("holidays", calendar.holidays), ("workdays", calendar.workdays)):
            for index, day in enumerate(days):
                place = ("calendar_years", str(year), name, str(index))
                if day.year != year:
                    yield place, f"is not within {year}"
                if name == "workdays" and day in calendar.holidays:
                    yield place, "is a holiday as well"
    if missing := unknown_between(calendar_years.keys()):
        yield ("calendar_years",), f"leaves out {min(missing)}, which is not known either"


_CHECKS: Final[tuple[Callable[..., Found], ...]] = (
    _every_timer,
    _timers_of_procedures,
    _timers_of_occasions,
    _shifts_of_suspensions,
    _extensions,
    _ladder,
    _warnings_in_time,
    _safety,
    _shares,
    _seats,
    _calendar,
)


def _missing(section: str, found: Mapping[Any, object], needed: tuple[str, ...]) -> Found:
    for key in needed:
        if key not in found:
            yield (*section.split("."), key), "is missing"


def _without_length(timers: Mapping[Timer, TimerRule], named: tuple[Timer, ...], *path: str) -> Found:
    for index, timer in enumerate(named):
        if timer not in timers:
            yield (*path, str(index)), f"{timer} has no length under timers"


def _spans(rule: TimerRule, ladder: Rule[Mapping[Level, Span]]) -> tuple[Span, ...]:
    return tuple(ladder.value.values()) if rule.length == "LADDER" else (rule.length,)


def _days(span: Span) -> int:
    return span.amount * _DAYS[span.unit]
