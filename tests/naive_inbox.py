"""What waits for whom once more, straight from the events and the relations that may act: slow and plain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.events.case import Case
from shared.events.deadlines import Deadline
from shared.events.evolve import fold
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.relations import Relation, relations, unit_above
from shared.policy.sight import Sight, sight, sight_of


@dataclass(frozen=True)
class Waits:
    """Something on a case, and whether it waits for somebody of certain relations to it."""

    item_id: UUID
    case: Case
    kind: str
    timer: str
    since: datetime
    due_at: datetime | None


def waiting(events: Sequence[Recorded], actor: Actor, tree: UnitTree) -> list[Waits]:
    """What waits for somebody, by their relations to each case."""
    found: list[Waits] = []
    for case_id in {event.stream_id for event in events if event.topic == "case.registered"}:
        stream = [event for event in events if event.stream_id == case_id]
        case = fold(stream)
        assert case is not None
        related = relations(actor, case, tree)
        found += [item for item in unsettled(case, stream) if theirs(item, actor, related, tree)]
    return sorted(found, key=lambda item: (item.due_at or datetime.max.replace(tzinfo=UTC), item.item_id))


CLOCK_ITEMS = {"BREACHED": "BREACH", "RUNNING": "APPROACHING", "AWAITING": "CALENDAR"}
"""By the state of a clock what of it waits."""


def unsettled(case: Case, stream: Sequence[Recorded]) -> Iterable[Waits]:
    """All that waits on a case, for whomever."""
    live = [clock for clock in case.deadlines if clock.ended_at is None]

    def item(kind: str, timer: str, since: Recorded, subject: UUID | None = None) -> Waits:
        due = [clock.due_at for clock in live if clock.timer == timer and clock.subject == subject]
        due_at = due[0] if due else None
        return Waits(since.event_id, case, kind, timer, since.occurred_at, due_at)

    if case.state == "PENDING_ESCALATION":
        yield item("ESCALATION", "T16", [e for e in stream if e.topic == "case.escalated"][-1])
    for recorded in stream:
        event: Any = event_of(recorded)
        if recorded.topic == "case.query_raised" and not answered(stream, "query_id", event.query_id):
            yield item("QUERY", "T11", recorded, event.query_id)
        if recorded.topic == "case.correction_demanded" and not answered(
            stream, "demand_id", event.demand_id
        ):
            yield item("DEMAND", "T12", recorded, event.demand_id)
    for clock in live:
        since = waiting_since(clock, [e for e in stream if of_clock(e) == clock.version])
        if since is not None:
            yield replace(item(CLOCK_ITEMS[clock.state], clock.timer, since), due_at=clock.due_at)


def answered(stream: Sequence[Recorded], name: str, subject: UUID) -> bool:
    answers = (event_of(e) for e in stream if e.topic in ("case.query_answered", "case.demand_answered"))
    return any(getattr(answer, name, None) == subject for answer in answers)


def waiting_since(clock: Deadline, own: Sequence[Recorded]) -> Recorded | None:
    """Which of a clock's own events made it wait for somebody, if it does."""
    if clock.state == "AWAITING":
        return own[0]
    if clock.state == "RUNNING" and clock.warn_at is None:
        return next((e for e in reversed(own) if e.topic == "case.deadline_approaching"), None)
    since = None
    for recorded in own if clock.state == "BREACHED" else ():
        if recorded.topic == "case.deadline_breached":
            since = since or recorded
        elif recorded.topic in (
            "case.deadline_breach_voided",
            "case.deadline_shifted",
            "case.deadline_dated",
        ):
            since = None
    return since


def of_clock(recorded: Recorded) -> int:
    """The version of the clock that the event is about, or started."""
    version: int = getattr(event_of(recorded), "started_version", recorded.version)
    return version


def theirs(item: Waits, actor: Actor, related: frozenset[Relation], tree: UnitTree) -> bool:
    """Whether it waits for somebody who stands like that to its case."""
    case = item.case
    if item.kind == "CALENDAR":
        keeps = actor.role in ("operator", "township_officer") and tree.within(case.holder_unit, actor.unit)
        return keeps and sight(actor, sight_of(case), tree) in (Sight.CLEAR, Sight.MASKED)
    acting = {"T5": None, "T6": Relation.REVIEWER, "T16": Relation.RECEIVER}
    asked = {"T11": Relation.ANSWERER, "T12": Relation.ANSWERER}
    acts = (acting | asked).get(item.timer, Relation.HOLDER) in related
    late = {"T13": (case.holder_unit, case.holder_level), "T16": (case.pending_unit, case.pending_level)}
    unit, level = late.get(item.timer, (None, None))
    if item.kind != "BREACH" or unit is None:
        return acts
    if level == "TOWNSHIP":
        return acts or (Relation.SUPERVISOR in related and actor.unit == unit)
    return acts or (Relation.NEXT_ABOVE in related and actor.unit == unit_above(unit, level, tree))
