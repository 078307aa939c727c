"""The signals that ask a process to end."""

import asyncio
import signal


def stop_event() -> asyncio.Event:
    """Set once SIGTERM or SIGINT comes; to be called within the loop that waits for it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
