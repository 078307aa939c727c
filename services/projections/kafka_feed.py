"""Feeding a worker from Kafka: the topic says which events come, the ledger whether they are its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, Self, TypeVar
from uuid import UUID

import msgspec
import structlog
from kafka.errors import KafkaError
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from services.projections.feeding import BATCH_EVENTS_MAX, Batch, catch_up
from services.projections.kafka_reader import Hint, KafkaReader
from services.projections.kafka_records import Claim, KafkaRecord, Unfit, check_data, claim_of, claimed
from services.projections.parking import ParkedRecord
from services.projections.shards import shard_of
from shared.events.ledger.reader import Head, fetch_events, fetch_head
from shared.events.recorded import Recorded
from shared.runtime.settings import KafkaSettings

_AGAIN_S: Final = 1.0

_log = structlog.stdlib.get_logger("anjie.projections")

T = TypeVar("T")


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, as the ledger sees it."""

    events: Sequence[Recorded]
    positions: Mapping[int, int]
    parked: Sequence[ParkedRecord]
    doubtful: int
    """Up to where the ledger must tell, since events may be missing; 0 if none are."""
    offsets: Mapping[int, int]
    full: bool
    """Whether there was more to read."""


class KafkaFeed:
    """A source of batches; one partition of the topic is one shard.

    Everything of Kafka happens in one thread of its own, a call at a time, so a change of shards shows
    between two batches. While the follower works on a full batch the next one is read, and no more
    than that. A broker that is away is waited for.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], kafka: KafkaSettings) -> None:
        self._pool = pool
        self._kafka = kafka
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka")
        self._reader: KafkaReader | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()
        self._thread.shutdown()

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
                while not (own := await self._in_thread(reader.shards)):
                    pass
            except KafkaError as error:
                await self._wait(error)
            else:
                return own

    async def follow(self, positions: Mapping[int, int]) -> AsyncGenerator[Batch, None]:
        ahead: asyncio.Task[_Found | None] | None = None
        try:
            reader = await self._opened()
            missing = await self._in_thread(partial(reader.begin, dict(positions)))
            if missing is None:
                return
            head = await self._head()
            if missing:
                async for batch in self._catch_up(positions, head.position):
                    yield batch
            source = f"/ledgers/{head.ledger_id}"
            hint: Hint | None = None
            while found := await (ahead or self._find(reader, positions, source, hint)):
                ahead = None
                if found.full:
                    ahead = asyncio.create_task(self._find(reader, positions, source, hint))
                async for batch in self._catch_up(positions, found.doubtful):
                    yield batch
                to = {shard: max(told, found.positions[shard]) for shard, told in positions.items()}
                if found.parked or to != positions:
                    yield Batch(events=found.events, positions=to, parked=found.parked)
                hint = Hint(offsets=found.offsets, positions=dict(positions))
        except KafkaError as error:
            await self._wait(error)
        finally:
            if ahead is not None:
                ahead.cancel()

    async def _find(
        self, reader: KafkaReader, positions: Mapping[int, int], source: str, hint: Hint | None
    ) -> "_Found | None":
        """What comes next in the topic; None once the shards are others."""
        taken = await self._in_thread(partial(reader.read, hint))
        if taken is None:
            return None
        claims, parked = _claims(taken.records, positions, source, reader.partitions)
        doubtful = 0
        events: list[Recorded] = []
        if claims or parked:
            async with self._pool.connection() as connection:
                events, foreign = await _own(connection, claims)
                parked += foreign
                doubtful = max(_gap(events), await _claimed_place(connection, parked, positions))
        to = dict(positions)
        for event in events:
            shard = shard_of(event.stream_id, reader.partitions)
            to[shard] = max(to[shard], event.position)
        for shard, position in taken.complete.items():
            to[shard] = max(to[shard], position)
        return _Found(
            events=events,
            positions=to,
            parked=parked,
            doubtful=doubtful,
            offsets=taken.offsets,
            full=len(taken.records) >= BATCH_EVENTS_MAX,
        )

    async def _catch_up(self, positions: Mapping[int, int], to: int) -> AsyncIterator[Batch]:
        """What must be told from the ledger instead."""
        if to > min(positions.values()):
            _log.error("told_from_ledger", after=min(positions.values()), to=to)
            async with self._pool.connection() as connection:
                async for batch in catch_up(connection, positions, to):
                    yield batch

    async def _head(self) -> Head:
        async with self._pool.connection() as connection:
            return await fetch_head(connection)

    async def _opened(self) -> KafkaReader:
        if self._reader is None:
            opening = partial(KafkaReader, self._kafka, records_max=BATCH_EVENTS_MAX)
            self._reader = await self._in_thread(opening)
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
            await self._in_thread(reader.close)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _claims(
    records: Iterable[KafkaRecord], positions: Mapping[int, int], source: str, shards: int
) -> tuple[list[tuple[KafkaRecord, Claim]], list[ParkedRecord]]:
    """What the records say they are, as far as it wasn't told before."""
    claims: list[tuple[KafkaRecord, Claim]] = []
    unread: list[ParkedRecord] = []
    for record in records:
        try:
            claim = claim_of(record, source, shards)
            if claim.position > positions[record.partition]:
                check_data(claim)
                claims.append((record, claim))
        except Unfit as reason:
            unread.append(_parked(record, reason))
    return claims, unread


async def _own(
    connection: AsyncConnection[Any], claims: Sequence[tuple[KafkaRecord, Claim]]
) -> tuple[list[Recorded], list[ParkedRecord]]:
    """The events that the ledger has where records say it has them, each once; and the other records."""
    if not claims:
        return [], []
    stored = {
        event.position: event for event in await fetch_events(connection, [c.position for _, c in claims])
    }
    events: dict[int, Recorded] = {}
    foreign: list[ParkedRecord] = []
    for record, claim in claims:
        event = stored.get(claim.position)
        if event is None:
            foreign.append(_parked(record, Unfit("its position is above the ledger's head")))
        elif not claim.fits(event):
            foreign.append(_parked(record, Unfit("not the event at its position")))
        else:
            events[claim.position] = event
    return list(events.values()), foreign


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


def _parked(record: KafkaRecord, reason: Unfit) -> ParkedRecord:
    return ParkedRecord(record.topic, record.partition, record.offset, *claimed(record), str(reason))
