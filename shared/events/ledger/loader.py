"""Loading what a command is decided on, for many commands in one round trip."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection, AsyncCursor
from psycopg_pool import AsyncConnectionPool

from shared.events.ledger.grouping import GroupedRequests, Waiting
from shared.events.ledger.reader import COLUMNS, recorded_of
from shared.events.recorded import Recorded

GROUP_REQUESTS_MAX: Final = 32
QUEUE_MAX: Final = 4096
READERS: Final = 2

# One result for both tables, since each more would be a round trip more. The subqueries keep
# to the indexes, however small the tables were when the plan was made.
_STREAMS_AND_KEYS: Final = f"""
    SELECT {COLUMNS}, NULL::bigint AS last_position, NULL::bytea AS key_hash
    FROM unnest(%s::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
        SELECT * FROM ledger.events WHERE stream_id = wanted.id ORDER BY version
    ) AS streams
    UNION ALL
    SELECT
        first_position, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, body_hash, last_position, key_hash
    FROM unnest(%s::bytea[]) AS wanted (hash) CROSS JOIN LATERAL (
        SELECT * FROM ledger.idempotency WHERE key_hash = wanted.hash LIMIT 1
    ) AS used
    ORDER BY stream_id, version
"""


class Used(NamedTuple):
    """What an idempotency key was used for."""

    body_hash: bytes
    first_position: int
    last_position: int


class Loaded(NamedTuple):
    streams: Mapping[UUID, Sequence[Recorded]]
    """Every stream asked for, in order of version; empty where there is none."""
    used: Used | None


class _Wanted(NamedTuple):
    stream_ids: Sequence[UUID]
    key_hash: bytes | None


class StreamLoader(GroupedRequests[_Wanted, Loaded]):
    """Reads streams and idempotency keys; what is asked for during a query goes into the next one."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        super().__init__(pool, workers=READERS, queue_max=QUEUE_MAX)

    async def load(self, stream_ids: Sequence[UUID], key_hash: bytes | None = None) -> Loaded:
        """The streams as they stand, and what an idempotency key was used for.

        Raises: QueueFull, LedgerUnavailable.
        """
        return await self._ask(_Wanted(stream_ids, key_hash))

    async def _prepare(self, connection: AsyncConnection[Any]) -> AsyncCursor[Any]:
        cursor = connection.cursor(binary=True)
        await cursor.execute("SELECT")
        return cursor

    def _take_group(self) -> list[Waiting[_Wanted, Loaded]]:
        group: list[Waiting[_Wanted, Loaded]] = []
        while self._queue and len(group) < GROUP_REQUESTS_MAX:
            waiting = self._queue.popleft()
            if not waiting.given_up:
                group.append(waiting)
        return group

    async def _run(
        self, cursor: AsyncCursor[Any], group: Sequence[Waiting[_Wanted, Loaded]]
    ) -> Iterable[Loaded]:
        wanted = [waiting.request for waiting in group]
        stream_ids = {stream_id for one in wanted for stream_id in one.stream_ids}
        hashes = {one.key_hash for one in wanted if one.key_hash is not None}
        await cursor.execute(_STREAMS_AND_KEYS, (list(stream_ids), list(hashes)), prepare=True)
        return _loaded(wanted, await cursor.fetchall())


def _loaded(wanted: Sequence[_Wanted], rows: Sequence[Sequence[Any]]) -> Iterator[Loaded]:
    """What each asked for, from the rows that all of them asked for."""
    streams = defaultdict[UUID, list[Recorded]](list)
    used: dict[bytes, Used] = {}
    for row in rows:
        last_position, key_hash = row[-2:]
        if key_hash is None:
            recorded = recorded_of(row)
            streams[recorded.stream_id].append(recorded)
        else:
            first_position, body_hash = row[0], row[-3]
            used[key_hash] = Used(body_hash, first_position, last_position)
    for one in wanted:
        found = {stream_id: streams[stream_id] for stream_id in one.stream_ids}
        yield Loaded(found, None if one.key_hash is None else used.get(one.key_hash))
