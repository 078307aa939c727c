"""Group commit: commands that arrive while a commit is under way go together into the next one."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Self

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool

from shared.events.ledger import wire
from shared.events.recorded import (
    Append,
    Appended,
    AppendRefused,
    KeyReused,
    LedgerUnavailable,
    PersonTaken,
    QueueFull,
    StreamConflict,
)

GROUP_EVENTS_MAX: Final = 32
"""Measured: with two committers, larger groups make an append slower and no more of them."""
QUEUE_MAX: Final = 4096
"""Appends that may wait at a time: some tenths of a second of work."""
COMMITTERS: Final = 2
"""While the group of one is committed, that of the other is joined, sent and answered."""
CONNECT_TIMEOUT_S: Final = 2.0
COMMIT_TIMEOUT_S: Final = 20.0
_RECONNECT_S: Final = 0.05
_TRUST_IDLE_S: Final = 1.0
"""A connection that was idle for longer is tried before a group is risked on it."""
_LOOK_AHEAD_MAX: Final = 256
"""How many appends a committer looks through for those that may go together."""

Observe = Callable[[int, float], None]
"""Is told of each commit: its number of commands, and the seconds from sending to answer."""

_REFUSALS: Final[dict[str, type[AppendRefused]]] = {
    "conflict": StreamConflict,
    "key_reused": KeyReused,
    "key_taken": PersonTaken,
}
_APPEND: Final = wire.append_query("ledger")
_TYPE_IDS: Final = wire.type_ids_query("ledger")


class _Waiting:
    __slots__ = ("answer", "encoded")

    def __init__(self, encoded: wire.Encoded, answer: asyncio.Future[Appended]) -> None:
        self.encoded = encoded
        self.answer = answer

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Appender:
    """Appends to the ledger from one event loop, on a connection of the pool for each committer.

    The pool's connections commit by themselves (autocommit) and speak UTC. An append that is
    cancelled before it was sent is dropped; after that it goes on to its end.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        *,
        group_events_max: int = GROUP_EVENTS_MAX,
        queue_max: int = QUEUE_MAX,
        committers: int = COMMITTERS,
        observe: Observe | None = None,
    ) -> None:
        self._pool = pool
        self._group_events_max = group_events_max
        self._queue_max = queue_max
        self._committers = committers
        self._observe = observe
        self._queue: deque[_Waiting] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Starts the committers in the running event loop."""
        for number in range(self._committers):
            self._tasks.append(asyncio.create_task(self._commit_until_closed(), name=f"committer {number}"))

    async def close(self) -> None:
        """Refuses further appends, commits those that wait, and ends."""
        self._closing = True
        while self._idle:
            self._wake_committer()
        await asyncio.gather(*self._tasks)

    @property
    def waiting(self) -> int:
        """How many appends are not yet on their way."""
        return len(self._queue)

    async def append(self, append: Append) -> Appended:
        """Stores the events of one command, all or none, and answers once they are durable.

        Raises: StreamConflict, KeyReused, PersonTaken, QueueFull (nothing was stored);
        LedgerUnavailable (not confirmed); ValueError for what no ledger could store.
        """
        if self._closing or not self._tasks:
            raise LedgerUnavailable("appends are not taken now")
        if len(self._queue) >= self._queue_max:
            raise QueueFull(f"{self._queue_max} appends are waiting")
        answer = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(wire.encode(append), answer))
        self._wake_committer()
        appended: Appended = await answer
        return appended

    def _wake_committer(self) -> None:
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)
                return

    async def _work_came(self) -> bool:
        """Waits until an append waits; False once there will be none."""
        while not self._queue:
            if self._closing:
                return False
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle
        return True

    async def _commit_until_closed(self) -> None:
        loop = asyncio.get_running_loop()
        gone_since = None
        while await self._work_came():
            try:
                async with self._pool.connection(CONNECT_TIMEOUT_S) as connection:
                    cursor, types = await _prepare(connection)
                    gone_since = None
                    await self._commit_on(cursor, types)
            except (psycopg.Error, TimeoutError) as error:
                gone_since = gone_since or loop.time()
                if loop.time() - gone_since < CONNECT_TIMEOUT_S:
                    await asyncio.sleep(_RECONNECT_S)
                    continue
                while self._queue:
                    self._queue.popleft().refuse(_unavailable(error))

    async def _commit_on(self, cursor: AsyncCursor[Any], types: wire.TypeIds) -> None:
        """Commits groups on one connection until it fails, was idle for long, or all is done."""
        loop = asyncio.get_running_loop()
        while True:
            idle_since = loop.time()
            if not await self._work_came() or loop.time() - idle_since > _TRUST_IDLE_S:
                return
            group = self._take_group()
            try:
                await self._commit(cursor, types, group)
            except (psycopg.IntegrityError, psycopg.DataError):
                # One of them can't be stored by any ledger; nothing was, so each goes by itself.
                for waiting in group:
                    await self._commit_alone(cursor, types, waiting)

    def _take_group(self) -> list[_Waiting]:
        """The next appends in order, without those that touch what an earlier one touches."""
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        touched: set[bytes] = set()
        events = 0
        while self._queue and events < self._group_events_max and len(later) < _LOOK_AHEAD_MAX:
            waiting = self._queue.popleft()
            if waiting.answer.done():
                continue
            encoded = waiting.encoded
            fits = not group or events + len(encoded.events) <= self._group_events_max
            if fits and touched.isdisjoint(encoded.touches):
                group.append(waiting)
                events += len(encoded.events)
            else:
                later.append(waiting)
            touched |= encoded.touches
        self._queue.extendleft(reversed(later))
        return group

    async def _commit_alone(self, cursor: AsyncCursor[Any], types: wire.TypeIds, waiting: _Waiting) -> None:
        try:
            await self._commit(cursor, types, [waiting])
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            waiting.refuse(error)

    async def _commit(self, cursor: AsyncCursor[Any], types: wire.TypeIds, group: Sequence[_Waiting]) -> None:
        """Raises: psycopg.IntegrityError, psycopg.DataError with nothing stored and nobody answered."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                parameters = wire.group_parameters([waiting.encoded for waiting in group], types)
                await cursor.execute(_APPEND, parameters, prepare=True)
                [row] = await cursor.fetchall()
        except (psycopg.IntegrityError, psycopg.DataError):
            raise
        except BaseException as error:
            for waiting in group:
                waiting.refuse(_unavailable(error))
            raise
        if self._observe is not None:
            self._observe(len(group), time.perf_counter() - started)
        _answer(group, *row)


