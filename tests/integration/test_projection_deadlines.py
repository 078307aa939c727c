"""What the clock worker and the board ask of clocks: which are due, near, undated, held, and at what cost."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from psycopg import AsyncConnection

from services.projections.deadlines.queries import (
    AWAITING,
    BEFORE_ALL,
    DUE,
    Due,
    fetch_awaiting,
    fetch_due,
    fetch_unclocked,
)
from services.projections.imports.rows import fetch_open_imports
from shared.events import cases, imports
from shared.events.vocabulary import Timer
from shared.policy.moments import SHANGHAI
from shared.runtime.identifiers import new_id
from tests.asking import asking, reader
from tests.conftest import Database
from tests.histories import SEALED, START, County, play
from tests.projecting import appending, project_all, record

ROWS = 100_000
EVER = START + timedelta(days=3650)
NOBODY = UUID(int=0)


def started(due: datetime | None, timer: Timer = "T13") -> cases.DeadlineStarted:
    return cases.DeadlineStarted(
        timer=timer,
        started_on=START.date(),
        due_at=due,
        awaiting="CALENDAR" if due is None else None,
        pack="builtin-1",
        calendar="2026",
    )


def with_cases(number: int) -> tuple[County, list[UUID]]:
    county = County()
    county.settle()
    play(county, [("open", 0, 1, 0)] * number)
    return county, [case.case_id for case in county.cases]


def test_what_is_due_comes_in_due_order_and_leaves_with_its_breach(database: Database) -> None:
    async def told() -> None:
        county, (late, early, far, undated) = with_cases(4)
        day = timedelta(days=1)
        for case_id, due in ((late, START + 2 * day), (early, START + day), (far, EVER), (undated, None)):
            county.add((case_id, started(due)))
        # Somebody is to be warned of it already.
        warned = replace(started(EVER, "T4"), warn_at=START + 3 * day)
        county.add((far, warned))
        async with (
            appending(database.url) as appender,
            await AsyncConnection.connect(database.url, autocommit=True) as connection,
        ):
            await record(appender, county.appends)
            await project_all(database.url)
            until = START + 5 * day
            found = await fetch_due(connection, until, 10)
            assert found == [Due(START + day, early), Due(START + 2 * day, late), Due(START + 3 * day, far)]
            assert await fetch_due(connection, START + day, 10) == found[:1], "at its very instant it is due"
            assert await fetch_due(connection, until, 1) == found[:1]
            assert await fetch_due(connection, until, 1, after=found[0]) == found[1:2]
            assert await fetch_due(connection, until, 10, held=county.units) == []
            assert await fetch_awaiting(connection, 10, NOBODY) == [undated]
            assert await fetch_awaiting(connection, 10, undated) == []
            assert await fetch_unclocked(connection, 10, NOBODY) == []

            told = len(county.appends)
            breached = cases.DeadlineBreached(timer="T13", started_version=2, due_at=START + day)
            given = cases.DeadlineApproaching(timer="T4", started_version=3, due_at=EVER)
            dated = cases.DeadlineDated(
                timer="T13", started_version=2, due_at=START, original_due_at=START, calendar="2027"
            )
            resolved = cases.CaseResolved(outcome="SETTLED", detail=SEALED)
            for case_id, event in ((early, breached), (far, given), (undated, dated), (late, resolved)):
                county.add((case_id, event))
            await record(appender, county.appends[told:])
            await project_all(database.url)
            assert await fetch_due(connection, until, 10) == [Due(START, undated)]
            assert await fetch_awaiting(connection, 10, NOBODY) == []

    asyncio.run(told())


@pytest.mark.parametrize(
    "ended",
    [cases.CaseResolved(outcome="SETTLED", detail=SEALED), cases.CaseWithdrawn(statement=SEALED)],
    ids=["done", "given up"],
)
def test_what_ended_too_late_is_due_until_that_is_recorded(
    database: Database, ended: cases.CaseEvent
) -> None:
    async def told() -> None:
        county, (late,) = with_cases(1)
        county.add((late, started(START - timedelta(days=1))))
        county.add((late, ended))
        async with (
            appending(database.url) as appender,
            await AsyncConnection.connect(database.url, autocommit=True) as connection,
            asking(database.url) as desk,
        ):
            await record(appender, county.appends)
            await project_all(database.url)
            due = START - timedelta(days=1)
            assert await fetch_due(connection, EVER, 10) == [Due(due, late)]
            await desk.trees.refresh()
            watch = reader("watch", "auditor", county.township)
            assert (await desk.read(watch, "/v1/deadlines"))["items"] == [], "nothing is to be done any more"
            told = len(county.appends)
            county.add((late, cases.DeadlineBreached(timer="T13", started_version=2, due_at=due)))
            await record(appender, county.appends[told:])
            await project_all(database.url)
            assert await fetch_due(connection, EVER, 10) == []

    asyncio.run(told())


def test_open_cases_from_before_there_were_clocks_are_found(database: Database) -> None:
    async def told() -> None:
        county, (old, new) = with_cases(2)
        county.add((new, started(EVER)))
        async with (
            appending(database.url) as appender,
            await AsyncConnection.connect(database.url, autocommit=True) as connection,
        ):
            await record(appender, county.appends)
            await project_all(database.url)
            assert await fetch_unclocked(connection, 10, NOBODY) == [old]

    asyncio.run(told())


def test_imports_are_known_while_they_are_open(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        first, second = new_id(), new_id()
        county.add((first, imports.ImportOpened(unit=county.villages[0])))
        county.add((second, imports.ImportOpened(unit=county.township)))
        async with (
            appending(database.url) as appender,
            await AsyncConnection.connect(database.url, autocommit=True) as connection,
        ):
            await record(appender, county.appends)
            await project_all(database.url)
            assert await fetch_open_imports(connection) == {county.villages[0], county.township}
            told = len(county.appends)
            county.add((second, imports.ImportClosed()))
            await record(appender, county.appends[told:])
            await project_all(database.url, forgetful=True)
            assert await fetch_open_imports(connection) == {county.villages[0]}

    asyncio.run(told())


_MANY = """
    INSERT INTO views.deadlines (stream_id, shard, known_from, known_until, occurred_from, row_key, clock_id,
        case_id, timer, version, position, state, started_at, due_at, wake_at, holder_unit, origin_unit,
        seen_from)
    SELECT id, 0, n, CASE n %% 3 WHEN 0 THEN n + 1 ELSE 9223372036854775807 END, now(), id, id, id, 'T13',
        2, n,
        CASE n %% 100 WHEN 1 THEN 'BREACHED' WHEN 2 THEN 'AWAITING' ELSE 'RUNNING' END, now(),
        CASE n %% 100 WHEN 2 THEN NULL ELSE now() + make_interval(mins => n) END,
        CASE WHEN n %% 100 > 2 THEN now() + make_interval(mins => n) END, id, id, n
    FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(1, %s) AS n) AS made
