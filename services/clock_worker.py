"""The clock's own process: finds in the read models what is due, and has it recorded."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog
import uvloop
from psycopg_pool import PoolTimeout

from services.projections.deadlines.queries import BEFORE_ALL, Due, fetch_awaiting, fetch_due, fetch_unclocked
from services.projections.imports.rows import fetch_open_imports
from services.projections.standing import fetch_standing
from services.resolution.application.clock import Clock
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.events.recorded import LedgerUnavailable, QueueFull
from shared.runtime.database import Pool, service_pool
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings
from shared.runtime.signals import stop_event
from shared.runtime.trees import Trees

_AT_ONCE: Final = 512
"""How many clocks are looked at together."""
_LOOK_S: Final = 1.0
"""How often it is asked whether anything is due."""
_SWEEP_S: Final = 60.0
"""How often cases are looked at whose clocks wait for something other than time."""
_KNOWN_S: Final = 0.02
_KNOWN_LOOKS: Final = 250
_AGAIN_S: Final = 2.0
_CONNECTIONS_MAX: Final = 4

log = structlog.stdlib.get_logger("anjie.clock")


def run(settings: Settings, secrets: Secrets) -> None:
    """Runs the clock until SIGTERM or SIGINT; the database may come and go."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings.service_url, MasterKey(secrets.master_key)))


async def _run(url: str, master: MasterKey) -> None:
    stop = stop_event()
    async with timekeeper(url, master) as keeper:
        await keeper.keep(stop)


@asynccontextmanager
async def timekeeper(url: str, master: MasterKey) -> AsyncIterator["Timekeeper"]:
    """A clock with connections of its own."""
    async with service_pool(url, name="clock", connections_max=_CONNECTIONS_MAX) as pool:
        trees = Trees(pool)
        async with Appender(pool) as appender, StreamLoader(pool) as loader:
            yield Timekeeper(pool, trees, Clock(appender, loader, trees, master))


class Timekeeper:
    """Shows the clock what the read models say it should look at."""

    def __init__(self, pool: Pool, trees: Trees, clock: Clock) -> None:
        self._pool = pool
        self._trees = trees
        self._clock = clock

    async def keep(self, stop: asyncio.Event) -> None:
        """Has everything recorded that is due, until told to stop; what is under way is finished."""
        log.info("clock_runs")
        swept = float("-inf")
        while not stop.is_set():
            try:
                if time.monotonic() - swept > _SWEEP_S:
                    await self.sweep(datetime.now(UTC))
                    swept = time.monotonic()
                busy = await self.tick(datetime.now(UTC))
            except (psycopg.Error, PoolTimeout, LedgerUnavailable, QueueFull) as error:
                log.warning("clock_waits", reason=type(error).__name__, again_in_s=_AGAIN_S)
                await _pause(stop, _AGAIN_S)
            else:
                await _pause(stop, 0 if busy else _LOOK_S)

    async def tick(self, now: datetime) -> bool:
        """Has recorded what is due by now, in due order; whether there was any.

        What is due in a unit for which an import is open waits until that is closed.
        """
        position, after = 0, BEFORE_ALL
        while True:
            due = await self._due(now, after)
            if not due:
                return await self._known(position)
            case_ids = list(dict.fromkeys(clock.case_id for clock in due))
            position = max(position, await self._clock.look(case_ids, now))
            after = due[-1]

    async def _due(self, now: datetime, after: Due) -> list[Due]:
        """Seen in one snapshot with the imports that are open, so that none begins between the two."""
        await self._trees.refresh()
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            open_for = await fetch_open_imports(connection)
            held = {unit for each in open_for for unit in self._trees.current.subtree(each)}
            return await fetch_due(connection, now, _AT_ONCE, held=held, after=after)

    async def sweep(self, now: datetime) -> None:
        """Dates clocks whose calendar has come, and starts those of open cases from before there were any."""
        for fetch in (fetch_awaiting, fetch_unclocked):
            after = UUID(int=0)
            while True:
                async with self._pool.connection() as connection:
                    found = await fetch(connection, _AT_ONCE, after)
                if not found:
                    break
                await self._known(await self._clock.look(found, now))
                after = found[-1]

    async def _known(self, position: int) -> bool:
        """Waits until the read models know of what was recorded, so that the next look doesn't find it again.

        If they don't in time, nothing comes of finding it. Answers whether anything was recorded.
        """
        for _ in range(_KNOWN_LOOKS if position else 0):
            async with self._pool.connection() as connection:
                if (await fetch_standing(connection)).position >= position:
                    break
            await asyncio.sleep(_KNOWN_S)
        return bool(position)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
