"""Following the ledger through killed connections, rivals, poisoned streams and rebuilds."""

import asyncio
from random import Random
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from services.projections.cases.projector import CaseProjector, CaseState
from services.projections.catalogue import TABLES, projector_of
from services.projections.feeding import BATCH_EVENTS_MAX, LedgerSource
from services.projections.figures.facts import visit_fact
from services.projections.figures.tallies import tally
from services.projections.operations import UnknownView, rebuild, retry_parked, status
from services.projections.rebuild import RebuildBusy, workshop
from services.projections.runner import Runner
from services.projections.standing import CHANGED
from services.projections.temporal import FOREVER, Projector, Row
from services.projections.worker import project
from shared.events.base import Event
from shared.events.cases import CaseAccepted
from shared.events.ledger.feed import Feed
from shared.events.recorded import Recorded
from shared.runtime.database import service_pool
from tests.benchmarks.made_history import fill
from tests.conftest import Database
from tests.histories import Appends, County, play
from tests.projecting import appending, caught_up, following, must_hold, project_all, record, rows_of

CASES = [("open", which, 1, 0) for which in range(6)] + [("accept", 0, 1, 0)] * 6


def county_of(seed: int, size: int, *, position: int = 0) -> County:
    """A history that is the same at every run, late events in it."""
    random = Random(seed)
    county = County(position=position)
    county.settle()
    names = ("open", "accept", "resolve", "merge", "visit", "escalate", "receive", "classify", "note")
    play(
        county,
        [
            (random.choice(names), random.randrange(8), random.randrange(12), random.choice((0, 0, 0, 5, 90)))
            for _ in range(size)
        ],
    )
    return county


def test_connections_killed_mid_batch_lose_and_double_nothing(database: Database) -> None:
    async def told() -> None:
        county = county_of(1, 400)
        async with appending(database.url) as appender, following(database.url):
            recording = asyncio.create_task(record(appender, county.appends))
            async with await AsyncConnection.connect(database.url, autocommit=True) as killer:
                while not recording.done():
                    await killer.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'anjie projections' AND datname = current_database()"
                    )
                    await asyncio.sleep(0.13)
            await recording
            await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


def test_a_worker_cut_off_anywhere_goes_on_where_its_rows_stand(database: Database) -> None:
    async def told() -> None:
        county = county_of(2, 300)
        async with appending(database.url) as appender:
            recording = asyncio.create_task(record(appender, county.appends))
            for pause_ms in range(1, 40, 3):
                async with following(database.url):
                    await asyncio.sleep(pause_ms / 1000)
            await recording
        async with following(database.url):
            await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


def test_two_workers_on_the_same_shards_write_everything_once(database: Database) -> None:
    async def told() -> None:
        county = county_of(3, 300)
        async with appending(database.url) as appender, following(database.url), following(database.url):
            await record(appender, county.appends)
            await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


def test_workers_may_divide_the_shards(database: Database) -> None:
    async def told() -> None:
        county = county_of(4, 200)
        async with appending(database.url) as appender:
            async with following(database.url, only=[0, 3]):
                await record(appender, county.appends[:100])
            async with following(database.url, only=[1, 2]), following(database.url, only=[0, 3]):
                await record(appender, county.appends[100:])
                await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


class Poisoned(CaseProjector):
    """Fails at the acceptance of some cases, in telling them or only in what it would have written."""

    def __init__(self, untellable: UUID, unwritable: UUID, place: int, poison: object) -> None:
        """`poison` is what the rows of the unwritable case have at a place."""
        self.untellable = untellable
        self.unwritable = unwritable
        self.place = place
        self.poison = poison

    def evolve(self, state: CaseState | None, recorded: Recorded, event: Event) -> CaseState:
        if recorded.stream_id == self.untellable and isinstance(event, CaseAccepted):
            raise ValueError("poison")
        return super().evolve(state, recorded, event)

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        rows, case = super().rows(state), state.case
        if case is None or case.case_id != self.unwritable or case.version == 1:
            return rows
        table, values = rows[0]
        return (Row(table, (*values[: self.place], self.poison, *values[self.place + 1 :])), *rows[1:])


