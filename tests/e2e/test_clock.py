"""The clock at work: what falls due is recorded once, in order, however late."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from services.clock_worker import Timekeeper, timekeeper
from services.projections.standing import fetch_standing
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Recorded
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.sealing import MasterKey
from tests.conftest import Database
from tests.e2e.conftest import Anjie, Json, Town
from tests.e2e.reading import serving_a_module, settled


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    with serving_a_module(postgres, migrated_template, "clock", tmp_path_factory.mktemp("clock")) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    return settled(running)


class Clocks:
    """Several clocks over one database, each with connections of its own."""

    def __init__(self, database: Database, count: int) -> None:
        self._database = database
        self._count = count
        self._stack = AsyncExitStack()
        self._keepers: list[Timekeeper] = []

    async def __aenter__(self) -> "Clocks":
        for _ in range(self._count):
            keeper = timekeeper(self._database.url, MasterKey(bytes(32)))
            self._keepers.append(await self._stack.enter_async_context(keeper))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def tick(self, now: datetime) -> bool:
        """All of them at once; whether any had something to record."""
        return any(await asyncio.gather(*(keeper.tick(now) for keeper in self._keepers)))

    async def settle(self, now: datetime) -> None:
        """Until there is nothing left to do by now."""
        while await self.tick(now):
            pass

    async def known(self, position: int) -> None:
        """Until the read models are that far."""
        async with await psycopg.AsyncConnection.connect(self._database.url, autocommit=True) as connection:
            for _ in range(1_000):
                if (await fetch_standing(connection)).position >= position:
                    return
                await asyncio.sleep(0.01)
        raise AssertionError("the read models don't come up")


def clocks_of(running: Anjie, count: int = 1) -> Clocks:
    return Clocks(running.database, count)


async def stream_of(running: Anjie, case: Json) -> list[Recorded]:
    async with await psycopg.AsyncConnection.connect(running.database.url) as connection:
        events = await fetch_range(connection, 0, 1_000_000)
    return [event for event in events if str(event.stream_id) == case["case_id"]]


def opened(town: Town, *, days_ago: float) -> Json:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    return town.leader.done("/v1/cases", town.opening(occurred_at=at.isoformat()))


def known(town: Town, case: Json) -> Json:
    told: Json = town.township_officer.get(f"/v1/cases/{case['case_id']}").json()
    return told


def test_a_case_that_nobody_assigned_is_breached_once_and_told_to_the_village(
    running: Anjie, place: Town
) -> None:
    case = opened(place, days_ago=20)

    async def run() -> list[Recorded]:
        async with clocks_of(running, 3) as clocks:
            await clocks.known(case["position"])
            await clocks.settle(datetime.now(UTC))
            await clocks.settle(datetime.now(UTC))
        return await stream_of(running, case)

    events = asyncio.run(run())
    topics = [event.topic for event in events]
    assert topics == [
        "case.registered",
        "case.deadline_started",
        "case.deadline_breached",
        "case.level_notified",
    ]
    [ladder] = known(place, case)["deadlines"]
    assert (ladder["timer"], ladder["state"]) == ("T13", "BREACHED")
    breached = events[2]
    assert breached.occurred_at == datetime.fromisoformat(ladder["due_at"])
    assert (breached.actor_ref, breached.actor_role) == ("clock", "system")
    assert breached.recorded_at > breached.occurred_at


def test_nothing_is_due_before_its_time(running: Anjie, place: Town) -> None:
    case = opened(place, days_ago=0)

    async def run() -> list[Recorded]:
        async with clocks_of(running) as clocks:
            await clocks.known(case["position"])
            await clocks.settle(datetime.now(UTC))
        return await stream_of(running, case)

    assert "case.deadline_breached" not in [event.topic for event in asyncio.run(run())]


def test_an_act_in_time_that_is_recorded_late_voids_the_breach(running: Anjie, place: Town) -> None:
    case = opened(place, days_ago=10)
    path = f"/v1/cases/{case['case_id']}"

    async def run() -> None:
        async with clocks_of(running) as clocks:
            await clocks.known(case["position"])
            await clocks.settle(datetime.now(UTC))

    asyncio.run(run())
    before = known(place, case)
    accepted_at = datetime.fromisoformat(before["opened_at"]) + timedelta(minutes=5)
    accepted = place.leader.done(
        f"{path}/accept-case", {"occurred_at": accepted_at.isoformat()}, version=case["version"]
    )
    place.leader.done(
        f"{path}/escalate-case",
        {
            "to_level": "VILLAGE",
            "reason": "超出能力",
            "occurred_at": (accepted_at + timedelta(minutes=1)).isoformat(),
        },
        version=accepted["version"],
    )
    ladder = known(place, case)["deadlines"][0]
    assert (ladder["timer"], ladder["state"]) == ("T13", "VOIDED")


def test_a_late_command_carries_the_breach_that_no_clock_recorded(running: Anjie, place: Town) -> None:
    case = opened(place, days_ago=10)
    answer = place.leader.done(f"/v1/cases/{case['case_id']}/accept-case", version=case["version"])
    assert [event["topic"] for event in answer["events"]] == [
        "case.deadline_breached",
        "case.level_notified",
        "case.accepted",
    ]
    taken = place.village_officer.done(
        f"/v1/cases/{case['case_id']}/take-over-case", {"reason": "组内逾期"}, version=answer["version"]
    )
    assert (taken["holder_level"], taken["state"]) == ("VILLAGE", "IN_PROGRESS")


def test_while_an_import_is_open_nothing_falls_due_and_afterwards_all_of_it(
    running: Anjie, place: Town
) -> None:
    opening = place.operator.done("/v1/imports", {"unit": place.township, "note": "历史台账"})
    at = (datetime.now(UTC) - timedelta(days=400)).isoformat()
    headers = {"Anjie-Import": opening["import_id"]}
    case = place.leader.done("/v1/cases", place.opening(occurred_at=at), headers=headers)

    async def run(position: int) -> list[str]:
        async with clocks_of(running, 2) as clocks:
            await clocks.known(position)
            await clocks.settle(datetime.now(UTC))
        return [event.topic for event in await stream_of(running, case)]

    assert "case.deadline_breached" not in asyncio.run(run(case["position"]))
    closed = place.operator.done(f"/v1/imports/{opening['import_id']}/close")
    assert asyncio.run(run(closed["position"])).count("case.deadline_breached") == 1


def test_what_is_overdue_of_a_case_is_recorded_before_another_is_merged_into_it(
    running: Anjie, place: Town
) -> None:
    primary, duplicate = opened(place, days_ago=10), opened(place, days_ago=0)
    path = f"/v1/cases/{duplicate['case_id']}/merge-case"
    body = {"into_case_id": primary["case_id"], "reason": "同一事实"}
    answer = place.village_officer.done(path, body, version=duplicate["version"])
    there = [event["topic"] for event in answer["events"] if event["stream_id"] == primary["case_id"]]
    assert there == ["case.deadline_breached", "case.level_notified", "case.absorbed"]
