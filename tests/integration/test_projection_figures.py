"""Every figure, on both axes, is what a plain count over the raw events gives."""

import asyncio
from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from services.projections.figures.coverage import fetch_coverage, list_coverage
from services.projections.figures.measures import percent
from services.projections.figures.queries import (
    AsOf,
    Connection,
    Period,
    count_facts,
    fetch_backlog,
    list_facts,
)
from shared.events.recorded import Recorded
from shared.policy.jurisdiction import tree_of
from tests import naive
from tests.conftest import Database
from tests.histories import County, Move, moves, play, recorded
from tests.projecting import appending, head_of, project_all, record

DISTINCT = ("resolution", "reopening")
"""Measures that count a case once, however often it happened."""
MEASURES = (
    *("open_by_holder", "open_by_origin", "urgent_open_by_holder", "urgent_open_by_origin"),
    *("unclassified_open_by_holder", "unclassified_open_by_origin"),
    *("overdue_by_holder", "overdue_by_origin"),
    *("registered", "registered_net", "removed", "resolved", "disposed", "disposed_net"),
    *(
        name + ending
        for name in (
            *("urgent_registered", "urgent_open", "urgent_resolved", "urgent_unconfirmed"),
            *("urgent_unclassified", "unclassified_open", "unclassified_resolved"),
        )
        for ending in ("", "_outside")
    ),
    *("reached", "contained", "visit"),
    *("duty", "duty_in_time", "duty_in_original_time"),
)
PERIODS = (Period(), Period(first=date(2026, 3, 3)), Period(first=date(2026, 3, 2), last=date(2026, 3, 6)))


@settings(
    max_examples=6,
    deadline=None,
    # Each example plays on in the same ledger, so looking for a smaller one takes long and tells little.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=moves(200), data=st.data())
def test_figures_as_of_any_moment_equal_a_plain_count(
    database: Database, drawn: list[Move], data: st.DataObject
) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url))
        county.settle()
        play(county, drawn)
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url, batch=7)
        events = recorded(county.appends)
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            for _ in range(10):
                known = data.draw(st.sampled_from(events), label="known").position
                happened = data.draw(st.sampled_from(events), label="happened").occurred_at
                before = timedelta(microseconds=data.draw(st.integers(0, 1), label="before"))
                await check(connection, county, events, known, happened - before)
                await check(connection, county, events, known, None)

    asyncio.run(told())


async def check(
    connection: Connection, county: County, events: list[Recorded], position: int, occurred: datetime | None
) -> None:
    as_of = AsOf(position=position, occurred=occurred)
    seen = naive.seen(events, position, occurred)
    for period in PERIODS:
        found = await count_facts(connection, MEASURES, county.units, as_of, period)
        found += await count_facts(connection, DISTINCT, county.units, as_of, period, distinct=True)
        assert found == naive.counted(seen, period.first, period.last)
    # Units stand as of the position; on the axis of occurrence from the beginning.
    known = [event for event in events if event.position <= position and event.topic.startswith("unit.")]
    tree = tree_of(known, at_occurred=occurred)
    assert await fetch_coverage(connection, tree, county.units, as_of) == naive.coverage(seen, tree)
    lives = [life for life in naive.lives(seen) if life.state in naive.OPEN]
    for by in ("holder", "origin"):
        backlog = await fetch_backlog(connection, by, county.units, as_of)
        units = {life.holder if by == "holder" else life.unit for life in lives}
        assert {
            unit: (own.open, own.urgent_open, own.unclassified_open, own.overdue, own.oldest_opened_at)
            for unit, own in backlog.items()
        } == {
            unit: (
                len(own),
                sum(bool(life.urgent) for life in own),
                sum(life.urgent is None for life in own),
                sum(life.overdue for life in own),
                min(life.opened_at for life in own),
            )
            for unit in units
            if (own := [life for life in lives if (life.holder if by == "holder" else life.unit) == unit])
        }


def test_a_list_explains_its_count_page_by_page(database: Database) -> None:
    """Each fact is listed once, with events that the ledger has at those positions."""

    async def told() -> None:
        county = County()
        county.settle()
        play(county, [("open", 0, option, 0) for option in range(1, 12)])
        play(county, [(move, which, 1, 0) for move in ("accept", "resolve", "reopen") for which in range(6)])
        play(county, [("visit", household, 1, 0) for household in range(4)])
        play(county, [("roster", 1, 1, 0), ("roster", 2, 1, 0)])
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        topics = {event.position: event.topic for event in recorded(county.appends)}
        as_of = AsOf(position=county.position)
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            for measure in ("registered", "open_by_origin", "resolution", "visit"):
                counted = await count_facts(connection, [measure], county.units, as_of)
                listed, after = [], None
                while page := await list_facts(
                    connection, [measure], county.units, as_of, after=after, limit=3
                ):
                    listed += page
                    after = page[-1].cursor
                assert len(listed) == len({fact.cursor for fact in listed}) == counted.total() > 0
                for fact in listed:
                    assert fact.because
                    for reason in fact.because:
                        assert topics[reason["position"]] == reason["topic"]
            tree = tree_of([event for event in recorded(county.appends) if event.topic.startswith("unit.")])
            own = (await fetch_coverage(connection, tree, county.units, as_of))[county.units[1]]
            for visited, size in ((False, own.households), (True, own.visited)):
                households = await list_coverage(connection, tree, county.units, as_of, visited=visited)
                assert len(households) == size
            assert own.households == 3
            assert own.visited == 2

    asyncio.run(told())


def test_a_live_figure_reads_what_holds_and_nothing_of_the_past(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        past = ("open", "accept", "classify", "resolve")
        play(county, [(move, 0, 1, 0) for _ in range(30) for move in past])
        play(county, [("open", 0, 1, 0)] * 3)
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        as_of = AsOf(position=county.position)
        async with (
            await AsyncConnection.connect(database.url) as connection,
            connection.transaction(),
        ):
            # So few rows would be read one after the other; what counts is what the index finds.
            await connection.execute("SET LOCAL enable_seqscan = off")
            backlog = await fetch_backlog(connection, "origin", county.units, as_of)
            found = await connection.execute(
                "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'facts'"
            )
            [(rows_read,)] = await found.fetchall()
            found = await connection.execute(
                "SELECT count(*) FROM views.facts WHERE measure LIKE '%open_by_origin'"
            )
            [(rows_in_all,)] = await found.fetchall()
        assert sum(own.open for own in backlog.values()) == 3
        assert rows_read <= 6
        assert rows_in_all > 60

    asyncio.run(told())


def test_percentages_are_rounded_half_up_from_the_exact_fraction() -> None:
    assert percent(597, 736) == "81.11"
    assert percent(341, 597) == "57.12"
    assert percent(1, 800) == "0.13"
    assert percent(1, 3) == "33.33"
    assert percent(3, 2) == "150.00"
    assert percent(0, 7) == "0.00"
    assert percent(0, 0) is None
