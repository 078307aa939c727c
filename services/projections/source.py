"""The pasts of streams, which the projections read when memory has not kept them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from shared.events.ledger.reader import COLUMNS, recorded_row
from shared.events.recorded import Recorded

_STREAMS_AT_ONCE: Final = 500

_PASTS: Final = f"""
    SELECT {COLUMNS} FROM ledger.events
    NATURAL JOIN unnest(%s::uuid[], %s::int[]) AS wanted (stream_id, last)
    WHERE version <= last ORDER BY stream_id, version
"""


async def stream_pasts(
    connection: AsyncConnection[Any], versions: Mapping[UUID, int]
) -> AsyncIterator[Recorded]:
    """The events of streams up to a version each, that included: stream by stream, in order of version."""
    streams = list(versions)
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        for start in range(0, len(streams), _STREAMS_AT_ONCE):
            some = streams[start : start + _STREAMS_AT_ONCE]
            await cursor.execute(_PASTS, (some, [versions[stream] for stream in some]), prepare=True)
            for recorded in await cursor.fetchall():
                yield recorded
