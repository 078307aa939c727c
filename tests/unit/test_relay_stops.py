"""The relay's loops go on after every error, but not after they were told to stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from services.relay import view_worker, worker
from services.relay.standing import Reached
from shared.runtime.settings import KafkaSettings

KAFKA = KafkaSettings(servers="nowhere:9092")
Loop = Callable[[], Coroutine[Any, Any, None]]


@asynccontextmanager
async def failing_when_let_go(*_: object, **__: object) -> AsyncIterator[None]:
    """A resource that can't be given back, as when the database or the broker is away."""
    try:
        yield
        await asyncio.sleep(60)
    finally:
        raise psycopg.OperationalError


async def forever(*_: object) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    "loop",
    [
        lambda: worker.relay("", KAFKA),
        lambda: view_worker.publish_views("", KAFKA, Reached()),
    ],
    ids=["events", "views"],
)
def test_an_error_on_the_way_out_does_not_keep_it_from_stopping(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "session", failing_when_let_go)
    monkeypatch.setattr(worker, "await_turn", forever)
    monkeypatch.setattr(view_worker, "_publisher", lambda *_: failing_when_let_go())
    monkeypatch.setattr(view_worker, "service_pool", failing_when_let_go)
    monkeypatch.setattr(worker, "service_pool", failing_when_let_go)
    monkeypatch.setattr(view_worker, "Progress", lambda *_: _Silent())

    async def stopped() -> bool:
        task = asyncio.create_task(loop())
        await asyncio.sleep(0.05)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=0.5)
        return bool(done)

    assert asyncio.run(stopped())


class _Silent:
    heard = 0
    run = stand = news = forever
