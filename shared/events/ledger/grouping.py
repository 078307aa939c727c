"""Requests that arrive while the database is at work go together into its next round trip."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, Self, TypeVar

from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool

from shared.events.recorded import LedgerUnavailable, QueueFull

CONNECT_TIMEOUT_S: Final = 2.0
"""For how long requests wait for a database that is away before they are told so."""
ROUND_TRIP_TIMEOUT_S: Final = 20.0
WAIT_TIMEOUT_S: Final = 5.0
"""How long a request waits for its turn when the database doesn't answer; nothing of it was sent then."""
_LOOK_S: Final = 0.5
_RECONNECT_S: Final = 0.05
_TRUST_IDLE_S: Final = 1.0
"""A connection that was idle for longer is tried before a group is risked on it."""

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Waiting(Generic[Request, Answer]):
    """A request and the answer that somebody awaits."""

    __slots__ = ("_future", "asked_at", "request")

    def __init__(self, request: Request, future: asyncio.Future[Answer], asked_at: float) -> None:
        self.request = request
        self.asked_at = asked_at
        """By the clock of the event loop."""
        self._future = future

    @property
    def given_up(self) -> bool:
        """Whether nobody awaits the answer any more."""
        return self._future.done()

    def answer(self, answer: Answer | Exception) -> None:
        if self._future.done():
            return
        if isinstance(answer, Exception):
            self._future.set_exception(answer)
        else:
            self._future.set_result(answer)


class GroupedRequests(ABC, Generic[Request, Answer]):
    """Answers requests of one event loop in groups, on as many connections of the pool as workers.

    The pool's connections commit by themselves (autocommit) and speak UTC.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], *, workers: int, queue_max: int) -> None:
        self._pool = pool
        self._workers = workers
        self._queue_max = queue_max
        self._queue: deque[Waiting[Request, Answer]] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._gone_since: float | None = None

    @abstractmethod
    async def _prepare(self, connection: AsyncConnection[Any]) -> AsyncCursor[Any]:
        """Makes sure that the connection lives and gives the cursor that groups are run on."""

    @abstractmethod
    def _take_group(self) -> list[Waiting[Request, Answer]]:
        """Takes from the queue what is to go together; may be nothing if none of it is awaited any more."""

    @abstractmethod
    async def _run(
        self, cursor: AsyncCursor[Any], group: Sequence[Waiting[Request, Answer]]
    ) -> Iterable[Answer | Exception]:
        """The answer, or the reason of the refusal, for each of the group; made as it is asked for."""

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Starts the workers in the running event loop."""
        name = type(self).__name__
        self._tasks = [
            asyncio.create_task(self._work(), name=f"{name} {number}") for number in range(self._workers)
        ]
        self._watching = asyncio.create_task(self._refuse_late(), name=f"{name} watch")

    async def close(self) -> None:
        """Takes no further requests, answers those that wait, and ends."""
        self._closing = True
        while self._idle:
            self._wake_worker()
        await asyncio.gather(*self._tasks)
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching

    @property
    def waiting(self) -> int:
        """How many requests are not yet on their way."""
        return len(self._queue)

    async def _ask(self, request: Request) -> Answer:
        """Raises: QueueFull, LedgerUnavailable, and whatever the request is refused with."""
        if self._closing or not self._tasks:
            raise LedgerUnavailable("requests are not taken now")
        if len(self._queue) >= self._queue_max:
            raise QueueFull(f"{self._queue_max} requests are waiting")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._queue.append(Waiting(request, future, loop.time()))
        self._wake_worker()
        return await future

    def _wake_worker(self) -> None:
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)
                return

    async def _work_came(self) -> bool:
        """Waits until a request waits; False once there will be none."""
        while not self._queue:
            if self._closing:
                return False
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle
        return True

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while await self._work_came():
            try:
                async with self._pool.connection(CONNECT_TIMEOUT_S) as connection:
                    await self._work_on(connection)
            except Exception as error:
                # Those under way have been told. Whatever it was, the worker lives on for the others.
                self._gone_since = self._gone_since or loop.time()
                if loop.time() - self._gone_since < CONNECT_TIMEOUT_S:
                    await asyncio.sleep(_RECONNECT_S)
                    continue
                while self._queue:
                    self._queue.popleft().answer(_unavailable(error))

    async def _refuse_late(self) -> None:
        """Tells those that waited too long that nothing was sent; the workers may hang on a dead database."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_S)
            while self._queue and loop.time() - self._queue[0].asked_at > WAIT_TIMEOUT_S:
                self._queue.popleft().answer(_unavailable(TimeoutError()))

    async def _work_on(self, connection: AsyncConnection[Any]) -> None:
        """Runs groups on one connection until it fails or all is done."""
        loop = asyncio.get_running_loop()
        tried_at = float("-inf")
        while await self._work_came():
            if loop.time() - tried_at > _TRUST_IDLE_S:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    cursor = await self._prepare(connection)
                self._gone_since = None
            await self._run_groups(cursor)
            tried_at = loop.time()

    async def _run_groups(self, cursor: AsyncCursor[Any]) -> None:
        """Runs what waits; a group is sent before the one ahead of it is answered, so neither side idles."""
        group = self._take_group()
        trip = asyncio.create_task(self._round_trip(cursor, group))
        try:
            while group:
                answers = await trip
                following = self._take_group()
                if following:
                    trip = asyncio.create_task(self._round_trip(cursor, following))
                for waiting, answer in zip(group, answers, strict=True):
                    waiting.answer(answer)
                group = following
        finally:
            trip.cancel()

    async def _round_trip(
        self, cursor: AsyncCursor[Any], group: Sequence[Waiting[Request, Answer]]
    ) -> Iterable[Answer | Exception]:
        try:
            async with asyncio.timeout(ROUND_TRIP_TIMEOUT_S):
                return await self._run(cursor, group)
        except BaseException as error:
            for waiting in group:
                waiting.answer(_unavailable(error))
            raise


def _unavailable(error: BaseException) -> LedgerUnavailable:
    unavailable = LedgerUnavailable(f"no answer from the database: {type(error).__name__}")
    unavailable.__cause__ = error
    return unavailable
