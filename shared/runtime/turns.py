"""Turns: commands on one case are taken one after the other, so that they don't decide in vain."""

import asyncio
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from uuid import UUID


class Turns:
    """The queues of this process; what other processes do meanwhile is found out by the append."""

    def __init__(self) -> None:
        self._queues: dict[UUID, deque[asyncio.Future[None]]] = {}

    def of(self, case_ids: Sequence[UUID]) -> "Turn":
        return Turn(self._queues, case_ids)

    def __len__(self) -> int:
        """Cases on which commands are under way."""
        return len(self._queues)


class Turn:
    """Entered when it is this command's turn on all of its cases."""

    __slots__ = ("_case_ids", "_held", "_queues")

    def __init__(self, queues: dict[UUID, deque[asyncio.Future[None]]], case_ids: Sequence[UUID]) -> None:
        self._queues = queues
        # In one order everywhere, so that no two commands wait for each other.
        self._case_ids = case_ids if len(case_ids) < 2 else sorted(set(case_ids))
        self._held: list[UUID] = []

    async def __aenter__(self) -> None:
        for case_id in self._case_ids:
            queue = self._queues.get(case_id)
            if queue is None:
                # Whoever comes first holds the case by the queue's being there.
                self._queues[case_id] = deque()
            else:
                await self._wait(case_id, queue)
            self._held.append(case_id)

    async def _wait(self, case_id: UUID, queue: deque[asyncio.Future[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except BaseException:
            if not turn.cancelled():
                # It was handed over already, so it is this one's to hand on.
                self._held.append(case_id)
            elif turn in queue:
                queue.remove(turn)
            self._release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        for case_id in self._held:
            queue = self._queues[case_id]
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    break
            else:
                del self._queues[case_id]
        self._held.clear()
