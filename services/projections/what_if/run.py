"""Replaying many cases, in processes of their own where it pays. Nothing is written."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final
from uuid import UUID

from services.projections.what_if.judged import NOTHING, Judged
from services.projections.what_if.worker import Task, judge_alone
from shared.runtime.messages import answer, packed

BATCH_CASES: Final = 400
"""Cases that a process has in its memory at a time."""
_WORKER: Final = "services.projections.what_if.worker"

OnProgress = Callable[[int], None]
"""Told how many cases are done."""


class WorkerEnded(Exception):
    """A process ended before it had answered; what it said of that is on standard error."""


async def judge_few(task: Task, batches: AsyncGenerator[list[UUID]]) -> Judged:
    """What the cases of a batch or two come to, in a thread: a process would take longer to begin.

    Raises: psycopg.Error.
    """
    total = NOTHING
    async with aclosing(batches):
        async for batch in batches:
            judged = await asyncio.to_thread(judge_alone, task, batch)
            total = total.plus(judged, task.question.limit)
    return total


async def judge_all(
    task: Task, batches: AsyncGenerator[list[UUID]], *, processes: int, on_progress: OnProgress
) -> Judged:
    """What the cases come to; the processes end with this, however it ends.

    Raises: WorkerEnded; psycopg.Error.
    """
    total = NOTHING
    turn = asyncio.Lock()

    async def keep_busy() -> None:
        nonlocal total
        async with _begun(task) as process:
            while True:
                async with turn:
                    batch = await anext(batches, None)
                if batch is None:
                    return
                judged = await _judged(process, batch)
                total = total.plus(judged, task.question.limit)
                on_progress(total.cases)

    async with aclosing(batches):
        busy = [asyncio.create_task(keep_busy()) for _ in range(processes)]
        try:
            await asyncio.gather(*busy)
        finally:
            for each in busy:
                each.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
    return total


@asynccontextmanager
async def _begun(task: Task) -> AsyncIterator[Process]:
    # A session of its own: Ctrl-C at a terminal is for the parent, which ends this one.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _WORKER, stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(packed(task))
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _judged(process: Process, case_ids: Sequence[UUID]) -> Judged:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(packed(case_ids))
        await process.stdin.drain()
        judged: Judged = await answer(process.stdout)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise WorkerEnded(f"a process that replays cases ended with {await process.wait()}") from error
    return judged
