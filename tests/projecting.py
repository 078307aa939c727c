"""Recording histories in a real ledger and projecting them, as far as the tests of projections need."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from services.projections.catalogue import TABLES, projector_of
from services.projections.feeding import dense
from services.projections.runner import Batches, connect
from services.projections.standing import fetch_standing
from services.projections.teller import ProjectorOf
from shared.events.ledger.appender import Appender
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.runtime.database import service_pool
from tests.histories import Occurrence, append_of

Connection = AsyncConnection[Any]


@asynccontextmanager
async def appending(url: str) -> AsyncIterator[Appender]:
    async with service_pool(url, name="test", connections_max=3) as pool, Appender(pool) as appender:
        yield appender


async def record(appender: Appender, appends: Sequence[Sequence[Occurrence]]) -> None:
    """Appends one after the other, so that positions are those the history was made with."""
    for occurrences in appends:
        appended = await appender.append(append_of(occurrences))
        assert appended.first_position == occurrences[0].position


async def head_of(url: str) -> int:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        return (await fetch_head(connection)).position


async def project_all(
    url: str, *, batch: int = 100, forgetful: bool = False, projectors: ProjectorOf = projector_of
) -> int:
    """Brings the rows up to the head in batches, and answers the position; `forgetful` keeps no memory."""
    async with await connect(url) as connection:
        standing = await fetch_standing(connection)
        batches = Batches(connection, standing, projectors)
        while events := await fetch_range(connection, standing.position, batch):
            await batches.project(dense(events, standing.positions))
            if forgetful:
                batches = Batches(connection, standing, projectors)
        return standing.position


async def rows_of(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but for its shard, in an order of their own."""
    async with await AsyncConnection.connect(url, autocommit=True, row_factory=dict_row) as connection:
        found = {}
        for table in (*TABLES, "actors"):
            statement = SQL("SELECT to_jsonb(t) - 'shard' AS row FROM {} t ORDER BY 1")
            rows = await connection.execute(statement.format(Identifier("views", table)))
            found[table] = [row["row"] for row in await rows.fetchall()]
    return found
