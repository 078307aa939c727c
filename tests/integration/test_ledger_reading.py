"""Reading back: streams, ranges, instants, what commands are decided on, and the feed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.ledger.appender import Appender
from shared.events.ledger.feed import Feed
from shared.events.ledger.loader import StreamLoader, Used
from shared.events.ledger.reader import COLUMNS, fetch_head, fetch_range, fetch_stream, position_at
from shared.events.recorded import Append, Appended, Metadata, NewEvent, Recorded, WrappedKey
from tests.conftest import Database
from tests.integration.appends import new_append, new_key, open_pool, until

_ids = st.builds(uuid4)
_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
_appends = st.builds(
    Append,
    events=st.lists(
        st.builds(
            NewEvent,
            originator_id=_ids,
            originator_version=st.just(1),
            topic=_texts,
            state=st.binary(max_size=40),
            event_id=_ids,
            schema_version=st.integers(-(2**15), 2**15 - 1),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda event: event.originator_id,
    ),
    metadata=st.builds(
        Metadata,
        occurred_at=st.datetimes(timezones=st.just(UTC)),
        actor_ref=_texts,
        actor_role=_texts,
        unit=st.none() | _ids,
        correlation_id=_ids,
        causation_id=st.none() | _ids,
        traceparent=st.none() | _texts,
        policy=_texts,
        import_id=st.none() | _ids,
        imported_by=st.none() | _texts,
    ),
    keys=st.lists(
        st.builds(
            WrappedKey,
            key_id=_ids,
            wrapped=st.binary(max_size=60),
            persons=st.lists(_ids, max_size=3).map(tuple),
        ),
        max_size=2,
        unique_by=lambda key: key.key_id,
    ),
)


def as_recorded(append: Append, appended: Appended) -> list[Recorded]:
    return [
        Recorded(
            position=position,
            stream_id=UUID(str(event.originator_id)),
            version=event.originator_version,
            event_id=event.event_id,
            topic=event.topic,
            schema_version=event.schema_version,
            recorded_at=appended.recorded_at,
            data=event.state,
            **msgspec.structs.asdict(append.metadata),
        )
        for position, event in enumerate(append.events, start=appended.first_position)
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(appends=st.lists(_appends, min_size=1, max_size=5))
def test_whatever_is_appended_comes_back_as_it_was(database: Database, appends: list[Append]) -> None:
    async def run() -> None:
        async with open_pool(database.url) as pool, Appender(pool) as appender:
            answers = await asyncio.gather(*(appender.append(append) for append in appends))
            async with pool.connection() as connection:
                for append, answer in zip(appends, answers, strict=True):
                    after = answer.first_position - 1
                    found = await fetch_range(connection, after, 100, answer.last_position)
                    assert found == as_recorded(append, answer)
                    keys = await connection.execute(
                        "SELECT key_id, wrapped, persons FROM vault.keys WHERE position = %s",
                        (answer.first_position,),
                    )
                    stored = {
                        (id_, wrapped, tuple(persons)) for id_, wrapped, persons in await keys.fetchall()
                    }
                    assert stored == {(key.key_id, key.wrapped, key.persons) for key in append.keys}

    asyncio.run(run())


def test_the_columns_are_the_fields_of_an_event() -> None:
    assert tuple(COLUMNS.split(", ")) == Recorded.__struct_fields__


async def write(database: Database, appends: Sequence[Append]) -> list[Appended]:
    async with open_pool(database.url) as pool, Appender(pool) as appender:
        return [await appender.append(append) for append in appends]


def test_a_stream_up_to_a_version_or_a_position(database: Database) -> None:
    stream, other = uuid4(), uuid4()

    async def run() -> None:
        await write(database, [new_append((stream, n * 2 + 1, 2), (other, n + 1, 1)) for n in range(4)])
        async with await psycopg.AsyncConnection.connect(database.url) as connection:

            async def found(**bounds: int) -> list[tuple[int, int]]:
                events = await fetch_stream(connection, stream, **bounds)
                return [(event.version, event.position) for event in events]

            whole = [(1, 1), (2, 2), (3, 4), (4, 5), (5, 7), (6, 8), (7, 10), (8, 11)]
            assert await found() == whole
            for bound in range(13):
                assert await found(to_version=bound) == whole[:bound]
                assert await found(to_position=bound) == [one for one in whole if one[1] <= bound]
            assert await fetch_stream(connection, uuid4()) == []

    asyncio.run(run())


def test_an_instant_has_the_last_position_recorded_by_then(database: Database) -> None:
    async def run() -> None:
        answers = await write(database, [new_append((uuid4(), 1, n % 3 + 1)) for n in range(12)])
        async with await psycopg.AsyncConnection.connect(database.url) as connection:
            history = await fetch_range(connection, 0, 100)
            instants = [answer.recorded_at for answer in answers]
            instants += [instant - timedelta(microseconds=1) for instant in instants]
            instants += [datetime(1990, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(hours=1)]
            for instant in instants:
                expected = max((one.position for one in history if one.recorded_at <= instant), default=0)
                assert await position_at(connection, instant) == expected

    asyncio.run(run())


def test_the_time_of_recording_never_falls(database: Database) -> None:
    """Not even when the server's clock was set back: the last event lies an hour ahead of it."""

    async def run() -> None:
        await write(database, [new_append((uuid4(), 1, 1))])
        async with await psycopg.AsyncConnection.connect(database.owner_url) as owner:
            names = COLUMNS.removeprefix("position, stream_id, ")
            columns = names.replace("recorded_at", "recorded_at + interval '1 hour'")
            await owner.execute(
                f"INSERT INTO ledger.events (position, stream_id, {names}) "
                f"SELECT position + 1, gen_random_uuid(), {columns} FROM ledger.events"
            )
        [answer] = await write(database, [new_append((uuid4(), 1, 1))])
        async with await psycopg.AsyncConnection.connect(database.url) as connection:
            head = await fetch_head(connection)
            [_, ahead, last] = await fetch_range(connection, 0, 10)
        assert answer.recorded_at == ahead.recorded_at == last.recorded_at == head.recorded_at
        assert (answer.first_position, head.position) == (3, 3)

    asyncio.run(run())