@pytest.mark.parametrize(
    ("column", "poison", "reason"),
    [("state", "NUL \x00", "CharacterNotInRepertoire"), ("version", 2**31, "error: ")],
)
def test_poisoned_streams_stand_still_alone_until_they_are_retried(
    database: Database, column: str, poison: object, reason: str
) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        play(county, CASES)
        first, second = county.cases[0].case_id, county.cases[1].case_id
        poisoned = Poisoned(first, second, list(TABLES["cases"].columns).index(column), poison)

        def projectors(topic: str) -> Projector[Any] | None:
            return poisoned if topic.startswith("case.") else projector_of(topic)

        async with appending(database.url) as appender:
            await record(appender, county.appends)
        # The first batch ends between opening and accepting, so that rows to end are there already.
        assert await project_all(database.url, batch=12, projectors=projectors) == county.position
        parked = (await status(database.url)).parked
        accepted = {o.stream_id: o.position for append in county.appends for o in append if o.version == 2}
        assert {stream.stream_id: stream.position for stream in parked} == {
            first: accepted[first],
            second: accepted[second],
        }
        reasons = {stream.stream_id: stream.reason for stream in parked}
        assert reasons[first] == "ValueError: poison"
        assert reasons[second].startswith(reason)
        states = {row["case_id"]: row["version"] for row in await live_cases(database.url)}
        assert states.pop(str(first)) == states.pop(str(second)) == 1
        assert set(states.values()) == {2}

        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            while await tally(connection, stretch=1):
                pass
        generation = (await status(database.url)).generation
        report = await retry_parked(database.url)
        assert (report.retried, report.parked) == (2, [])
        assert (await status(database.url)).generation == generation + 1
        await must_hold(database.url)
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            assert await tally(connection, stretch=1), "what came in afterwards is tallied anew"
        await must_hold(database.url)
        assert {row["version"] for row in await live_cases(database.url)} == {2}

    asyncio.run(told())


class Alone(CaseProjector):
    """A row for each event by itself, of which the tables refuse the second."""

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        household_ref = "NUL \x00" if recorded.version == 2 else None
        return (visit_fact(recorded, recorded.stream_id, household_ref, recorded.stream_id),)

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        return ()


