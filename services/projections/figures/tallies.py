"""Tallies: how many facts began and ended, so that a figure of many cases needn't count them one by one.

Positions are taken in stretches of equal length. Once everything up to the end of one is known, the facts
that began in it are added up and those that ended in it taken off, by measure, level and days: for each
township, and for the whole. What holds as of a later position is the sum over the stretches up to it,
with the facts themselves since the last of them. A stretch that is tallied never changes, as what becomes of
its facts belongs to a later one.

A tally keeps the township under which a unit stood when that was first asked. Units that have come to the
township since, or left it, are counted by themselves.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.rows import tuple_row
from psycopg.sql import SQL

from services.projections.figures.queries import Connection, Period
from shared.events.units import WHOLE
from shared.runtime.trees import fetch_tree

STRETCH: Final = 16_384
"""Positions of a stretch; a read counts no more than the facts of one by themselves."""
_AT_ONCE: Final = 4
"""Stretches that are tallied in a transaction, so that an exchange of the tables need not wait for long."""

Counts = Counter[tuple[str, str | None]]
"""Facts by their name and level or timer."""

_STANDING: Final = """
    SELECT (SELECT coalesce(max(upto), 0) FROM views.tallied),
        (SELECT coalesce(min(position), 0) FROM views.positions)
"""
_PLACE: Final = """
    INSERT INTO views.tallied_units SELECT * FROM unnest(%s::uuid[], %s::uuid[]) ON CONFLICT DO NOTHING
"""
_SUMS: Final = """
    WITH signed AS (
        SELECT measure, level, unit_id, on_day, 1 AS n,
            (%(ends)s::bigint[])[width_bucket(known_from - 1, %(ends)s::bigint[]) + 1] AS upto
        FROM views.facts
        WHERE known_from > %(after)s AND known_from <= %(until)s
            AND previous_on IS NULL AND measure <> 'roster'
        UNION ALL
        SELECT measure, level, unit_id, on_day, -1,
            (%(ends)s::bigint[])[width_bucket(gone_at - 1, %(ends)s::bigint[]) + 1]
        FROM views.facts
        WHERE gone_at > %(after)s AND gone_at <= %(until)s AND gone_at < 9223372036854775807
            AND previous_on IS NULL AND measure <> 'roster'
    ), moved AS (
        SELECT measure, level, unit_id, on_day, upto, sum(n) AS n FROM signed GROUP BY 1, 2, 3, 4, 5
    )
    SELECT blocs.bloc, measure, level, spans.span, spans.day, upto, sum(n)::integer AS n
    FROM moved LEFT JOIN views.tallied_units AS placed USING (unit_id)
    CROSS JOIN LATERAL (VALUES (%(whole)s), (placed.bloc)) AS blocs (bloc)
    CROSS JOIN LATERAL (
        VALUES ('ALL', date '-infinity'), ('MONTH', date_trunc('month', on_day)::date), ('DAY', on_day)
    ) AS spans (span, day)
    WHERE blocs.bloc IS NOT NULL AND spans.day IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0
"""
"""What is tallied of the stretches that end at `ends`."""
_DIFFERING: Final = f"""
    WITH right_ones AS ({_SUMS}), stored AS (
        SELECT bloc, measure, level, span, day, upto, n FROM views.tallies WHERE upto <= %(until)s
    )
    SELECT side, to_jsonb(differing) - 'side' FROM (
        SELECT 'served' AS side, * FROM (TABLE stored EXCEPT ALL TABLE right_ones) AS served
        UNION ALL
        SELECT 'rebuilt', * FROM (TABLE right_ones EXCEPT ALL TABLE stored) AS rebuilt
    ) AS differing
