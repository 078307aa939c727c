"""Processes of the product's own: kept going while it serves, ended when it stops."""

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.signals import stop_event

_STOP_TIMEOUT_S: Final = 10.0
_RESTART_DELAY_S: Final = 0.5
_RESTART_DELAY_MAX_S: Final = 30.0
_STEADY_S: Final = 60.0
"""What lived so long starts anew with the shortest delay."""
_DATABASE_LOOK_S: Final = 0.5

log = structlog.stdlib.get_logger("anjie.serve")


@dataclass(frozen=True, kw_only=True)
class Child:
    name: str
    arguments: Sequence[str]
    """Arguments of `anjie`."""
    for_good: bool
    """Started anew whenever it ends; else it ends by itself."""


class Delay:
    """The pause before a restart in seconds: twice as long each time, short again after a steady life."""

    def __init__(self) -> None:
        self._next_s = _RESTART_DELAY_S
        self._started = time.monotonic()

    def started(self) -> None:
        self._started = time.monotonic()

    def after_end(self) -> float:
        if time.monotonic() - self._started > _STEADY_S:
            self._next_s = _RESTART_DELAY_S
        delay_s, self._next_s = self._next_s, min(2 * self._next_s, _RESTART_DELAY_MAX_S)
        return delay_s


async def keep(child: Child, environment: Mapping[str, str], stopping: asyncio.Event) -> None:
    """Keeps a child going until the product stops, then ends it."""
    delay = Delay()
    while not stopping.is_set():
        delay.started()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.cli",
            *child.arguments,
            f"--end-with-parent={os.getpid()}",
            env=environment,
            # Ctrl-C on the terminal is for the product, which then ends its children in order.
            start_new_session=True,
        )
        ended = asyncio.ensure_future(process.wait())
        stop = asyncio.ensure_future(stopping.wait())
        await asyncio.wait((ended, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not ended.done():
            await _end(process)
            return
        if not child.for_good:
            if process.returncode != 0:
                log.warning("child_failed", child=child.name, code=process.returncode)
            return
        delay_s = delay.after_end()
        log.warning("child_ended", child=child.name, code=process.returncode, restart_in_s=delay_s)
        await _pause(delay_s, stopping)


async def keep_all(children: Iterable[Child], environment: Mapping[str, str]) -> None:
    """Keeps children going until SIGTERM or SIGINT, then ends them."""
    stopping = stop_event()
    await asyncio.gather(*(keep(child, environment, stopping) for child in children))


async def keep_database(server: EmbeddedPostgres, stopping: asyncio.Event) -> None:
    """Starts the embedded database anew when it ends by itself; until it is back, commands answer 503."""
    delay = Delay()
    while True:
        await _pause(_DATABASE_LOOK_S, stopping)
        if stopping.is_set():
            return
        if server.running():
            continue
        delay_s = delay.after_end()
        log.error("database_ended", restart_in_s=delay_s)
        await _pause(delay_s, stopping)
        if not stopping.is_set():
            delay.started()
            server.relaunch()


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
