"""Folding the clocks of a case: what starts, stops, cancels and pauses them. Pure, and total as `evolve` is.

Starts, later due instants and breaches are events of their own, so folding needs neither rules nor a
calendar. A clock ends with the act that it waits for, or when the case leaves the matter.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from shared.events import cases
from shared.events.base import Event
from shared.events.case import Case
from shared.events.deadlines import Deadline, Pause
from shared.events.recorded import Recorded
from shared.events.vocabulary import DeadlineState, State, Timer

_Events = tuple[type[Event], ...]

_STOPPED_BY: Final[Mapping[Timer, _Events]] = {
    "T1": (cases.ComplainantNotified,),
    "T2": (cases.CaseAccepted, cases.CaseTransferred),
    "T3": (cases.JurisdictionObjected,),
    "T4": (cases.CaseResolved, cases.AgreementEffective),
    "T5": (cases.ReviewRequested,),
    "T6": (cases.ReviewOpinionRecorded,),
    "T7": (cases.ReReviewRequested,),
    "T8": (cases.ReviewOpinionRecorded,),
    "T9": (cases.AgreementEffective, cases.MediationTerminated),
    "T10": (cases.JudicialConfirmationApplied,),
    "T11": (cases.QueryAnswered,),
    "T12": (cases.DemandAnswered,),
    "T13": (
        cases.CaseEscalated,
        cases.CaseTransferred,
        cases.CaseDelegated,
        cases.CaseTakenOver,
        cases.JurisdictionObjected,
        cases.CaseRejected,
        cases.CaseResolved,
        cases.AgreementEffective,
    ),
    "T14": (cases.ReplyRecorded,),
    "T16": (cases.EscalationAccepted, cases.EscalationReturned, cases.CaseTakenOver),
}
"""The acts that each clock waits for."""

_ARRIVALS: Final[_Events] = (
    cases.CaseTransferred,
    cases.CaseDelegated,
    cases.CaseTakenOver,
    cases.EscalationAccepted,
    cases.JurisdictionObjected,
)
_OVERSIGHT: Final[frozenset[Timer]] = frozenset(("T11", "T12"))
"""Owed to supervisors, whatever becomes of the case."""
_CANCELLED_BY: Final[Mapping[Timer, _Events]] = {
    "T1": (cases.CaseRejected, cases.ProcedureChanged),
    "T2": (cases.CaseRejected, cases.ProcedureChanged),
    "T3": (*_ARRIVALS, cases.ProcedureChanged),
    "T4": (cases.ProcedureChanged,),
    "T5": (cases.CaseReopened, cases.ReplyRecorded, cases.ProcedureChanged),
    "T6": (cases.CaseReopened,),
    "T7": (cases.CaseReopened,),
    "T8": (cases.CaseReopened,),
    "T10": (cases.AgreementReached,),
    "T14": (cases.CaseRejected, cases.ProcedureChanged),
}
"""What takes away the ground that a clock runs on."""
_LEAVING: Final[_Events] = (cases.CaseWithdrawn, cases.CaseMerged)
_PAUSING: Final[_Events] = (cases.CaseSuspended, cases.CaseResumed, cases.MediationConsented)
"""What lets clocks stand still or go on, beside what stops some."""

TOUCHING: Final[frozenset[type[Event]]] = frozenset(
    (
        *(event for events in (*_STOPPED_BY.values(), *_CANCELLED_BY.values()) for event in events),
        *_LEAVING,
        *_PAUSING,
        cases.CaseAbsorbed,
        cases.DeadlineStarted,
        *cases.ClockEvent.__subclasses__(),
    )
)
"""The events that change a clock; most events of a case don't."""


def _pauses(timer: Timer, state: State, suspended_timers: tuple[Timer, ...]) -> bool:
    """Whether a clock stands still in a state of the case: mediation has a clock of its own."""
    if state == "SUSPENDED":
        return timer in suspended_timers
    return state == "IN_MEDIATION" and timer == "T13"


def turn_clocks(
    case: Case, state: State, suspended_timers: tuple[Timer, ...], recorded: Recorded, event: Event
) -> tuple[Deadline, ...]:
    """The clocks after an event that brought the case into `state`."""
    if isinstance(event, cases.DeadlineStarted):
        return (*case.deadlines, _started(recorded, event))
    if isinstance(event, cases.ClockEvent):
        change = _CHANGES[type(event)]
        return tuple(
            change(deadline, recorded, event) if deadline.version == event.started_version else deadline
            for deadline in case.deadlines
        )
    if isinstance(event, cases.CaseAbsorbed):
        return tuple(_inherited(deadline, event) for deadline in case.deadlines)
    return tuple(
        _turned(deadline, state, suspended_timers, recorded, event) if deadline.live else deadline
        for deadline in case.deadlines
    )


