"""A year of a county made by COPY: cases of some 18 events each, with the clocks that the rules give them.

For each day of the year a few lives are played by the product's own rules, and each is then told of
many cases. One case in four is late somewhere.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from shared.events import cases, units
from shared.events.base import Event, Private
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.events.registry import encode
from shared.policy.clocks import caught_up, clock_events
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.provisional import CLOCK, provisional_of_clock

FIRST_DAY: Final = datetime(2025, 1, 2, 1, tzinfo=UTC)
DAYS: Final = 360
GROUPS: Final = 200
_TEXT: Final = Private(key=UUID(int=7), event=UUID(int=8), field="title", sealed=b"c" * 90)
_COLUMNS: Final = (
    *("recorded_at", "stream_id", "version", "event_id", "topic", "schema_version", "occurred_at"),
    *("actor_ref", "actor_role", "unit", "correlation_id", "policy", "data"),
)
_TYPES: Final = (
    *("timestamptz", "uuid", "int4", "uuid", "text", "int2", "timestamptz"),
    *("text", "text", "uuid", "uuid", "text", "bytea"),
)

Act = tuple[float, Event]
"""Hours after the one before, and what is done."""


def _id(kind: int, number: int) -> UUID:
    """A version 7 id that grows with the number."""
    return UUID(int=(0x0190_0000_0000 + number) << 80 | 0x7 << 76 | kind << 64 | 0x2 << 62 | number)


TOWNSHIP: Final = _id(1, 0)
VILLAGES: Final = [_id(2, number) for number in range(GROUPS // 10)]
GROUP_IDS: Final = [_id(3, number) for number in range(GROUPS)]


class Line(NamedTuple):
    """One event of a life, ready to be told of a case."""

    topic: str
    occurred_at: datetime
    by_clock: bool
    data: bytes


def fill(owner_url: str, wanted: int) -> None:
    """Puts so many cases, and the units they are of, into an empty ledger."""
    tree = _tree()
    lives = [_life(day, kind, tree) for day in range(DAYS) for kind in range(4)]
    columns = SQL(", ").join(map(Identifier, _COLUMNS))
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        cursor.execute(SQL("CREATE TEMP TABLE told AS SELECT {} FROM ledger.events").format(columns))
        with cursor.copy(SQL("COPY told ({}) FROM STDIN (FORMAT BINARY)").format(columns)) as copy:
            copy.set_types(_TYPES)
            for row in _rows(lives, wanted):
                copy.write_row(row)
        cursor.execute(
            SQL(
                "INSERT INTO ledger.events (position, {columns})"
                " SELECT row_number() OVER (ORDER BY recorded_at, stream_id, version), {columns} FROM told"
            ).format(columns=columns)
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE ledger.events")


def _rows(lives: Sequence[tuple[UUID, list[Line]]], wanted: int) -> Iterator[tuple[Any, ...]]:
    settled = FIRST_DAY - timedelta(days=1)
    for unit in _tree():
        registered = units.UnitRegistered(kind=unit.kind, name=unit.name, parent_id=unit.parent_id)
        yield _row(
            unit.unit_id, 1, None, Line(registered.topic, settled, False, encode(registered)), "operator"
        )
    for number in range(wanted):
        group, lines = lives[number % len(lives)]
        for version, line in enumerate(lines, start=1):
            yield _row(_id(4, number), version, group, line, "leader")


def _row(stream_id: UUID, version: int, unit: UUID | None, line: Line, ref: str) -> tuple[Any, ...]:
    author = (CLOCK.ref, CLOCK.role, CLOCK.unit) if line.by_clock else (ref, "group_leader", unit)
    event_id = UUID(int=stream_id.int ^ version << 40)
    return (
        *(line.occurred_at, stream_id, version, event_id, line.topic, 1, line.occurred_at),
        *author,
        *(stream_id, DEFAULT_POLICY.id, line.data),
    )


def _tree() -> UnitTree:
    county = [Unit(unit_id=TOWNSHIP, kind="TOWNSHIP", name="镇", parent_id=None)]
    county += [Unit(unit_id=village, kind="VILLAGE", name="村", parent_id=TOWNSHIP) for village in VILLAGES]
    county += [
        Unit(unit_id=group, kind="GROUP", name="组", parent_id=VILLAGES[number // 10])
        for number, group in enumerate(GROUP_IDS)
    ]
    return UnitTree({unit.unit_id: unit for unit in county})


def _life(day: int, kind: int, tree: UnitTree) -> tuple[UUID, list[Line]]:
    """A group, and what happens to a case of it that is opened on a day."""
    number = (4 * day + kind) % GROUPS
    group, village = GROUP_IDS[number], VILLAGES[number // 10]
    case: Case | None = None
    at = FIRST_DAY + timedelta(days=day)
    lines: list[Line] = []

    def record(event: Event, when: datetime, *, by_clock: bool) -> None:
        nonlocal case
        first = Recorded(
            position=1, stream_id=UUID(int=0), version=1, event_id=UUID(int=0), topic=event.topic,
            schema_version=1, occurred_at=when, recorded_at=when, actor_ref="leader",
            actor_role="group_leader", unit=group, correlation_id=UUID(int=0), causation_id=None,
            traceparent=None, policy="", import_id=None, imported_by=None, data=b"",
        )  # fmt: skip
        told = first if case is None else provisional_of_clock(case, event, when)
        case = evolve(case, told, event)
        lines.append(Line(event.topic, when, by_clock, encode(event)))

    for hours, act in _acts(group, village, late=kind == 3):
        at += timedelta(hours=hours)
        if case is not None:
            for due, event in caught_up(case, at, tree)[1]:
                record(event, due, by_clock=True)
        previous = case
        record(act, at, by_clock=False)
        assert case is not None
        for event in list(clock_events(previous, case, act, at, tree)):
            record(event, at, by_clock=False)
    return group, lines


def _acts(group: UUID, village: UUID, *, late: bool) -> list[Act]:
    return [
        (
            0,
            cases.CaseRegistered(
                channel="VISIT",
                category="NEIGHBOUR",
                origin_unit=group,
                origin_level="GROUP",
                holder_unit=group,
                holder_level="GROUP",
                title=_TEXT,
                description=_TEXT,
            ),
        ),
        (1, cases.CaseAccepted(procedure="SELF_GOVERNANCE")),
        (1, cases.UrgencyClassified(urgent=True, status="PROPOSED", reason=_TEXT)),
        (1, cases.HandlerAssigned(handler_ref="leader")),
        (2, cases.VisitRecorded(visit_kind="PATROL", household_ref="h1", findings=_TEXT)),
        (2, cases.DialogueHeld(participants=(cases.Participant(kind="RESIDENTS"),), summary=_TEXT)),
        (90 if late else 12, cases.CaseEscalated(to_level="VILLAGE", to_unit=village, reason=_TEXT)),
        (3, cases.EscalationAccepted(unit=village, level="VILLAGE")),
        (1, cases.UrgencyClassified(urgent=True, status="CONFIRMED", reason=_TEXT)),
        (5, cases.ConsultationHeld(participants=(cases.Participant(kind="DEPARTMENT"),), summary=_TEXT)),
        (5, cases.VisitRecorded(visit_kind="FOLLOW_UP", household_ref="h1", findings=_TEXT)),
        (120 if late else 20, cases.CaseResolved(outcome="SETTLED", degree="FULL", detail=_TEXT)),
        (24, cases.FollowUpRecorded(reached=True, solved=True, satisfied=True)),
        (1, cases.CaseClosed()),
    ]
