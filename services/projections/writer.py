"""Writing what a batch of events changed: rows begun are copied in, rows ended are updated, all at once."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.sql import SQL, Identifier
from psycopg.types.datetime import DatetimeBinaryDumper

from services.projections.actors.sightings import Sighting, store_sightings
from services.projections.binary import INFINITY, SIGNATURE, TRAILER, microseconds
from services.projections.catalogue import TABLES
from services.projections.parking import Parked
from services.projections.tables import Table
from services.projections.temporal import TemporalRow

Connection = AsyncConnection[Any]

_OPEN: Final = datetime.max.replace(tzinfo=UTC)
"""Stands for the infinity of PostgreSQL, which Python's instants lack."""
_VALIDITY: Final = Struct("!h i16s ih iq iq iq iq iq iqq")
"""The number of columns, then those that all tables have, each after its length; a key is two numbers."""
_ROWS_AT_ONCE: Final = 200
"""Of so many rows are the pieces that are sent: some ten thousand bytes each."""


class Begun(NamedTuple):
    """A row as it is to be stored."""

    stream_id: UUID
    row: bytes
    """As a binary COPY takes it."""


class Ended(NamedTuple):
    """Which stored row has ended, and when: columns of `_END`, in their order."""

    stream_id: UUID
    known_from: int
    row_key: UUID
    known_until: int
    occurred_until: datetime
    closed_at: int


class RowsMissing(Exception):
    """Rows that a stream's events say are stored were not found, so the stream must be told anew."""


POISON: Final = (psycopg.DataError, psycopg.IntegrityError, RowsMissing)
"""What the rows of one stream may do wrong, unlike a database that is away."""


class Changes:
    """What the events of a batch did to the rows, which may go on changing meanwhile."""

    def __init__(self) -> None:
        self.begun: dict[str, list[Begun]] = {}
        self.ended: dict[str, list[Ended]] = {}
        self.sightings: list[Sighting] = []
        self.first: dict[UUID, int] = {}
        """For each stream, the position of its first event in the batch."""

    def add(self, stream_id: UUID, shard: int, first: int, touched: Collection[TemporalRow]) -> None:
        """Takes over all that the batch did to the rows of a stream, each of them once.

        They pass for stored from now on: whoever can't store them forgets the stream.
        Raises: struct.error, where a number is too large for its column; then nothing is taken over.
        """
        stream = stream_id.bytes
        begun = [(row, _encoded(stream, shard, row)) for row in touched if not row.stored]
        self.first[stream_id] = first
        for row in touched:
            if row.stored:
                self.ended.setdefault(row.row.table, []).append(_ended(stream_id, row))
        for row, encoded in begun:
            self.begun.setdefault(row.row.table, []).append(Begun(stream_id, encoded))
            row.stored = True

    def only(self, tables: Collection[str]) -> "Changes":
        """The part that concerns some tables."""
        part = Changes()
        part.begun = {table: rows for table, rows in self.begun.items() if table in tables}
        part.ended = {table: rows for table, rows in self.ended.items() if table in tables}
        part.sightings = self.sightings if "actors" in tables else []
        part.first = self.first
        return part

    def by_stream(self) -> dict[UUID, "Changes"]:
        """The same stream by stream, the sightings by none."""
        parts: dict[UUID, Changes] = {}
        for table, begun in self.begun.items():
            for new in begun:
                parts.setdefault(new.stream_id, Changes()).begun.setdefault(table, []).append(new)
        for table, ended in self.ended.items():
            for row in ended:
                parts.setdefault(row.stream_id, Changes()).ended.setdefault(table, []).append(row)
        return parts


def _encoded(stream: bytes, shard: int, row: TemporalRow) -> bytes:
    table = TABLES[row.row.table]
    known_from, until = row.known_from, row.occurred_until
    validity = _VALIDITY.pack(
        table.width,
        *(16, stream, 2, shard, 8, known_from, 8, row.known_until, 8, microseconds(row.occurred_from)),
        *(8, INFINITY if until is None else microseconds(until), 8, row.closed_at),
        *(16, known_from, row.ordinal),
    )
    return validity + table.encoded(row.row.values)


def _ended(stream_id: UUID, row: TemporalRow) -> Ended:
    until = row.occurred_until or _OPEN
    return Ended(stream_id, row.known_from, row.key, row.known_until, until, row.closed_at)


async def prepare(connection: Connection) -> None:
    """Sets a connection up for writing: by index always, whatever the statistics say of fresh tables."""
    connection.adapters.register_dumper(datetime, _InstantDumper)
    await connection.execute(
        "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off"
    )


async def write(connection: Connection, changes: Changes, *, shards: int) -> list[Parked]:
    """Writes into the tables of the current schema, in the caller's transaction.

    Answers the streams whose rows the tables would not take: of these nothing is written.
    """
    refused: list[Parked] = []
    try:
        async with connection.transaction():
            await _write(connection, changes)
    except POISON:
        for stream_id, part in changes.by_stream().items():
            try:
                async with connection.transaction():
                    await _write(connection, part)
            except POISON as error:
                refused.append(Parked.because(error, stream_id, shards, changes.first[stream_id]))
    await store_sightings(connection, changes.sightings)
    return refused


async def _write(connection: Connection, changes: Changes) -> None:
    for name, ended in changes.ended.items():
        await _end(connection, TABLES[name], ended)
    for name, begun in changes.begun.items():
        await copy_rows(connection, TABLES[name], begun)


async def copy_rows(connection: Connection, table: Table, rows: Sequence[Begun]) -> None:
    """Adds rows to a table of the current schema."""
    columns = SQL(", ").join(map(Identifier, table.all_columns))
    statement = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(Identifier(table.name), columns)
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(SIGNATURE)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[first : first + _ROWS_AT_ONCE]
            await copy.write(b"".join([begun.row for begun in some]))
        await copy.write(TRAILER)


_END: Final = SQL(
    "UPDATE {0} SET known_until = ended.known_until, occurred_until = ended.occurred_until,"
    " closed_at = ended.closed_at"
    " FROM unnest(%b::uuid[], %b::bigint[], %b::uuid[], %b::bigint[], %b::timestamptz[], %b::bigint[])"
    " AS ended (stream_id, known_from, row_key, known_until, occurred_until, closed_at)"
    " WHERE {0}.stream_id = ended.stream_id AND {0}.known_from = ended.known_from"
    " AND {0}.row_key = ended.row_key"
)


async def _end(connection: Connection, table: Table, ended: Sequence[Ended]) -> None:
    columns = [list(column) for column in zip(*ended, strict=True)]
    done = await connection.execute(_END.format(Identifier(table.name)), columns)
    if done.rowcount != len(ended):
        raise RowsMissing(f"{table.name}: {len(ended)} rows to end, {done.rowcount} found")


class _InstantDumper(DatetimeBinaryDumper):
    def dump(self, obj: datetime) -> Buffer | None:
        return INFINITY.to_bytes(8) if obj is _OPEN else super().dump(obj)