"""


async def tally(connection: Connection, *, stretch: int = STRETCH) -> bool:
    """Tallies the next stretches that are known whole; whether there were any. One at a time may."""
    async with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute("LOCK TABLE views.tallied IN SHARE ROW EXCLUSIVE MODE")
        await cursor.execute(_STANDING)
        [(after, known)] = await cursor.fetchall()
        until = min(known // stretch, after // stretch + _AT_ONCE) * stretch
        if until <= after:
            return False
        tree = await fetch_tree(connection)
        units = [unit.unit_id for unit in tree]
        blocs = [tree.ancestor_at(unit, "TOWNSHIP") for unit in units]
        await cursor.execute(_PLACE, [units, blocs])
        ends = list(range(after + stretch, until + 1, stretch))
        await cursor.execute(f"INSERT INTO views.tallies {_SUMS}".encode(), _asked(after, ends))
        await cursor.execute("INSERT INTO views.tallied SELECT unnest(%s::bigint[])", [ends])
    return True


async def forget_tallies(connection: Connection, position: int) -> None:
    """Drops, in the caller's transaction, what was tallied of a position and after, to be tallied anew."""
    await connection.execute("LOCK TABLE views.tallied IN SHARE ROW EXCLUSIVE MODE")
    await connection.execute("DELETE FROM views.tallied WHERE upto >= %s", [position])
    await connection.execute("DELETE FROM views.tallies WHERE upto >= %s", [position])


async def differing_tallies(connection: Connection, position: int) -> tuple[int, list[tuple[str, Any]]]:
    """How many tallies there are up to a position, and those that the facts say otherwise.

    Of each the side that has it, `served` or `rebuilt`, and its row.
    """
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(
            "SELECT coalesce(array_agg(upto ORDER BY upto), '{}') FROM views.tallied WHERE upto <= %s",
            [position],
        )
        [(ends,)] = await cursor.fetchall()
        if not ends:
            return 0, []
        await cursor.execute("SELECT count(*) FROM views.tallies WHERE upto <= %s", [ends[-1]])
        [(rows,)] = await cursor.fetchall()
        await cursor.execute(_DIFFERING.encode(), _asked(0, ends))
        return rows, await cursor.fetchall()


def _asked(after: int, ends: Sequence[int]) -> dict[str, Any]:
    return {"after": after, "until": ends[-1], "ends": list(ends), "whole": WHOLE}


# Each part is fenced off, so that it is found by its own index whatever the planner expects of the others.
_COUNT: Final = SQL("""
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(%(measures)s::text[], %(firsts)s::date[], %(lasts)s::date[])
            AS asked (measure, first, last)
    ), spans AS MATERIALIZED (
        SELECT * FROM unnest(
            %(spans_of)s::text[], %(spans)s::text[], %(since)s::text[]::date[], %(until)s::text[]::date[]
        ) AS spans (measure, span, since, until)
    ), stand AS MATERIALIZED (
        SELECT coalesce(max(upto), 0) AS upto FROM views.tallied WHERE upto <= %(position)s
    ), placed AS MATERIALIZED (
        SELECT unit_id FROM views.tallied_units WHERE bloc = %(bloc)s
    ), moved AS MATERIALIZED (
        SELECT unit_id, 1 AS n FROM (SELECT unnest(%(units)s::uuid[]) AS unit_id EXCEPT TABLE placed) AS came
        UNION ALL
        SELECT unit_id, -1 FROM (TABLE placed EXCEPT SELECT unnest(%(units)s::uuid[])) AS gone
    ), since AS MATERIALIZED (
        SELECT measure, level, unit_id, on_day, 1 AS n FROM views.facts
        WHERE known_from > (SELECT upto FROM stand) AND known_from <= %(position)s AND previous_on IS NULL
        UNION ALL
        SELECT measure, level, unit_id, on_day, -1 FROM views.facts
        WHERE gone_at > (SELECT upto FROM stand) AND gone_at <= %(position)s AND gone_at < 9223372036854775807
            AND previous_on IS NULL
    )
    SELECT measure, level, sum(n)::bigint FROM (
        SELECT measure, level, n FROM spans CROSS JOIN LATERAL (
            SELECT level, n FROM views.tallies
            WHERE bloc = %(bloc)s AND measure = spans.measure AND span = spans.span
                AND day BETWEEN spans.since AND spans.until AND upto <= (SELECT upto FROM stand)
            OFFSET 0
        ) AS tallied
        UNION ALL
        SELECT measure, level, n FROM moved CROSS JOIN asked CROSS JOIN LATERAL (
            SELECT level, on_day FROM views.facts
            WHERE measure = asked.measure AND unit_id = moved.unit_id AND gone_at > (SELECT upto FROM stand)
                AND known_from <= (SELECT upto FROM stand) AND previous_on IS NULL
            OFFSET 0
        ) AS held WHERE {within}
        UNION ALL
        SELECT measure, level, n FROM since JOIN asked USING (measure) WHERE {asked_for} AND {within}
        UNION ALL
        SELECT measure, level, 1 FROM views.facts JOIN asked USING (measure)
        WHERE previous_on IS NOT NULL AND previous_on < first
            AND known_from <= %(position)s AND gone_at > %(position)s AND {asked_for} AND {within}
    ) AS counted GROUP BY 1, 2
""")
_WITHIN: Final = SQL("(first IS NULL OR on_day >= first) AND (last IS NULL OR on_day <= last)")
_ASKED_FOR: Final = {True: SQL("true"), False: SQL("unit_id = ANY(%(units)s)")}


