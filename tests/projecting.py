"""Recording histories in a real ledger and projecting them, as far as the tests of projections need."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from services.projections.catalogue import TABLES, projector_of
from services.projections.feeding import LedgerSource, Source, dense
from services.projections.operations import status, verify
from services.projections.runner import Batches, Runner, connect
from services.projections.standing import fetch_standing
from services.projections.teller import ProjectorOf
from shared.events.ledger.appender import Appender
from shared.events.ledger.feed import BATCH_MAX, Feed
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
    async with await connect(url) as writing, await connect(url) as reading:
        standing = await fetch_standing(writing)
        while events := await fetch_range(reading, standing.position, batch):
            async with Batches(writing, reading, standing, projectors) as batches:
                await batches.project(dense(events, standing.positions))
                while not forgetful and (
                    events := await fetch_range(reading, min(batches.positions.values()), batch)
                ):
                    await batches.project(dense(events, standing.positions))
        return standing.position


@asynccontextmanager
async def working(url: str, source: Source) -> AsyncIterator[asyncio.Task[None]]:
    """A worker that keeps the rows up with a source."""
    task = asyncio.create_task(Runner(url, source).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def following(
    url: str, only: Collection[int] | None = None, *, batch_max: int = BATCH_MAX
) -> AsyncIterator[asyncio.Task[None]]:
    """A worker that follows the ledger, for some shards (None: all)."""
    async with (
        service_pool(url, name="feed", connections_max=1) as pool,
        working(url, LedgerSource(Feed(pool, batch_max=batch_max), only)) as task,
    ):
        yield task


async def caught_up(url: str, *, within_s: float = 30) -> None:
    """Waits until every shard stands at the head."""
    async with asyncio.timeout(within_s):
        while any(shard.lag for shard in (await status(url)).projections):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def must_hold(url: str) -> None:
    """The rows are those that a build from zero makes."""
    report = await verify(url)
    assert report.holds, report
    assert report.parked == 0


async def rows_of(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but for its shard, in an order of their own."""
    async with await AsyncConnection.connect(url, autocommit=True, row_factory=dict_row) as connection:
        found = {}
        for table in (*TABLES, "actors"):
            statement = SQL("SELECT to_jsonb(t) - 'shard' AS row FROM {} t ORDER BY 1")
            rows = await connection.execute(statement.format(Identifier("views", table)))
            found[table] = [row["row"] for row in await rows.fetchall()]
    return found
