"""Following the ledger: batches of events become rows, together with the position up to which they go."""

import asyncio
import contextlib
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
from shared.events.ledger.feed import Feed
from shared.events.recorded import Recorded

Connection = AsyncConnection[Any]

BATCH_EVENTS_MAX: Final = 2_000
"""Measured: beyond some hundreds a larger batch is hardly faster, and readers wait longer for it."""
_PAUSE_MIN_S: Final = 0.1
_PAUSE_MAX_S: Final = 5.0

_log = structlog.stdlib.get_logger("anjie.projections")


class Runner:
    """Keeps the rows of its shards (by default all) up with the ledger, until cancelled."""

    def __init__(
        self,
        url: str,
        feed: Feed,
        *,
        only: Sequence[int] | None = None,
        projectors: ProjectorOf = projector_of,
    ) -> None:
        self._url = url
        self._feed = feed
        self._only = only
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
        """Goes on from where the rows stand, until somebody else moves them."""
        standing = await fetch_standing(connection, self._only)
        batches = Batches(connection, standing, self._projectors)
        async with contextlib.aclosing(self._feed.follow(standing.position)) as following:
            async for events in following:
                try:
                    await batches.project(events)
                except Moved:
                    _log.info("projections_moved", position=standing.position)
                    return


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
    connection = await AsyncConnection.connect(
        url, autocommit=True, application_name="anjie projections", options="-c timezone=UTC"
    )
    await prepare(connection)
    await connection.execute(f"SET search_path = {schema}; SET synchronous_commit = off".encode())
    return connection
