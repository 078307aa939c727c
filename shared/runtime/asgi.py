"""Bodies as they come in and answers as they go out, piece by piece."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import Receive, Send

from shared.runtime.problems import Problem

T = TypeVar("T")


class ClientLeft(Problem):
    """The client went away before its request had come whole."""


async def receive_chunk(receive: Receive) -> tuple[bytes, bool]:
    """The next piece of a request's body, and whether there is more. Raises: ClientLeft."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft("unreadable")
    return message.get("body", b""), message.get("more_body", False)


async def unless_left(receive: Receive | None, work: Coroutine[Any, Any, T]) -> T:
    """What long work for a request without a body comes to; it is cancelled once the client leaves.

    Raises: ClientLeft.
    """
    task = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientLeft("unreadable")
        return task.result()
    finally:
        task.cancel()
        leaving.cancel()
        await asyncio.gather(task, leaving, return_exceptions=True)


async def _left(receive: Receive | None) -> None:
    """Returns once the client has left; of a line in a batch, which has no connection of its own, never."""
    if receive is None:
        await asyncio.Event().wait()
    else:
        while (await receive())["type"] != "http.disconnect":
            pass


async def send_stream(method: str, chunks: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Sends what is made, for as long as somebody takes it; what it is made from is let go of in any case."""
    try:
        if method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif method == "GET":
            await _send_until_left(chunks, receive, send)
        else:
            # What the client sent until it left counts; nobody is left to be answered.
            with suppress(ClientLeft):
                await _send_chunks(chunks, send)
    finally:
        await getattr(chunks, "aclose", _nothing)()


async def _nothing() -> None:
    pass


async def _send_chunks(chunks: AsyncIterator[bytes], send: Send) -> None:
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_until_left(chunks: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Sends an answer without end until the client leaves; the sender alone would never know."""

    tasks = (asyncio.ensure_future(_send_chunks(chunks, send)), asyncio.ensure_future(_left(receive)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
