"""The relay's own process: publishes the ledger to Kafka in order, event by event once.

Any number of them may run. PostgreSQL elects the one that publishes; that nothing is doubled
doesn't depend on it, but on Kafka's fencing (see `publisher`). Whatever goes wrong, everything is
let go and begun again from what Kafka says is published.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final, TypeVar, cast

import psycopg
import structlog
import uvloop
from kafka.errors import KafkaError
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from services.kafka_topics import create_missing
from services.relay.publisher import NotPublished, Publisher, Unpublishable
from services.relay.standing import await_turn, session, tell
from shared.events.ledger.feed import Feed
from shared.events.ledger.reader import fetch_head
from shared.runtime.database import Pool, service_pool
from shared.runtime.garbage import rarely_collected
from shared.runtime.settings import KafkaSettings, Settings
from shared.runtime.signals import until_stopped

BATCH_EVENTS_MAX: Final = 2_000
"""Of one transaction, whose fixed cost is that of some hundred events."""
_TELL_S: Final = 0.5
_AGAIN_S: Final = 1.0
_UNFIT_AGAIN_S: Final = 30.0
_FINISH_S: Final = 5.0
"""How long a transaction under way may take after the signal to stop."""

log = structlog.stdlib.get_logger("anjie.relay")

T = TypeVar("T")


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
                await _lead(turn, pool, kafka)
        except* Unpublishable as unfit:
            again_s = _UNFIT_AGAIN_S
            log.error("relay_unfit", reason=str(unfit.exceptions[0]), again_in_s=again_s)
        except* (psycopg.Error, PoolTimeout, KafkaError, NotPublished) as away:
            log.warning("relay_waits", reason=type(away.exceptions[0]).__name__, again_in_s=again_s)
        await asyncio.sleep(again_s)


async def _lead(turn: AsyncConnection[Any], pool: Pool, kafka: KafkaSettings) -> None:
    """Publishes until something goes wrong, which is raised in a group. `turn` is the session elected."""
    async with pool.connection() as connection:
        ledger_id = (await fetch_head(connection)).ledger_id
    published: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep_turn(turn, published))
        await _in_thread(partial(create_missing, kafka))
        publisher = await _in_thread(partial(Publisher, kafka, ledger_id))
        try:
            async with pool.connection() as connection:
                head = (await fetch_head(connection)).position
            if publisher.position > head:
                raise Unpublishable(f"position {publisher.position} is published, the ledger ends at {head}")
            log.info("relay_publishes", position=publisher.position, head=head)
            await _follow(publisher, Feed(pool, batch_max=BATCH_EVENTS_MAX), published)
        finally:
            await _in_thread(publisher.close)


async def _follow(publisher: Publisher, feed: Feed, published: list[int]) -> None:
    published[:] = [publisher.position]
    async with aclosing(feed.follow(publisher.position)) as batches:
        async for batch in batches:
            await _in_thread(partial(publisher.publish, batch))
            published[:] = [publisher.position]


async def _keep_turn(turn: AsyncConnection[Any], published: list[int]) -> None:
    """Says again and again that this process lives, and up to where it has published, once that is known."""
    told: list[int] = []
    while True:
        if published == told:
            await turn.execute("SELECT 1")
        else:
            told = list(published)
            await tell(turn, told[0])
        await asyncio.sleep(_TELL_S)


async def _in_thread(work: Callable[[], T]) -> T:
    """What blocks, in a thread that ends with the process whatever it may wait for.

    When this is cancelled it is given some time to end by itself.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="relay").start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait({done}, timeout=_FINISH_S)
        if done.done():
            done.exception()
        raise
