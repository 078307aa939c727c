"""Making rows from zero: the ledger read stream by stream, each told whole and copied, indexes last.

One stream is in memory at a time and no row is ever updated, so ten million events take
no more memory than a hundred thousand, and as long for each.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, AsyncServerCursor

from services.projections.actors.sightings import Sighting, Sightings, store_sightings
from services.projections.catalogue import TABLES, ReadModel, projector_of
from services.projections.parking import Parked
from services.projections.schema import model_statements
from services.projections.shards import shard_of
from services.projections.teller import ProjectorOf
from services.projections.temporal import Story
from services.projections.writer import Begun, Changes, copy_rows
from shared.events.ledger.reader import COLUMNS, recorded_row
from shared.events.recorded import Recorded
from shared.events.registry import event_of

Connection = AsyncConnection[Any]

_EVENTS_AT_ONCE: Final = 2_000
_ROWS_AT_ONCE: Final = 5_000
"""Rows of a table that are kept back before they are copied."""

_EVERYTHING: Final = f"SELECT {COLUMNS} FROM ledger.events WHERE position <= %s ORDER BY stream_id, version"


class Build:
    """One making of some read models in the current schema of `writing`, up to a position."""

    def __init__(
        self,
        writing: Connection,
        models: Collection[ReadModel],
        *,
        shards: int,
        stopped: Mapping[UUID, int],
        projectors: ProjectorOf = projector_of,
    ) -> None:
        """`stopped`: streams that are told only up to before a position, since they are parked there."""
        self._writing = writing
        self._models = models
        self._shards = shards
        self._stopped = stopped
        self._projector_of = projectors
        self._rows: dict[str, list[Begun]] = {
            table: [] for model in models for table in model.tables if table in TABLES
        }
        self._sightings: list[Sighting] | None = [] if any("actors" in m.tables for m in models) else None
        self._seen = Sightings()
        self.parked: list[Parked] = []
        """Streams that could not be told to the end."""

    async def run(self, reading: Connection, position: int) -> None:
        """Makes the tables and everything in them from the events up to a position.

        `reading` writes too, once everything is read: both connections make indexes at the same time.
        """
        for statements in model_statements(self._models, "tables"):
            await self._writing.execute(statements)
        async for stream in _streams(reading, position):
            self._tell(stream)
            await self._copy(_ROWS_AT_ONCE)
        await self._copy(1)
        unfinished = iter(self._models)
        await asyncio.gather(*(_finish(connection, unfinished) for connection in (self._writing, reading)))

    def _tell(self, stream: list[Recorded]) -> None:
        if self._sightings is not None:
            self._sightings += [seen for event in stream if (seen := self._seen.notice(event)) is not None]
        stop = self._stopped.get(stream[0].stream_id)
        if stop is not None:
            stream = [recorded for recorded in stream if recorded.position < stop]
        changes, parked = tell_whole(stream, self._projector_of, shards=self._shards)
        if parked is not None:
            self.parked.append(parked)
        for table, rows in changes.begun.items():
            if table in self._rows:
                self._rows[table] += rows

    async def _copy(self, rows_min: int) -> None:
        for table, rows in self._rows.items():
            if len(rows) >= rows_min:
                await copy_rows(self._writing, TABLES[table], rows)
                rows.clear()
        if self._sightings is not None and len(self._sightings) >= rows_min:
            async with self._writing.transaction():
                await store_sightings(self._writing, self._sightings)
            self._sightings.clear()


async def _finish(connection: Connection, models: Iterator[ReadModel]) -> None:
    """Gives tables their indexes and statistics, model by model, while others take from the same models."""
    for model in models:
        for statements in model_statements([model], "indexes"):
            await connection.execute(statements)
        for table in model.tables:
            await connection.execute(f"ANALYZE {table}".encode())


def tell_whole(
    stream: Sequence[Recorded], projectors: ProjectorOf, *, shards: int
) -> tuple[Changes, Parked | None]:
    """All rows of a stream, and where it stands still if it can't be told to the end."""
    changes = Changes()
    projector = projectors(stream[0].topic) if stream else None
    if projector is None:
        return changes, None
    story = Story(projector)
    stream_id = stream[0].stream_id
    parked = None
    for recorded in stream:
        try:
            story.tell(recorded, event_of(recorded))
        except Exception as error:
            parked = Parked.because(error, stream_id, shards, recorded.position)
            break
    try:
        changes.add(stream_id, shard_of(stream_id, shards), stream[0].position, story.rows)
    except Exception as error:
        parked = Parked.because(error, stream_id, shards, stream[0].position)
    return changes, parked


async def _streams(reading: Connection, position: int) -> AsyncIterator[list[Recorded]]:
    """Every stream of the ledger, whole up to a position."""
    stream: list[Recorded] = []
    async with reading.transaction():
        cursor = AsyncServerCursor[Recorded](reading, "everything", row_factory=recorded_row)
        async with cursor:
            await cursor.execute(_EVERYTHING, (position,), binary=True)
            while events := await cursor.fetchmany(_EVENTS_AT_ONCE):
                for recorded in events:
                    if stream and stream[0].stream_id != recorded.stream_id:
                        yield stream
                        stream = []
                    stream.append(recorded)
    if stream:
        yield stream
