"""Following a source of events: batches become rows, together with the positions up to which they go."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from services.projections.catalogue import projector_of
from services.projections.feeding import Batch, Source, catch_up
from services.projections.parking import Parked, ParkedRecord, park, park_records
from services.projections.schema import LIVE
from services.projections.shards import shard_of
from services.projections.source import stream_pasts
from services.projections.standing import Moved, Standing, advance, fetch_standing, lock
from services.projections.teller import ProjectorOf, Teller
from services.projections.writer import Changes, prepare, write
from shared.events.recorded import Recorded

Connection = AsyncConnection[Any]

_PAUSE_MIN_S: Final = 0.1
_PAUSE_MAX_S: Final = 5.0

_log = structlog.stdlib.get_logger("anjie.projections")


class Skipped(Exception):
    """An event of a stream that comes before those of a batch was never told."""


class Runner:
    """Keeps the rows of its shards up with what the source tells of them, until cancelled."""

    def __init__(self, url: str, source: Source, *, projectors: ProjectorOf = projector_of) -> None:
        self._url = url
        self._source = source
        self._projectors = projectors

    async def run(self) -> None:
        """Follows until it is cancelled; a batch that is cut off then is told again at the next start."""
        pause_s = _PAUSE_MIN_S
        while True:
            try:
                async with await connect(self._url) as connection:
                    while True:
                        await self._follow(connection)
                        pause_s = _PAUSE_MIN_S
            except psycopg.Error as error:
                _log.warning("projections_interrupted", error=type(error).__name__, again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)

    async def _follow(self, connection: Connection) -> None:
        """Goes on from where the rows stand, until somebody else moves them or is given the shards."""
        standing = await fetch_standing(connection, await self._source.shards())
        batches = Batches(connection, standing, self._projectors)
        async with contextlib.aclosing(self._source.follow(standing.positions)) as following:
            try:
                async for batch in following:
                    await self._project(batch, batches, connection)
            except Moved:
                _log.info("projections_moved", position=standing.position)

    async def _project(self, batch: Batch, batches: "Batches", connection: Connection) -> None:
        try:
            await batches.project(batch)
        except Skipped as skipped:
            to = max(batch.positions.values())
            _log.error("events_skipped", reason=str(skipped), told_from_ledger_to=to)
            async for told in catch_up(connection, batches.positions, to):
                await batches.project(told)


class Batches:
    """Projects batches of events, each in one transaction: rows, what is parked, positions."""

    def __init__(self, connection: Connection, standing: Standing, projectors: ProjectorOf = projector_of):
        self._connection = connection
        self._standing = standing
        self._teller = Teller(self._past, shards=standing.shards, projectors=projectors)

    @property
    def positions(self) -> Mapping[int, int]:
        """Up to where the rows of each shard go."""
        return self._standing.positions

    async def project(self, batch: Batch) -> None:
        """Brings the shards up to the positions of the batch, as far as they aren't there yet.

        Raises: Moved; Skipped; psycopg.Error when the database failed. Nothing was changed then.
        """
        standing = self._standing
        own = [event for event in batch.events if self._is_due(event)]
        moved = {
            shard: max(told, batch.positions.get(shard, 0)) for shard, told in standing.positions.items()
        }
        try:
            changes, newly = await self._teller.tell(own, standing.parked)
            newly += await self._store(changes, newly, batch.parked, moved)
        except BaseException:
            self._teller.forget()
            raise
        changes.settle()
        self._teller.forget(stream.stream_id for stream in newly)
        standing.parked.update(stream.stream_id for stream in newly)
        standing.positions.update(moved)
        for stream in newly:
            _log.error(
                "stream_parked",
                stream_id=str(stream.stream_id),
                position=stream.position,
                reason=stream.reason,
            )

    def _is_due(self, event: Recorded) -> bool:
        told = self._standing.positions.get(shard_of(event.stream_id, self._standing.shards))
        return told is not None and event.position > told

    async def _store(
        self,
        changes: Changes,
        parked: Sequence[Parked],
        records: Sequence[ParkedRecord],
        moved: Mapping[int, int],
    ) -> list[Parked]:
        """Writes everything, and answers the streams whose rows the tables would not take."""
        async with self._connection.transaction():
            await lock(self._connection, self._standing)
            refused = await write(self._connection, changes, shards=self._standing.shards)
            if refused or parked:
                await park(self._connection, [*refused, *parked])
            if records:
                await park_records(self._connection, records)
            await advance(self._connection, moved)
        return refused

    async def _past(self, versions: Mapping[UUID, int]) -> AsyncIterator[Recorded]:
        """The pasts of streams, whose rows are all there: what was not told before must not pass for it."""
        async for recorded in stream_pasts(self._connection, versions):
            if self._is_due(recorded):
                raise Skipped(f"position {recorded.position} of stream {recorded.stream_id}")
            yield recorded


async def connect(url: str, schema: str = LIVE) -> Connection:
    """A connection that writes into the tables of a schema.

    What it writes is durable a moment after it is answered: rows and positions go together,
    so what a crash takes away is told again.
    """
    connection = await AsyncConnection.connect(
        url, autocommit=True, application_name="anjie projections", options="-c timezone=UTC"
    )
    await prepare(connection)
    await connection.execute(f"SET search_path = {schema}; SET synchronous_commit = off".encode())
    return connection
