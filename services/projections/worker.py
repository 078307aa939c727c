"""The projector's own process: makes the read models that have to be made anew, then follows the ledger."""

import asyncio
from typing import Final

import psycopg
import structlog
import uvloop
from psycopg import AsyncConnection

from services.projections.catalogue import ReadModel
from services.projections.feeding import BATCH_EVENTS_MAX, LedgerSource
from services.projections.figures.tallies import tally
from services.projections.rebuild import ExchangeBlocked, RebuildBusy, rebuild
from services.projections.runner import Runner, connect
from services.projections.schema import outdated
from shared.events.ledger.feed import Feed
from shared.runtime.database import service_pool
from shared.runtime.garbage import rarely_collected
from shared.runtime.settings import Settings
from shared.runtime.signals import stop_event

_AGAIN_S: Final = 5.0
_TALLY_S: Final = 1.0
"""How often it is asked whether there is anything to tally."""

_log = structlog.stdlib.get_logger("anjie.projections")


def run(settings: Settings) -> None:
    """Projects until SIGTERM or SIGINT; the database may come and go."""
    assert settings.database_url is not None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings.database_url))


async def _run(url: str) -> None:
    stop = stop_event()
    projecting = asyncio.create_task(project(url))
    stopping = asyncio.create_task(stop.wait())
    # Whatever ends first: a batch or a rebuild that is cut off here is begun again at the next start.
    await asyncio.wait({projecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    projecting.cancel()
    await asyncio.wait({projecting})
    if not projecting.cancelled():
        projecting.result()


async def project(url: str) -> None:
    """Keeps the read models up with the ledger until it is cancelled.

    Those whose definition has changed are made anew first; the old rows are served until
    then, as of where they stand.
    """
    while changed := await _outdated(url):
        try:
            await rebuild(url, changed)
        except (RebuildBusy, ExchangeBlocked, psycopg.Error) as error:
            _log.warning("rebuild_postponed", reason=type(error).__name__, again_in_s=_AGAIN_S)
            await asyncio.sleep(_AGAIN_S)
    async with service_pool(url, name="feed", connections_max=1) as pool, asyncio.TaskGroup() as tasks:
        _log.info("projections_follow")
        with rarely_collected():
            tasks.create_task(_keep_tallied(url))
            await Runner(url, LedgerSource(Feed(pool, batch_max=BATCH_EVENTS_MAX))).run()


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


async def _outdated(url: str) -> list[ReadModel]:
    while True:
        try:
            async with await connect(url) as connection:
                stored = await connection.execute("SELECT name, definition FROM models")
                return outdated(await stored.fetchall())
        except psycopg.OperationalError as error:
            _log.warning("database_away", reason=type(error).__name__, again_in_s=_AGAIN_S)
            await asyncio.sleep(_AGAIN_S)
