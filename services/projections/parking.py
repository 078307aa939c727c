"""What stands still or was left out: streams that can't be told, records that are no event of this ledger."""

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


class ParkedRecord(NamedTuple):
    """A record of a Kafka topic that was left out, with the stream and position that it claims, if any."""

    topic: str
    partition: int
    offset: int
    stream_id: UUID | None
    position: int | None
    reason: str


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


async def park_records(connection: AsyncConnection[Any], records: Sequence[ParkedRecord]) -> None:
    """Writes down which records were left out; the same record is so once, however often it is read."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO views.parked_records (topic, partition, record_offset, stream_id, position, reason)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            records,
        )


async def forget_records(connection: AsyncConnection[Any]) -> None:
    """Takes the records that were left out off the list; nothing of this ledger is in want of them."""
    await connection.execute("DELETE FROM views.parked_records")


async def fetch_parked_records(connection: AsyncConnection[Any]) -> list[ParkedRecord]:
    """All that were left out, in the order of their topics."""
    found = await connection.execute(
        "SELECT topic, partition, record_offset, stream_id, position, reason FROM views.parked_records"
        " ORDER BY topic, partition, record_offset"
    )
    return [ParkedRecord(*row) for row in await found.fetchall()]