"""


def test_finding_what_is_due_among_many_costs_no_scan(database: Database) -> None:
    async def told() -> None:
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            await connection.execute(_MANY, [ROWS])
            await connection.execute("ANALYZE views.deadlines")
            asked = {
                "until": datetime.now(UTC) + timedelta(hours=2),
                "limit": 500,
                "held": [new_id()],
                "after": NOBODY,
                "after_at": BEFORE_ALL.wake_at,
                "after_case": BEFORE_ALL.case_id,
            }
            for query, index in ((DUE, "deadlines_waking"), (AWAITING, "deadlines_awaiting")):
                plan = await connection.execute(f"EXPLAIN {query}".encode(), asked)
                lines = "\n".join(line for (line,) in await plan.fetchall())
                assert f"Index Only Scan using {index}" in lines, lines
                assert "Seq Scan" not in lines
                assert "Filter: (state" not in lines

    asyncio.run(told())


def test_today_and_soon_are_days_of_shanghai_at_the_instant_of_the_answer(database: Database) -> None:
    async def told() -> None:
        county, (*due_cases, undated) = with_cases(9)
        today = datetime.now(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        for days, case_id in enumerate(due_cases):
            county.add((case_id, started(today.astimezone(UTC) + timedelta(days=days))))
        county.add((undated, started(None)))
        async with appending(database.url) as appender, asking(database.url) as desk:
            await record(appender, county.appends)
            await project_all(database.url)
            await desk.trees.refresh()
            watch = reader("watch", "auditor", county.township)
            answer = await desk.read(watch, "/v1/deadlines")
            # The first ended with yesterday: nobody has recorded its breach yet, so it is no figure's.
            assert [answer[name] for name in ("overdue", "due_today", "due_soon")] == [0, 1, 3]
            assert [item["case_id"] for item in answer["items"]] == [*map(str, due_cases), str(undated)]
            assert answer["items"][-1] | {"due_at": None, "state": "AWAITING"} == answer["items"][-1]
            wall = await desk.read(reader("wall", "dashboard", county.township), "/v1/deadlines")
            assert wall["items"] == []
            assert {"suppressed": True} == wall["due_today"] == wall["due_soon"]

    asyncio.run(told())
