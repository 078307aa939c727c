"""Clocks as people say them: how much is left, and until when it counts."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.policy.moments import day_of

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7

Say = Callable[..., str]
"""The words of a name in the language of whoever looks."""


class ClockWords(NamedTuple):
    badge: str
    """One or two words, which say the same as the colour."""
    kind: str
    """Of the badge: `bad`, `warn`, or nothing."""
    told: str


def clock_words(clock: Mapping[str, Any], now: datetime, say: Say) -> ClockWords:
    """`clock` as a case or a list of cases tells it; `now` is the instant of that answer."""
    state, today = clock["state"], day_of(now)
    if state == "AWAITING" or clock["due_at"] is None:
        return ClockWords(say("clock.awaiting"), "", say("clock.awaiting_told"))
    if state == "SUSPENDED":
        return ClockWords(say("clock.paused"), "", say("clock.paused_told"))
    due = datetime.fromisoformat(clock["due_at"])
    last = day_of(due) - _DAY
    until = _day(last, today, say)
    if state == "BREACHED" or due <= now:
        over = (today - last).days
        told = say("clock.overdue_told", days=over, plural=_plural(over), until=until)
        return ClockWords(say("clock.overdue"), "bad", told)
    left = clock["left"]
    if left is None:
        return ClockWords(say("clock.running"), "", say("clock.until", until=until))
    if left["days"] == 0:
        return ClockWords(say("clock.due_today"), "warn", say("clock.last_day", until=until))
    days, plural = left["days"], _plural(left["days"])
    counted = (
        say("clock.working_left", days=days, plural=plural)
        if left["working"]
        else say("clock.days_left", days=days, plural=plural)
    )
    told = say("clock.left", left=counted, until=until)
    if days == 1:
        return ClockWords(say("clock.due_soon"), "warn", told)
    return ClockWords(say("clock.running"), "", told)


def _plural(days: int) -> str:
    """What English puts after a noun."""
    return "" if days == 1 else "s"


def _day(day: date, today: date, say: Say) -> str:
    """A day of these days by its name, any other by its date, with the year where it is another one."""
    match (day - today).days:
        case 0:
            return say("clock.today")
        case 1:
            return say("clock.tomorrow")
        case ahead if 0 < ahead < _WEEK:
            return say(f"clock.weekday_{day.isoweekday()}")
    told = {"month": day.month, "day": day.day, "named": f"{day.day} {day:%b}"}
    if day.year == today.year:
        return say("clock.date", **told)
    return say("clock.date_of_year", year=day.year, **told)
