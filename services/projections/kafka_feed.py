"""Feeding a worker from Kafka: the topic says which events come, the ledger whether they are its own."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Self
from uuid import UUID

import msgspec
import structlog
from kafka.errors import KafkaError
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.projections.feeding import BATCH_EVENTS_MAX, Batch, catch_up
from services.projections.kafka_process import KafkaProcess
from services.projections.kafka_reader import Hint
from services.projections.kafka_records import Claim
from services.projections.parking import ParkedRecord
from shared.events.ledger.reader import Head, fetch_events, fetch_head
from shared.events.recorded import Recorded
from shared.runtime.kafka import events_topic
from shared.runtime.settings import KafkaSettings

_AGAIN_S: Final = 1.0
_LOOKED_UP_AT_ONCE: Final = 1_000
"""So few that the batch before is stored meanwhile."""

_log = structlog.stdlib.get_logger("anjie.projections")


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, as the ledger sees it."""

    events: Sequence[Recorded]
    positions: Mapping[int, int]
    parked: Sequence[ParkedRecord]
    doubtful: int
    """Up to where the ledger must tell, since events may be missing; 0 if none are."""
    offsets: Mapping[int, int]


class KafkaFeed:
    """A source of batches; one partition of the topic is one shard.

    Everything of Kafka happens in a process of its own, a call at a time, so a change of shards shows
    between two batches. While the follower works on a batch the next one is read, and no more
    than that. A broker that is away is waited for.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], kafka: KafkaSettings) -> None:
        self._pool = pool
        self._kafka = kafka
        self._reader: KafkaProcess | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def partitions(self) -> int:
        """Into how many shards the topic divides the streams, once it can be asked."""
        while True:
            try:
                return (await self._opened()).partitions
            except KafkaError as error:
                await self._wait(error)

    async def shards(self) -> Collection[int]:
        while True:
            try:
                reader = await self._opened()
                while not (own := await reader.shards()):
                    pass
            except KafkaError as error:
                await self._wait(error)
            else:
                return own

    async def follow(self, positions: Mapping[int, int]) -> AsyncGenerator[Batch, None]:
        told = dict(positions)
        hints: deque[Hint] = deque()
        ahead: asyncio.Task[_Found | None] | None = None
        try:
            reader = await self._opened()
            head = await self._head()
            missing = await reader.begin(told, f"/ledgers/{head.ledger_id}")
            if missing is None:
                return
            if missing:
                async for batch in self._catch_up(told, head.position):
                    told.update(batch.positions)
                    yield batch
            while found := await (ahead or self._find(reader, dict(told), None)):
                async for batch in self._catch_up(told, found.doubtful):
                    told.update(batch.positions)
                    yield batch
                to = {shard: max(position, found.positions[shard]) for shard, position in told.items()}
                moved = to != told
                told.update(to)
                hints.append(Hint(offsets=found.offsets, positions=to))
                ahead = asyncio.create_task(self._find(reader, to, _stored(hints, positions)))
                if found.parked or moved:
                    yield Batch(events=found.events, positions=to, parked=found.parked)
        except KafkaError as error:
            await self._wait(error)
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _find(self, reader: KafkaProcess, told: Mapping[int, int], hint: Hint | None) -> _Found | None:
        """What comes next in the topic; None once the shards are others."""
        taken = await reader.read(told, hint)
        if taken is None:
            return None
        events: dict[int, Recorded] = {}
        parked = [*taken.unread]
        doubtful = 0
        if taken.claims or parked:
            async with self._pool.connection() as connection:
                events, foreign = await _judged(connection, taken.claims, events_topic(self._kafka))
                parked += foreign
                doubtful = max(_gap(events.values()), await _claimed_place(connection, parked, told))
        to = dict(told)
        for claim in taken.claims:
            if claim.position in events:
                to[claim.partition] = max(to[claim.partition], claim.position)
        for shard, position in taken.complete.items():
            to[shard] = max(to[shard], position)
        return _Found(
            events=list(events.values()),
            positions=to,
            parked=parked,
            doubtful=doubtful,
            offsets=taken.offsets,
        )

    async def _catch_up(self, told: Mapping[int, int], to: int) -> AsyncIterator[Batch]:
        """What must be told from the ledger instead."""
        after = min(told.values())
        if to > after:
            _log.error("told_from_ledger", after=after, to=to)
            async with self._pool.connection() as connection:
                async for batch in catch_up(connection, after, to, told):
                    yield batch

    async def _head(self) -> Head:
        async with self._pool.connection() as connection:
            return await fetch_head(connection)

    async def _opened(self) -> KafkaProcess:
        if self._reader is None:
            self._reader = await KafkaProcess.open(self._kafka, records_max=BATCH_EVENTS_MAX)
            _log.info("kafka_followed", servers=self._kafka.servers)
        return self._reader

    async def _wait(self, error: KafkaError) -> None:
        """Begins with new connections a little later: what was known of the old ones may be wrong."""
        _log.warning("kafka_away", error=type(error).__name__, again_in_s=_AGAIN_S)
        await self._close()
        await asyncio.sleep(_AGAIN_S)

    async def _close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()


def _stored(hints: deque[Hint], positions: Mapping[int, int]) -> Hint | None:
    """The last of the hints that speaks of no more than is stored; it and those before it are taken away."""
    stored: Hint | None = None
    while hints and all(told <= positions[shard] for shard, told in hints[0].positions.items()):
        stored = hints.popleft()
    return stored


async def _judged(
    connection: AsyncConnection[Any], claims: Sequence[Claim], topic: str
) -> tuple[dict[int, Recorded], list[ParkedRecord]]:
    """The events that the ledger has where records say it has them, by position; and the other records."""
    own: dict[int, Recorded] = {}
    foreign: list[ParkedRecord] = []
    for first in range(0, len(claims), _LOOKED_UP_AT_ONCE):
        some = claims[first : first + _LOOKED_UP_AT_ONCE]
        found = await fetch_events(connection, [claim.position for claim in some])
        stored = {event.position: event for event in found}
        for claim in some:
            event = stored.get(claim.position)
            if event is None:
                foreign.append(_parked(claim, topic, "its position is above the ledger's head"))
            elif not claim.fits(event):
                foreign.append(_parked(claim, topic, "not the event at its position"))
            else:
                own[claim.position] = event
    return own, foreign


async def _claimed_place(
    connection: AsyncConnection[Any], parked: Sequence[ParkedRecord], positions: Mapping[int, int]
) -> int:
    """The last place in the ledger, not told yet, that a record claims which was left out; 0 if none does.

    The record may stand where the event itself should.
    """
    claims = [
        record.position
        for record in parked
        if record.position is not None and record.position > positions[record.partition]
    ]
    if not claims:
        return 0
    head = (await fetch_head(connection)).position
    return max((position for position in claims if position <= head), default=0)


def _gap(events: Iterable[Recorded]) -> int:
    """The last position at which an event of a stream follows one that isn't its predecessor; 0 if none."""
    versions: dict[UUID, int] = {}
    gap = 0
    for event in events:
        if versions.get(event.stream_id, event.version - 1) != event.version - 1:
            gap = event.position
        versions[event.stream_id] = event.version
    return gap


def _parked(claim: Claim, topic: str, reason: str) -> ParkedRecord:
    return ParkedRecord(topic, claim.partition, claim.offset, claim.stream_id, claim.position, reason)
