"""Following the ledger: batches of events become rows, together with the position up to which they go."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from services.projections.catalogue import projector_of
from services.projections.parking import Parked, park
from services.projections.schema import LIVE
from services.projections.shards import shard_of
from services.projections.source import stream_pasts
from services.projections.standing import Moved, Standing, advance, fetch_standing, lock
from services.projections.teller import ProjectorOf, Teller
from services.projections.writer import Changes, prepare, write
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Recorded

Connection = AsyncConnection[Any]

BATCH_EVENTS_MIN: Final = 200
BATCH_EVENTS_MAX: Final = 5_000
_BATCH_SHORT_S: Final = 0.2
_BATCH_LONG_S: Final = 1.0
_PAUSE_MIN_S: Final = 0.1
_PAUSE_MAX_S: Final = 5.0
_WAKE_S: Final = 0.01

_log = structlog.get_logger()


class Runner:
    """Keeps the rows of its shards (by default all) up with the ledger, until it is stopped."""

    def __init__(
        self, url: str, *, only: Sequence[int] | None = None, projectors: ProjectorOf = projector_of
    ) -> None:
        self._url = url
        self._only = only
        self._projectors = projectors
        self._batch_max = BATCH_EVENTS_MIN

    async def run(self, stop: asyncio.Event) -> None:
        """Follows until `stop` is set; begins again where the rows stand when the database was away."""
        pause = _PAUSE_MIN_S
        while not stop.is_set():
            try:
                async with await connect(self._url) as connection:
                    pause = _PAUSE_MIN_S
                    while not stop.is_set():
                        await self._follow(connection, stop)
            except psycopg.Error as error:
                _log.warning("projections_interrupted", error=type(error).__name__, pause_s=pause)
                await _sleep(pause, stop)
                pause = min(2 * pause, _PAUSE_MAX_S)

    async def _follow(self, connection: Connection, stop: asyncio.Event) -> None:
        """Goes on from where the rows stand, until stopped or until somebody else moved them."""
        standing = await fetch_standing(connection, self._only)
        batches = Batches(connection, standing, self._projectors)
        while not stop.is_set():
            events = await fetch_range(connection, standing.position, self._batch_max)
            if not events:
                await _sleep(_WAKE_S, stop)
                continue
            started = time.monotonic()
            try:
                await batches.project(events)
            except Moved:
                _log.info("projections_moved", position=standing.position)
                return
            self._adapt(len(events), time.monotonic() - started)

    def _adapt(self, events: int, took_s: float) -> None:
        if took_s > _BATCH_LONG_S:
            self._batch_max = max(BATCH_EVENTS_MIN, self._batch_max // 2)
        elif events == self._batch_max and took_s < _BATCH_SHORT_S:
            self._batch_max = min(BATCH_EVENTS_MAX, self._batch_max * 2)


class Batches:
    """Projects batches of events, each in one transaction: rows, parked streams, positions."""

    def __init__(self, connection: Connection, standing: Standing, projectors: ProjectorOf = projector_of):
        self._connection = connection
        self._standing = standing
        self._teller = Teller(self._past, shards=standing.shards, projectors=projectors)

    async def project(self, events: Sequence[Recorded]) -> None:
        """Brings the shards up to the last of the events, which follow the lowest of their positions.

        Raises: Moved; psycopg.Error when the database failed. Nothing was changed then.
        """
        standing = self._standing
        own = [event for event in events if self._is_due(event)]
        try:
            changes, newly = await self._teller.tell(own, standing.parked)
            newly += await self._store(changes, newly, events[-1].position)
        except BaseException:
            self._teller.forget()
            raise
        changes.settle()
        self._teller.forget(stream.stream_id for stream in newly)
        standing.parked.update(stream.stream_id for stream in newly)
        for shard, position in standing.positions.items():
            standing.positions[shard] = max(position, events[-1].position)
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

    async def _store(self, changes: Changes, parked: Sequence[Parked], position: int) -> list[Parked]:
        """Writes everything, and answers the streams whose rows the tables would not take."""
        async with self._connection.transaction():
            await lock(self._connection, self._standing)
            refused = await write(self._connection, changes, shards=self._standing.shards)
            if refused or parked:
                await park(self._connection, [*refused, *parked])
            moved = {shard: max(told, position) for shard, told in self._standing.positions.items()}
            await advance(self._connection, moved)
        return refused

    def _past(self, versions: Mapping[UUID, int]) -> AsyncIterator[Recorded]:
        return stream_pasts(self._connection, versions)


async def connect(url: str, schema: str = LIVE) -> Connection:
    """A connection that writes into the tables of a schema.

    What it writes is durable a moment after it is answered: rows and positions go together,
    so what a crash takes away is told again.
    """
    connection = await AsyncConnection.connect(url, autocommit=True, application_name="anjie projections")
    await prepare(connection)
    await connection.execute(f"SET search_path = {schema}; SET synchronous_commit = off".encode())
    return connection


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
