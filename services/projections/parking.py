"""Streams that stand still, because an event of theirs could not be told or its rows not be written."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from psycopg import AsyncConnection

from services.projections.schema import PROJECTION
from services.projections.shards import shard_of

_REASON_CHARACTERS_MAX: Final = 300


class Parked(NamedTuple):
    """A stream whose rows say what was known before the event at `position`."""

    stream_id: UUID
    shard: int
    position: int
    reason: str

    @classmethod
    def because(cls, error: Exception, stream_id: UUID, shards: int, position: int) -> Self:
        first_line = str(error).partition("\n")[0]
        reason = f"{type(error).__name__}: {first_line}"[:_REASON_CHARACTERS_MAX]
        return cls(stream_id, shard_of(stream_id, shards), position, reason)


async def park(connection: AsyncConnection[Any], parked: Sequence[Parked]) -> None:
    """Writes down which streams stand still."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO views.parked (projection, stream_id, shard, position, reason)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(PROJECTION, *stream) for stream in parked],
        )


async def fetch_parked(connection: AsyncConnection[Any]) -> list[Parked]:
    """All that stand still, in order of position."""
    found = await connection.execute(
        "SELECT stream_id, shard, position, reason FROM views.parked WHERE projection = %s ORDER BY position",
        [PROJECTION],
    )
    return [Parked(*row) for row in await found.fetchall()]
