"""Durable appends: against the framework's own recorder and plain INSERTs, and as history grows."""

import asyncio
import gc
import itertools
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Final
from uuid import UUID

import psycopg
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from msgspec.structs import astuple
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.events.ledger.appender import Appender
from shared.events.ledger.feed import Feed
from shared.events.ledger.reader import fetch_head
from shared.events.recorded import Append, IdempotencyKey, Metadata, NewEvent
from shared.runtime.database import service_pool
from shared.runtime.identifiers import new_id
from shared.runtime.migrations import migrate
from tests.benchmarks.table import BenchRow

ROUNDS: Final = 3
SECONDS: Final = 1.5
"""Of each contender in each round; they take turns, so that what else the machine does falls on all."""
EVENTS_MAX: Final = 120_000
"""Made before a round, so that making them is not measured."""
FEED_EVENTS: Final = 300

_METADATA: Final = Metadata(
    occurred_at=datetime(2014, 3, 1, 8, 30, tzinfo=UTC),
    actor_ref="leader-37",
    actor_role="group_leader",
    unit=None,
    correlation_id=new_id(),
    policy="built-in-1",
)
_DATA: Final = b'{"to_level":"VILLAGE","reason":{"key":"%s","text":"%s"}}' % (b"k" * 36, b"t" * 160)

_BARE: Final = """
    CREATE SCHEMA bare;
    CREATE TABLE bare.events (
        position bigserial PRIMARY KEY, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        stream_id uuid NOT NULL, version integer NOT NULL, event_id uuid NOT NULL, topic text NOT NULL,
        schema_version smallint NOT NULL, data bytea NOT NULL, occurred_at timestamptz NOT NULL,
        actor_ref text NOT NULL, actor_role text NOT NULL, unit uuid, correlation_id uuid NOT NULL,
        causation_id uuid, traceparent text, policy text NOT NULL, import_id uuid, imported_by text,
        UNIQUE (stream_id, version)
    )
"""
_BARE_COLUMNS: Final = (
    "stream_id, version, event_id, topic, schema_version, data, occurred_at, actor_ref, actor_role, unit, "
    "correlation_id, causation_id, traceparent, policy, import_id, imported_by"
)

# Ids of streams rise with time, as those made by the product do.
_HISTORY: Final = """
    INSERT INTO ledger.events (
        position, recorded_at, occurred_at, stream_id, event_id, correlation_id, version, schema_version,
        topic, actor_ref, actor_role, policy, unit, data
    )
    SELECT before + version, instant, instant, stream_id, uuidv7(), stream_id, version, 1,
        'case.escalated', 'leader-37', 'group_leader', 'built-in-1', stream_id, %(data)s
    FROM (
        SELECT before, uuidv7(make_interval(secs => before / 100.0 - 1e6)) AS stream_id,
            timestamptz '2014-01-01Z' + make_interval(secs => before) AS instant
        FROM generate_series(%(first)s::bigint - 1, %(last)s::bigint - 1, 8) AS before
        OFFSET 0
    ) AS streams, generate_series(1, 8) AS version
"""
_HISTORY_KEYS: Final = """
    INSERT INTO ledger.idempotency (key_hash, body_hash, first_position, last_position)
    SELECT sha256(int8send(n)), sha256(int8send(-n)), n, n
    FROM generate_series(%(first)s::bigint, %(last)s::bigint, 2) AS n
"""

