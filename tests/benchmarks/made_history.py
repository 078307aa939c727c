"""A long history made by COPY: the events of a county in its usual mix, cases side by side.

Of a hundred events some 54 belong to cases of 14 events each, 41 are visits, 5 services;
two thousand cases are open at a time, and one event in fifty is recorded two days late.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from shared.events import cases, services, units, visits
from shared.events.base import Event, Private
from shared.events.ledger.reader import COLUMNS
from shared.events.registry import encode

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
GROUPS: Final = 200
CASES_SIDE_BY_SIDE: Final = 2_000
_COLUMN_TYPES: Final = (
    *("int8", "uuid", "int4", "uuid", "text", "int2", "timestamptz", "timestamptz", "text"),
    *("text", "uuid", "uuid", "uuid", "text", "text", "uuid", "text", "bytea"),
)
EventRow = tuple[Any, ...]
"""The columns of an event in the order of the ledger."""
_TEXT: Final = Private(key=UUID(int=7), event=UUID(int=8), field="title", sealed=b"c" * 90)
_STEP: Final = timedelta(milliseconds=400)


def _id(kind: int, number: int) -> UUID:
    """A version 7 id that grows with the number."""
    return UUID(int=(0x0199_0000_0000 + number) << 80 | 0x7 << 76 | kind << 64 | 0x2 << 62 | number)


TOWNSHIP: Final = _id(1, 0)
VILLAGES: Final = [_id(2, number) for number in range(GROUPS // 10)]
GROUP_IDS: Final = [_id(3, number) for number in range(GROUPS)]


def _life(group: int) -> list[Event]:
    """What happens to a case of a group, from its registration to its end."""
    village = VILLAGES[group // 10]
    return [
        cases.CaseRegistered(
            channel="VISIT",
            category="NEIGHBOUR",
            origin_unit=GROUP_IDS[group],
            origin_level="GROUP",
            holder_unit=GROUP_IDS[group],
            holder_level="GROUP",
            title=_TEXT,
            description=_TEXT,
        ),
        cases.CaseAccepted(procedure="SELF_GOVERNANCE"),
        cases.UrgencyClassified(urgent=True, status="PROPOSED", reason=_TEXT),
        cases.HandlerAssigned(handler_ref=f"leader-{group}"),
        cases.VisitRecorded(visit_kind="PATROL", household_ref=f"h{group}-1", findings=_TEXT),
        cases.DialogueHeld(participants=(cases.Participant(kind="RESIDENTS"),), summary=_TEXT),
        cases.CaseEscalated(to_level="VILLAGE", to_unit=village, reason=_TEXT),
        cases.EscalationAccepted(unit=village, level="VILLAGE"),
        cases.UrgencyClassified(urgent=True, status="CONFIRMED", reason=_TEXT),
        cases.ConsultationHeld(participants=(cases.Participant(kind="DEPARTMENT"),), summary=_TEXT),
        cases.VisitRecorded(visit_kind="FOLLOW_UP", household_ref=f"h{group}-1", findings=_TEXT),
        cases.CaseResolved(outcome="SETTLED", degree="FULL", detail=_TEXT),
        cases.FollowUpRecorded(reached=True, solved=True, satisfied=True),
        cases.CaseClosed(),
    ]


class _Encoded:
    """The events of every group, encoded once."""

    def __init__(self) -> None:
        self.lives = [[(event.topic, encode(event)) for event in _life(group)] for group in range(GROUPS)]
        self.visits = [
            [
                encode(
                    visits.VisitRecorded(
                        unit=unit, visit_kind="HOUSEHOLD", household_ref=f"h{group}-{house}", findings=_TEXT
                    )
                )
                for house in range(50)
            ]
            for group, unit in enumerate(GROUP_IDS)
        ]
        self.services = [
            encode(services.ServiceRecorded(unit=unit, item="PENSION", detail=_TEXT)) for unit in GROUP_IDS
        ]


def _occurrences(encoded: _Encoded) -> Iterator[tuple[UUID, int, str, UUID | None, bytes]]:
    """Stream, version, topic, unit and data of one event after the other, without end."""
    yield TOWNSHIP, 1, "unit.registered", None, encode(units.UnitRegistered(kind="TOWNSHIP", name="镇"))
    for village in VILLAGES:
        event = units.UnitRegistered(kind="VILLAGE", name="村", parent_id=TOWNSHIP)
        yield village, 1, "unit.registered", None, encode(event)
    for group, unit in enumerate(GROUP_IDS):
        event = units.UnitRegistered(kind="GROUP", name="组", parent_id=VILLAGES[group // 10])
        yield unit, 1, "unit.registered", None, encode(event)
    versions = [0] * CASES_SIDE_BY_SIDE
    ids = list(range(CASES_SIDE_BY_SIDE))
    number = 0
    while True:
        begun = number // CASES_SIDE_BY_SIDE
        for slot in range(CASES_SIDE_BY_SIDE):
            number += 1
            if slot % 40 > begun:
                continue
            group = ids[slot] % GROUPS
            # Slots step at different paces, so that cases begin and end at different times.
            if slot % 2 or number % 3 == slot % 3:
                topic, data = encoded.lives[group][versions[slot]]
                versions[slot] += 1
                yield _id(4, ids[slot]), versions[slot], topic, GROUP_IDS[group], data
                if versions[slot] == len(encoded.lives[group]):
                    ids[slot], versions[slot] = ids[slot] + CASES_SIDE_BY_SIDE, 0
            if number % 2:
                group = number * 7 % GROUPS
                data = encoded.visits[group][number % 50]
                yield _id(5, number), 1, "visit.recorded", GROUP_IDS[group], data
            if number % 16 == 0:
                group = number // 16 % GROUPS
                yield _id(6, number), 1, "service.recorded", GROUP_IDS[group], encoded.services[group]


def fill(owner_url: str, events: int) -> None:
    """Puts that many events into an empty ledger."""
    copy_events(owner_url, _rows(events))


def copy_events(owner_url: str, rows: Iterable[EventRow]) -> None:
    """Puts events into the ledger as they are."""
    columns = SQL(", ").join(map(Identifier, COLUMNS.replace(" ", "").split(",")))
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        statement = SQL("COPY ledger.events ({}) FROM STDIN (FORMAT BINARY)").format(columns)
        with cursor.copy(statement) as copy:
            copy.set_types(_COLUMN_TYPES)
            for row in rows:
                copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE ledger.events")


def _rows(events: int) -> Iterator[EventRow]:
    occurrences = _occurrences(_Encoded())
    for position in range(1, events + 1):
        stream_id, version, topic, unit, data = next(occurrences)
        recorded_at = START + position * _STEP
        occurred_at = recorded_at - (timedelta(days=2) if position % 50 == 0 else timedelta())
        actor = f"leader-{0 if unit is None else unit.int % 2**32}-{position % 3}"
        place = Place(position, stream_id, version, occurred_at, recorded_at)
        yield event_row(place, topic, data, actor=actor, unit=unit)


class Place(NamedTuple):
    position: int
    stream_id: UUID
    version: int
    occurred_at: datetime
    recorded_at: datetime


def event_row(place: Place, topic: str, data: bytes, *, actor: str, unit: UUID | None = None) -> EventRow:
    """All columns of an event."""
    position, stream_id, version, occurred_at, recorded_at = place
    return (
        *(position, stream_id, version, _id(9, position), topic, 1, occurred_at, recorded_at, actor),
        *("group_leader", unit, stream_id, None, None, "builtin-1", None, None, data),
    )
