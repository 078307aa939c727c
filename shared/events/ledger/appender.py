"""Group commit: the one way for the product to write to the ledger."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool

from shared.events.ledger import wire
from shared.events.ledger.grouping import GroupedRequests, Waiting
from shared.events.recorded import Append, Appended, AppendRefused, KeyReused, PersonTaken, StreamConflict

GROUP_EVENTS_MAX: Final = 64
"""Measured: smaller groups cost the server more for each event, larger ones only make an append slower."""
QUEUE_MAX: Final = 4096
"""Appends that may wait at a time: some tenths of a second of work."""
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

_Waiting = Waiting[wire.Encoded, Appended]
_Answer = Appended | Exception


class Appender(GroupedRequests[wire.Encoded, Appended]):
    """Appends to the ledger; what arrives during a commit goes together into the next one.

    An append that is cancelled before it was sent is dropped; after that it goes on to its end.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        *,
        group_events_max: int = GROUP_EVENTS_MAX,
        queue_max: int = QUEUE_MAX,
        observe: Observe | None = None,
    ) -> None:
        super().__init__(pool, workers=1, queue_max=queue_max)
        self._group_events_max = group_events_max
        self._observe = observe
        self._types = wire.TypeIds(0, 0, 0)

    async def append(self, append: Append) -> Appended:
        """Stores the events of one command, all or none, and answers once they are durable.

        Raises: StreamConflict, KeyReused, PersonTaken, QueueFull (nothing was stored);
        LedgerUnavailable (not confirmed); ValueError for what no ledger could store.
        """
        return await self._ask(wire.encode(append))

    async def _prepare(self, connection: AsyncConnection[Any]) -> AsyncCursor[Any]:
        wire.register(connection)
        cursor = connection.cursor(binary=True)
        await cursor.execute(_TYPE_IDS)
        [row] = await cursor.fetchall()
        self._types = wire.TypeIds(*row)
        return cursor

    def _take_group(self) -> list[_Waiting]:
        """The next appends in order, without those that touch what an earlier one touches."""
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        touched: set[bytes] = set()
        events = 0
        while self._queue and events < self._group_events_max and len(later) < _LOOK_AHEAD_MAX:
            waiting = self._queue.popleft()
            if waiting.given_up:
                continue
            size, touches = len(waiting.request.events), waiting.request.touches
            fits = not group or events + size <= self._group_events_max
            if fits and touched.isdisjoint(touches):
                group.append(waiting)
                events += size
            else:
                later.append(waiting)
            touched |= touches
        self._queue.extendleft(reversed(later))
        return group

    async def _run(self, cursor: AsyncCursor[Any], group: Sequence[_Waiting]) -> Iterable[_Answer]:
        try:
            return await self._commit(cursor, group)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            # One of them can't be stored by any ledger; none was, so each goes by itself.
            if len(group) == 1:
                return [error]
            return [answer for waiting in group for answer in await self._run(cursor, [waiting])]

    async def _commit(self, cursor: AsyncCursor[Any], group: Sequence[_Waiting]) -> Iterable[_Answer]:
        started = time.perf_counter()
        parameters = wire.group_parameters([waiting.request for waiting in group], self._types)
        await cursor.execute(_APPEND, parameters, prepare=True)
        [row] = await cursor.fetchall()
        if self._observe is not None:
            self._observe(len(group), time.perf_counter() - started)
        return _answers([len(waiting.request.events) for waiting in group], *row)


def _answers(
    sizes: Sequence[int],
    head: int,
    recorded_at: datetime,
    refused: Sequence[int] | None,
    outcomes: Sequence[str],
    first_positions: Sequence[int],
    last_positions: Sequence[int],
    recorded_ats: Sequence[datetime],
) -> Iterator[_Answer]:
    """The answer to each of the group, given their numbers of events and the one row that came back."""
    not_accepted = {} if refused is None else {command: index for index, command in enumerate(refused)}
    for command, size in enumerate(sizes, start=1):
        index = not_accepted.get(command)
        if index is None:
            first, head = head + 1, head + size
            yield Appended(first_position=first, last_position=head, recorded_at=recorded_at, repeated=False)
        elif outcomes[index] == "repeated":
            yield Appended(
                first_position=first_positions[index],
                last_position=last_positions[index],
                recorded_at=recorded_ats[index],
                repeated=True,
            )
        else:
            yield _REFUSALS[outcomes[index]]()
