"""Which clocks the events of a command start, move on and clear, and what becomes of those that are due.

Pure: due instants come from the rules and the calendar that are given, and are written into the events, so
that nobody has to ask either again.
"""

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from shared.events import cases
from shared.events.base import Event
from shared.events.case import Case
from shared.events.clocks import TOUCHING, stops
from shared.events.deadlines import Deadline
from shared.events.evolve import evolve
from shared.events.vocabulary import Timer
from shared.policy.calendars import Calendar, calendar_with
from shared.policy.command import Command, Decision
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.policy.policy import Policy
from shared.policy.provisional import provisional, provisional_of_clock
from shared.policy.relations import unit_above
from shared.policy.spans import due_at, in_time, paused_due, warned_at

RIGHTS: Final[frozenset[Timer]] = frozenset(("T3", "T5", "T7", "T10"))
"""Rights of citizens and units, which lapse; all others are duties, which are breached."""
LADDER: Final[frozenset[Timer]] = frozenset(("T13", "T16"))
"""Whose breach is told to the level above."""

_LADDER_STARTS: Final = (
    cases.CaseRegistered,
    cases.CaseTransferred,
    cases.CaseDelegated,
    cases.CaseTakenOver,
    cases.CaseReopened,
    cases.EscalationAccepted,
    cases.EscalationReturned,
    cases.JurisdictionObjected,
)
_RECEIPTS: Final = (cases.CaseRegistered, cases.CaseTransferred)
"""Arrivals that are still to be accepted."""
_ACCEPTANCES: Final = (
    cases.CaseAccepted,
    cases.EscalationAccepted,
    cases.ProcedureChanged,
    cases.CaseTakenOver,
    cases.CaseReopened,
)
_HOTLINE_STARTS: Final = (
    cases.CaseAccepted,
    cases.CaseDelegated,
    cases.ProcedureChanged,
    cases.CaseReopened,
)


_MATTERING: Final = TOUCHING.union(
    _LADDER_STARTS,
    _RECEIPTS,
    _ACCEPTANCES,
    _HOTLINE_STARTS,
    (cases.CaseEscalated, cases.QueryRaised, cases.CorrectionDemanded),
    (cases.ReviewRequested, cases.ReReviewRequested, cases.ReviewOpinionRecorded),
)
"""The events that change a clock or start one."""


class Start(NamedTuple):
    timer: Timer
    on: date
    subject: UUID | None = None


class Due(NamedTuple):
    """What the clock itself records, as of the due instant."""

    at: datetime
    events: tuple[Event, ...]


@lru_cache(maxsize=64)
def calendar_of(policy: Policy) -> Calendar:
    """The calendar that rules go by: the published one, with the years that they give themselves."""
    return calendar_with(
        {
            year: {"holidays": given.holidays, "workdays": given.workdays}
            for year, given in policy.calendar_years.items()
        }
    )


def with_clocks(before: Case | None, decided: Decision, command: Command) -> Decision:
    """The decision with what it does to the clocks of its case, behind the events that do it."""
    if not any(type(event) in _MATTERING for event in decided.events):
        return decided
    found: list[Event] = []
    case = before
    for event in decided.events:
        previous, case = case, evolve(case, provisional(command, case, event), event)
        assert case is not None, "whatever is decided is of a case"
        found += _starts_of(event, case, command)
        if previous is not None:
            found += _moved_on(previous, case, command)
            found += _cleared(previous, case, event, command)
    return replace(decided, events=(*decided.events, *found))


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
    """All that the clock has to record of a case by now, each with the instant as of which it does."""
    found: list[tuple[datetime, Event]] = [(now, event) for event in _datings(case, now, tree)]
    found += [(now, event) for event in _first_starts(case, now, tree)]
    for _, event in found:
        following = evolve(case, provisional_of_clock(case, event, now), event)
        assert following is not None
        case = following
    case, overdue = caught_up(case, now, tree)
    return [*found, *overdue, *_warnings(case, now)]


def _first_starts(case: Case, now: datetime, tree: UnitTree) -> Iterator[Event]:
    """The clocks of an open case that has none, since it began before there were any: they start today."""
    if not case.is_open or any(deadline.live for deadline in case.deadlines):
        return
    policy, today = tree.policy(case.holder_unit, day_of(now)), day_of(now)
    match case.state:
        case "PENDING_ESCALATION":
            starts = [Start("T16", today)]
        case "IN_MEDIATION":
            starts = [Start("T9", today)]
        case "SUSPENDED":
            # Nothing runs there; what does afterwards is started once it goes on.
            starts = []
        case _:
            starts = [Start("T13", today)]
    if case.procedure == "PETITION" and case.holder_level == "TOWNSHIP":
        starts += [Start("T1", today), Start("T2" if case.state == "REGISTERED" else "T4", today)]
    starts += [Start("T11", today, query.query_id) for query in case.queries if query.state == "OPEN"]
    starts += [Start("T12", today, demand.demand_id) for demand in case.demands if demand.outcome is None]
    for start in starts:
        yield _started(start, case, policy)


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


def _starts_of(event: Event, case: Case, command: Command) -> Iterator[Event]:
    """By the rules of whoever holds the case now."""
    today = day_of(command.occurred_at)
    policy = command.tree.policy(case.holder_unit, today)
    for start in _starts(event, case, today):
        if policy.runs(start.timer, case.procedure or "SELF_GOVERNANCE"):
            yield _started(start, case, policy)


