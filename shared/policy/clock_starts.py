"""Which clocks an event starts, and when they are due: by the rules of whoever holds the case then."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from shared.events import cases
from shared.events.base import Event
from shared.events.case import Case
from shared.events.vocabulary import Timer
from shared.policy.calendars import Calendar, calendar_with
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.policy.policy import Policy
from shared.policy.spans import due_at, warned_at

RIGHTS: Final[frozenset[Timer]] = frozenset(("T3", "T5", "T7", "T10"))
"""Rights of citizens and units, which lapse; all others are duties, which are breached."""

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
STARTING: Final[frozenset[type[Event]]] = frozenset(
    (
        *_LADDER_STARTS,
        *_RECEIPTS,
        *_ACCEPTANCES,
        *_HOTLINE_STARTS,
        *(cases.CaseEscalated, cases.MediationConsented, cases.AgreementEffective),
        *(cases.QueryRaised, cases.CorrectionDemanded, cases.ReplyRecorded),
        *(cases.ReviewRequested, cases.ReReviewRequested, cases.ReviewOpinionRecorded),
    )
)
"""The events that may start a clock."""


class Start(NamedTuple):
    timer: Timer
    on: date
    subject: UUID | None = None


@lru_cache(maxsize=64)
def calendar_of(policy: Policy) -> Calendar:
    """The calendar that rules go by: the published one, with the years that they give themselves."""
    return calendar_with(
        {
            year: {"holidays": given.holidays, "workdays": given.workdays}
            for year, given in policy.calendar_years.items()
        }
    )


def starts_of(event: Event, case: Case, at: datetime, tree: UnitTree) -> Iterator[cases.DeadlineStarted]:
    """The clocks that an event starts which made the case what it is."""
    today = day_of(at)
    yield from _started(_starts(event, case, today), case, at, tree.policy(case.holder_unit, today))


def first_starts(case: Case, now: datetime, tree: UnitTree) -> Iterator[cases.DeadlineStarted]:
    """The clocks of an open case that has none, since it began before there were any: they start today."""
    if not case.is_open or any(deadline.live for deadline in case.deadlines):
        return
    today = day_of(now)
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
    yield from _started(starts, case, now, tree.policy(case.holder_unit, today))


def warning_of(timer: Timer, due: datetime | None, policy: Policy) -> datetime | None:
    """When to warn of what is due, as the rules say."""
    return None if due is None else warned_at(due, policy.timers[timer].approaching, calendar_of(policy))


def _contact_by(timer: Timer, at: datetime, policy: Policy) -> datetime | None:
    """Until when the complainant is to be contacted about what starts then, as the rules say."""
    if timer != "T14" or policy.contact_hours is None:
        return None
    return at + timedelta(hours=policy.contact_hours)


def _started(
    starts: Iterable[Start], case: Case, at: datetime, policy: Policy
) -> Iterator[cases.DeadlineStarted]:
    """Those of the clocks that the rules have for the case, started at an instant."""
    calendar = calendar_of(policy)
    for timer, on, subject in starts:
        if not policy.runs(timer, case.procedure or "SELF_GOVERNANCE"):
            continue
        span = policy.length(timer, case.holder_level)
        due = due_at(on, span, right=timer in RIGHTS, calendar=calendar)
        yield cases.DeadlineStarted(
            timer=timer,
            started_on=on,
            due_at=due,
            awaiting=None if due is not None else "CALENDAR",
            warn_at=warning_of(timer, due, policy),
            contact_by=_contact_by(timer, at, policy),
            pack=policy.id,
            calendar=calendar.id,
            subject=subject,
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
