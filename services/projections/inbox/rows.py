"""The rows of what waits for somebody: each thing once for every audience; and of what somebody has seen."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.projections.deadlines.clocks import Clock
from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.case import Case
from shared.events.inbox import ItemSeen
from shared.events.recorded import Recorded
from shared.events.vocabulary import InboxKind, Timer
from shared.policy.waiting import (
    Addressee,
    alarmed,
    answerers,
    calendar_keepers,
    left_out,
    receivers,
    whose_turn,
)

INBOX: Final = Table(
    name="inbox",
    columns={
        "item_id": "uuid",
        "case_id": "uuid",
        "kind": "text",
        "timer": "text",
        "since": "timestamptz",
        "due_at": "timestamptz",
        "audience": "text",
        "unit_id": "uuid",
        "left_out": "text[]",
        "seen_from": "int8",
    },
)
SEEN: Final = Table(name="seen", columns={"item_id": "uuid", "reader": "text"})


class Item(NamedTuple):
    """Something that waits; instants are UTC."""

    item_id: UUID
    """Of the event that made it wait; of a clock without a calendar, the event that started it."""
    kind: InboxKind
    timer: Timer
    since: datetime
    due_at: datetime | None


def inbox_rows(case: Case, clocks: tuple[Clock, ...], seen_from: int) -> tuple[Row, ...]:
    """`seen_from`: position since which the same people may know of the case, as in the rows of clocks."""
    if case.pending_unit is None and not (clocks or case.queries or case.demands):
        return ()
    return tuple(
        Row(
            INBOX.name,
            (
                item.item_id,
                case.case_id,
                item.kind,
                item.timer,
                item.since,
                item.due_at,
                addressee.audience.value,
                addressee.unit_id,
                left_out(case, addressee.audience),
                seen_from,
            ),
        )
        for item, addressees in _waiting(case, clocks)
        for addressee in addressees
    )


def _waiting(case: Case, clocks: Iterable[Clock]) -> Iterator[tuple[Item, Iterable[Addressee]]]:
    live = [clock for clock in clocks if clock.deadline.live]
    if case.pending_unit is not None:
        escalated = case.stated
        due_at = _due(live, "T16")
        yield Item(escalated.event_id, "ESCALATION", "T16", escalated.occurred_at, due_at), receivers(case)
    for query in case.queries:
        if query.state == "OPEN":
            due_at = _due(live, "T11", query.query_id)
            yield Item(query.event_id, "QUERY", "T11", query.asked_at, due_at), answerers(case)
    for demand in case.demands:
        if demand.outcome is None:
            due_at = _due(live, "T12", demand.demand_id)
            yield Item(demand.event_id, "DEMAND", "T12", demand.asked_at, due_at), answerers(case)
    for clock in live:
        timer, due_at = clock.deadline.timer, clock.deadline.due_at
        match clock.deadline.state:
            case "BREACHED" if (mark := clock.breached) is not None:
                item = Item(mark.event_id, "BREACH", timer, mark.occurred_at, due_at)
                yield item, alarmed(case, timer)
            case "RUNNING" if (mark := clock.warned) is not None:
                item = Item(mark.event_id, "APPROACHING", timer, mark.occurred_at, due_at)
                yield item, whose_turn(case, timer)
            case "AWAITING":
                item = Item(clock.clock_id, "CALENDAR", timer, clock.started.occurred_at, None)
                yield item, calendar_keepers(case)


def _due(live: Iterable[Clock], timer: Timer, subject: UUID | None = None) -> datetime | None:
    """When the clock of an escalation, a query or a demand is due; None without one or without a calendar."""
    found = (c.deadline for c in live if c.deadline.timer == timer and c.deadline.subject == subject)
    return next((deadline.due_at for deadline in found), None)


class Sighting(NamedTuple):
    """Somebody has seen an item."""

    item_id: UUID
    reader: str


class SeenProjector:
    """Tells what was seen: a row from when somebody first says so."""

    lasting = False

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        return ()

    def evolve(self, state: Sighting | None, recorded: Recorded, event: Event) -> Sighting | None:
        return Sighting(event.item_id, recorded.actor_ref) if isinstance(event, ItemSeen) else state

    def rows(self, state: Sighting) -> tuple[Row, ...]:
        return (Row(SEEN.name, tuple(state)),)
