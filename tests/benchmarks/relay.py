"""Publishing the ledger to Kafka, beside a bare producer of the same records and beside the broker itself."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from kafka import KafkaProducer
from psycopg import AsyncConnection

from infra.kafka.broker import Broker, BrokerUnavailable, installation
from services.kafka_topics import create_missing
from services.relay.publisher import Publisher
from services.relay.records import Record, record_of
from services.relay.worker import BATCH_EVENTS_MAX
from shared.events.ledger.feed import Feed
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.runtime.database import service_pool
from shared.runtime.kafka import client_options, events_topic
from shared.runtime.migrations import migrate
from shared.runtime.settings import KafkaSettings
from tests.benchmarks.made_history import fill
from tests.benchmarks.table import BenchRow

EVENTS: Final = 40_000
ROUNDS: Final = 3
PARTITIONS: Final = 4
EVENTS_PER_S_MIN: Final = 10_000


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    await asyncio.to_thread(migrate, owner_url)
    await asyncio.to_thread(fill, owner_url, EVENTS)
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        ledger_id = (await fetch_head(connection)).ledger_id
        events = await fetch_range(connection, 0, EVENTS)
    records = [record_of(recorded, ledger_id, "", PARTITIONS) for recorded in events]
    ours, bare = [], []
    try:
        with servers() as address:
            for number in range(ROUNDS):
                town = KafkaSettings(servers=address, prefix=f"bench-{os.getpid()}-{number}")
                await asyncio.to_thread(create_missing, town)
                publisher = await asyncio.to_thread(Publisher, town, ledger_id)
                with closing(publisher):
                    ours.append(EVENTS / await _publish(owner_url, publisher))
                bare.append(EVENTS / await asyncio.to_thread(_produce, town, records))
    except BrokerUnavailable as error:
        print(f"relay: not measured ({error})", file=sys.stderr)
        return []
    return [
        BenchRow(
            name="publish the ledger to Kafka",
            ours=median(ours),
            unit="events/s",
            reference=median(bare),
            reference_name="bare producer",
            # The goal is one of events, told as the ratio that they would be.
            goal=EVENTS_PER_S_MIN / median(bare),
        )
    ]


async def _publish(url: str, publisher: Publisher) -> float:
    """Seconds that the whole ledger takes, from PostgreSQL to the last commit."""
    started = time.monotonic()
    async with (
        service_pool(url, name="bench", connections_max=1) as pool,
        aclosing(Feed(pool, batch_max=BATCH_EVENTS_MAX).follow(0)) as batches,
    ):
        async for batch in batches:
            await asyncio.to_thread(publisher.publish, batch)
            if publisher.position == EVENTS:
                break
    return time.monotonic() - started


def _produce(town: KafkaSettings, records: list[Record]) -> float:
    """Seconds that the records take which are made already, idempotent but without transactions."""
    with KafkaProducer(**client_options(town), enable_idempotence=True, batch_size=256 * 1024) as producer:
        producer.partitions_for(events_topic(town))
        started = time.monotonic()
        for first in range(0, EVENTS, BATCH_EVENTS_MAX):
            for _, partition, key, value, headers in records[first : first + BATCH_EVENTS_MAX]:
                producer.send(events_topic(town), value, key, headers, partition=partition)
            producer.flush()
        return time.monotonic() - started


@contextmanager
def servers() -> Iterator[str]:
    """The address of a broker: that of the environment, else one of its own. Raises: BrokerUnavailable."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()
    if given:
        yield given
        return
    directory = Path(tempfile.mkdtemp(prefix="anjie-kafka-"))
    broker = Broker(installation(), directory)
    try:
        broker.start()
        yield broker.bootstrap
    finally:
        broker.stop()
        shutil.rmtree(directory)
