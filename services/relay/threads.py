"""Calling what blocks, beside other tasks."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

_FINISH_S: Final = 5.0
"""How long a transaction under way may take after the signal to stop."""
_LOOK_S: Final = 10.0

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What blocks, in a thread that ends with the process whatever it may wait for.

    When this is cancelled it is given some time to end by itself.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        # The loop may have ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="relay").start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        # Whatever it still comes to, nobody asks any more.
        done.add_done_callback(lambda late: late.cancelled() or late.exception())
        await asyncio.wait({done}, timeout=_FINISH_S)
        raise


async def look_again(look: Callable[[], None]) -> None:
    """Looks every now and then, until it raises."""
    while True:
        await asyncio.sleep(_LOOK_S)
        await in_thread(look)


def first_error(group: BaseExceptionGroup[Any]) -> BaseException:
    """What went wrong first, in whichever task of a task it was."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
