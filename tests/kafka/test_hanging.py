"""Transactions that a broker forgot before all of it was marked: the next start ends them as it must."""

import asyncio
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from infra.kafka.broker import Broker, BrokerUnavailable, installation
from services.projections.published.steps import Change
from services.relay.hanging import Watch
from services.relay.publisher import Publisher
from services.relay.records import record_of
from services.relay.transactions import Transactions, Unpublishable
from services.relay.view_publisher import ViewPublisher
from shared.runtime.identifiers import new_id
from shared.runtime.kafka import events_topic, relay_topic, relayed_views_topic, view_topic
from shared.runtime.settings import KafkaSettings
from tests.conftest import Database
from tests.kafka.feeding import caught_up, fed, town_at
from tests.kafka.reading import assert_published_once, recorded_events
from tests.kafka.test_relay import Relays, append, history

_FORGETFUL = "\ntransaction.partition.verification.enable=false\n"
"""A broker that takes records of transactions that their coordinator doesn't know."""
WAYS = 6
VIEW = "visit_coverage"
OTHER_VIEW = "urgent_board"


@pytest.fixture(scope="module")
def forgetful() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="anjie-kafka-") as directory:
        try:
            broker = Broker(installation(), Path(directory) / "broker", more_settings=_FORGETFUL)
        except BrokerUnavailable as error:
            pytest.skip(str(error))
        broker.start()
        yield broker.bootstrap
        broker.stop()


@pytest.fixture
def town(forgetful: str) -> KafkaSettings:
    return town_at(forgetful)


def hang(publisher: Publisher | ViewPublisher, marked: Collection[TopicPartition]) -> None:
    """From now on what the publisher commits is decided in some partitions alone."""
    manager: Any = publisher._transactions._producer._transaction_manager
    add = manager.maybe_add_partition_to_transaction

    def add_some(partition: TopicPartition) -> None:
        if partition in marked:
            add(partition)
        else:
            manager._partitions_in_transaction.add(partition)

    manager.maybe_add_partition_to_transaction = add_some


def hanging_in(town: KafkaSettings, partitions: Collection[TopicPartition]) -> frozenset[TopicPartition]:
    with closing(Watch(town, partitions)) as watch:
        return watch.hanging()


def ways(where: Sequence[TopicPartition]) -> list[tuple[TopicPartition, ...]]:
    """Where alone a transaction may be marked: nowhere, in the last partition, or in any others."""
    some = [marked for size in range(1, len(where)) for marked in combinations(where, size)]
    return [(), (where[-1],), *Random(20261127).sample(some, WAYS)]


def partitions_of(*topics: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(4)]


def test_wherever_a_transaction_hangs_every_event_is_published_once(
    database: Database, town: KafkaSettings
) -> None:
    append(database, history(8, 400))
    ledger_id, events = recorded_events(database.url)
    everywhere = [*partitions_of(events_topic(town)), TopicPartition(relay_topic(town), 0)]
    size = len(events) // (2 * (WAYS + 2))
    assert size > 15

    for marked in ways(everywhere):
        with closing(Publisher(town, ledger_id)) as publisher:
            assert not hanging_in(town, everywhere)
            at = publisher.position
            publisher.publish(events[at : at + size])
            publisher.look()
            hang(publisher, marked)
            publisher.publish(events[at + size : at + 2 * size])
            assert hanging_in(town, everywhere)
    with closing(Publisher(town, ledger_id)) as publisher:
        publisher.publish(events[publisher.position :])

    assert_published_once(town.servers, events_topic(town), database.owner_url)


def test_what_was_never_written_whole_is_taken_back(database: Database, town: KafkaSettings) -> None:
    append(database, history(12, 60))
    ledger_id, events = recorded_events(database.url)
    with closing(Publisher(town, ledger_id)) as publisher:
        publisher.publish(events[:20])
        publisher.look()
        hang(publisher, [])
        transactions: Any = publisher._transactions
        transactions._producer.begin_transaction()
        for event in events[20:30]:
            transactions._send(record_of(event, ledger_id, events_topic(town), 4))
        transactions._producer.flush()
    with closing(Publisher(town, ledger_id)) as publisher:
        assert publisher.position == 20
        publisher.publish(events[20:])

    assert_published_once(town.servers, events_topic(town), database.owner_url)


