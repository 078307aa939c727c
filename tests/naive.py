"""The figures once more, straight from the events: a second reading of their definitions, slow and plain."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.projections.figures.coverage import Coverage
from shared.events.deadlines import Deadline
from shared.events.evolve import fold
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.jurisdiction import UnitTree

Counted = Counter[tuple[str, str | None, UUID]]
"""How often each measure was counted, by level and unit."""

OPEN = ("REGISTERED", "ACCEPTED", "IN_PROGRESS", "IN_MEDIATION", "PENDING_ESCALATION", "SUSPENDED")
STATE_AFTER = {
    "case.accepted": "ACCEPTED",
    "case.rejected": "REJECTED",
    "case.merged": "MERGED",
    "case.escalated": "PENDING_ESCALATION",
    "case.escalation_accepted": "IN_PROGRESS",
    "case.escalation_returned": "IN_PROGRESS",
    "case.handler_assigned": "IN_PROGRESS",
    "case.suspended": "SUSPENDED",
    "case.mediation_consented": "IN_MEDIATION",
    "case.mediation_terminated": "IN_PROGRESS",
    "case.agreement_effective": "RESOLVED",
    "case.resolved": "RESOLVED",
    "case.closed": "CLOSED",
    "case.reopened": "IN_PROGRESS",
    "case.withdrawn": "WITHDRAWN",
}


@dataclass
class Life:
    """What is known of a case."""

    case_id: UUID
    unit: UUID
    holder: UUID
    level: str
    opened_at: datetime
    procedure: str | None
    state: str = "REGISTERED"
    suspended_from: str = "IN_PROGRESS"
    urgent: bool | None = None
    status: str | None = None
    degree: str | None = None
    resolved_at_level: str | None = None
    levels: set[str] = field(default_factory=set)
    resolved_on: list[date] = field(default_factory=list)
    reopened_on: list[date] = field(default_factory=list)
    agreed_on: list[date] = field(default_factory=list)
    agreements: list[dict[int, tuple[date | None, bool]]] = field(default_factory=list)
    """Of each, by the number of the term: when it is due, and whether it is fulfilled."""
    terminated_on: list[date] = field(default_factory=list)
    followed_up: list[tuple[int, date, Any]] = field(default_factory=list)
    """The cycle, the day and the event of each attempt."""
    order: tuple[datetime, datetime] | None = None
    """Of a hotline order when it first was one with a limit, and until when it was to be answered."""
    contacted_at: list[datetime] = field(default_factory=list)
    absorbed: list[Any] = field(default_factory=list)
    clocks: tuple[Deadline, ...] = ()

    @property
    def in_total(self) -> bool:
        return self.procedure not in ("SERVICE", "SAFETY_LEAD")

    @property
    def overdue(self) -> bool:
        return any(clock.state == "BREACHED" and clock.ended_at is None for clock in self.clocks)

    @property
    def settled(self) -> bool:
        return self.state in ("RESOLVED", "CLOSED")


def seen(events: Iterable[Recorded], position: int, occurred: datetime | None) -> list[Recorded]:
    """What was known at a position of what had happened by an instant."""
    return [
        event
        for event in events
        if event.position <= position and (occurred is None or event.occurred_at <= occurred)
    ]


def shanghai(instant: datetime) -> date:
    return (instant + timedelta(hours=8)).date()


def lives(events: Sequence[Recorded]) -> list[Life]:
    found: dict[UUID, Life] = {}
    for recorded in events:
        event: Any = event_of(recorded)
        if recorded.topic == "case.registered":
            found[recorded.stream_id] = Life(
                recorded.stream_id,
                event.origin_unit,
                event.holder_unit,
                event.holder_level,
                recorded.occurred_at,
                event.procedure,
                levels={event.holder_level},
            )
        elif recorded.stream_id in found:
            happened(found[recorded.stream_id], recorded, event)
    for life in found.values():
        # What clocks do is tested for itself; here the question is what is counted of it, and when.
        case = fold(recorded for recorded in events if recorded.stream_id == life.case_id)
        life.clocks = () if case is None else case.deadlines
    return list(found.values())


def happened(life: Life, recorded: Recorded, event: Any) -> None:
    topic = recorded.topic
    before = life.state
    life.state = STATE_AFTER.get(topic, life.state)
    if topic in ("case.accepted", "case.procedure_changed"):
        life.procedure = event.procedure
    elif topic == "case.transferred":
        life.state = "TRANSFERRED"
        if event.to_unit is not None:
            life.state, life.holder, life.level = "REGISTERED", event.to_unit, event.to_level
    elif topic == "case.escalation_accepted":
        life.holder, life.level = event.unit, event.level
    elif topic == "case.urgency_classified":
        life.urgent, life.status = event.urgent, event.status
    elif topic == "case.deadline_started" and event.contact_by is not None:
        life.order = life.order or (recorded.occurred_at, event.contact_by)
    elif topic == "case.contact_recorded":
        life.contacted_at.append(recorded.occurred_at)
    elif topic == "case.suspended":
        life.suspended_from = before
    elif topic == "case.resumed":
        life.state = life.suspended_from
    elif topic == "case.agreement_reached":
        life.agreed_on.append(shanghai(recorded.occurred_at))
        life.agreements.append({term.term_no: (term.due_on, False) for term in event.terms})
    elif topic in ("case.agreement_fulfilled", "case.agreement_breached"):
        if life.agreements and event.term_no in life.agreements[-1]:
            due_on, _ = life.agreements[-1][event.term_no]
            life.agreements[-1][event.term_no] = due_on, topic == "case.agreement_fulfilled"
    elif topic == "case.mediation_terminated":
        life.terminated_on.append(shanghai(recorded.occurred_at))
    elif topic == "case.follow_up_recorded":
        life.followed_up.append((len(life.reopened_on), shanghai(recorded.occurred_at), event))
    elif topic in ("case.resolved", "case.agreement_effective"):
        life.degree = event.degree if topic == "case.resolved" else "FULL"
        life.resolved_at_level = life.level
        life.resolved_on.append(shanghai(recorded.occurred_at))
    elif topic == "case.reopened":
        life.resolved_at_level = None
        life.reopened_on.append(shanghai(recorded.occurred_at))
    elif topic == "case.absorbed":
        life.absorbed.extend(event.absorbed)
        heirs = [one for one in event.absorbed if one.urgent]
        confirmed = any(one.urgency_status == "CONFIRMED" for one in heirs)
        if heirs and (not life.urgent or confirmed):
            life.urgent, life.status = True, "CONFIRMED" if confirmed else "PROPOSED"
    life.levels.add(life.level)


def counted(
    events: Sequence[Recorded],
    first: date | None,
    last: date | None,
    *,
    cases: Collection[UUID] | None = None,
    holders: Collection[UUID] | None = None,
) -> Counted:
    """Every count of facts in the period; what is as of the answer has no day and falls out of a period.

    `cases`, `holders`: which cases count, with what is done on them, and who has to hold them.
    """
    known = lives(events)
    held = {life.case_id for life in known if holders is None or life.holder in holders}

    def chosen(case_id: UUID) -> bool:
        return (cases is None or case_id in cases) and (holders is None or case_id in held)

    def within(day: date) -> bool:
        return (first is None or day >= first) and (last is None or day <= last)

    total: Counted = Counter()
    for life in known:
        disposed = life.settled and life.degree != "PARTIAL"
        for duplicate in life.absorbed if disposed else ():
            counts = duplicate.procedure not in ("SERVICE", "SAFETY_LEAD") and chosen(duplicate.case_id)
            if counts and within(shanghai(duplicate.registered_at)):
                total["disposed", None, duplicate.docket_unit] += 1
        if not chosen(life.case_id):
            continue
        on_day = within(shanghai(life.opened_at))
        if life.state in OPEN and first is None and last is None:
            total["open_by_holder", None, life.holder] += 1
            total["open_by_origin", None, life.unit] += 1
            if life.urgent is not False:
                name = "urgent" if life.urgent else "unclassified"
                total[f"{name}_open_by_holder", None, life.holder] += 1
                total[f"{name}_open_by_origin", None, life.unit] += 1
            if life.overdue:
                total["overdue_by_holder", None, life.holder] += 1
                total["overdue_by_origin", None, life.unit] += 1
        for name in registered_as(life) if on_day else ():
            total[name, None, life.unit] += 1
        if on_day:
            total.update(("reached", level, life.unit) for level in life.levels)
            if life.settled and life.resolved_at_level:
                total["contained", life.resolved_at_level, life.unit] += 1
        for clock in life.clocks:
            if clock.timer != "T5" and judged(clock) and within(due_day(clock)):
                total["duty", clock.timer, life.unit] += 1
                total["duty_in_time", clock.timer, life.unit] += kept(clock, clock.due_at)
                total["duty_in_original_time", clock.timer, life.unit] += kept(clock, clock.original_due_at)
        if life.order is not None and within(shanghai(life.order[0])):
            start, limit = life.order
            total["hotline_order", None, life.unit] += 1
            total["hotline_contacted", None, life.unit] += any(
                start <= at <= limit for at in life.contacted_at
            )
        if disposed and life.in_total and on_day:
            total["disposed", None, life.unit] += 1
            total["disposed_net", None, life.unit] += 1
        for name, days in (("resolution", life.resolved_on), ("reopening", life.reopened_on)):
            if any(map(within, days)):
                total[name, None, life.unit] += 1
        total["agreed", None, life.unit] += sum(map(within, life.agreed_on))
        total["terminated", None, life.unit] += sum(map(within, life.terminated_on))
        for terms in life.agreements:
            days = [due_on for due_on, _ in terms.values() if due_on is not None]
            if days and within(max(days)):
                total["agreement_due", None, life.unit] += 1
                total["agreement_fulfilled", None, life.unit] += all(kept for _, kept in terms.values())
        if life.procedure != "SAFETY_LEAD":
            for name, day in asked_afterwards(life):
                total[name, None, life.unit] += within(day)
    anywhere = cases is None and holders is None
    made = events if anywhere else [event for event in events if chosen(event.stream_id)]
    for unit, _, day in visited(made):
        if within(day):
            total["visit", None, unit] += 1
    return +total


def of_category(events: Sequence[Recorded], category: str) -> set[UUID]:
    """The cases of a category, whenever they were registered."""
    registered = [event for event in events if event.topic == "case.registered"]
    told: list[Any] = [event_of(event) for event in registered]
    return {
        event.stream_id for event, case in zip(registered, told, strict=True) if case.category == category
    }


def asked_afterwards(life: Life) -> Iterable[tuple[str, date]]:
    """What the complainant said: answer by answer, and cycle by cycle."""
    for _, day, event in life.followed_up:
        if event.reached:
            yield "told_solved" if event.solved else "told_unsolved", day
    for cycle in {cycle for cycle, _, _ in life.followed_up}:
        attempts = [(day, event) for of, day, event in life.followed_up if of == cycle]
        answers = [event for _, event in attempts if event.reached]
        last = attempts[-1][0]
        if not answers:
            yield "unanswered", last
        else:
            yield "satisfied" if answers[-1].satisfied else "unsatisfied", last


def judged(clock: Deadline) -> bool:
    """Whether it is known if a duty was done in time."""
    return clock.due_at is not None and clock.state in ("STOPPED", "BREACHED", "VOIDED")


def kept(clock: Deadline, due: datetime | None) -> bool:
    if clock.state == "BREACHED" or due is None or clock.ended_at is None:
        return False
    stood_still = any(each.paused_at <= due for each in clock.pauses if each.resumed_at is None)
    return stood_still or clock.ended_at <= due or (clock.state == "VOIDED" and due == clock.due_at)


def due_day(clock: Deadline) -> date:
    """The day that ends at the midnight at which it was due without extensions."""
    assert clock.original_due_at is not None
    return shanghai(clock.original_due_at - timedelta(microseconds=1))


def registered_as(life: Life) -> list[str]:
    """The counts by state and urgency that a case belongs to."""
    names = []
    if life.in_total:
        names.append("registered")
        removed = life.state in ("REJECTED", "MERGED", "TRANSFERRED", "WITHDRAWN")
        names.append("removed" if removed else "registered_net")
        if life.settled:
            names.append("resolved")
    ending = "" if life.in_total else "_outside"
    if life.urgent is not False:
        kind = "urgent" if life.urgent else "unclassified"
        names.append(("urgent_registered" if life.urgent else "urgent_unclassified") + ending)
        if life.urgent and life.status == "PROPOSED":
            names.append("urgent_unconfirmed" + ending)
        if life.state in OPEN:
            names.append(f"{kind}_open{ending}")
        if life.settled:
            names.append(f"{kind}_resolved{ending}")
    return names


def visited(events: Sequence[Recorded]) -> list[tuple[UUID, str | None, date]]:
    """Each visit: under which unit, to which household, on which day."""
    found = []
    for recorded in events:
        if recorded.topic in ("visit.recorded", "case.visit_recorded"):
            event: Any = event_of(recorded)
            unit: Any = event.unit if recorded.topic == "visit.recorded" else recorded.unit
            found.append((unit, event.household_ref, shanghai(recorded.occurred_at)))
    return found


def coverage(events: Sequence[Recorded], tree: UnitTree) -> dict[UUID, Coverage]:
    """Of each unit with visits or a roster: its latest roster, and whom visits within the unit reached."""
    latest: dict[UUID, tuple[tuple[date, int], set[str]]] = {}
    for recorded in events:
        if recorded.topic == "roster.filed":
            event: Any = event_of(recorded)
            filed = ((event.as_of_on, recorded.position), set(event.households))
            latest[event.unit] = max(filed, latest.get(event.unit, filed), key=lambda roster: roster[0])
    visits = visited(events)
    return {
        unit: Coverage(
            households=len(latest[unit][1]) if unit in latest else None,
            visited=len(
                latest[unit][1]
                & {household for by, household, _ in visits if household and tree.within(by, unit)}
            )
            if unit in latest
            else 0,
            visits=sum(by == unit for by, _, _ in visits),
        )
        for unit in {*latest, *(by for by, _, _ in visits)}
    }
