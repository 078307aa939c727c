"""The relay against a real broker: every event once as a subscriber sees it, whatever dies or is paused."""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from threading import Event
from uuid import uuid4

import httpx
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition
from structlog.testing import capture_logs

from infra.kafka.broker import Broker
from services.kafka_topics import create_missing
from services.relay import threads, transactions
from services.relay.publisher import Publisher
from services.relay.standing import relay_status
from services.relay.transactions import NotPublished, Unpublishable
from services.relay.worker import relay
from shared.runtime.settings import KafkaSettings
from tests.benchmarks.made_history import fill
from tests.conftest import Database
from tests.histories import County, Occurrence, lively, play
from tests.integration.test_serve import open_case, register_town
from tests.kafka.reading import assert_published_once, recorded_events
from tests.product import environment, serving
from tests.projecting import appending, head_of, record

WAIT_S = 60.0
KILLS = 5
BACKLOG = 25_000
"""Many times what one transaction holds."""


@pytest.fixture
def town(kafka: str) -> KafkaSettings:
    """Topics of a test's own."""
    return KafkaSettings(servers=kafka, prefix=f"test-{uuid4().hex}")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        yield Path(directory)


class Relays:
    """Processes of `anjie serve --only relay` over one database and one prefix."""

    def __init__(self, database: Database, town: KafkaSettings, data_dir: Path) -> None:
        self._environment = environment(
            data_dir,
            {
                "DATABASE_URL": database.url,
                "DATABASE_OWNER_URL": database.owner_url,
                "KAFKA_BOOTSTRAP_SERVERS": town.servers,
                "ANJIE_KAFKA_PREFIX": town.prefix,
            },
        )
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> "subprocess.Popen[bytes]":
        relay = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "serve", "--only", "relay"], env=self._environment
        )
        self.running.append(relay)
        return relay

    def kill_all(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


@pytest.fixture
def relays(database: Database, town: KafkaSettings, data_dir: Path) -> Iterator[Relays]:
    started = Relays(database, town, data_dir)
    yield started
    started.kill_all()


def history(seed: int, size: int) -> list[list[Occurrence]]:
    county = County()
    play(county, lively(Random(seed), size))
    return county.appends


def append(
    database: Database,
    appends: Sequence[Sequence[Occurrence]],
    pause_s: float = 0.0,
    stop: Event | None = None,
) -> None:
    """Records them one after the other, with a pause between any two, until told to stop."""

    async def write() -> None:
        async with appending(database.url) as appender:
            for one in appends:
                if stop is not None and stop.is_set():
                    return
                await record(appender, [one])
                await asyncio.sleep(pause_s)

    asyncio.run(write())


def published(database: Database) -> int:
    """Up to where the relay says it has published."""
    standing = asyncio.run(relay_status(database.url))
    return 0 if standing is None else standing.position


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {WAIT_S:.0f} s: {what}"
        time.sleep(0.05)


class Written:
    """What is in the topic of events at all, committed or not, with the markers of transactions."""

    def __init__(self, town: KafkaSettings) -> None:
        create_missing(town)
        self._consumer = KafkaConsumer(bootstrap_servers=town.servers, enable_auto_commit=False)
        self._partitions = [TopicPartition(f"{town.prefix}.events", number) for number in range(4)]

    def total(self) -> int:
        return sum(self._consumer.end_offsets(self._partitions).values())

    def more(self) -> None:
        """Waits until there is more of it."""
        before = self.total()
        until(lambda: self.total() > before, "more is written")

    def close(self) -> None:
        self._consumer.close()


def until_published(database: Database) -> None:
    head = asyncio.run(head_of(database.url))
    until(lambda: published(database) == head, "everything is published")


@contextmanager
def commands_flow(database: Database, seed: int) -> Iterator[None]:
    """Commands are recorded, and all accepted, while something else happens."""
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(append, database, history(seed, 2_000), 0.02, stop)
        try:
            yield
            assert not writing.done()
        finally:
            stop.set()
            writing.result()


def test_a_history_from_before_is_published_whole_then_followed(
    database: Database, town: KafkaSettings, relays: Relays
) -> None:
    appends = history(1, 400)
    append(database, appends[: len(appends) // 2])

    relay = relays.start()
    until_published(database)
    append(database, appends[len(appends) // 2 :])
    until_published(database)
    relay.send_signal(signal.SIGTERM)

    assert relay.wait(15) == 0
    head = asyncio.run(head_of(database.url))
    assert assert_published_once(town.servers, f"{town.prefix}.events", database.owner_url) == head > 300


def test_a_relay_killed_again_and_again_neither_loses_nor_doubles(
    database: Database, town: KafkaSettings, relays: Relays
) -> None:
    chance = Random(20261126)
    fill(database.owner_url, BACKLOG)
    with closing(Written(town)) as written:
        for _ in range(KILLS):
            relay = relays.start()
            written.more()
            time.sleep(chance.uniform(0, 0.15))
            relay.kill()
            relay.wait()
        relays.start()
        until_published(database)
        assert_published_once(town.servers, f"{town.prefix}.events", database.owner_url)


def test_a_leader_paused_in_a_transaction_is_fenced_when_it_goes_on(
    database: Database, town: KafkaSettings, relays: Relays
) -> None:
    fill(database.owner_url, BACKLOG)
    with closing(Written(town)) as written:
        first = relays.start()
        written.more()
        first.send_signal(signal.SIGSTOP)
        relays.start()
        until_published(database)
        first.send_signal(signal.SIGCONT)
        time.sleep(3)
        assert first.poll() is None
        assert_published_once(town.servers, f"{town.prefix}.events", database.owner_url)


def test_who_publishes_with_an_old_position_is_refused(database: Database, town: KafkaSettings) -> None:
    append(database, history(4, 100))
    ledger_id, events = recorded_events(database.url)
    create_missing(town)
    with closing(Publisher(town, ledger_id)) as old:
        old.publish(events[:20])
        with closing(Publisher(town, ledger_id)) as new:
            assert new.position == 20
            new.publish(events[20:])
            with pytest.raises((KafkaError, NotPublished)):
                old.publish(events[20:])
    assert_published_once(town.servers, f"{town.prefix}.events", database.owner_url)


def test_the_position_is_found_behind_what_was_aborted(database: Database, town: KafkaSettings) -> None:
    append(database, history(5, 100))
    ledger_id, events = recorded_events(database.url)
    create_missing(town)
    with closing(Publisher(town, ledger_id)) as publisher:
        publisher.publish(events[:10])
    aborting = KafkaProducer(bootstrap_servers=town.servers, transactional_id=f"{town.prefix}.relay")
    with aborting:
        aborting.init_transactions()
        for _ in range(30):
            aborting.begin_transaction()
            aborting.send(f"{town.prefix}.relay", b"{}", b"position")
            aborting.flush()
            aborting.abort_transaction()

    with closing(Publisher(town, ledger_id)) as publisher:
        assert publisher.position == 10


def test_another_ledger_is_not_mixed_in(database: Database, town: KafkaSettings) -> None:
    append(database, history(6, 50))
    ledger_id, events = recorded_events(database.url)
    create_missing(town)
    with closing(Publisher(town, ledger_id)) as publisher:
        publisher.publish(events)
    with pytest.raises(Unpublishable, match=str(ledger_id)):
        Publisher(town, uuid4())


def test_a_killed_broker_is_waited_for_while_commands_flow(
    database: Database, broker: Broker, data_dir: Path
) -> None:
    town = KafkaSettings(servers=broker.bootstrap, prefix=f"test-{uuid4().hex}")
    relays = Relays(database, town, data_dir)
    try:
        relay = relays.start()
        with commands_flow(database, 7):
            until(lambda: published(database) > 0, "the relay publishes")
            broker.kill()
            at = asyncio.run(head_of(database.url))
            until(lambda: asyncio.run(head_of(database.url)) > at, "commands are accepted")
            broker.start()
        until_published(database)
        assert relay.poll() is None
        assert_published_once(town.servers, f"{town.prefix}.events", database.owner_url)
    finally:
        relays.kill_all()


def test_a_relay_whose_broker_dies_while_it_looks_goes_on(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a relay that is always about to look, and soon gives up what it can't publish,
    monkeypatch.setattr(threads, "_LOOK_S", 0.0)
    monkeypatch.setattr(transactions, "_REQUEST_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(transactions, "_DELIVERY_TIMEOUT_MS", 2_000)
    town = KafkaSettings(servers=broker.bootstrap, prefix=f"test-{uuid4().hex}")
    appends = history(8, 60)

    async def work() -> None:
        relaying = asyncio.create_task(relay(database.url, town))
        async with appending(database.url) as appender:
            await record(appender, appends[:20])
            await asyncio.to_thread(until_published, database)
            # when the broker dies while something is to be published,
            broker.kill()
            with capture_logs() as said:
                await record(appender, appends[20:])
                while not any(line["event"] == "relay_waits" for line in said):
                    assert not relaying.done()
                    await asyncio.sleep(0.05)
            broker.start()
            # then it begins again once the broker is back.
            await asyncio.to_thread(until_published, database)
        assert not relaying.done()
        relaying.cancel()
        await asyncio.wait({relaying})

    try:
        asyncio.run(work())
    finally:
        broker.resume()


def test_without_a_broker_the_product_serves_and_takes_commands(data_dir: Path) -> None:
    with serving(data_dir, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1") as product:
        assert httpx.get(f"{product.url}/readyz").status_code == 200
        open_case(product, register_town(product))
        until(lambda: b"relay_waits" in product.log(), "the relay says that it waits")
        assert product.stop() == 0
