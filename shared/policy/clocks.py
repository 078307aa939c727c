"""What the events of a command do to the clocks of a case, and what becomes of those that are due.

Pure: due instants come from the rules and the calendar that are given, and are written into the events, so
that nobody has to ask either again.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from shared.events import cases
from shared.events.base import Event
from shared.events.case import Case
from shared.events.clocks import TOUCHING, stops
from shared.events.deadlines import Deadline
from shared.events.evolve import evolve
from shared.events.vocabulary import Timer
from shared.policy.clock_starts import RIGHTS, STARTING, calendar_of, first_starts, starts_of, warning_of
from shared.policy.command import Command, Decision
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.policy.provisional import provisional, provisional_of_clock
from shared.policy.relations import unit_above
from shared.policy.spans import due_at, in_time, paused_due, warned_at

LADDER: Final[frozenset[Timer]] = frozenset(("T13", "T16"))
"""Whose breach is told to the level above."""


_MATTERING: Final = TOUCHING | STARTING
"""The events that change a clock or start one."""


class Due(NamedTuple):
    """What the clock itself records, as of the due instant."""

    at: datetime
    events: tuple[Event, ...]


def with_clocks(before: Case | None, decided: Decision, command: Command) -> Decision:
    """The decision with what it does to the clocks of its case, behind the events that do it."""
    if not any(type(event) in _MATTERING for event in decided.events):
        return decided
    found: list[Event] = []
    case = before
    for event in decided.events:
        previous, case = case, evolve(case, provisional(command, case, event), event)
        assert case is not None, "whatever is decided is of a case"
        found += clock_events(previous, case, event, command.occurred_at, command.tree)
    return replace(decided, events=(*decided.events, *found))


def clock_events(
    previous: Case | None, case: Case, event: Event, at: datetime, tree: UnitTree
) -> Iterator[Event]:
    """What an act that made a case what it is does to its clocks: it starts, moves on, clears them."""
    if type(event) not in _MATTERING:
        return
    yield from starts_of(event, case, at, tree)
    if previous is not None:
        yield from _moved_on(previous, case, at, tree)
        yield from _cleared(previous, case, event, at)


def running_clocks(case: Case, at: datetime) -> tuple[cases.RunningClock, ...]:
    """The clocks that a duplicate hands on to its primary: those that run, and aren't due yet."""
    return tuple(
        cases.RunningClock(
            timer=deadline.timer,
            started_at=deadline.started_at,
            started_on=deadline.started_on,
            due_at=deadline.due_at,
            original_due_at=deadline.original_due_at,
        )
        for deadline in case.deadlines
        if deadline.state == "RUNNING"
        and deadline.due_at is not None
        and deadline.original_due_at is not None
        and in_time(at, deadline.due_at)
    )


def falls_due(case: Case, until: datetime, tree: UnitTree) -> Iterator[Due]:
    """What has fallen due before an instant and nobody has recorded yet, in order of the due instants."""
    unsettled = [
        (deadline.due_at, deadline)
        for deadline in case.deadlines
        if deadline.due_at is not None and (deadline.state == "RUNNING" or deadline.missed)
    ]
    for at, deadline in sorted(unsettled, key=lambda pair: pair[0]):
        if not in_time(until, at):
            yield Due(at, tuple(_due(case, deadline, at, tree)))


def told_by_clock(case: Case, now: datetime, tree: UnitTree) -> list[tuple[datetime, Event]]:
    """All that the clock has to record of a case by now, each with the instant as of which it does.

    What comes to be known only now comes first, then warnings and what fell due, in the order of time.
    """
    found: list[tuple[datetime, Event]] = [(now, event) for event in _datings(case, now, tree)]
    found += [(now, event) for event in first_starts(case, now, tree)]
    for _, event in found:
        following = evolve(case, provisional_of_clock(case, event, now), event)
        assert following is not None
        case = following
    case, overdue = caught_up(case, now, tree)
    return [*found, *sorted([*overdue, *_warnings(case, now)], key=lambda told: told[0])]


