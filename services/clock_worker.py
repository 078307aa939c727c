"""The clock's own process: looks at the read models for what is due, and has it recorded."""

import asyncio
import signal
from datetime import datetime
from typing import Final

import psycopg
import structlog
import uvloop
from psycopg_pool import PoolTimeout

from services.projections.deadlines.queries import fetch_due, fetch_open_imports
from services.projections.standing import fetch_standing
from services.resolution.application.clock import Clock, Wake, Waking
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.events.recorded import LedgerUnavailable, QueueFull
from shared.runtime.database import Pool, service_pool
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings
from shared.runtime.trees import Trees

LOOK_S: Final = 1.0
"""How often the clock looks whether anything is due."""
_CATCH_UP_S: Final = 0.02
_AGAIN_S: Final = 2.0
_CONNECTIONS_MAX: Final = 4

log = structlog.stdlib.get_logger("anjie.clock")


def run(settings: Settings, secrets: Secrets) -> None:
    """Runs the clock until SIGTERM or SIGINT; the database may come and go."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings.service_url, MasterKey(secrets.master_key)))


async def _run(url: str, master: MasterKey) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keeping = asyncio.create_task(keep_time(url, master, stop))
    await keeping


async def keep_time(url: str, master: MasterKey, stop: asyncio.Event, *, look_s: float = LOOK_S) -> None:
    """Has everything recorded that is due, until told to stop; what is under way is finished."""
    async with service_pool(url, name="clock", connections_max=_CONNECTIONS_MAX) as pool:
        trees = Trees(pool)
        async with Appender(pool) as appender, StreamLoader(pool) as loader:
            clock = Clock(appender, loader, trees, master, waking(pool))
            log.info("clock_runs")
            while not stop.is_set():
                try:
                    position = await clock.tick()
                    if position:
                        await _until_known(pool, position, stop)
                    await _pause(stop, 0 if position else look_s)
                except (psycopg.Error, PoolTimeout, LedgerUnavailable, QueueFull) as error:
                    log.warning("clock_waits", reason=type(error).__name__, again_in_s=_AGAIN_S)
                    await _pause(stop, _AGAIN_S)


def waking(pool: Pool) -> Wake:
    """Asks the read models what there is to look at."""

    async def wake(now: datetime, limit: int) -> Waking:
        async with pool.connection() as connection:
            due = await fetch_due(connection, now, limit)
            return Waking(due, await fetch_open_imports(connection) if due else ())

    return wake


async def _until_known(pool: Pool, position: int, stop: asyncio.Event) -> None:
    """Until the read models know what was just recorded, so that the next look doesn't find it again."""
    while not stop.is_set():
        async with pool.connection() as connection:
            if (await fetch_standing(connection)).position >= position:
                return
        await _pause(stop, _CATCH_UP_S)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
