"""Where a worker's shards stand, and moving them on together with the rows."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from services.projections.schema import PROJECTION

Connection = AsyncConnection[Any]

CHANGED: Final = "views_changed"
"""Notified in every transaction that moves the positions on; the payload is the lowest of them."""


class Moved(Exception):
    """Somebody else moved the positions or exchanged the rows: what was read of them no longer holds."""


class Standing(msgspec.Struct, kw_only=True):
    """What a worker last knew of its shards."""

    generation: int
    shards: int
    """How many there are in all."""
    positions: dict[int, int]
    """Of its own shards."""
    parked: set[UUID]

    @property
    def position(self) -> int:
        """The lowest: everything up to it is in the rows."""
        return min(self.positions.values())


async def fetch_standing(connection: Connection, only: Collection[int] | None = None) -> Standing:
    """The standing of the given shards, by default of all."""
    shards = None if only is None else list(only)
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute("SELECT generation, shards FROM views.meta")
        row = await cursor.fetchone()
        assert row is not None
        await cursor.execute(
            "SELECT shard, position FROM views.positions"
            " WHERE projection = %s AND (%s::int[] IS NULL OR shard = ANY(%s::int[]))",
            [PROJECTION, shards, shards],
        )
        positions: dict[int, int] = dict(await cursor.fetchall())
        await cursor.execute("SELECT stream_id FROM views.parked WHERE projection = %s", [PROJECTION])
        parked = {stream_id for (stream_id,) in await cursor.fetchall()}
    return Standing(generation=row[0], shards=row[1], positions=positions, parked=parked)


async def lock(connection: Connection, standing: Standing) -> None:
    """Takes the shards for the rest of the transaction.

    Raises: Moved.
    """
    async with connection.pipeline():
        held = await connection.execute(
            "SELECT shard, position FROM views.positions WHERE projection = %s AND shard = ANY(%s::int[])"
            " ORDER BY shard FOR UPDATE",
            [PROJECTION, list(standing.positions)],
        )
        # A statement of its own: one that waited for a lock still sees what stood before.
        meta = await connection.execute("SELECT generation FROM views.meta")
    found = dict(await held.fetchall())
    generation = await meta.fetchone()
    if found != standing.positions or generation != (standing.generation,):
        raise Moved


async def advance(connection: Connection, positions: Mapping[int, int]) -> None:
    """Moves shards on to new positions, and tells whoever listens."""
    await connection.execute(
        "WITH moved AS (UPDATE views.positions SET position = moved.position"
        " FROM unnest(%s::int[], %s::bigint[]) AS moved (shard, position)"
        " WHERE projection = %s AND positions.shard = moved.shard)"
        " SELECT pg_notify(%s, %s)",
        [list(positions), list(positions.values()), PROJECTION, CHANGED, str(min(positions.values()))],
    )
