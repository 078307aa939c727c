"""The projector's own process: makes the read models that have to be made anew, then follows the ledger."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import psycopg
import structlog
import uvloop
from psycopg import AsyncConnection

from services.projections.catalogue import ReadModel
from services.projections.feeding import BATCH_EVENTS_MAX, LedgerSource, Source
from services.projections.figures.tallies import tally
from services.projections.kafka_feed import KafkaFeed
from services.projections.rebuild import ExchangeBlocked, RebuildBusy, rebuild
from services.projections.runner import Runner, connect
from services.projections.schema import outdated
from services.projections.search.indexer import keep_indexed
from services.projections.standing import fetch_standing
from shared.events.ledger.feed import Feed
from shared.runtime.database import service_pool
from shared.runtime.garbage import BATCH_YOUNG_MAX, rarely_collected
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets
from shared.runtime.settings import KafkaSettings, Settings
from shared.runtime.signals import until_stopped

_AGAIN_S: Final = 5.0
_TALLY_S: Final = 1.0
"""How often it is asked whether there is anything to tally."""

_log = structlog.stdlib.get_logger("anjie.projections")


def run(settings: Settings, secrets: Secrets) -> None:
    """Projects until SIGTERM or SIGINT; the database may come and go.

    A batch or a rebuild that is cut off then is begun again at the next start.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        master = MasterKey(secrets.master_key)
        runner.run(until_stopped(project(settings.service_url, settings.kafka, master=master)))


async def project(url: str, kafka: KafkaSettings | None = None, *, master: MasterKey | None = None) -> None:
    """Keeps the read models up with the ledger, or with what Kafka has of it, until it is cancelled.

    Those whose definition has changed are made anew first, and all where Kafka divides the streams
    into another number of shards; the old rows are served until then, as of where they stand.
    With the master key the texts are indexed as well, as far as telling leaves time for it.
    """
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(service_pool(url, name="feed", connections_max=1))
        source: Source
        shards = None
        if kafka is None:
            source = LedgerSource(Feed(pool, batch_max=BATCH_EVENTS_MAX))
        else:
            source = feed = await stack.enter_async_context(KafkaFeed(pool, kafka))
            shards = await feed.partitions()
        await _make_anew(url, shards)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        stack.enter_context(rarely_collected(young_max=BATCH_YOUNG_MAX))
        _log.info("projections_follow", source="ledger" if kafka is None else "kafka")
        tasks.create_task(_keep_tallied(url))
        runner = Runner(url, source)
        if master is not None:
            tasks.create_task(keep_indexed(url, master, runner.spare))
        await runner.run()


async def _make_anew(url: str, shards: int | None) -> None:
    """Makes what is outdated anew, or all where the shards are to be others (None: as many as there are)."""
    while True:
        changed, stored = await _outdated(url)
        if not changed and shards in (None, stored):
            return
        try:
            await rebuild(url, changed, shards=shards)
        except (RebuildBusy, ExchangeBlocked, psycopg.Error) as error:
            _log.warning("rebuild_postponed", reason=type(error).__name__, again_in_s=_AGAIN_S)
            await asyncio.sleep(_AGAIN_S)


async def _keep_tallied(url: str) -> None:
    """Tallies every stretch of positions soon after it is known whole, until cancelled."""
    while True:
        try:
            async with await AsyncConnection.connect(
                url, autocommit=True, application_name="anjie tallies"
            ) as connection:
                while True:
                    if not await tally(connection):
                        await asyncio.sleep(_TALLY_S)
        except psycopg.Error as error:
            _log.warning("tallies_interrupted", error=type(error).__name__, again_in_s=_AGAIN_S)
            await asyncio.sleep(_AGAIN_S)


async def _outdated(url: str) -> tuple[list[ReadModel], int]:
    """What has to be made anew, and into how many shards the streams are divided."""
    while True:
        try:
            async with await connect(url) as connection:
                stored = await connection.execute("SELECT name, definition FROM models")
                changed = outdated(await stored.fetchall())
                return changed, (await fetch_standing(connection)).shards
        except psycopg.OperationalError as error:
            _log.warning("database_away", reason=type(error).__name__, again_in_s=_AGAIN_S)
            await asyncio.sleep(_AGAIN_S)