def test_loading_many_at_once_gives_each_its_own(database: Database) -> None:
    async def run() -> None:
        appends = [new_append((uuid4(), 1, n % 4 + 1), key=new_key(n, n * 7)) for n in range(40)]
        answers = await write(database, appends)
        async with open_pool(database.url) as pool, StreamLoader(pool) as loader:

            async def check(append: Append, answer: Appended) -> None:
                stream_id, unknown = UUID(str(append.events[0].originator_id)), uuid4()
                assert append.idempotency is not None
                loaded = await loader.load([stream_id, unknown], append.idempotency.key_hash)
                assert loaded.streams == {stream_id: as_recorded(append, answer), unknown: []}
                body_hash = append.idempotency.body_hash
                assert loaded.used == Used(body_hash, answer.first_position, answer.last_position)
                assert (await loader.load([unknown], b"unused")).used is None

            await asyncio.gather(*(check(*pair) for pair in zip(appends, answers, strict=True)))

    asyncio.run(run())


@pytest.mark.parametrize("batch_max", [1, 7, 1000])
def test_the_feed_gives_all_in_order_and_goes_on(database: Database, batch_max: int) -> None:
    async def run() -> None:
        seen: list[Recorded] = []

        async def follow() -> None:
            async for batch in Feed(pool, batch_max=batch_max).follow(3):
                assert 1 <= len(batch) <= batch_max
                seen.extend(batch)

        async with open_pool(database.url) as pool:
            await write(database, [new_append((uuid4(), 1, 5)) for _ in range(4)])
            following = asyncio.create_task(follow())
            await until(lambda: len(seen) == 17)
            await write(database, [new_append((uuid4(), 1, 5)) for _ in range(4)])
            await until(lambda: len(seen) == 37)
            following.cancel()
        assert [event.position for event in seen] == list(range(4, 41))

    asyncio.run(run())
