"""Following a source of events: batches become rows, together with the positions up to which they go."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Self
from uuid import UUID

import msgspec
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
from shared.runtime.signals import end_if_cancelled

Connection = AsyncConnection[Any]

_PAUSE_MIN_S: Final = 0.1
_PAUSE_MAX_S: Final = 5.0
_MANY_EVENTS: Final = 5_000
_BUSY_S: Final = 3.0
"""So long after many events came, more of them are expected."""

_log = structlog.stdlib.get_logger("anjie.projections")


class Skipped(Exception):
    """An event of a stream that comes before those of a batch was never told."""


class Runner:
    """Keeps the rows of its shards up with what the source tells of them, until cancelled."""

    def __init__(self, url: str, source: Source, *, projectors: ProjectorOf = projector_of) -> None:
        self._url = url
        self._source = source
        self._projectors = projectors
        self.spare = asyncio.Event()
        """Set but for while many events are told, when whatever else the process does had better wait."""
        self.spare.set()
        self._sparing: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follows until it is cancelled; a batch that is cut off then is told again at the next start."""
        pause_s = _PAUSE_MIN_S
        while True:
            try:
                async with await connect(self._url) as writing, await connect(self._url) as reading:
                    while True:
                        await self._follow(writing, reading)
                        pause_s = _PAUSE_MIN_S
            except psycopg.Error as error:
                end_if_cancelled()
                _log.warning("projections_interrupted", error=type(error).__name__, again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)

    async def _follow(self, writing: Connection, reading: Connection) -> None:
        """Goes on from where the rows stand, until somebody else moves them or is given the shards."""
        standing = await fetch_standing(writing, await self._source.shards())
        try:
            async with (
                Batches(writing, reading, standing, self._projectors) as batches,
                contextlib.aclosing(self._source.follow(standing.positions)) as following,
            ):
                async for batch in following:
                    await self._project(batch, batches, reading)
        except Moved:
            end_if_cancelled()
            _log.info("projections_moved", position=standing.position)

    async def _project(self, batch: Batch, batches: "Batches", reading: Connection) -> None:
        if len(batch.events) >= _MANY_EVENTS:
            self._be_busy()
        try:
            await batches.project(batch)
        except Skipped as skipped:
            to = max(batch.positions.values())
            _log.error("events_skipped", reason=str(skipped), told_from_ledger_to=to)
            told = batches.positions
            async for missed in catch_up(reading, min(told.values()), to, told):
                await batches.project(missed)

    def _be_busy(self) -> None:
        if self._sparing is not None:
            self._sparing.cancel()
        self.spare.clear()
        self._sparing = asyncio.get_running_loop().call_later(_BUSY_S, self.spare.set)


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is told, to be stored in one transaction."""

    changes: Changes
    positions: Mapping[int, int]
    parked: Sequence[Parked]
    records: Sequence[ParkedRecord]


class Batches:
    """Projects batches of events, each in one transaction: rows, what is parked, positions.

    While one is stored the next is told, as if the first were stored. If that fails, it ends what is
    done in this context as well, and nothing after the last batch stored has changed.

    Raises, where it is left: Moved; psycopg.Error when the database failed.
    """

    def __init__(
        self,
        writing: Connection,
        reading: Connection,
        standing: Standing,
        projectors: ProjectorOf = projector_of,
    ) -> None:
        """`standing` is kept up to date: its positions as they are stored, what is parked as it is told."""
        self._writing = writing
        self._reading = reading
        self._standing = standing
        self._positions = dict(standing.positions)
        self._teller = Teller(self._past, shards=standing.shards, projectors=projectors)
        self._tasks = asyncio.TaskGroup()
        self._storing: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        try:
            await self._tasks.__aexit__(*raised)
        except BaseExceptionGroup as failures:
            raise failures.exceptions[-1] from None

    @property
    def positions(self) -> Mapping[int, int]:
        """Up to where each shard is told."""
        return self._positions

    async def project(self, batch: Batch) -> None:
        """Brings the shards up to the positions of the batch, as far as they aren't there yet.

        Raises: Skipped, or psycopg.Error when the ledger can't be read; then nothing of it is told.
        """
        told = await self._tell(batch)
        if self._storing is not None and not await self._storing:
            self._teller.forget()
            told = await self._tell(batch)
        self._positions.update(told.positions)
        self._standing.parked.update(stream.stream_id for stream in told.parked)
        self._storing = self._tasks.create_task(self._store(told))

    async def _tell(self, batch: Batch) -> _Told:
        own = [event for event in batch.events if self._is_due(event)]
        try:
            changes, parked = await self._teller.tell(own, self._standing.parked)
        except BaseException:
            self._teller.forget()
            raise
        return _Told(
            changes=changes,
            positions={
                shard: max(told, batch.positions.get(shard, 0)) for shard, told in self._positions.items()
            },
            parked=parked,
            records=batch.parked,
        )

    def _is_due(self, event: Recorded) -> bool:
        told = self._positions.get(shard_of(event.stream_id, self._standing.shards))
        return told is not None and event.position > told

    async def _store(self, told: _Told) -> bool:
        """Whether the tables took all rows; if not, what was told as if they had doesn't hold."""
        async with self._writing.transaction():
            await lock(self._writing, self._standing)
            refused = await write(self._writing, told.changes, shards=self._standing.shards)
            parked = [*told.parked, *refused]
            if parked:
                await park(self._writing, parked)
            if told.records:
                await park_records(self._writing, told.records)
            await advance(self._writing, told.positions)
        self._standing.positions.update(told.positions)
        self._standing.parked.update(stream.stream_id for stream in refused)
        for stream in parked:
            _log.error(
                "stream_parked",
                stream_id=str(stream.stream_id),
                position=stream.position,
                reason=stream.reason,
            )
        return not refused

    async def _past(self, versions: Mapping[UUID, int]) -> AsyncIterator[Recorded]:
        """The pasts of streams, whose rows are all there: what was not told before must not pass for it."""
        async for recorded in stream_pasts(self._reading, versions):
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
