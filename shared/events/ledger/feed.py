"""Following the ledger: every event after a position, once, in order."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Recorded

BATCH_MAX: Final = 1000
POLL_MIN_S: Final = 0.001
POLL_MAX_S: Final = 0.012
"""An event is seen within 20 ms of its commit, the reading included."""
RECONNECT_MAX_S: Final = 1.0


class Feed:
    """Reads the ledger by its dense positions, so an event can be neither missed nor met twice.

    It asks again soon after it found something and less often while nothing comes; a writer
    in the same process may `wake` it. A database that is away is waited for.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], *, batch_max: int = BATCH_MAX) -> None:
        self._pool = pool
        self._batch_max = batch_max
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Has the ledger read at once, from the event loop of whoever follows."""
        self._woken.set()

    async def follow(self, after: int) -> AsyncGenerator[list[Recorded], None]:
        """The events after a position in batches of 1 to `batch_max`, without end.

        While the follower works on a full batch the next one is read, and no more than that.
        """
        ahead: asyncio.Task[list[Recorded]] | None = None
        pause_s = POLL_MIN_S
        try:
            while True:
                batch = await (ahead or self._read(after))
                ahead = None
                if not batch:
                    await self._pause(pause_s)
                    pause_s = min(pause_s * 2, POLL_MAX_S)
                    continue
                pause_s = POLL_MIN_S
                after = batch[-1].position
                if len(batch) == self._batch_max:
                    ahead = asyncio.create_task(self._read(after))
                yield batch
        finally:
            if ahead is not None:
                ahead.cancel()

    async def _pause(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def _read(self, after: int) -> list[Recorded]:
        pause_s = POLL_MAX_S
        while True:
            try:
                async with self._pool.connection() as connection:
                    return await fetch_range(connection, after, self._batch_max)
            except psycopg.OperationalError:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RECONNECT_MAX_S)
