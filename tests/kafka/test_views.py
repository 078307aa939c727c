"""The topics of the views against a real broker: read from the beginning they are the rows, whatever died."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zlib import crc32

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError
from psycopg import AsyncConnection

from infra.kafka.broker import Broker
from services.kafka_topics import create_missing, topic_ids
from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.published.steps import Change
from services.projections.rebuild import rebuild
from services.projections.standing import fetch_standing
from services.relay import view_worker
from services.relay.standing import Reached
from services.relay.transactions import NotPublished, Unpublishable
from services.relay.view_publisher import ViewPublisher
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.runtime.identifiers import new_id
from shared.runtime.kafka import relayed_views_topic, view_topic
from shared.runtime.settings import KafkaSettings
from tests.asking import asking
from tests.conftest import Database
from tests.histories import County, Occurrence, any_moves, play
from tests.kafka.feeding import town_at
from tests.kafka.reading import Seen, committed
from tests.kafka.test_relay import Relays
from tests.projecting import appending, following, head_of, record
from tests.published import Views, bare, expected

KILLS = 3
WAIT_S = 60.0


@pytest.fixture
def town(kafka: str) -> KafkaSettings:
    """Topics of a test's own."""
    return town_at(kafka)


@pytest.fixture
def relays(database: Database, town: KafkaSettings) -> Iterator[Relays]:
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        started = Relays(database, town, Path(directory))
        yield started
        started.kill_all()


def history(seed: int, size: int) -> list[list[Occurrence]]:
    """One after which something is left in every view."""
    chance = Random(seed)
    county = County(neighbour=new_id())
    county.settle()
    urgent = [(name, which, 1, 0) for which in range(4) for name in ("open", "classify", "start_clock")]
    play(county, [*any_moves(chance, size), *urgent, *any_moves(chance, 15)])
    return county.appends


async def write(url: str, appends: Sequence[Sequence[Occurrence]], pause_s: float = 0.0) -> None:
    async with appending(url) as appender:
        for one in appends:
            await record(appender, [one])
            await asyncio.sleep(pause_s)


async def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < deadline, f"not within {WAIT_S:.0f} s: {what}"
        await asyncio.sleep(0.05)


def marks(town: KafkaSettings) -> dict[str, Any]:
    """Up to where each view is published, as the relay says in Kafka."""
    said = [seen.value for seen in committed(town.servers, relayed_views_topic(town)) if seen.value]
    views: dict[str, Any] = msgspec.json.decode(said[-1])["views"] if said else {}
    return views


def reached(town: KafkaSettings, position: int, generation: int) -> bool:
    """Whether every view is published up to a position, from rows of a generation, in the topic there is."""
    ids = topic_ids(town, [view_topic(town, view) for view in PUBLISHED_VIEWS])
    said = marks(town)
    return said.keys() == set(PUBLISHED_VIEWS) and all(
        mark["position"] == position
        and mark["topic_id"] == str(ids[view_topic(town, view)])
        and (view == "case_timeline" or mark["generation"] == generation)
        for view, mark in said.items()
    )


async def moved(town: KafkaSettings) -> None:
    """Waits until more is published."""
    before = await asyncio.to_thread(marks, town)
    await until(lambda: marks(town) != before, "the views move on")


async def published(database: Database, town: KafkaSettings) -> None:
    """Waits until everything is."""
    head = await head_of(database.url)
    async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
        generation = (await fetch_standing(connection)).generation
    await until(lambda: reached(town, head, generation), f"everything up to {head} is published")


def partition_of(key: str) -> int:
    """Chosen by the id that the key begins with."""
    return crc32(key.partition("/")[0].encode()) % 4


def records(town: KafkaSettings, view: str) -> list[Seen]:
    return committed(town.servers, view_topic(town, view))


def folded(town: KafkaSettings) -> Views:
    """What a subscriber holds who has read every topic from the beginning."""
    views: Views = {}
    for view in PUBLISHED_VIEWS:
        rows: dict[str, bytes | None] = {seen.key: seen.value for seen in records(town, view)}
        views[view] = {key: bare(row) for key, row in rows.items() if row is not None}
    return views


async def must_be_what_is_read(database: Database, town: KafkaSettings) -> None:
    head = await head_of(database.url)
    async with (
        asking(database.url) as desk,
        await AsyncConnection.connect(database.url, autocommit=True) as connection,
    ):
        wanted = await expected(desk, await fetch_range(connection, 0, head), head)
    held = await asyncio.to_thread(folded, town)
    for view in PUBLISHED_VIEWS:
        assert wanted[view], f"no row of {view} in this history"
        assert held[view] == wanted[view]


def assert_each_change_once(town: KafkaSettings, *, whole_again: Collection[str] = ()) -> None:
    """Every record is another row than the one before under its key, at a later position.

    But for the topics that were published whole again: a row may be the same there.
    """
    for view in PUBLISHED_VIEWS:
        last: dict[str, tuple[int, bytes | None]] = {}
        for seen in records(town, view):
            position = int(seen.headers["position"])
            before, row = last.get(seen.key, (0, None))
            if seen.value == row and view_topic(town, view) in whole_again:
                continue
            assert position > before
            assert seen.partition == partition_of(seen.key)
            assert seen.value != row
            last[seen.key] = position, seen.value


