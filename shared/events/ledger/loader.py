"""Loading what a command is decided on, for many commands in one round trip."""

from collections.abc import Sequence
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
    streams: dict[UUID, Sequence[Recorded]]
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

    async def _run(self, cursor: AsyncCursor[Any], group: Sequence[Waiting[_Wanted, Loaded]]) -> None:
        streams: dict[UUID, list[Recorded]] = {}
        hashes: dict[bytes, Used | None] = {}
        for waiting in group:
            for stream_id in waiting.request.stream_ids:
                streams[stream_id] = []
            if waiting.request.key_hash is not None:
                hashes[waiting.request.key_hash] = None
        await cursor.execute(_STREAMS_AND_KEYS, (list(streams), list(hashes)), prepare=True)
        for row in await cursor.fetchall():
            last_position, key_hash = row[-2:]
            if key_hash is None:
                recorded = recorded_of(row)
                streams[recorded.stream_id].append(recorded)
            else:
                first_position, body_hash = row[0], row[-3]
                hashes[key_hash] = Used(body_hash, first_position, last_position)
        for waiting in group:
            wanted = waiting.request
            used = None if wanted.key_hash is None else hashes[wanted.key_hash]
            waiting.answer(Loaded({id_: streams[id_] for id_ in wanted.stream_ids}, used))