Events = list[NewEvent]
Write = Callable[[Events], Awaitable[object]]


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """Appends a second beside stock and bare ones; latency after a long history; the feed's delay."""
    migrate(owner_url)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(service_pool(owner_url, name="bench", connections_max=8))
        appender = await stack.enter_async_context(Appender(pool))
        connections = [
            await stack.enter_async_context(await psycopg.AsyncConnection.connect(owner_url, autocommit=True))
            for _ in range(64)
        ]
        await connections[0].execute(_BARE)

        async def ours(events: Events) -> None:
            await appender.append(Append(events=events, metadata=_METADATA))

        def bare(writers: int) -> list[Write]:
            return [_bare_write(connection) for connection in connections[:writers]]

        many: dict[str, list[float]] = {"ours": [], "bare": [], "stock": []}
        single: dict[str, list[float]] = {"ours": [], "bare": []}
        eights: dict[str, list[float]] = {"ours": [], "bare": []}
        for _ in range(ROUNDS):
            many["ours"].append(await _per_second([ours] * 64, 1))
            many["bare"].append(await _per_second(bare(64), 1))
            many["stock"].append(await asyncio.to_thread(_stock_per_second, owner_url))
            single["ours"].append(await _per_second([ours], 1))
            single["bare"].append(await _per_second(bare(1), 1))
            eights["ours"].append(await _per_second([ours] * 8, 8))
            eights["bare"].append(await _per_second(bare(8), 8))
        delay_ms = await _feed_delays_ms(Feed(pool), ours, (await _head(owner_url)))
    return [
        _throughput("durable appends, 64 writers", many, "stock", "stock recorder, 64 threads", 40),
        _throughput("durable appends, 64 writers", many, "bare", "one INSERT each, 64 connections", 2),
        _throughput("durable appends, 1 writer", single, "bare", "one INSERT each, 1 connection", 0.5),
        _throughput("8 events an append, 8 writers", eights, "bare", "8-row INSERTs, 8 connections", 0.5),
        BenchRow(
            name="commit seen by a feed, p99", ours=delay_ms[98], unit="ms", goal=20, at_most=True,
            reference_name=f"p50 {delay_ms[49]:.1f} ms",
        ),
        await _growth(owner_url, 10_000_000 if full else 1_000_000),
    ]  # fmt: skip


def _throughput(
    name: str, measured: dict[str, list[float]], key: str, reference: str, goal: float
) -> BenchRow:
    return BenchRow(
        name=name,
        ours=median(measured["ours"]),
        reference=median(measured[key]),
        reference_name=reference,
        unit="events/s",
        goal=goal,
    )


def _new_events(stream_id: UUID, first: int, count: int) -> Events:
    return [
        NewEvent(
            originator_id=stream_id,
            originator_version=first + n,
            topic="case.escalated",
            state=_DATA,
            event_id=new_id(),
            schema_version=1,
        )
        for n in range(count)
    ]