async def count_tallied(
    connection: Connection,
    periods: Mapping[str, Period],
    bloc: UUID,
    units: Sequence[UUID],
    position: int,
) -> Counts:
    """How many facts hold as of a position, each measure within a period of its own.

    `bloc`: a township, and `units` are those that stand under it as of the position; or `WHOLE`.
    """
    spans = [(measure, *span) for measure, period in periods.items() for span in spans_of(period)]
    parameters = {
        "position": position,
        "bloc": bloc,
        "units": [] if bloc == WHOLE else list(units),
        "measures": list(periods),
        "firsts": [period.first for period in periods.values()],
        "lasts": [period.last for period in periods.values()],
        "spans_of": [measure for measure, *_ in spans],
        "spans": [span for _, span, *_ in spans],
        "since": [since for *_, since, _ in spans],
        "until": [until for *_, until in spans],
    }
    query = _COUNT.format(within=_WITHIN, asked_for=_ASKED_FOR[bloc == WHOLE])
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        return Counter({(measure, level): n for measure, level, n in await cursor.fetchall() if n})


class Span(NamedTuple):
    """Tallies that make up a part of a period: those of one kind, by their first days."""

    kind: str
    since: str
    until: str


def spans_of(period: Period) -> list[Span]:
    """Whole months where there are any, single days at the ends; without ends, one for all days."""
    first, last = period.first, period.last
    if first is None and last is None:
        return [Span("ALL", "-infinity", "infinity")]
    starts_whole = first is None or first.day == 1
    ends_whole = last is None or last == _month_end(last)
    if first is not None and last is not None and first.replace(day=1) == last.replace(day=1):
        return [Span("MONTH" if starts_whole and ends_whole else "DAY", str(first), str(last))]
    spans = []
    if first is not None and not starts_whole:
        spans.append(Span("DAY", str(first), str(_month_end(first))))
    if last is not None and not ends_whole:
        spans.append(Span("DAY", str(last.replace(day=1)), str(last)))
    # A month goes by its first day, so the one in which the period begins stays out unless that is its first.
    since = "-infinity" if first is None else str(first)
    if ends_whole:
        spans.append(Span("MONTH", since, "infinity" if last is None else str(last)))
    elif last is not None and last.replace(day=1) > date.min:
        spans.append(Span("MONTH", since, str(last.replace(day=1) - timedelta(days=1))))
    return spans


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
