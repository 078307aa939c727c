"""How far the read models are, and waiting for them."""

import asyncio
import time
from typing import Final, NamedTuple

import psycopg
import structlog

from services.projections.standing import CHANGED
from shared.runtime.database import Pool
from shared.runtime.problems import Problem
from shared.runtime.trees import Trees

WAIT_MAX_S: Final = 5.0
"""How long a read waits for the read models to reach a position."""

_STAND: Final = """
    SELECT (SELECT generation FROM views.meta), coalesce((SELECT min(position) FROM views.positions), 0),
        (SELECT max(position) FROM ledger.events WHERE topic LIKE 'unit.%')
"""
_QUIET_S: Final = 1.0
"""How long to listen before looking anyway: a notification may get lost with its connection."""
_RETRY_S: Final = 0.5

log = structlog.stdlib.get_logger("anjie.reads")


class Stand(NamedTuple):
    """Everything up to `position` is in the rows; `generation` rises when rows are exchanged."""

    generation: int
    position: int


class Progress:
    """Listens to the projectors; `run` has to run for waits to end early."""

    def __init__(self, pool: Pool, trees: Trees) -> None:
        self._pool = pool
        self._trees = trees
        self._news = asyncio.Event()
        self.heard = 0
        """How often projectors have told of something."""
        self.ending = False
        """Whether the process is about to end, so that nobody should go on following."""

    async def stand(self) -> Stand:
        """Where the read models stand; the tree of units is at least as far then."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_STAND, prepare=True)).fetchone()
        assert row is not None
        generation, position, units_position = row
        await self._trees.reach(units_position or 0)
        return Stand(generation or 0, position)

    async def reach(self, position: int) -> Stand:
        """The stand, once it is at the position or beyond. Raises: Problem 503 after 5 s."""
        stand = await self.approach(position)
        if stand.position < position:
            raise Problem("behind", headers={"Retry-After": "1"})
        return stand

    async def approach(self, position: int) -> Stand:
        """The stand, once it is at the position or beyond; after 5 s wherever it is then."""
        give_up_at = time.monotonic() + WAIT_MAX_S
        while True:
            news = self._news
            stand = await self.stand()
            left_s = give_up_at - time.monotonic()
            if stand.position >= position or left_s <= 0:
                return stand
            await _wait(news, min(left_s, _QUIET_S))

    async def news(self, heard: int) -> None:
        """Waits until projectors tell of more than has been heard, or for a second."""
        if self.heard == heard:
            await _wait(self._news, _QUIET_S)

    async def run(self) -> None:
        """Listens until cancelled."""
        while True:
            try:
                # A connection of its own: one of the pool would be missed there for good.
                url = str(self._pool.conninfo)
                async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANGED}".encode())
                    self._tell()
                    async for _ in connection.notifies():
                        self._tell()
            except psycopg.OperationalError as error:
                log.warning("listening interrupted", error=type(error).__name__)
                await asyncio.sleep(_RETRY_S)

    def end(self) -> None:
        """Lets everybody who waits look whether to go on."""
        self.ending = True
        self._tell()

    def _tell(self) -> None:
        self.heard += 1
        self._news.set()
        self._news = asyncio.Event()


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
