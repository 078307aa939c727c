"""Reading the ledger: its head, a stream, a range of positions."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from shared.events.recorded import Recorded

COLUMNS: Final[LiteralString] = (
    "position, stream_id, version, event_id, topic, schema_version, occurred_at, recorded_at, actor_ref, "
    "actor_role, unit, correlation_id, causation_id, traceparent, policy, import_id, imported_by, data"
)
"""The fields of `Recorded` in their order."""

_HEAD: Final = "SELECT position, recorded_at, ledger_id FROM ledger.head"
_STREAM: Final = f"""
    SELECT {COLUMNS} FROM ledger.events
    WHERE stream_id = %s AND version <= %s AND position <= %s ORDER BY version
"""
# Each stream is a range of its index, however many there are.
_STREAMS: Final = f"""
    SELECT {COLUMNS} FROM unnest(%s::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
        SELECT * FROM ledger.events WHERE stream_id = wanted.id AND position <= %s ORDER BY version
    ) AS streams ORDER BY stream_id, version
"""
_RANGE: Final = f"""
    SELECT {COLUMNS} FROM ledger.events
    WHERE position > %s AND position <= %s ORDER BY position LIMIT %s
"""
_AT: Final = f"""
    SELECT {COLUMNS} FROM ledger.events WHERE position = ANY(%s) ORDER BY position
"""
_MARKS: Final = """
    SELECT position, topic, stream_id FROM ledger.events WHERE position = ANY(%s) ORDER BY position
"""
_STREAM_MARKS: Final = """
    SELECT position, topic, stream_id FROM ledger.events
    WHERE stream_id = ANY(%s) AND topic = ANY(%s) AND position > %s AND position <= %s ORDER BY position
"""
_PUBLICATIONS: Final = f"""
    SELECT {COLUMNS} FROM ledger.events
    WHERE topic LIKE 'publication.%%' AND position < %s ORDER BY position DESC LIMIT %s
"""
_RECORDED_AT: Final = "SELECT recorded_at FROM ledger.events WHERE position = %s"

_POSITION_MAX: Final = 2**63 - 1
_VERSION_MAX: Final = 2**31 - 1


class Head(NamedTuple):
    position: int
    """Of the last event; 0 in an empty ledger."""
    recorded_at: datetime | None
    ledger_id: UUID


class Mark(NamedTuple):
    """Which event stands at a position, by its topic and stream alone."""

    position: int
    topic: str
    stream_id: UUID


def recorded_row(_: object) -> Callable[[Sequence[Any]], Recorded]:
    """Row factory for `COLUMNS`."""
    return recorded_of


def recorded_of(row: Sequence[Any]) -> Recorded:
    """The event in the first columns of a row, which are `COLUMNS`."""
    # Spelled out, since a dictionary for each row would cost as much as reading it.
    return Recorded(
        position=row[0],
        stream_id=row[1],
        version=row[2],
        event_id=row[3],
        topic=row[4],
        schema_version=row[5],
        occurred_at=row[6],
        recorded_at=row[7],
        actor_ref=row[8],
        actor_role=row[9],
        unit=row[10],
        correlation_id=row[11],
        causation_id=row[12],
        traceparent=row[13],
        policy=row[14],
        import_id=row[15],
        imported_by=row[16],
        data=row[17],
    )


async def fetch_head(connection: AsyncConnection[Any]) -> Head:
    cursor = await connection.execute(_HEAD, prepare=True, binary=True)
    [row] = await cursor.fetchall()
    return Head(*row)


async def fetch_stream(
    connection: AsyncConnection[Any],
    stream_id: UUID,
    *,
    to_version: int | None = None,
    to_position: int | None = None,
) -> list[Recorded]:
    """The events of a stream in order of version, up to and including the bounds."""
    version = _VERSION_MAX if to_version is None else to_version
    position = _POSITION_MAX if to_position is None else to_position
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_STREAM, (stream_id, version, position), prepare=True)
        return await cursor.fetchall()


async def fetch_streams(
    connection: AsyncConnection[Any], stream_ids: Collection[UUID], to_position: int
) -> dict[UUID, list[Recorded]]:
    """The events of these streams, each in order of version, up to and including the position."""
    streams: dict[UUID, list[Recorded]] = {stream_id: [] for stream_id in stream_ids}
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_STREAMS, (list(streams), to_position), prepare=True)
        async for recorded in cursor:
            streams[recorded.stream_id].append(recorded)
    return streams


async def fetch_range(
    connection: AsyncConnection[Any], after: int, limit: int, to: int = _POSITION_MAX
) -> list[Recorded]:
    """At most `limit` events with positions after `after` up to and including `to`, in their order."""
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_RANGE, (after, to, limit), prepare=True)
        return await cursor.fetchall()


async def fetch_events(connection: AsyncConnection[Any], positions: Collection[int]) -> list[Recorded]:
    """The events at these positions, in their order."""
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_AT, (list(positions),), prepare=True)
        return await cursor.fetchall()


async def fetch_marks(connection: AsyncConnection[Any], positions: Collection[int]) -> list[Mark]:
    """Which events are at these positions, in their order."""
    if not positions:
        return []
    cursor = await connection.execute(_MARKS, (list(positions),), binary=True)
    return [Mark(*row) for row in await cursor.fetchall()]


async def fetch_stream_marks(
    connection: AsyncConnection[Any], streams: Collection[UUID], topics: Collection[str], after: int, to: int
) -> list[Mark]:
    """The events of these topics in some streams after `after` up to and including `to`, by position."""
    cursor = await connection.execute(_STREAM_MARKS, (list(streams), list(topics), after, to), binary=True)
    return [Mark(*row) for row in await cursor.fetchall()]


async def fetch_publications(connection: AsyncConnection[Any], before: int, limit: int) -> list[Recorded]:
    """At most `limit` events of publications at positions before `before`, the latest first."""
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_PUBLICATIONS, (before, limit))
        return await cursor.fetchall()


async def position_at(connection: AsyncConnection[Any], instant: datetime) -> int:
    """The last position recorded at or before an instant; 0 if none was.

    A binary search, since positions are dense and `recorded_at` never falls as they rise.
    """
    low, high = 0, (await fetch_head(connection)).position
    while low < high:
        middle = (low + high + 1) // 2
        cursor = await connection.execute(_RECORDED_AT, (middle,), prepare=True, binary=True)
        [(recorded_at,)] = await cursor.fetchall()
        if recorded_at <= instant:
            low = middle
        else:
            high = middle - 1
    return low