def _started(start: Start, case: Case, policy: Policy) -> cases.DeadlineStarted:
    calendar, span = calendar_of(policy), policy.length(start.timer, case.holder_level)
    due = due_at(start.on, span, right=start.timer in RIGHTS, calendar=calendar)
    return cases.DeadlineStarted(
        timer=start.timer,
        started_on=start.on,
        due_at=due,
        awaiting=None if due is not None else "CALENDAR",
        warn_at=_warning(start.timer, due, policy),
        pack=policy.id,
        calendar=calendar.id,
        subject=start.subject,
    )


def _starts(event: Event, case: Case, today: date) -> Iterator[Start]:
    """The clocks that an event starts."""
    if isinstance(event, _LADDER_STARTS) and case.is_open:
        yield Start("T13", today)
    if case.procedure == "PETITION":
        yield from _petition_starts(event, case, today)
    match event:
        case cases.CaseEscalated():
            yield Start("T16", today)
        case cases.MediationConsented() if case.state == "IN_MEDIATION":
            yield Start("T9", today)
        case cases.AgreementEffective():
            yield Start("T10", today)
        case cases.QueryRaised():
            yield Start("T11", today, event.query_id)
        case cases.CorrectionDemanded():
            yield Start("T12", today, event.demand_id)
        case _ if case.procedure == "HOTLINE" and _starts_hotline(event, case):
            yield Start("T14", today)


def _starts_hotline(event: Event, case: Case) -> bool:
    """Whether a reply is owed from now on; a take-over alone asks for none that was given already."""
    if isinstance(event, cases.CaseTakenOver):
        return not _ever(case, "T14")
    return isinstance(event, _HOTLINE_STARTS) and not _runs(case, "T14")


def _petition_starts(event: Event, case: Case, today: date) -> Iterator[Start]:
    if case.holder_level == "TOWNSHIP" and isinstance(event, (*_RECEIPTS, *_ACCEPTANCES)) and case.is_open:
        # A petition may be told to be one only when it is accepted; it was received when it arrived.
        arrived = isinstance(event, cases.CaseAccepted)
        if not _ever(case, "T1"):
            yield Start("T1", day_of(case.held.occurred_at) if arrived else today)
        if isinstance(event, _RECEIPTS) and not _ever(case, "T2"):
            yield Start("T2", today)
        if isinstance(event, _ACCEPTANCES) and not _runs(case, "T4"):
            yield Start("T4", today)
    match event:
        case cases.CaseDelegated():
            yield Start("T3", today)
        case cases.ReplyRecorded():
            yield Start("T5", event.delivered_on)
        case cases.ReviewRequested():
            yield Start("T6", today)
        case cases.ReReviewRequested():
            yield Start("T8", today)
        case cases.ReviewOpinionRecorded() if case.review is not None and case.review.stage == "REVIEW":
            yield Start("T7", today)


def _ever(case: Case, timer: Timer) -> bool:
    """Whether the case has had that clock, other than one whose ground was taken away."""
    return any(deadline.timer == timer and deadline.state != "CANCELLED" for deadline in case.deadlines)


def _runs(case: Case, timer: Timer) -> bool:
    return any(deadline.timer == timer and deadline.live for deadline in case.deadlines)


def _warning(timer: Timer, due: datetime | None, policy: Policy) -> datetime | None:
    return None if due is None else warned_at(due, policy.timers[timer].approaching, calendar_of(policy))


def _moved_on(previous: Case, case: Case, command: Command) -> Iterator[Event]:
    """Clocks that stood still and go on now are due later by as much."""
    stood = {deadline.version for deadline in previous.deadlines if deadline.paused}
    for deadline in case.deadlines:
        if deadline.version not in stood or deadline.state != "RUNNING":
            continue
        if deadline.due_at is None or deadline.original_due_at is None:
            continue
        policy = command.tree.rules(deadline.pack)
        calendar, unit = calendar_of(policy), policy.length(deadline.timer, case.holder_level).unit
        paused_on, resumed_on = day_of(deadline.pauses[-1].paused_at), day_of(command.occurred_at)
        due = paused_due(deadline.due_at, paused_on, resumed_on, unit, calendar)
        if due != deadline.due_at:
            yield cases.DeadlineShifted(
                timer=deadline.timer,
                started_version=deadline.version,
                due_at=due,
                original_due_at=paused_due(deadline.original_due_at, paused_on, resumed_on, unit, calendar),
                warn_at=deadline.warn_at and _warning(deadline.timer, due, policy),
                calendar=calendar.id,
            )


def _cleared(previous: Case, case: Case, event: Event, command: Command) -> Iterator[Event]:
    """Breaches and lapses recorded of what, as it turns out, had ended or stood still in time."""
    for before, after in zip(previous.deadlines, case.deadlines, strict=True):
        if before.due_at is None or not in_time(command.occurred_at, before.due_at):
            continue
        ends_breach = before.overdue and (not after.live or (after.paused and not before.paused))
        if ends_breach or (before.state == "LAPSED" and stops(before, event)):
            yield cases.DeadlineBreachVoided(timer=before.timer, started_version=before.version)
