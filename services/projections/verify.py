"""Checking the ledger and the read models: nothing missing, and rows that are what the events say."""

from typing import Any, Final, LiteralString

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composable, Identifier

from services.projections.actors.sightings import Sighting
from services.projections.build import Build
from services.projections.catalogue import MODELS, TABLES, projector_of
from services.projections.figures.tallies import differing_tallies
from services.projections.rebuild import workshop
from services.projections.standing import fetch_standing
from services.projections.teller import ProjectorOf

Connection = AsyncConnection[Any]

_TAKEN_BACK: Final[dict[str, Composable]] = {
    "known_until": SQL(
        "CASE WHEN known_until > %(position)s THEN 9223372036854775807 ELSE known_until END AS known_until"
    ),
    "closed_at": SQL(
        "CASE WHEN closed_at > %(position)s THEN 9223372036854775807 ELSE closed_at END AS closed_at"
    ),
    "occurred_until": SQL(
        "CASE WHEN closed_at > %(position)s THEN 'infinity' ELSE occurred_until END AS occurred_until"
    ),
}
"""Columns that change after a row was written, as they were at a position."""

_SHOWN_MAX: Final = 20
"""Differing rows of a table that are shown; all are counted."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that only one side has; personal values in it are sealed."""

    side: str
    """`served` or `rebuilt`."""
    row: dict[str, Any]


class TableVerdict(msgspec.Struct, frozen=True, kw_only=True):
    table: str
    rows: int
    """As of the position verified."""
    differing: int
    examples: list[Difference]


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    """As of which the read models were compared: the lowest of the shards."""
    first_gap: int | None
    """The first position that is missing in the ledger."""
    broken_streams: list[str]
    """Streams whose versions have gaps, at most twenty."""
    parked: int
    """Streams that stand still, and were not compared."""
    tables: list[TableVerdict]

    @property
    def holds(self) -> bool:
        whole = self.first_gap is None and not self.broken_streams
        return whole and not any(verdict.differing for verdict in self.tables)


async def verify(url: str, *, projectors: ProjectorOf = projector_of) -> VerifyReport:
    """Makes every read model from zero and compares it with the one served, row by row.

    The product may go on: both sides are taken as of the same position.

    Raises: rebuild.RebuildBusy.
    """
    async with workshop(url, "views_check") as (writing, reading):
        first_gap, broken = await _ledger_gaps(reading)
        standing = await fetch_standing(reading)
        build = Build(writing, MODELS.values(), shards=standing.shards, stopped={}, projectors=projectors)
        await build.run(reading, standing.position)
        tables = [table for model in MODELS.values() for table in model.tables]
        verdicts = [await _compare(reading, table, standing.position) for table in tables]
        verdicts.append(await _compare_tallies(reading, standing.position))
    return VerifyReport(
        position=standing.position,
        first_gap=first_gap,
        broken_streams=broken,
        parked=len(standing.parked),
        tables=verdicts,
    )


async def _ledger_gaps(connection: Connection) -> tuple[int | None, list[str]]:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(
            "SELECT min(place) FROM (SELECT position, row_number() OVER (ORDER BY position) AS place"
            " FROM ledger.events) AS placed WHERE position <> place"
        )
        gap = await cursor.fetchone()
        await cursor.execute(
            "SELECT stream_id::text FROM ledger.events GROUP BY stream_id"
            " HAVING min(version) <> 1 OR max(version) <> count(*) LIMIT 20"
        )
        broken = [stream for (stream,) in await cursor.fetchall()]
    return (None if gap is None else gap[0]), broken


async def _compare(connection: Connection, table: str, position: int) -> TableVerdict:
    columns = SQL(", ").join(map(Identifier, _columns(table)))
    query = SQL(
        "SELECT to_jsonb(differing) - 'balance', balance, count(*) OVER () FROM"
        " (SELECT {columns}, sum(side) AS balance FROM"
        " (SELECT 1 AS side, * FROM ({served}) AS s UNION ALL SELECT -1, * FROM ({rebuilt}) AS r) AS sides"
        " GROUP BY {columns} HAVING sum(side) <> 0) AS differing LIMIT {limit}"
    ).format(
        columns=columns,
        served=_as_of(table, "views"),
        rebuilt=_as_of(table, "views_check"),
        limit=_SHOWN_MAX,
    )
    counting = SQL("SELECT count(*) FROM ({}) AS s").format(_as_of(table, "views"))
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(counting, {"position": position})
        [(rows,)] = await cursor.fetchall()
        await cursor.execute(query, {"position": position})
        found = await cursor.fetchall()
    examples = [Difference(side="served" if balance > 0 else "rebuilt", row=row) for row, balance, _ in found]
    return TableVerdict(table=table, rows=rows, differing=found[0][2] if found else 0, examples=examples)


async def _compare_tallies(connection: Connection, position: int) -> TableVerdict:
    """The tallies against the facts that are served."""
    rows, found = await differing_tallies(connection, position)
    examples = [Difference(side=side, row=row) for side, row in found[:_SHOWN_MAX]]
    return TableVerdict(table="tallies", rows=rows, differing=len(found), examples=examples)


def _columns(table: str) -> tuple[str, ...]:
    if table in TABLES:
        return TABLES[table].all_columns
    return Sighting._fields


def _as_of(table: str, schema: LiteralString) -> Composable:
    """The rows of a table as they stood at a position: what was changed later is taken back."""
    columns = SQL(", ").join(_TAKEN_BACK.get(name, Identifier(name)) for name in _columns(table))
    parked = SQL("AND stream_id NOT IN (SELECT stream_id FROM views.parked)" if table in TABLES else "")
    return SQL("SELECT {} FROM {} WHERE known_from <= %(position)s {}").format(
        columns, Identifier(schema, table), parked
    )