def test_what_is_too_much_for_one_transaction_is_published_in_several(
    database: Database, town: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_worker, "TRANSACTION_BYTES_MAX", 2_000)
    together: list[list[Change]] = []
    publish = ViewPublisher.publish

    def seen(publisher: ViewPublisher, changes: Sequence[Change], to: Any) -> None:
        together.append([change for change in changes if change.view == "case_timeline"])
        publish(publisher, changes, to)

    monkeypatch.setattr(ViewPublisher, "publish", seen)

    async def told() -> None:
        await write(database.url, history(3, 40))
        await rebuild(database.url)
        publishing = asyncio.create_task(view_worker.publish_views(database.url, town, Reached()))
        try:
            await published(database, town)
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing
        for lines in together:
            one_position = len({line.position for line in lines}) == 1
            assert one_position or sum(len(line.row or b"") for line in lines) <= 2_000
        await must_be_what_is_read(database, town)

    asyncio.run(told())


def test_what_a_killed_relay_leaves_is_told_once_by_the_next(
    database: Database, town: KafkaSettings, relays: Relays
) -> None:
    chance = Random(20261127)
    appends = history(1, 500)
    size = len(appends) // KILLS + 1

    async def kill_and_follow() -> None:
        leader = relays.start()
        await published(database, town)
        async with following(database.url, batch_max=100):
            for first in range(0, len(appends), size):
                writing = asyncio.create_task(write(database.url, appends[first : first + size], 0.02))
                await moved(town)
                await asyncio.sleep(chance.uniform(0, 0.3))
                leader.kill()
                leader = relays.start()
                await writing
            await published(database, town)
        await must_be_what_is_read(database, town)
        await asyncio.to_thread(assert_each_change_once, town)

    asyncio.run(kill_and_follow())


def test_who_publishes_views_while_another_does_is_refused(database: Database, town: KafkaSettings) -> None:
    async def ledger_id() -> UUID:
        async with await AsyncConnection.connect(database.url) as connection:
            return (await fetch_head(connection)).ledger_id

    ledger = asyncio.run(ledger_id())
    row = Change("visit_coverage", str(new_id()), b"{}", 7)
    with closing(ViewPublisher(town, ledger)) as old:
        old.publish([row], {"visit_coverage": old.mark("visit_coverage", 7, 1)})
        with closing(ViewPublisher(town, ledger)) as new:
            assert new.marks == old.marks
            with pytest.raises((KafkaError, NotPublished)):
                old.publish([row._replace(position=8)], {})
    assert [seen.headers["position"] for seen in records(town, "visit_coverage")] == ["7"]
    with pytest.raises(Unpublishable, match=str(ledger)):
        ViewPublisher(town, new_id())


def test_a_broker_that_was_away_is_caught_up_with(database: Database, broker: Broker) -> None:
    town = town_at(broker.bootstrap)
    appends = history(3, 250)
    half = len(appends) // 2

    async def kill_and_follow(relays: Relays) -> None:
        async with following(database.url, batch_max=100):
            relay = relays.start()
            await write(database.url, appends[:half])
            await published(database, town)
            broker.kill()
            await write(database.url, appends[half:])
            broker.start()  # here, since it ends with the thread that starts it
            await published(database, town)
            assert relay.poll() is None
        await must_be_what_is_read(database, town)
        await asyncio.to_thread(assert_each_change_once, town)

    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        own = Relays(database, town, Path(directory))
        try:
            asyncio.run(kill_and_follow(own))
        finally:
            own.kill_all()


def test_rows_made_anew_and_topics_made_anew_are_published_whole(
    database: Database, town: KafkaSettings, relays: Relays
) -> None:
    """Keys that the state lacks get a tombstone, be it that nobody of ours wrote them."""
    appends = history(2, 400)
    false = ["nobody", str(new_id()), f"{new_id()}/T13/1"]

    async def make_anew() -> None:
        async with following(database.url, batch_max=100):
            await write(database.url, appends[:-8])
            relays.start()
            await published(database, town)
            await must_be_what_is_read(database, town)

            with KafkaProducer(bootstrap_servers=town.servers) as producer:
                for view in PUBLISHED_VIEWS[1:]:
                    for key in [*false, next(iter(records(town, view))).key]:
                        record = b'{"false":true}', key.encode()
                        producer.send(view_topic(town, view), *record, partition=partition_of(key))
            await rebuild(database.url)
            await write(database.url, appends[-8:])
            await published(database, town)
            for view in PUBLISHED_VIEWS[1:]:
                last = {seen.key: seen.value for seen in records(town, view)}
                assert [last[key] for key in false] == [None, None, None]

            with KafkaAdminClient(bootstrap_servers=town.servers) as admin:
                admin.delete_topics([view_topic(town, view) for view in PUBLISHED_VIEWS])
            create_missing(town)
            await published(database, town)
            await must_be_what_is_read(database, town)

    asyncio.run(make_anew())