def test_what_cannot_be_ended_in_one_way_is_left_to_people(database: Database, town: KafkaSettings) -> None:
    append(database, history(9, 60))
    ledger_id, events = recorded_events(database.url)
    marked = [TopicPartition(relay_topic(town), 0)]
    with closing(Publisher(town, ledger_id)) as publisher:
        hang(publisher, marked)
        publisher.publish(events[:20])
        while hanging_in(town, marked):
            pass
        marked.clear()
        # As a relay might that didn't look.
        publisher._transactions._looked = True
        publisher.publish(events[20:40])

    with pytest.raises(Unpublishable, match="before and after position 20"):
        Publisher(town, ledger_id)


def test_a_publisher_that_lives_on_notices_what_hangs(database: Database, town: KafkaSettings) -> None:
    append(database, history(10, 40))
    ledger_id, events = recorded_events(database.url)
    with closing(Publisher(town, ledger_id)) as publisher:
        publisher.publish(events[:10])
        publisher.look()
        hang(publisher, [])
        publisher.publish(events[10:20])
        with pytest.raises(KafkaTimeoutError, match="hangs"):
            publisher.look()


def test_nothing_more_is_begun_where_something_hangs(database: Database, town: KafkaSettings) -> None:
    append(database, history(13, 60))
    ledger_id, events = recorded_events(database.url)
    with closing(Publisher(town, ledger_id)) as publisher:
        publisher.publish(events[:10])
        publisher.look()
        hang(publisher, [TopicPartition(relay_topic(town), 0)])
        publisher.publish(events[10:30])
        # If it were cut off, its end would be the end of what hangs, of which the word was seen.
        with pytest.raises(KafkaTimeoutError, match="hangs"):
            publisher.publish(events[30:])
    with closing(Publisher(town, ledger_id)) as publisher:
        assert publisher.position == 30
        publisher.publish(events[30:])

    assert_published_once(town.servers, events_topic(town), database.owner_url)


def test_a_worker_that_waits_before_what_hangs_goes_on_once_a_relay_starts(
    database: Database, town: KafkaSettings
) -> None:
    append(database, history(11, 200))
    ledger_id, events = recorded_events(database.url)
    with closing(Publisher(town, ledger_id)) as publisher:
        hang(publisher, [TopicPartition(relay_topic(town), 0)])
        publisher.publish(events[:100])

    async def follow(relays: Relays) -> None:
        async with fed(database.url, town):
            await asyncio.sleep(1)
            relays.start()
            await caught_up(database.url)

    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        relays = Relays(database, town, Path(directory))
        try:
            asyncio.run(follow(relays))
        finally:
            relays.kill_all()
    assert_published_once(town.servers, events_topic(town), database.owner_url)


def test_a_view_whose_rows_hang_is_to_be_published_anew(
    town: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger_id = new_id()
    everywhere = [
        *partitions_of(view_topic(town, VIEW), view_topic(town, OTHER_VIEW)),
        TopicPartition(relayed_views_topic(town), 0),
    ]

    def publish(publisher: ViewPublisher, view: str, position: int) -> None:
        rows = [Change(view, str(new_id()), b"{}", position) for _ in range(40)]
        publisher.publish(rows, {view: publisher.mark(view, position, 1)})

    def die(*_: object, **__: object) -> None:
        raise KafkaTimeoutError("killed")

    with closing(ViewPublisher(town, ledger_id)) as publisher:
        publish(publisher, OTHER_VIEW, 1)
    for position, marked in enumerate(ways(everywhere[:4] + everywhere[8:])[:5], start=2):
        with closing(ViewPublisher(town, ledger_id)) as publisher:
            publish(publisher, VIEW, position)
            publisher.look()
            hang(publisher, marked)
            publish(publisher, VIEW, position)
            rows_hang = not set(everywhere[:4]) <= set(marked)
        if rows_hang:
            with monkeypatch.context() as killed:
                killed.setattr(Transactions, "end_hanging", die)
                with pytest.raises(KafkaTimeoutError):
                    ViewPublisher(town, ledger_id)
        with closing(ViewPublisher(town, ledger_id)) as publisher:
            assert not hanging_in(town, everywhere)
            assert publisher.marks.keys() == ({OTHER_VIEW} if rows_hang else {OTHER_VIEW, VIEW})
