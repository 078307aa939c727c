"""The relay's own process: publishes the ledger to Kafka in order, event by event once, and its views.

Any number of them may run. PostgreSQL elects the one that publishes; that nothing is doubled
doesn't depend on it, but on Kafka's fencing (see `publisher`). Whatever goes wrong, everything is
let go and begun again from what Kafka says is published.
"""

import asyncio
from contextlib import aclosing
from copy import copy
from functools import partial
from typing import Any, Final

import psycopg
import structlog
import uvloop
from kafka.errors import KafkaError
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from services.kafka_topics import create_missing
from services.relay.publisher import Publisher
from services.relay.standing import Reached, await_turn, session, tell
from services.relay.threads import first_error, in_thread, look_again
from services.relay.transactions import NotPublished, Unpublishable
from services.relay.view_worker import publish_views
from shared.events.ledger.feed import Feed
from shared.events.ledger.reader import fetch_head
from shared.runtime.database import Pool, service_pool
from shared.runtime.garbage import rarely_collected
from shared.runtime.settings import KafkaSettings, Settings
from shared.runtime.signals import end_if_cancelled, until_stopped

BATCH_EVENTS_MAX: Final = 2_000
"""Of one transaction, whose fixed cost is that of some hundred events."""
_TELL_S: Final = 0.5
_AGAIN_S: Final = 1.0
_UNFIT_AGAIN_S: Final = 30.0

log = structlog.stdlib.get_logger("anjie.relay")


def run(settings: Settings, kafka: KafkaSettings) -> None:
    """Publishes until SIGTERM or SIGINT; the database and the broker may come and go."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, rarely_collected():
        runner.run(until_stopped(relay(settings.service_url, kafka)))


async def relay(url: str, kafka: KafkaSettings) -> None:
    """Publishes whenever it is this process's turn, until it is cancelled."""
    while True:
        again_s = _AGAIN_S
        try:
            async with session(url) as turn, service_pool(url, name="relay", connections_max=1) as pool:
                await await_turn(turn)
                await _lead(turn, pool, url, kafka)
        except* Unpublishable as unfit:
            again_s = _UNFIT_AGAIN_S
            log.error("relay_unfit", reason=str(first_error(unfit)), again_in_s=again_s)
        except* (psycopg.Error, PoolTimeout, KafkaError, NotPublished) as away:
            log.warning("relay_waits", reason=type(first_error(away)).__name__, again_in_s=again_s)
        end_if_cancelled()
        await asyncio.sleep(again_s)


async def _lead(turn: AsyncConnection[Any], pool: Pool, url: str, kafka: KafkaSettings) -> None:
    """Publishes until something goes wrong, which is raised in a group. `turn` is the session elected.

    What goes wrong with the views is no reason to stop the events.
    """
    async with pool.connection() as connection:
        ledger_id = (await fetch_head(connection)).ledger_id
    reached = Reached()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep_turn(turn, reached))
        tasks.create_task(publish_views(url, kafka, reached))
        await in_thread(partial(create_missing, kafka))
        publisher = await in_thread(partial(Publisher, kafka, ledger_id))
        try:
            async with pool.connection() as connection:
                head = (await fetch_head(connection)).position
            if publisher.position > head:
                raise Unpublishable(f"position {publisher.position} is published, the ledger ends at {head}")
            log.info("relay_publishes", position=publisher.position, head=head)
            # Nobody may look any more when the publisher is closed.
            async with asyncio.TaskGroup() as looking:
                looking.create_task(look_again(publisher.look))
                await _follow(publisher, Feed(pool, batch_max=BATCH_EVENTS_MAX), reached)
        finally:
            await in_thread(publisher.close)


async def _follow(publisher: Publisher, feed: Feed, reached: Reached) -> None:
    reached.events = publisher.position
    async with aclosing(feed.follow(publisher.position)) as batches:
        async for batch in batches:
            await in_thread(partial(publisher.publish, batch))
            reached.events = publisher.position


async def _keep_turn(turn: AsyncConnection[Any], reached: Reached) -> None:
    """Says again and again that this process lives, and up to where it has published, once that is known."""
    told = Reached()
    while True:
        if reached == told:
            await turn.execute("SELECT 1")
        else:
            told = copy(reached)
            await tell(turn, told)
        await asyncio.sleep(_TELL_S)
