"""However the rows came about, they are those that a build from zero makes."""

import asyncio

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from services.projections.figures.tallies import tally
from services.projections.operations import rebuild, status, verify
from services.projections.rebuild import rebuild as rebuild_with
from tests.conftest import Database
from tests.histories import County, Move, moves, play
from tests.projecting import appending, head_of, project_all, record, rows_of

EXAMPLES = settings(
    max_examples=8,
    # Each example plays on in the same ledger, so looking for a smaller one takes long and tells little.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def grow(url: str, drawn: list[Move]) -> None:
    """Adds another county to the ledger."""
    county = County(position=await head_of(url))
    county.settle()
    play(county, drawn)
    async with appending(url) as appender:
        await record(appender, county.appends)


@EXAMPLES
@given(drawn=moves(120), batch=st.integers(1, 60), forgetful=st.booleans())
def test_rows_told_in_batches_equal_rows_built_from_zero(
    database: Database, drawn: list[Move], batch: int, forgetful: bool
) -> None:
    async def told() -> None:
        await grow(database.url, drawn)
        await project_all(database.url, batch=batch, forgetful=forgetful)
        report = await verify(database.url)
        assert report.holds, report
        assert report.parked == 0
        assert report.position == await head_of(database.url)

    asyncio.run(told())


@EXAMPLES
@given(first=moves(40), second=moves(40))
def test_one_shard_makes_the_rows_that_four_make(
    database: Database, first: list[Move], second: list[Move]
) -> None:
    async def told() -> None:
        await rebuild_with(database.url, shards=4)
        await grow(database.url, first)
        await project_all(database.url)
        in_four = await rows_of(database.url)
        await rebuild_with(database.url, shards=1)
        assert len((await status(database.url)).projections) == 1
        assert await rows_of(database.url) == in_four
        await grow(database.url, second)
        await project_all(database.url)
        in_one = await rows_of(database.url)
        await rebuild_with(database.url, shards=4)
        assert await rows_of(database.url) == in_one

    asyncio.run(told())


def test_a_row_that_was_tampered_with_is_found(database: Database) -> None:
    async def told() -> None:
        await grow(database.url, [("open", 0, 1, 0), ("accept", 0, 1, 0), ("visit", 0, 1, 0)])
        await project_all(database.url)
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            while await tally(connection, stretch=1):
                pass
            assert (await verify(database.url)).holds
            await connection.execute("UPDATE views.facts SET on_day = on_day + 1 WHERE measure = 'visit'")
            await connection.execute("DELETE FROM views.cases WHERE version = 1")
        report = await verify(database.url)
        assert not report.holds
        differing = {verdict.table: verdict.differing for verdict in report.tables}
        # The day of the visit, for the township and for the whole: as it stands, and as it should be.
        assert differing.pop("tallies") == 4
        assert {table for table, found in differing.items() if found} == {"cases", "facts"}
        assert (differing["cases"], differing["facts"]) == (1, 2)
        await rebuild(database.url)
        assert (await verify(database.url)).holds

    asyncio.run(told())
