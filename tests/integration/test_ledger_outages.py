"""When the database is slow, busy or gone: bounded queues, clear refusals, nothing lost or doubled."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace

from shared.events.ledger import grouping
from shared.events.ledger.appender import Appender
from shared.events.ledger.feed import Feed
from shared.events.ledger.loader import StreamLoader
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Append, Appended, LedgerUnavailable, QueueFull, Recorded
from shared.runtime.migrations import SERVICE_ROLE, migrate
from shared.runtime.postgres import EmbeddedPostgres
from tests.conftest import Database
from tests.integration.appends import new_append, new_key, open_pool, until


@asynccontextmanager
async def ledger_held(database: Database) -> AsyncIterator[None]:
    """Nobody can append within it."""
    async with await psycopg.AsyncConnection.connect(database.owner_url) as holder:
        await holder.execute("SELECT FROM ledger.identity FOR UPDATE")
        yield
        await holder.rollback()


async def history_of(database: Database) -> list[Recorded]:
    async with await psycopg.AsyncConnection.connect(database.owner_url) as connection:
        return await fetch_range(connection, 0, 10_000)


def event_ids(append: Append) -> list[object]:
    return [event.event_id for event in append.events]


def test_past_its_bound_the_queue_refuses_at_once(database: Database) -> None:
    async def run() -> None:
        appends = [new_append((uuid4(), 1, 1)) for _ in range(8)]
        async with (
            open_pool(database.url) as pool,
            Appender(pool, queue_max=5, group_events_max=1) as appender,
        ):
            async with ledger_held(database):
                first = asyncio.create_task(appender.append(appends[0]))
                await until(lambda: appender.waiting == 0 and not first.done())
                await asyncio.sleep(0.05)
                waiting = [asyncio.create_task(appender.append(append)) for append in appends[1:6]]
                await until(lambda: appender.waiting == 5)
                for append in appends[6:]:
                    with pytest.raises(QueueFull):
                        await appender.append(append)
            answers = await asyncio.gather(first, *waiting)
        stored = {event.event_id: event.position for event in await history_of(database)}
        assert stored == {
            append.events[0].event_id: answer.first_position
            for append, answer in zip(appends[:6], answers, strict=True)
        }

    asyncio.run(run())


def test_a_database_that_hangs_refuses_what_waits_and_keeps_what_was_sent(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "WAIT_TIMEOUT_S", 0.3)

    async def run() -> None:
        sent, waiting = (new_append((uuid4(), 1, 1)) for _ in range(2))
        async with open_pool(database.url) as pool, Appender(pool) as appender:
            async with ledger_held(database):
                first = asyncio.create_task(appender.append(sent))
                await until(lambda: appender.waiting == 0 and not first.done())
                await asyncio.sleep(0.05)
                with pytest.raises(LedgerUnavailable):
                    await asyncio.wait_for(appender.append(waiting), 5)
            await first
        assert [event.event_id for event in await history_of(database)] == event_ids(sent)

    asyncio.run(run())


def test_a_cancelled_append_is_dropped_before_it_is_sent_and_whole_after(database: Database) -> None:
    async def run() -> None:
        sent, dropped, kept = (new_append((uuid4(), 1, 3)) for _ in range(3))
        async with (
            open_pool(database.url) as pool,
            Appender(pool) as appender,
        ):
            async with ledger_held(database):
                first = asyncio.create_task(appender.append(sent))
                await asyncio.sleep(0.2)
                second = asyncio.create_task(appender.append(dropped))
                third = asyncio.create_task(appender.append(kept))
                await until(lambda: appender.waiting == 2)
                first.cancel()
                second.cancel()
            await third
        found = [event.event_id for event in await history_of(database)]
        assert found == event_ids(sent) + event_ids(kept)

    asyncio.run(run())


def test_closing_commits_what_waits_and_takes_nothing_more(database: Database) -> None:
    async def run() -> None:
        appends = [new_append((uuid4(), 1, 2)) for _ in range(100)]
        async with open_pool(database.url) as pool:
            appender = Appender(pool)
            appender.start()
            async with ledger_held(database):
                tasks = [asyncio.create_task(appender.append(append)) for append in appends]
                await asyncio.sleep(0.05)
                closing = asyncio.create_task(appender.close())
                await asyncio.sleep(0.05)
                with pytest.raises(LedgerUnavailable):
                    await appender.append(new_append((uuid4(), 1, 1)))
            await closing
            answers = await asyncio.gather(*tasks)
        assert sorted(answer.first_position for answer in answers) == list(range(1, 200, 2))

    asyncio.run(run())


def test_what_no_ledger_can_store_harms_nobody_else(database: Database) -> None:
    async def run() -> list[Appended | BaseException]:
        from_zero = new_append((uuid4(), 0, 1))
        key_twice = new_append((uuid4(), 1, 1), persons=[uuid4()])
        key_twice = replace(key_twice, keys=[*key_twice.keys, *key_twice.keys])
        good = [new_append((uuid4(), 1, 1)) for _ in range(4)]
        async with open_pool(database.url) as pool, Appender(pool) as appender:
            return await asyncio.gather(
                *(appender.append(append) for append in (*good[:2], from_zero, key_twice, *good[2:])),
                return_exceptions=True,
            )

    answers = asyncio.run(run())
    refused = [answer for answer in answers if not isinstance(answer, Appended)]
    assert [type(answer) for answer in refused] == [
        psycopg.errors.CheckViolation,
        psycopg.errors.UniqueViolation,
    ]
    assert [answers.index(answer) for answer in refused] == [2, 3]
    assert len(asyncio.run(history_of(database))) == 4


def test_nul_and_gaps_are_refused_before_anything_is_sent(database: Database) -> None:
    nul = new_append((uuid4(), 1, 1))
    nul = replace(nul, metadata=replace(nul.metadata, traceparent="a\x00b"))
    stream = uuid4()
    gap = new_append((stream, 1, 1), (stream, 3, 1))

    async def run() -> None:
        async with open_pool(database.url) as pool, Appender(pool) as appender:
            for append in (nul, gap, replace(gap, events=[])):
                with pytest.raises(ValueError, match=r"NUL|consecutive|at least one"):
                    await appender.append(append)

    asyncio.run(run())
    assert asyncio.run(history_of(database)) == []


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    directory = Path(tempfile.mkdtemp(prefix="anjie-test-"))
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    migrate(server.url())
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


def test_a_database_that_goes_away_and_comes_back(own_server: EmbeddedPostgres) -> None:
    """Unconfirmed appends sent again under their keys are stored once; the feed goes on by itself."""
    url = own_server.url(SERVICE_ROLE)

    async def run() -> None:
        appends = [new_append((uuid4(), 1, 2), key=new_key(number)) for number in range(300)]
        acknowledged: dict[int, Appended] = {}
        unconfirmed: list[int] = []
        seen: list[Recorded] = []

        async def follow(feed: Feed) -> None:
            async for batch in feed.follow(0):
                seen.extend(batch)

        async def write(writer: int) -> None:
            for number in range(writer, len(appends), 10):
                while number not in acknowledged:
                    try:
                        acknowledged[number] = await appender.append(appends[number])
                    except LedgerUnavailable:
                        unconfirmed.append(number)
                        await asyncio.sleep(0.01)

        async with (
            open_pool(url) as pool,
            StreamLoader(pool) as loader,
            Appender(pool) as appender,
        ):
            following = asyncio.create_task(follow(Feed(pool)))
            writing = asyncio.gather(*(write(writer) for writer in range(10)))
            await until(lambda: len(acknowledged) > 50)
            await asyncio.to_thread(own_server.stop)
            confirmed = dict(acknowledged)
            await until(lambda: len(unconfirmed) >= 10)
            with pytest.raises(LedgerUnavailable):
                await loader.load([uuid4()])
            assert acknowledged == confirmed
            await asyncio.to_thread(own_server.start)
            await writing
            await until(lambda: len(seen) == 600)
            following.cancel()
        positions = {event.event_id: event.position for event in seen}
        assert [event.position for event in seen] == list(range(1, 601))
        for number, append in enumerate(appends):
            answer = acknowledged[number]
            found = [positions[event.event_id] for event in append.events]
            assert found == [answer.first_position, answer.last_position]

    asyncio.run(run())