async def _prepare(connection: AsyncConnection[Any]) -> tuple[AsyncCursor[Any], wire.TypeIds]:
    """Makes sure that the connection lives; the ids of the types are another database's after a restore."""
    wire.register(connection)
    cursor = connection.cursor(binary=True)
    await cursor.execute(_TYPE_IDS)
    [row] = await cursor.fetchall()
    return cursor, wire.TypeIds(*row)


def _answer(
    group: Sequence[_Waiting],
    head: int,
    recorded_at: datetime,
    refused: Sequence[int] | None,
    outcomes: Sequence[str],
    first_positions: Sequence[int],
    last_positions: Sequence[int],
    recorded_ats: Sequence[datetime],
) -> None:
    not_accepted = {} if refused is None else {command: index for index, command in enumerate(refused)}
    for command, waiting in enumerate(group, start=1):
        index = not_accepted.get(command)
        if index is None:
            first, head = head + 1, head + len(waiting.encoded.events)
            appended = Appended(
                first_position=first, last_position=head, recorded_at=recorded_at, repeated=False
            )
        elif outcomes[index] == "repeated":
            appended = Appended(
                first_position=first_positions[index],
                last_position=last_positions[index],
                recorded_at=recorded_ats[index],
                repeated=True,
            )
        else:
            waiting.refuse(_REFUSALS[outcomes[index]]())
            continue
        if not waiting.answer.done():
            waiting.answer.set_result(appended)


def _unavailable(error: BaseException) -> LedgerUnavailable:
    unavailable = LedgerUnavailable("the append is not confirmed")
    unavailable.__cause__ = error
    return unavailable
