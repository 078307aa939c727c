"""Subscribers that see the same rows: the rows now, the last deltas, and who waits for the next."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from services.projections.reads import frames
from services.projections.reads.frames import Delta, Rows

DELTAS_KEPT_MAX: Final = 1_024
DELTA_BYTES_KEPT_MAX: Final = 1 << 20
"""What a group keeps for slow subscribers; one that falls behind it starts anew from a snapshot."""
HEARTBEAT_S: Final = 15.0


class StreamClosed(Exception):
    """The rows are no longer to be seen, or the process is about to end."""


class Group:
    """The rows of one stream as of `position`, by key; deltas are made once for all subscribers."""

    def __init__(self, position: int, rows: Rows) -> None:
        self.position = position
        self.rows = rows
        self.subscribers = 0
        self.restarts = 0
        """How often rows came that don't follow from those before."""
        self._deltas: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._complete_after = position
        """Every delta after this position is kept."""
        self._closed = False
        self._advanced = asyncio.Event()

    def advance(self, position: int, changes: Delta) -> None:
        """Rows that may have changed on the way to a later position; those that did are told."""
        self.position = position
        told = {key: row for key, row in changes.items() if self.rows.get(key) != row}
        if not told:
            return
        for key, row in told.items():
            if row is None:
                del self.rows[key]
            else:
                self.rows[key] = row
        self._keep(position, frames.delta(position, told))
        self._wake()

    def restart(self, position: int, rows: Rows) -> None:
        """Rows that don't follow from those before: every subscriber is reset."""
        self.rows, self.position = rows, position
        self.restarts += 1
        self._deltas.clear()
        self._bytes = 0
        self._complete_after = position
        self._wake()

    def close(self) -> None:
        """Ends every subscription."""
        self._closed = True
        self._wake()

    def snapshot(self) -> bytes:
        return frames.snapshot(self.position, self.rows.values())

    def since(self, position: int) -> list[tuple[int, bytes]] | None:
        """The deltas after a position; None when they are no longer kept. Raises StreamClosed."""
        if self._closed:
            raise StreamClosed
        if position < self._complete_after:
            return None
        return [delta for delta in self._deltas if delta[0] > position]

    async def wait(self, timeout_s: float) -> None:
        """Waits for the next advance, but no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._advanced.wait()

    def _keep(self, position: int, frame: bytes) -> None:
        self._deltas.append((position, frame))
        self._bytes += len(frame)
        while len(self._deltas) > DELTAS_KEPT_MAX or self._bytes > DELTA_BYTES_KEPT_MAX:
            dropped_at, dropped = self._deltas.popleft()
            self._bytes -= len(dropped)
            self._complete_after = dropped_at

    def _wake(self) -> None:
        self._advanced.set()
        self._advanced = asyncio.Event()


def frames_for(
    group: Group, first: Iterable[bytes], *, until: datetime, heartbeat_s: float = HEARTBEAT_S
) -> AsyncGenerator[bytes, None]:
    """What one subscriber is sent: `first`, then all that comes after now, until its token expires."""
    return _frames(group, b"".join(first), group.position, group.restarts, until, heartbeat_s)


async def _frames(
    group: Group, first: bytes, seen: int, restarts: int, until: datetime, heartbeat_s: float
) -> AsyncGenerator[bytes, None]:
    yield frames.OPENING + first
    beat_at = time.monotonic() + heartbeat_s
    while True:
        if time.monotonic() >= beat_at:
            # Whatever was sent meanwhile, so that a client may count on it.
            yield frames.HEARTBEAT
            beat_at = time.monotonic() + heartbeat_s
        try:
            deltas = group.since(seen)
        except StreamClosed:
            return
        if deltas is None or group.restarts != restarts:
            seen, restarts = group.position, group.restarts
            yield frames.reset(seen) + group.snapshot()
            continue
        if deltas:
            seen = deltas[-1][0]
            yield b"".join(frame for _, frame in deltas)
            continue
        left_s = (until - datetime.now(UTC)).total_seconds()
        if left_s <= 0:
            return
        await group.wait(min(beat_at - time.monotonic(), left_s))