def _datings(case: Case, now: datetime, tree: UnitTree) -> Iterator[Event]:
    """Clocks whose calendar has come meanwhile, with the rules in force or with a later version of ours."""
    calendar = calendar_of(tree.policy(case.holder_unit, day_of(now)))
    for deadline in case.deadlines:
        if deadline.state != "AWAITING" or not deadline.live:
            continue
        rules = tree.rules(deadline.pack)
        span = rules.length(deadline.timer, case.holder_level)
        due = due_at(deadline.started_on, span, right=deadline.timer in RIGHTS, calendar=calendar)
        for pause in deadline.pauses:
            if due is not None and pause.resumed_at is not None:
                days = day_of(pause.paused_at), day_of(pause.resumed_at)
                due = paused_due(due, *days, span.unit, calendar)
        if due is not None:
            yield cases.DeadlineDated(
                timer=deadline.timer,
                started_version=deadline.version,
                due_at=due,
                original_due_at=due,
                warn_at=warned_at(due, rules.timers[deadline.timer].approaching, calendar),
                calendar=calendar.id,
            )


def _warnings(case: Case, now: datetime) -> Iterator[tuple[datetime, Event]]:
    for deadline in case.deadlines:
        at, due = deadline.warn_at, deadline.due_at
        running = deadline.live and deadline.state == "RUNNING"
        if running and due is not None and at is not None and at <= now:
            yield (
                at,
                cases.DeadlineApproaching(timer=deadline.timer, started_version=deadline.version, due_at=due),
            )


def caught_up(case: Case, until: datetime, tree: UnitTree) -> tuple[Case, list[tuple[datetime, Event]]]:
    """The case with all recorded that has fallen due before an instant, and those events."""
    found = [(due.at, event) for due in falls_due(case, until, tree) for event in due.events]
    for at, event in found:
        following = evolve(case, provisional_of_clock(case, event, at), event)
        assert following is not None
        case = following
    return case, found


def _due(case: Case, deadline: Deadline, at: datetime, tree: UnitTree) -> Iterator[Event]:
    timer, version = deadline.timer, deadline.version
    if timer in RIGHTS:
        yield cases.RightLapsed(timer=timer, started_version=version, due_at=at)
        return
    yield cases.DeadlineBreached(timer=timer, started_version=version, due_at=at)
    if timer in LADDER and deadline.live:
        # Told is the unit next above whoever is late; above a township there is none.
        holder, receiver = (case.holder_unit, case.holder_level), (case.pending_unit, case.pending_level)
        above = tree.get(unit_above(*(receiver if timer == "T16" else holder), tree))
        if above is not None:
            yield cases.LevelNotified(level=above.level, unit=above.unit_id)


def _moved_on(previous: Case, case: Case, at: datetime, tree: UnitTree) -> Iterator[Event]:
    """Clocks that stood still and go on now are due later by as much."""
    stood = {deadline.version for deadline in previous.deadlines if deadline.paused}
    for deadline in case.deadlines:
        if deadline.version not in stood or deadline.state != "RUNNING":
            continue
        if deadline.due_at is None or deadline.original_due_at is None:
            continue
        policy = tree.rules(deadline.pack)
        calendar, unit = calendar_of(policy), policy.length(deadline.timer, case.holder_level).unit
        paused_on, resumed_on = day_of(deadline.pauses[-1].paused_at), day_of(at)
        due = paused_due(deadline.due_at, paused_on, resumed_on, unit, calendar)
        if due != deadline.due_at:
            yield cases.DeadlineShifted(
                timer=deadline.timer,
                started_version=deadline.version,
                due_at=due,
                original_due_at=paused_due(deadline.original_due_at, paused_on, resumed_on, unit, calendar),
                warn_at=deadline.warn_at and warning_of(deadline.timer, due, policy),
                calendar=calendar.id,
            )


def _cleared(previous: Case, case: Case, event: Event, at: datetime) -> Iterator[Event]:
    """Breaches and lapses recorded of what, as it turns out, had ended or stood still in time."""
    for before, after in zip(previous.deadlines, case.deadlines, strict=True):
        if before.due_at is None or not in_time(at, before.due_at):
            continue
        ends_breach = before.overdue and (not after.live or (after.paused and not before.paused))
        if ends_breach or (before.state == "LAPSED" and stops(before, event)):
            yield cases.DeadlineBreachVoided(timer=before.timer, started_version=before.version)
