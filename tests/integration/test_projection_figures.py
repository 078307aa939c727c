"""Every figure, on both axes, is what a plain count over the raw events gives."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from services.projections.figures.changes import list_changes
from services.projections.figures.coverage import (
    Snapshot,
    fetch_coverage,
    list_coverage,
    list_coverage_changes,
)
from services.projections.figures.measures import percent
from services.projections.figures.queries import (
    ALWAYS,
    AsOf,
    Connection,
    Only,
    Period,
    count_facts,
    fetch_backlog,
    list_facts,
)
from services.projections.figures.tallies import count_tallied, differing_tallies, tally
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Recorded
from shared.events.units import WHOLE
from shared.policy.jurisdiction import tree_of
from shared.policy.moments import day_of
from shared.runtime.identifiers import new_id
from tests import naive
from tests.conftest import Database
from tests.histories import County, Move, moves, play, recorded
from tests.projecting import appending, head_of, project_all, record

ONCE = ("resolution", "reopening")
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
    *("agreed", "terminated", "agreement_due", "agreement_fulfilled"),
    *("told_solved", "told_unsolved", "satisfied", "unsatisfied", "unanswered"),
    *("duty", "duty_in_time", "duty_in_original_time", "hotline_order", "hotline_contacted"),
)
PERIODS = (Period(), Period(first=date(2026, 3, 3)), Period(first=date(2026, 3, 2), last=date(2026, 3, 6)))
GROWN = Period(last=date(2026, 3, 3)), Period(last=date(2026, 3, 6))
"""As more and more days count for a measure of what ran out."""


@settings(
    max_examples=6,
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
                only = Only(
                    category=data.draw(st.sampled_from([None, "ROADS", "NEIGHBOUR"]), label="category"),
                    holders=data.draw(
                        st.sampled_from([None, county.groups, county.villages]), label="holders"
                    ),
                )
                await check(connection, county, events, known, happened - before, only)
                await check(connection, county, events, known, None, only)

    asyncio.run(told())


async def check(
    connection: Connection,
    county: County,
    events: list[Recorded],
    position: int,
    occurred: datetime | None,
    only: Only,
) -> None:
    as_of = AsOf(position=position, occurred=occurred)
    seen = naive.seen(events, position, occurred)
    for period in PERIODS:
        found = await count_facts(connection, (*MEASURES, *ONCE), county.units, as_of, period)
        assert found == naive.counted(seen, period.first, period.last)
        narrowed = await count_facts(connection, (*MEASURES, *ONCE), county.units, as_of, period, only)
        of_category = None if only.category is None else naive.of_category(events, only.category)
        assert narrowed == naive.counted(
            seen, period.first, period.last, cases=of_category, holders=only.holders
        )
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


@settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=moves(200), data=st.data())
def test_tallies_give_what_the_facts_themselves_do(
    database: Database, drawn: list[Move], data: st.DataObject
) -> None:
    """Of a township or the whole, as of any position, whatever is tallied by now and wherever units went."""

    async def told() -> None:
        county = County(position=await head_of(database.url), neighbour=new_id())
        county.settle()
        play(county, drawn)
        async with appending(database.url) as appender:
            for part in range(0, len(county.appends), 50):
                await record(appender, county.appends[part : part + 50])
                await project_all(database.url)
                await _tally(database.url, data.draw(st.integers(0, 3), label="transactions"))
        events = recorded(county.appends)
        positions = [event.position for event in events]
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            known = await _all_units(connection)
            townships = [county.township, county.units[-1]]
            for _ in range(12):
                position = data.draw(st.sampled_from(positions), label="position")
                bloc = data.draw(st.sampled_from([*townships, WHOLE]), label="bloc")
                periods = {
                    measure: data.draw(st.sampled_from(PERIODS), label=measure)
                    for measure in (*MEASURES, *ONCE)
                }
                tree = tree_of(event for event in known if event.position <= position)
                units = [unit.unit_id for unit in tree] if bloc == WHOLE else tree.subtree(bloc)
                expected: Counter[tuple[str, str | None]] = Counter()
                for measure, period in periods.items():
                    as_of = AsOf(position=position)
                    for (_, level, _), n in (
                        await count_facts(connection, [measure], units, as_of, period)
                    ).items():
                        expected[measure, level] += n
                assert await count_tallied(connection, periods, bloc, units, position) == expected
            assert (await differing_tallies(connection, county.position))[1] == []

    asyncio.run(told())


def test_a_case_that_is_resolved_again_counts_once_in_every_period(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        play(county, [(move, 0, 1, 0) for move in ("open", "accept", "resolve")])
        first = day_of(county.now)
        county.now += timedelta(days=40)
        play(county, [("reopen", 0, 1, 0), ("resolve", 0, 1, 0)])
        again = day_of(county.now)
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        as_of = AsOf(position=county.position)
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            for period in (ALWAYS, Period(first=first), Period(first=again), Period(last=first)):
                found = await count_facts(connection, ["resolution"], county.units, as_of, period)
                assert found.total() == 1, period
            while await tally(connection, stretch=1):
                pass
            for period in (ALWAYS, Period(first=first), Period(first=again), Period(last=first)):
                periods = {"resolution": period}
                assert await count_tallied(
                    connection, periods, county.township, county.units, county.position
                ) == {("resolution", None): 1}, period
            await connection.execute(
                "UPDATE views.tallies SET n = n + 1 WHERE measure = 'resolution' AND span = 'MONTH'"
            )
            _, differing = await differing_tallies(connection, county.position)
            assert {side for side, _ in differing} == {"served", "rebuilt"}
            assert {row["bloc"] for _, row in differing} == {str(county.township), str(WHOLE)}

    asyncio.run(told())


async def _tally(url: str, transactions: int) -> None:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(transactions):
            await tally(connection, stretch=32)


async def _all_units(connection: Connection) -> list[Recorded]:
    """The events of all units, those of other histories in the same ledger as well."""
    return [event for event in await fetch_range(connection, 0, 100_000) if event.topic.startswith("unit.")]


@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=moves(200), data=st.data())
def test_what_changed_between_two_moments_is_the_difference_of_two_plain_counts(
    database: Database, drawn: list[Move], data: st.DataObject
) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url))
        county.settle()
        play(county, drawn)
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        events = recorded(county.appends)
        positions = [event.position for event in events]
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            for _ in range(6):
                a, b = sorted(data.draw(st.sampled_from(positions), label="position") for _ in range(2))
                happened = data.draw(st.sampled_from(events), label="happened").occurred_at
                unit = data.draw(st.sampled_from(county.units), label="unit")
                for occurred in (None, happened):
                    await check_changes(connection, county, events, (a, b), occurred, unit)

    asyncio.run(told())


async def check_changes(
    connection: Connection,
    county: County,
    events: list[Recorded],
    positions: tuple[int, int],
    occurred: datetime | None,
    unit: UUID,
) -> None:
    by_position = {event.position: event for event in events}
    everywhere: list[Snapshot] = []
    beneath: list[Snapshot] = []
    for position in positions:
        units = [event for event in events if event.position <= position and event.topic.startswith("unit.")]
        tree = tree_of(units, at_occurred=occurred)
        as_of = AsOf(position=position, occurred=occurred)
        everywhere.append(Snapshot(as_of=as_of, tree=tree, units=county.units))
        beneath.append(Snapshot(as_of=as_of, tree=tree, units=tree.subtree(unit)))
    then, now = (naive.seen(events, position, occurred) for position in positions)
    for sooner, period in [*zip(PERIODS, PERIODS, strict=True), GROWN]:
        net: Counter[tuple[str, str | None, UUID]] = Counter()
        for measures in (MEASURES, ONCE):
            for earlier, later in (everywhere, beneath):
                changes = await list_changes(
                    connection, measures, earlier, later, (sooner, period), limit=10_000
                )
                found = {each.subject_id: (each.was, each.holds) for each in changes}
                was = await _held(connection, measures, earlier, sooner)
                holds = await _held(connection, measures, later, period)
                assert list(found) == sorted(found)
                assert found == {
                    subject: (was.get(subject, Counter()), holds.get(subject, Counter()))
                    for subject in {*was, *holds}
                    if was.get(subject) != holds.get(subject)
                }
                for each in changes:
                    assert all(positions[0] < position <= positions[1] for position in each.positions)
                    made = [by_position[position] for position in each.positions]
                    assert {event.stream_id for event in made} <= {*each.cases, each.subject_id}
                    passed = later is beneath[1] or sooner != period
                    assert made or passed, "only units that move and days that pass do without events"
                if later is everywhere[1]:
                    for each in changes:
                        net.update({(name, level, of): n for (name, of, level), n in each.holds.items()})
                        net.subtract({(name, level, of): n for (name, of, level), n in each.was.items()})
        expected = naive.counted(now, period.first, period.last)
        expected.subtract(naive.counted(then, sooner.first, sooner.last))
        assert {key: n for key, n in net.items() if n} == {key: n for key, n in expected.items() if n}
    for category in ("ROADS", "NEIGHBOUR"):
        total: Counter[str] = Counter()
        for each in await list_changes(
            connection, MEASURES, everywhere[0], everywhere[1], category=category, limit=10_000
        ):
            total.update(name for name, _, _ in each.holds.elements())
            total.subtract(name for name, _, _ in each.was.elements())
        chosen = naive.of_category(events, category)
        after, before = (naive.counted(seen, None, None, cases=chosen) for seen in (now, then))
        for name in MEASURES:
            rise = sum(n for (of, _, _), n in after.items() if of == name)
            rise -= sum(n for (of, _, _), n in before.items() if of == name)
            assert total[name] == rise
    moved = any(
        event.topic == "unit.moved" and positions[0] < event.position <= positions[1] for event in events
    )
    for earlier, later in (everywhere, beneath):
        households = await list_coverage_changes(connection, earlier, later, limit=10_000)
        stood, stands = await _visited(connection, earlier), await _visited(connection, later)
        assert {(each.unit_id, each.subject_ref) for each in households} == {
            key for key in {*stood, *stands} if stood.get(key) != stands.get(key)
        }
        for household in households:
            key = (household.unit_id, household.subject_ref)
            assert (household.was, household.holds) == (key in stood, key in stands)
            topics = {by_position[position].topic for position in household.visits}
            assert topics <= {"visit.recorded", "case.visit_recorded"}
            assert household.filed is None or by_position[household.filed].topic == "roster.filed"
            assert household.visits or household.filed or moved, "units that move take their visits along"


async def _held(
    connection: Connection, measures: Sequence[str], snapshot: Snapshot, period: Period
) -> dict[UUID, Counter[tuple[str, UUID, str | None]]]:
    """What counts of each subject."""
    held: dict[UUID, Counter[tuple[str, UUID, str | None]]] = {}
    for measure in measures:
        facts = await list_facts(connection, [measure], snapshot.units, snapshot.as_of, period, limit=10_000)
        for fact in facts:
            assert fact.subject_id is not None
            held.setdefault(fact.subject_id, Counter())[measure, fact.unit_id, fact.level] += 1
    return held


async def _visited(connection: Connection, snapshot: Snapshot) -> dict[tuple[UUID, str | None], bool]:
    """The rostered households, and whether they were visited."""
    found: dict[tuple[UUID, str | None], bool] = {}
    for visited in (False, True):
        facts = await list_coverage(
            connection, snapshot.tree, snapshot.units, snapshot.as_of, visited=visited, limit=10_000
        )
        found |= {(fact.unit_id, fact.subject_ref): visited for fact in facts}
    return found


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
