"""The signals that ask a process to end."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


def stop_event() -> asyncio.Event:
    """Set once SIGTERM or SIGINT comes; to be called within the loop that waits for it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Does the work until it ends or such a signal comes, at which it is cancelled.

    Raises: whatever the work does.
    """
    stop = stop_event()
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    working.cancel()
    await asyncio.wait({working})
    if not working.cancelled():
        working.result()


def end_if_cancelled() -> None:
    """For a loop that goes on after errors: one may have taken the place of its own cancellation.

    Raises: asyncio.CancelledError, where this task was cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
