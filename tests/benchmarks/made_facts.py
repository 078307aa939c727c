"""The facts of a county's cases, as its projector would leave them, made inside the database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from shared.events import units
from shared.events.registry import encode
from shared.events.vocabulary import UnitKind
from tests.benchmarks.made_history import EventRow, Place, copy_events, event_row

TOWNSHIPS: Final = 25
VILLAGES: Final = 300
GROUPS: Final = 8_100
DAYS: Final = 730
_BEGUN: Final = datetime(2025, 1, 1, tzinfo=UTC)
_EVENTS_EACH: Final = 10
"""Of a case, from its registration to the answer at its follow-up; so many positions it takes."""

_UNITS: Final = """
    CREATE FUNCTION pg_temp.unit(kind int, number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
    AS $$ SELECT (lpad(to_hex(kind), 8, '0') || '00007000800000' || lpad(to_hex(number), 10, '0'))::uuid $$
"""
# Each step of a case is three days after the one before, so the cases of a month lie side by side.
_FACTS: Final = """
    INSERT INTO facts (stream_id, shard, known_from, known_until, occurred_from, row_key, measure, unit_id,
        subject_kind, subject_id, on_day, level, because)
    SELECT stream_id, 0, begun, ended, instant, gen_random_uuid(), fact.measure,
        CASE WHEN fact.of_village THEN village ELSE "group" END, 'case', stream_id,
        CASE WHEN fact.measure NOT LIKE 'open%' AND fact.measure NOT LIKE '%_open_by%' THEN day + fact.days
        END, fact.level, '[{{"topic": "case.registered", "position": 1}}]'
    FROM (
        SELECT number, pg_temp.unit(9, number) AS stream_id,
            pg_temp.unit(3, number * 7919 % {groups}) AS "group",
            pg_temp.unit(2, number * 7919 % {groups} * {villages} / {groups}) AS village,
            {begun}::date + (number * {days} / {cases})::int AS day,
            {begun} + number * {days} / {cases} * interval '1 day' AS instant,
            number * 7 % 10 < 4 AS is_urgent
        FROM generate_series(0::bigint, {cases} - 1) AS number
    ) AS cases
    CROSS JOIN (VALUES
        ('registered', 0, 10, NULL, 0, NULL, false), ('registered_net', 0, 10, NULL, 0, NULL, false),
        ('open_by_origin', 0, 8, NULL, 0, NULL, false),
        ('open_by_holder', 0, 4, NULL, 0, NULL, false), ('open_by_holder', 4, 8, NULL, 0, NULL, true),
        ('urgent_unclassified', 0, 2, NULL, 0, NULL, false),
        ('unclassified_open', 0, 2, NULL, 0, NULL, false),
        ('urgent_registered', 2, 10, true, 0, NULL, false), ('urgent_open', 2, 8, true, 0, NULL, false),
        ('urgent_resolved', 8, 10, true, 0, NULL, false),
        ('resolved', 8, 10, NULL, 0, NULL, false), ('disposed', 8, 10, NULL, 0, NULL, false),
        ('disposed_net', 8, 10, NULL, 0, NULL, false), ('reached', 0, 10, NULL, 0, 'GROUP', false),
        ('reached', 4, 10, NULL, 0, 'VILLAGE', false), ('contained', 8, 10, NULL, 0, 'VILLAGE', false),
        ('resolution', 8, 10, NULL, 24, NULL, false), ('told_solved', 9, 10, NULL, 27, NULL, false),
        ('satisfied', 9, 10, NULL, 27, NULL, false), ('visit', 3, 10, NULL, 9, NULL, false),
        ('duty', 5, 10, NULL, 15, 'T13', false), ('duty_in_time', 5, 10, NULL, 15, 'T13', false)
    ) AS fact (measure, first, last, urgent, days, level, of_village)
    CROSS JOIN LATERAL (SELECT
        (number + fact.first * {step}) * {each} + fact.first + 1 AS begun,
        CASE WHEN fact.last < 10 THEN (number + fact.last * {step}) * {each} + fact.last + 1
        ELSE 9223372036854775807 END AS ended
    ) AS known
    WHERE fact.urgent IS NULL OR fact.urgent = is_urgent
"""


def unit_id(kind: UnitKind, number: int) -> UUID:
    """The same as the function of that name inside the database."""
    return UUID(f"{_KINDS[kind]:08x}-0000-7000-8000-00{number:010x}")


_KINDS: Final[dict[UnitKind, int]] = {"TOWNSHIP": 1, "VILLAGE": 2, "GROUP": 3}


def fill(owner_url: str, cases: int) -> int:
    """Fills the empty read model of figures, and answers the last position.

    The ledger holds the units alone, and an event at that position.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET search_path = views, pg_temp")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'views' AND tablename = 'facts'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(SQL("DROP INDEX {}").format(Identifier(name)))
        connection.execute(_UNITS)
        values = {
            "groups": GROUPS, "villages": VILLAGES, "days": DAYS, "cases": cases, "begun": _BEGUN,
            "step": cases * 3 // DAYS, "each": _EVENTS_EACH,
        }  # fmt: skip
        connection.execute(SQL(_FACTS).format(**{name: Literal(value) for name, value in values.items()}))
        for _, definition in indexes:
            connection.execute(definition.encode())
        connection.execute("VACUUM ANALYZE facts")
        [(last,)] = connection.execute("SELECT max(known_from) FROM facts").fetchall()
        copy_events(owner_url, _events(last))
        connection.execute("UPDATE positions SET position = %s", [last])
    return int(last)


def _events(last: int) -> Iterator[EventRow]:
    registered = [
        (unit_id(kind, number), units.UnitRegistered(kind=kind, name=f"{kind} {number}", parent_id=parent))
        for kind, number, parent in _units()
    ]
    for position, (unit, event) in enumerate(registered, start=1):
        place = Place(position, unit, 1, _BEGUN, _BEGUN)
        yield event_row(place, event.topic, encode(event), actor="operator")
    end = _BEGUN + timedelta(days=DAYS)
    renamed = units.UnitRenamed(name="last")
    yield event_row(
        Place(last, registered[0][0], 2, end, end), renamed.topic, encode(renamed), actor="operator"
    )


def _units() -> Iterator[tuple[UnitKind, int, UUID | None]]:
    for number in range(TOWNSHIPS):
        yield "TOWNSHIP", number, None
    for number in range(VILLAGES):
        yield "VILLAGE", number, unit_id("TOWNSHIP", number * TOWNSHIPS // VILLAGES)
    for number in range(GROUPS):
        yield "GROUP", number, unit_id("VILLAGE", number * VILLAGES // GROUPS)