def _supply(events_max: int, events_each: int) -> Iterator[Events]:
    made = [_new_events(new_id(), 1, events_each) for _ in range(events_max // events_each)]
    # What waits to be written is no garbage to look through again and again.
    gc.collect()
    gc.freeze()
    return iter(made)


async def _per_second(writes: Sequence[Write], events_each: int) -> float:
    """Events a second when each of the writers writes one batch after another."""
    supply = _supply(EVENTS_MAX if len(writes) > 8 else EVENTS_MAX // 4, events_each)
    written = 0
    started = time.perf_counter()
    stop = started + SECONDS

    async def go_on(write: Write) -> None:
        nonlocal written
        for events in supply:
            await write(events)
            written += events_each
            if time.perf_counter() > stop:
                return

    await asyncio.gather(*(go_on(write) for write in writes))
    return written / (time.perf_counter() - started)


def _bare_write(connection: psycopg.AsyncConnection) -> Write:
    cursor = connection.cursor()
    one = f"({', '.join(['%s'] * len(_BARE_COLUMNS.split(', ')))})"
    metadata = astuple(_METADATA)

    async def write(events: Events) -> None:
        query = f"INSERT INTO bare.events ({_BARE_COLUMNS}) VALUES {', '.join([one] * len(events))}"
        values: list[object] = []
        for event in events:
            values += (event.originator_id, event.originator_version, event.event_id)
            values += (event.topic, event.schema_version, event.state, *metadata)
        await cursor.execute(query.encode(), values, prepare=True)

    return write


def _stock_per_second(owner_url: str) -> float:
    """The framework's recorder, one event a transaction, from 64 threads with a connection each."""
    place = conninfo_to_dict(owner_url)
    with PostgresDatastore(
        dbname=str(place["dbname"]), host=str(place["host"]), port=place.get("port") or 5432,
        user=str(place["user"]), password="", pool_size=64,
    ) as datastore:  # fmt: skip
        recorder = PostgresApplicationRecorder(datastore, events_table_name="stock_events")
        recorder.create_table()
        supply = _supply(EVENTS_MAX // 8, 1)
        written = itertools.count()
        started = time.perf_counter()

        def go_on(_: int) -> None:
            for events in supply:
                recorder.insert_events(events)
                next(written)
                if time.perf_counter() > started + SECONDS:
                    return

        with ThreadPoolExecutor(64) as pool:
            list(pool.map(go_on, range(64)))
        return next(written) / (time.perf_counter() - started)


async def _head(owner_url: str) -> int:
    async with await psycopg.AsyncConnection.connect(owner_url) as connection:
        return (await fetch_head(connection)).position


async def _feed_delays_ms(feed: Feed, write: Write, after: int) -> list[float]:
    """Percentiles of the time from the answer to an append until a feed in another task has its event."""
    seen_at: dict[object, float] = {}

    async def follow() -> None:
        async for batch in feed.follow(after):
            now = time.perf_counter()
            seen_at.update((event.event_id, now) for event in batch)

    following = asyncio.create_task(follow())
    delays = []
    answered_at = {}
    for _ in range(FEED_EVENTS):
        events = _new_events(new_id(), 1, 1)
        await write(events)
        answered_at[events[0].event_id] = time.perf_counter()
        await asyncio.sleep(random.uniform(0, 0.02))
    await asyncio.sleep(0.1)
    following.cancel()
    delays = [max(seen_at[id_] - answered, 0) * 1000 for id_, answered in answered_at.items()]
    return quantiles(delays, n=100)


async def _growth(owner_url: str, events: int) -> BenchRow:
    """Latency of one writer with idempotency keys, on new and old streams, after histories of two lengths."""
    short, long = (_with_history(owner_url, size) for size in (10_000, events))
    async with AsyncExitStack() as stack:
        measured: dict[str, list[float]] = {short: [], long: []}
        appenders = {}
        for url in measured:
            pool = await stack.enter_async_context(service_pool(url, name="bench", connections_max=4))
            appenders[url] = await stack.enter_async_context(Appender(pool))
        old = {url: await _old_streams(url) for url in measured}
        for _ in range(ROUNDS * 2):
            for url, appender in appenders.items():
                measured[url] += await _latencies_ms(appender, old[url])
    with psycopg.connect(owner_url, autocommit=True) as connection:
        for url in measured:
            connection.execute(f"DROP DATABASE {conninfo_to_dict(url)['dbname']}".encode())
    return BenchRow(
        name=f"append latency after {events:,} events",
        ours=median(measured[long]),
        reference=median(measured[short]),
        reference_name="after 10,000",
        unit="ms",
        goal=1.25,
        at_most=True,
    )


def _with_history(owner_url: str, events: int) -> str:
    """A ledger with a history: 8 events a stream, ids in order of time, a key for every second event."""
    name = f"history_{events}"
    url = make_conninfo(owner_url, dbname=name)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for first in range(1, events + 1, 1_000_000):
            last = min(first + 999_999, events)
            connection.execute(_HISTORY, {"first": first, "last": last, "data": _DATA})
            connection.execute(_HISTORY_KEYS, {"first": first, "last": last})
        connection.execute("VACUUM ANALYZE")
    return url


async def _old_streams(url: str) -> dict[UUID, int]:
    """Streams from all over the history with the version that each is at."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        head = (await fetch_head(connection)).position
        positions = [random.randint(1, head // 8) * 8 for _ in range(2_000)]
        found = await connection.execute(
            "SELECT stream_id, version FROM ledger.events WHERE position = ANY(%s)", (positions,)
        )
        return dict(await found.fetchall())


async def _latencies_ms(appender: Appender, old: dict[UUID, int]) -> list[float]:
    latencies = []
    names = list(old)
    stop = time.perf_counter() + SECONDS / 2
    while time.perf_counter() < stop:
        for stream_id in (new_id(), random.choice(names)):
            version = old.get(stream_id, 0) + 1
            append = Append(
                events=_new_events(stream_id, version, 1),
                metadata=_METADATA,
                idempotency=IdempotencyKey(os.urandom(32), os.urandom(32)),
            )
            started = time.perf_counter()
            await appender.append(append)
            latencies.append((time.perf_counter() - started) * 1000)
            if stream_id in old:
                old[stream_id] = version
    return latencies
