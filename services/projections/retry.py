"""Telling streams that stand still once more, from their beginning."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from services.projections.build import tell_whole
from services.projections.catalogue import TABLES, projector_of
from services.projections.figures.tallies import forget_tallies
from services.projections.parking import Parked, fetch_parked, forget_records, park
from services.projections.runner import connect
from services.projections.schema import PROJECTION
from services.projections.standing import CHANGED, Standing, fetch_standing
from services.projections.teller import ProjectorOf
from services.projections.writer import POISON, Changes, copy_rows
from shared.events.ledger.reader import fetch_stream

Connection = AsyncConnection[Any]


async def retry_parked(url: str, *, projectors: ProjectorOf = projector_of) -> list[Parked]:
    """Tells every stream that stands still anew, and answers those that still do.

    What was missing comes in under the positions at which it happened, so whoever follows
    the rows is told to begin afresh. Records that were left out are forgotten.
    """
    async with await connect(url) as connection, connection.transaction():
        await connection.execute("SELECT FROM positions ORDER BY projection, shard FOR UPDATE")
        await forget_records(connection)
        parked = await fetch_parked(connection)
        if not parked:
            return []
        standing = await fetch_standing(connection)
        await forget_tallies(connection, min(stream.position for stream in parked))
        tried = [await _retry(connection, stream, standing, projectors) for stream in parked]
        still = [stream for stream in tried if stream is not None]
        await connection.execute("DELETE FROM parked WHERE projection = %s", [PROJECTION])
        await park(connection, still)
        await connection.execute("UPDATE meta SET generation = generation + 1")
        await connection.execute("SELECT pg_notify(%s, %s)", [CHANGED, str(standing.position)])
    return still


async def _retry(
    connection: Connection, stream: Parked, standing: Standing, projectors: ProjectorOf
) -> Parked | None:
    told = standing.positions[stream.shard]
    events = await fetch_stream(connection, stream.stream_id, to_position=told)
    changes, parked = tell_whole(events, projectors, shards=standing.shards)
    try:
        async with connection.transaction():
            await _replace(connection, stream, changes)
    except POISON as error:
        return Parked.because(error, stream.stream_id, standing.shards, stream.position)
    return parked


async def _replace(connection: Connection, stream: Parked, changes: Changes) -> None:
    for name, table in TABLES.items():
        statement = SQL("DELETE FROM {} WHERE stream_id = %s").format(Identifier(name))
        await connection.execute(statement, [stream.stream_id])
        await copy_rows(connection, table, changes.begun.get(name, ()))
