"""Calling what blocks, for callers that may be told to stop meanwhile."""

import asyncio
import gc
import threading
from typing import Any

import pytest

from services.relay import threads
from services.relay.threads import in_thread


def test_work_that_fails_long_after_its_caller_was_stopped_troubles_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_FINISH_S", 0.05)
    may_fail = threading.Event()
    troubles: list[dict[str, Any]] = []

    def work() -> None:
        may_fail.wait()
        raise RuntimeError("the broker is away")

    async def stopped() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, trouble: troubles.append(trouble))
        caller = asyncio.create_task(in_thread(work))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        may_fail.set()
        [running] = [thread for thread in threading.enumerate() if thread.name == "relay"]
        await asyncio.to_thread(running.join)
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(stopped())

    assert troubles == []
