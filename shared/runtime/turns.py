"""Turns: commands on one case are taken one after the other, so that they don't decide in vain."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from uuid import UUID


class _Queue:
    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Turns:
    """The queues of this process; what other processes do meanwhile is found out by the append."""

    def __init__(self) -> None:
        self.queues: dict[UUID, _Queue] = {}

    def of(self, case_ids: Iterable[UUID]) -> "Turn":
        return Turn(self.queues, case_ids)


class Turn:
    """Entered when it is this command's turn on all of its cases."""

    __slots__ = ("_case_ids", "_held", "_queues")

    def __init__(self, queues: dict[UUID, _Queue], case_ids: Iterable[UUID]) -> None:
        self._queues = queues
        # In one order everywhere, so that no two commands wait for each other.
        self._case_ids = sorted(set(case_ids))
        self._held: list[UUID] = []

    async def __aenter__(self) -> None:
        for case_id in self._case_ids:
            queue = self._queues.get(case_id)
            if queue is None:
                queue = self._queues[case_id] = _Queue()
            queue.users += 1
            try:
                await queue.lock.acquire()
            except BaseException:
                self._leave(case_id)
                self._release()
                raise
            self._held.append(case_id)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        for case_id in self._held:
            self._queues[case_id].lock.release()
            self._leave(case_id)
        self._held.clear()

    def _leave(self, case_id: UUID) -> None:
        queue = self._queues[case_id]
        queue.users -= 1
        if queue.users == 0:
            del self._queues[case_id]
