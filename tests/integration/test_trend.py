"""A trend says of each day what asking for that evening says, and what a plain count of the events gives."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.jurisdiction import tree_of
from shared.policy.moments import SHANGHAI
from shared.runtime.identifiers import new_id
from tests import naive
from tests.asking import Desk, Json, asking, reader
from tests.conftest import Database
from tests.histories import County, Move, moves, play, recorded
from tests.projecting import appending, head_of, project_all, record

SUPPRESSED = {"suppressed": True}
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 9)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def evening(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI) - timedelta(microseconds=1)


@settings(
    max_examples=4,
    # Shrinking a history that is written to a database takes longer than the suite may.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=moves(200), data=st.data())
def test_a_trend_equals_the_reads_of_each_evening(
    database: Database, drawn: list[Move], data: st.DataObject
) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url), neighbour=new_id())
        county.settle()
        play(county, drawn)
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        events = recorded(county.appends)
        units = [county.township, county.villages[0], county.groups[2]]
        async with asking(database.url) as desk:
            for _ in range(4):
                unit = data.draw(st.sampled_from(units), label="unit")
                at = {"at_position": data.draw(st.sampled_from(events), label="known").position}
                overseer = reader("watch", "auditor", None)
                trend = await trend_of(desk, overseer, unit=unit, **at)
                assert trend == [plain_day(events, county, unit, at["at_position"], day) for day in DAYS]
                wall = reader("wall", "dashboard", unit)
                for actor in (overseer, wall):
                    shown = await trend_of(desk, actor, unit=unit, **at)
                    assert [day["open"] for day in shown] == [
                        (await evening_read(desk, actor, unit, day, **at))["total"] for day in DAYS
                    ]
                check_kept_back(trend, shown, whole=unit == county.township)

    asyncio.run(told())


def test_the_last_day_ends_with_the_moment_asked_for(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        play(county, [("open", number, 1, 0) for number in range(3)])
        opened = [append[0].occurred_at for append in county.appends[-3:]]
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        overseer = reader("watch", "auditor", None)
        async with asking(database.url) as desk:
            at = opened[1].isoformat()
            answer = await desk.read(overseer, "/v1/trend", at_occurred=at)
            assert len(answer["days"]) == 90
            day = str(opened[1].astimezone(SHANGHAI).date())
            assert answer["days"][-1] == {"on": day, "came": 2, "left": 0, "open": 2}
            now = (await desk.read(overseer, "/v1/trend"))["days"][-1]
            assert now["on"] == str(datetime.now(UTC).astimezone(SHANGHAI).date())
            assert now["open"] == (await desk.read(overseer, "/v1/backlog", by="origin"))["total"] == 3

    asyncio.run(told())


async def trend_of(desk: Desk, actor: Actor, **query: object) -> list[Json]:
    days: list[Json] = (await desk.read(actor, "/v1/trend", from_=FIRST, to=LAST, **query))["days"]
    return days


async def evening_read(desk: Desk, actor: Actor, unit: UUID, day: date, **at: object) -> Json:
    occurred = evening(day).isoformat()
    return await desk.read(actor, "/v1/backlog", by="origin", unit=unit, at_occurred=occurred, **at)


def plain_day(events: list[Recorded], county: County, unit: UUID, position: int, day: date) -> Json:
    """The day by folding all events anew as of each instant of it."""
    known = [event for event in events if event.position <= position]
    tree = tree_of((event for event in known if event.topic.startswith("unit.")), at_occurred=evening(day))
    within = set(tree.subtree(unit))

    def open_at(instant: datetime) -> set[UUID]:
        lives = naive.lives(naive.seen(known, position, instant))
        return {life.case_id for life in lives if life.state in naive.OPEN and life.unit in within}

    came = left = 0
    before = open_at(evening(day - timedelta(days=1)))
    for instant in sorted({event.occurred_at for event in known if naive.shanghai(event.occurred_at) == day}):
        after = open_at(instant)
        came, left = came + len(after - before), left + len(before - after)
        before = after
    return {"on": str(day), "came": came, "left": left, "open": len(open_at(evening(day)))}


def check_kept_back(trend: list[Json], shown: list[Json], *, whole: bool) -> None:
    """A dashboard is told what came and left where none of it, nor the backlogs around, is small."""
    before = None
    for true, told in zip(trend, shown, strict=True):
        turned = (told["came"], told["left"])
        if turned == (SUPPRESSED, SUPPRESSED):
            assert not whole or min(true["came"], true["left"]) < 5 or SUPPRESSED in (before, told["open"])
        else:
            assert whole
            assert turned == (true["came"], true["left"])
            assert min(turned) >= 5
            assert SUPPRESSED not in (before, told["open"])
        before = told["open"]
