"""Publishing a ledger and feeding read models from it, as far as the tests of the feed need."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from services.kafka_topics import create_missing
from services.projections.catalogue import TABLES
from services.projections.kafka_feed import KafkaFeed
from services.projections.operations import status
from services.relay.publisher import Publisher
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.runtime.database import service_pool
from shared.runtime.kafka import events_topic
from shared.runtime.settings import KafkaSettings
from tests import projecting
from tests.projecting import working


def town_at(servers: str) -> KafkaSettings:
    """Topics and a group of a test's own."""
    town = KafkaSettings(servers=servers, prefix=f"test-{uuid4().hex}")
    create_missing(town)
    return town


def divide(town: KafkaSettings, partitions: int) -> None:
    """Makes the topics, that of the events with so many partitions."""
    with KafkaAdminClient(bootstrap_servers=town.servers) as admin:
        admin.create_topics(
            [NewTopic(name=events_topic(town), num_partitions=partitions, replication_factor=1)]
        )
    create_missing(town)


async def publish(url: str, town: KafkaSettings, *, batch: int = 50) -> int:
    """Publishes what isn't published yet in transactions of so many events; answers up to where that is."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        ledger_id = (await fetch_head(connection)).ledger_id
        publisher = await asyncio.to_thread(Publisher, town, ledger_id)
        try:
            while events := await fetch_range(connection, publisher.position, batch):
                await asyncio.to_thread(publisher.publish, events)
            return publisher.position
        finally:
            await asyncio.to_thread(publisher.close)


@asynccontextmanager
async def fed(url: str, town: KafkaSettings) -> AsyncIterator[asyncio.Task[None]]:
    """A worker that is fed by Kafka."""
    async with (
        service_pool(url, name="feed", connections_max=1) as pool,
        KafkaFeed(pool, town) as feed,
        working(url, feed) as task,
    ):
        yield task


async def caught_up(url: str) -> None:
    """Waits until every shard stands at the head; a group takes its time to form."""
    await projecting.caught_up(url, within_s=60)


async def forget_rows(url: str) -> None:
    """Empties the read models, so that they are told from the beginning once more."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection, connection.transaction():
        for table in (*TABLES, "actors"):
            await connection.execute(SQL("TRUNCATE {}").format(Identifier("views", table)))
        await connection.execute("UPDATE views.positions SET position = 0")
        await connection.execute("UPDATE views.meta SET generation = generation + 1")


async def positions_of(url: str) -> list[int]:
    return [shard.position for shard in (await status(url)).projections]


async def parked_of(url: str) -> list[Any]:
    return list((await status(url)).records)


async def ledger_of(url: str) -> UUID:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        return (await fetch_head(connection)).ledger_id