def test_what_was_told_on_top_of_rows_that_the_tables_refuse_is_not_stored(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        play(county, [("open", 0, 1, 0), *[("note", 0, 1, 0)] * 5, ("open", 1, 1, 0)])
        [first, second] = (case.case_id for case in county.cases)
        positions = [o.position for append in county.appends for o in append if o.stream_id == first]
        assert len(positions) > 3
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        alone = Alone()
        await project_all(
            database.url, batch=1, projectors=lambda topic: alone if topic.startswith("case.") else None
        )
        [parked] = (await status(database.url)).parked
        assert (parked.stream_id, parked.position) == (first, positions[1])
        stored = [(row["stream_id"], row["known_from"]) for row in (await rows_of(database.url))["facts"]]
        assert stored == [(str(first), positions[0]), (str(second), county.position)]

    asyncio.run(told())


async def live_cases(url: str) -> list[dict[str, Any]]:
    rows = (await rows_of(url))["cases"]
    return [row for row in rows if row["gone_at"] == FOREVER]


def test_an_exchange_gives_way_to_a_reader_that_it_would_lock_up_with(database: Database) -> None:
    async def told() -> None:
        await project_all(database.url)
        async with (
            await AsyncConnection.connect(database.url, autocommit=True) as watching,
            await AsyncConnection.connect(database.url, autocommit=True) as reading,
        ):
            async with reading.transaction():
                await reading.execute("SELECT FROM views.tallied_units")
                rebuilding = asyncio.create_task(rebuild(database.url, ["figures"]))
                waiting = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
                for _ in range(1_000):
                    if (await watching.execute(waiting)).rowcount:
                        break
                    await asyncio.sleep(0.01)
                # Which the exchange has dropped by now, and waits for the other.
                await reading.execute("SELECT FROM views.facts")
            await rebuilding

    asyncio.run(told())


def test_a_rebuild_while_events_come_in_shows_no_gap_and_misses_nothing(database: Database) -> None:
    async def told() -> None:
        county = county_of(5, 500)
        before = (await status(database.url)).generation
        async with appending(database.url) as appender, following(database.url):
            recording = asyncio.create_task(record(appender, county.appends))
            rebuilding = asyncio.create_task(rebuild_again(database.url, recording))
            counts = await watch(database.url, rebuilding)
            await recording
            rebuilds = await rebuilding
            await caught_up(database.url)
        assert counts == sorted(counts)
        assert (await status(database.url)).generation == before + rebuilds
        await must_hold(database.url)

    asyncio.run(told())


async def rebuild_again(url: str, until: asyncio.Task[None]) -> int:
    """Rebuilds over and over, now everything and now a part."""
    rebuilds = 0
    while not until.done():
        await rebuild(url, [] if rebuilds % 2 else ["urgent_board"])
        rebuilds += 1
    return rebuilds


async def watch(url: str, until: asyncio.Task[int]) -> list[int]:
    """How many rows of registrations a reader finds, asking without pause."""
    counts = []
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        while not until.done():
            found = await connection.execute("SELECT count(*) FROM views.cases WHERE version = 1")
            counts += [n for (n,) in await found.fetchall()]
    return counts


def test_one_rebuild_at_a_time_and_of_known_views_only(database: Database) -> None:
    async def told() -> None:
        async with workshop(database.url, "views_check"):
            with pytest.raises(RebuildBusy):
                await rebuild(database.url)
        with pytest.raises(UnknownView):
            await rebuild(database.url, ["backlog"])

    asyncio.run(told())


def test_a_parked_stream_stays_parked_when_only_some_views_are_rebuilt(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        play(county, CASES)
        poisoned = Poisoned(county.cases[0].case_id, county.cases[0].case_id, 1, "NUL \x00")
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(
            database.url, projectors=lambda topic: poisoned if topic.startswith("case.") else None
        )
        before = await rows_of(database.url)
        await rebuild(database.url, ["cases"])
        assert (await rows_of(database.url))["cases"] == before["cases"]
        assert len((await status(database.url)).parked) == 1
        await rebuild(database.url)
        assert (await status(database.url)).parked == []
        await must_hold(database.url)

    asyncio.run(told())


def test_a_changed_definition_is_made_anew_before_the_worker_follows(database: Database) -> None:
    async def told() -> None:
        county = county_of(6, 100)
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            await connection.execute("UPDATE views.models SET definition = 'old' WHERE name = 'figures'")
            await connection.execute("ALTER TABLE views.facts DROP COLUMN level, ADD COLUMN stale int")
            # A database of an earlier version has never heard of a read model that is new.
            await connection.execute("DELETE FROM views.models WHERE name = 'deadlines'")
            await connection.execute("DROP TABLE views.deadlines CASCADE")
        worker = asyncio.create_task(project(database.url))
        more: Appends = county_of(7, 50, position=county.position).appends
        async with appending(database.url) as appender:
            await record(appender, more)
        await caught_up(database.url)
        worker.cancel()
        await asyncio.wait([worker])
        await must_hold(database.url)

    asyncio.run(told())


def test_whoever_listens_hears_of_every_position(database: Database) -> None:
    async def told() -> None:
        county = county_of(8, 20)
        async with await AsyncConnection.connect(database.url, autocommit=True) as listener:
            await listener.execute(f"LISTEN {CHANGED}".encode())
            async with appending(database.url) as appender, following(database.url):
                await record(appender, county.appends)
                heard = 0
                async with asyncio.timeout(10):
                    async for notified in listener.notifies():
                        heard = int(notified.payload)
                        if heard == county.position:
                            break
            assert heard == county.position

    asyncio.run(told())


@pytest.mark.parametrize(("events", "many"), [(300, False), (6_000, True)])
def test_a_worker_has_time_to_spare_but_for_while_it_tells_many_events(
    database: Database, events: int, many: bool
) -> None:
    async def told() -> None:
        spare = []

        def noted(topic: str) -> Projector[Any] | None:
            spare.append(runner.spare.is_set())
            return projector_of(topic)

        async with service_pool(database.url, name="test", connections_max=1) as pool:
            feed = Feed(pool, batch_max=BATCH_EVENTS_MAX)
            runner = Runner(database.url, LedgerSource(feed), projectors=noted)
            running = asyncio.create_task(runner.run())
            await caught_up(database.url)
            assert set(spare) == {not many}
            async with asyncio.timeout(30):
                await runner.spare.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    fill(database.owner_url, events)
    asyncio.run(told())