def _started(recorded: Recorded, event: cases.DeadlineStarted) -> Deadline:
    return Deadline(
        timer=event.timer,
        version=recorded.version,
        started_at=recorded.occurred_at,
        started_on=event.started_on,
        due_at=event.due_at,
        original_due_at=event.due_at,
        warn_at=event.warn_at,
        contact_by=event.contact_by,
        state="RUNNING" if event.awaiting is None else "AWAITING",
        subject=event.subject,
        pack=event.pack,
    )


def _turned(
    deadline: Deadline, state: State, suspended_timers: tuple[Timer, ...], recorded: Recorded, event: Event
) -> Deadline:
    if stops(deadline, event):
        return _ended(deadline, recorded, "STOPPED")
    if _cancels(deadline, event):
        return _ended(deadline, recorded, "CANCELLED")
    stands_still = _pauses(deadline.timer, state, suspended_timers)
    if stands_still == deadline.paused:
        return deadline
    if stands_still:
        pauses = (*deadline.pauses, Pause(recorded.occurred_at))
    else:
        *before, last = deadline.pauses
        pauses = (*before, replace(last, resumed_at=recorded.occurred_at))
    turned = replace(deadline, pauses=pauses)
    return turned if turned.state == "BREACHED" else _now(turned)


def stops(deadline: Deadline, event: Event) -> bool:
    """Whether the event is the act that the clock waits for."""
    if not isinstance(event, _STOPPED_BY.get(deadline.timer, ())):
        return False
    match event:
        case cases.QueryAnswered():
            return event.query_id == deadline.subject
        case cases.DemandAnswered():
            return event.demand_id == deadline.subject
        case cases.CaseTransferred():
            # Out of the system nothing more is done about it; that it was routed counts.
            return event.to_unit is not None or deadline.timer == "T2"
    return True


def _cancels(deadline: Deadline, event: Event) -> bool:
    if isinstance(event, _CANCELLED_BY.get(deadline.timer, ())):
        return True
    leaves = isinstance(event, _LEAVING) or (
        isinstance(event, cases.CaseTransferred) and event.to_unit is None
    )
    return leaves and deadline.timer not in _OVERSIGHT


def _ended(deadline: Deadline, recorded: Recorded, state: DeadlineState) -> Deadline:
    """A breach stays what it was, however the clock ended afterwards."""
    kept = deadline.state == "BREACHED"
    return replace(deadline, state=deadline.state if kept else state, ended_at=recorded.occurred_at)


def _now(deadline: Deadline) -> Deadline:
    """The clock in the state that follows from the rest of it."""
    if deadline.due_at is None:
        return replace(deadline, state="AWAITING")
    return replace(deadline, state="SUSPENDED" if deadline.paused else "RUNNING")


def _inherited(deadline: Deadline, event: cases.CaseAbsorbed) -> Deadline:
    """The earlier start of a duplicate's clock of the same kind; each query and demand stands for itself."""
    if not deadline.live or deadline.state == "BREACHED" or deadline.timer in _OVERSIGHT:
        return deadline
    earlier = [
        clock
        for duplicate in event.absorbed
        for clock in duplicate.clocks
        if clock.timer == deadline.timer and clock.started_at < deadline.started_at
    ]
    if not earlier:
        return deadline
    first = min(earlier, key=lambda clock: clock.started_at)
    return _now(
        replace(
            deadline,
            started_at=first.started_at,
            started_on=first.started_on,
            due_at=first.due_at,
            original_due_at=first.original_due_at,
        )
    )


def _moved(
    deadline: Deadline, recorded: Recorded, event: cases.DeadlineShifted | cases.DeadlineDated
) -> Deadline:
    dates = {"due_at": event.due_at, "original_due_at": event.original_due_at, "warn_at": event.warn_at}
    return _now(replace(deadline, **dates))


def _extended(deadline: Deadline, recorded: Recorded, event: cases.DeadlineExtended) -> Deadline:
    extensions = deadline.extensions + 1
    return replace(deadline, due_at=event.due_at, warn_at=event.warn_at, extensions=extensions)


def _voided(deadline: Deadline, recorded: Recorded, event: cases.DeadlineBreachVoided) -> Deadline:
    """The clock ended in time, or goes on where it was only extended or paused in time."""
    return _now(deadline) if deadline.live else replace(deadline, state="VOIDED")


def _lapsed(deadline: Deadline, recorded: Recorded, event: cases.RightLapsed) -> Deadline:
    return replace(deadline, state="LAPSED", ended_at=recorded.occurred_at)


_CHANGES: Final[dict[type[cases.ClockEvent], Callable[[Deadline, Recorded, Any], Deadline]]] = {
    cases.DeadlineShifted: _moved,
    cases.DeadlineExtended: _extended,
    cases.DeadlineDated: _moved,
    cases.DeadlineApproaching: lambda deadline, recorded, event: replace(deadline, warn_at=None),
    cases.DeadlineBreached: lambda deadline, recorded, event: replace(deadline, state="BREACHED"),
    cases.DeadlineBreachVoided: _voided,
    cases.RightLapsed: _lapsed,
}
