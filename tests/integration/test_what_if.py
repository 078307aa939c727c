"""A year of many cases replayed: which of them are looked at, in how many processes, and that all end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import psutil
import psycopg
import pytest
import uvloop

from services.projections.figures.queries import Period
from services.projections.reads.figure_reads import read_kpi
from services.projections.reads.moments import Moment
from services.projections.reads.progress import Progress
from services.projections.reads.selection import Selection
from services.projections.reads.sources import Sources
from services.projections.rebuild import rebuild
from services.projections.what_if.answer import Asked, read_what_if
from services.projections.what_if.judged import Judged, Question
from services.projections.what_if.run import WorkerEnded, judge_all, judge_few
from services.projections.what_if.scope import Scope, fetch_question
from services.projections.what_if.worker import Task
from shared.policy.actor import Actor
from shared.policy.packs import Pack, read_pack, shipped
from shared.runtime.database import service_pool
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.sealing import MasterKey
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault
from tests.benchmarks import made_year
from tests.conftest import Database, fresh_database

CASES: Final = 1_440
"""As many as there are lives, so that each is told of once."""
LIMIT: Final = 5_000
WHOLE_YEAR: Final = Period(first=date(2025, 1, 1), last=date(2025, 12, 31))
SPRING: Final = Period(first=date(2025, 4, 1), last=date(2025, 5, 31))
AUDITOR: Final = Actor(ref="auditor", role="auditor", unit=None)


def pack(group: str, village: str) -> Pack:
    return read_pack(
        "name: tried\nversion: 1\ntitle: {zh: 试行, en: Tried}\nextends: cn-default\n"
        f"ladder: {{value: {{GROUP: {group}, VILLAGE: {village}}}}}\n",
        file="tried.yaml",
    )


TRIED: Final = pack("{amount: 2, unit: WORKING_DAYS}", "{amount: 1, unit: WORKING_DAYS}")
LONG: Final = pack("{amount: 75, unit: CALENDAR_DAYS}", "{amount: 2, unit: MONTHS}")


@pytest.fixture(scope="module")
def year(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Database]:
    with fresh_database(postgres, migrated_template) as database:
        made_year.fill(database.owner_url, CASES)
        uvloop.run(rebuild(database.url))
        yield database


class Desk(NamedTuple):
    sources: Sources
    moment: Moment

    async def question(self, tried: Pack, unit: UUID | None, period: Period) -> Question:
        async with self.sources.pool.connection() as connection:
            return await fetch_question(
                connection,
                self.sources.trees,
                policy=tried.policy,
                unit=unit,
                period=period,
                moment=self.moment,
                limit=LIMIT,
            )


@asynccontextmanager
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with service_pool(database.url, name="test", connections_max=3) as pool:
        trees = Trees(pool)
        progress = Progress(pool, trees)
        stand = await progress.stand()
        moment = Moment(
            position=stand.position,
            instant=datetime.now(UTC),
            occurred=None,
            live=True,
            head=stand.position,
        )
        vault = Vault(pool, MasterKey(bytes(32)))
        yield Desk(Sources(pool=pool, trees=trees, vault=vault, progress=progress), moment)


async def given(case_ids: list[UUID], size: int) -> AsyncGenerator[list[UUID]]:
    for start in range(0, len(case_ids), size):
        yield case_ids[start : start + size]


def every_case(database: Database) -> list[UUID]:
    with psycopg.connect(database.url) as connection:
        return [
            case for (case,) in connection.execute("SELECT case_id FROM views.cases WHERE gone_at > 1e18")
        ]


@pytest.mark.parametrize("period", [WHOLE_YEAR, SPRING, Period(first=date(2025, 12, 25)), Period()])
@pytest.mark.parametrize("tried", [TRIED, LONG], ids=["short", "long"])
def test_no_case_is_left_out_that_counts(year: Database, period: Period, tried: Pack) -> None:
    async def replayed() -> None:
        async with desk(year) as at:
            for unit in (None, made_year.VILLAGES[3]):
                question = await at.question(tried, unit, period)
                task = Task(year.url, question, at.moment.position, None)
                scope = Scope(question, at.moment)
                async with at.sources.pool.connection() as connection:
                    count = await scope.count(connection)
                    found = await judge_few(task, scope.batches(connection, 400))
                every = await judge_few(task, given(every_case(year), 400))
                assert found.cases == count
                assert found._replace(cases=0) == every._replace(cases=0)
                if unit is None and period == SPRING:
                    assert 0 < count < CASES
                if unit is None and period == WHOLE_YEAR:
                    assert found.appear if tried is TRIED else found.vanish

    uvloop.run(replayed())


def test_what_is_recorded_is_what_the_statistics_say(year: Database) -> None:
    async def told() -> None:
        async with desk(year) as at:
            for unit in (made_year.TOWNSHIP, made_year.GROUP_IDS[7]):
                for period in (WHOLE_YEAR, SPRING):
                    kpi = await read_kpi(at.sources, Selection(unit=unit, period=period), at.moment)
                    asked = Asked(TRIED, unit, period, at.moment, 10)
                    found = await read_what_if(
                        at.sources.pool,
                        at.sources.trees,
                        asked,
                        AUDITOR,
                        processes=1,
                        on_progress=lambda done, count: None,
                    )
                    measures = found.members["measures"]
                    assert len(measures) == len(kpi["measures"]) - 2
                    for name, sides in measures.items():
                        assert sides["recorded"] == kpi["measures"][name], name
                    rates = found.members["on_time_rate"]
                    assert {timer: sides["recorded"] for timer, sides in rates.items()} == kpi["on_time_rate"]

    uvloop.run(told())


def test_the_rules_in_force_change_nothing(year: Database) -> None:
    text = shipped("cn-default")
    assert text is not None
    same = read_pack(text, file="cn-default.yaml")

    async def replayed() -> None:
        async with desk(year) as at:
            question = await at.question(same, None, WHOLE_YEAR)
            task = Task(year.url, question, at.moment.position, None)
            found = await judge_few(task, given(every_case(year), 400))
            assert (found.appear, found.vanish) == ([], [])
            assert found.recorded == found.replayed
            assert found.breaches["T13", "recorded"] == found.breaches["T13", "replayed"] > 100

    uvloop.run(replayed())


def test_many_processes_come_to_the_same_and_end(year: Database) -> None:
    async def replayed() -> None:
        async with desk(year) as at:
            question = await at.question(TRIED, None, WHOLE_YEAR)
            task = Task(year.url, question, at.moment.position, None)
            cases = every_case(year)
            seen: list[int] = []
            found = await judge_all(task, given(cases, 100), processes=2, on_progress=seen.append)
            assert found == await judge_few(task, given(cases, 400))
            assert seen == sorted(seen)
            assert seen[-1] == CASES
            assert workers() == []

    uvloop.run(replayed())


def test_whoever_stops_waiting_stops_the_processes(year: Database) -> None:
    async def left() -> None:
        async with desk(year) as at, endless(at, year) as (work, begun):
            await begun.wait()
            assert workers()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            assert workers() == []

    uvloop.run(left())


def test_a_process_that_is_killed_ends_all_with_a_reason(year: Database) -> None:
    async def killed() -> None:
        async with desk(year) as at, endless(at, year) as (work, begun):
            await begun.wait()
            workers()[0].kill()
            with pytest.raises(WorkerEnded):
                await work
            assert workers() == []

    uvloop.run(killed())


@asynccontextmanager
async def endless(at: Desk, year: Database) -> AsyncIterator[tuple[asyncio.Task[Judged], asyncio.Event]]:
    """Work that doesn't end by itself, and that it has begun to be done."""
    question = await at.question(TRIED, None, WHOLE_YEAR)
    task = Task(year.url, question, at.moment.position, None)
    cases, begun = every_case(year)[:50], asyncio.Event()

    async def batches() -> AsyncGenerator[list[UUID]]:
        while True:
            yield cases

    work = asyncio.create_task(judge_all(task, batches(), processes=2, on_progress=lambda done: begun.set()))
    try:
        yield work, begun
    finally:
        work.cancel()


def workers() -> list[psutil.Process]:
    """The processes that judge for this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        # One that has ended may still be waiting to be asked how.
        with suppress(psutil.NoSuchProcess):
            if "services.projections.what_if.worker" in child.cmdline():
                found.append(child)
    return found
