"""A simulated time of a small county: people act, clocks look every hour, and things go wrong meanwhile.

Commands go the product's own way (`Desk`), and so do the clocks (`Timekeeper`) and the read models
(`Runner`), against a real ledger; only the time that each is told is made up. Everything is drawn from
one seed, so a history comes out again but for the very moment at which a blow strikes.
"""

import asyncio
import heapq
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from services.clock_worker import Timekeeper, timekeeper
from services.projections.feeding import LedgerSource
from services.projections.runner import Runner
from services.projections.standing import fetch_standing
from shared.events.ledger.feed import Feed
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.events.recorded import LedgerUnavailable, QueueFull, Recorded
from shared.policy.jurisdiction import UnitTree
from shared.runtime.database import service_pool
from shared.runtime.sealing import MasterKey
from tests.conftest import Database
from tests.soak.faults import SKEW_H_MAX, Faults, Weather
from tests.soak.people import People, people
from tests.unit.casework import TREE

START: Final = datetime(2025, 9, 24, 2, tzinfo=UTC)
"""A Wednesday before a working Sunday and the holidays of National Day."""
_BEFORE: Final = timedelta(days=65)
"""How old the oldest cases are at the start, when the clocks look for the first time."""
_HOUR: Final = timedelta(hours=1)
_PAUSES_H: Final = (0.1, 0.5, 2, 8, 24, 72)
"""Between two things that happen to a case."""
_MASTER: Final = MasterKey(bytes(32))
_CLOCKS: Final = 3
_WAITED_S: Final = 0.15
"""How long a clock is waited for while the projector is away and so nothing it recorded becomes known."""
_CHECKED_H: Final = 12
"""How often a clock looks once more when nothing disturbs it, and so should leave nothing to say."""

CLOCK_WAITS: Final = (psycopg.Error, PoolTimeout, LedgerUnavailable, QueueFull)
"""What a clock outlives: it looks again."""


class Look(NamedTuple):
    """Nothing disturbed a clock at this time, and it knew of all up to a position."""

    now: datetime
    position: int


class Import(NamedTuple):
    """What came in while an import was open, which the clocks knew of."""

    case_ids: Sequence[UUID]
    closed: int
    """Position of its end."""


@dataclass
class History:
    """What came of a simulated time."""

    end: datetime
    tree: UnitTree = TREE
    events: list[Recorded] = field(default_factory=list)
    cases: list[UUID] = field(default_factory=list)
    times: set[datetime] = field(default_factory=set)
    """Every time that any clock was told."""
    undisturbed: list[Look] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    blows: int = 0


async def simulate(
    database: Database, seed: int, *, start: datetime = START, days: int = 7, cases: int = 24
) -> History:
    """A simulated time of so many days, in which all the clocks come to rest at the end."""
    draw = Random(seed)
    async with AsyncExitStack() as stack:
        working = await stack.enter_async_context(people(database.url, _MASTER, draw))
        keepers = [await stack.enter_async_context(timekeeper(database.url, _MASTER)) for _ in range(_CLOCKS)]
        projecting = await stack.enter_async_context(Projecting(database.url))
        county = _County(database, working, keepers, projecting, start + timedelta(days=days))
        await working.settle(start - 2 * _BEFORE)
        await county.live(draw, start, cases)
        await county.come_to_rest()
    return county.history


class Projecting:
    """The projector, which may be away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Projecting":
        self._pool = await self._stack.enter_async_context(
            service_pool(self._url, name="feed", connections_max=1)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.away(True)
        await self._stack.aclose()

    async def away(self, away: bool) -> None:
        if away and self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        elif not away and self._task is None:
            self._task = asyncio.create_task(Runner(self._url, LedgerSource(Feed(self._pool))).run())

    async def caught_up(self) -> int:
        """Waits until everything recorded so far is known, and answers up to which position that is."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            head = (await fetch_head(connection)).position
            async with asyncio.timeout(60):
                while (await fetch_standing(connection)).position < head:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        return head


class _County:
    def __init__(
        self,
        database: Database,
        working: People,
        keepers: Sequence[Timekeeper],
        projecting: Projecting,
        end: datetime,
    ) -> None:
        self._database = database
        self._people = working
        self._keepers = keepers
        self._projecting = projecting
        self._agenda: list[tuple[datetime, int, UUID | None]] = []
        """When something happens next, to which case; to a new one, None."""
        self.history = History(end)

    async def live(self, draw: Random, start: datetime, cases: int) -> None:
        """Half of the cases are older than the start; at some hour an import comes and goes."""
        end = self.history.end
        for number in range(cases):
            opens = start - _BEFORE * draw.random() if number % 2 else start + (end - start) * draw.random()
            heapq.heappush(self._agenda, (opens, number, None))
        faults = Faults(draw, start, end, len(self._keepers))
        importing = start + (end - start) * draw.uniform(0.1, 0.9)
        now = start
        while now <= end:
            await self._act(draw, now)
            if now <= importing < now + _HOUR:
                await self._import(draw, now)
            await self._hour(draw, faults.at(now), now)
            now += _HOUR

    async def _act(self, draw: Random, until: datetime) -> None:
        """What people do up to then."""
        while self._agenda[0][0] <= until:
            at, number, case_id = self._agenda[0]
            if case_id is None:
                case_id = await self._people.open(at)
            else:
                await self._people.act(case_id, at)
            pause = timedelta(hours=draw.choice(_PAUSES_H) * draw.uniform(0.5, 1.5))
            heapq.heapreplace(self._agenda, (at + pause, number, case_id))

    async def _hour(self, draw: Random, weather: Weather, now: datetime) -> None:
        """The clocks look, all at once, until none has anything left to record or something strikes."""
        await self._projecting.away(weather.projector_away)
        told = [
            (keeper, now + skew)
            for keeper, skew in zip(self._keepers, weather.skews, strict=True)
            if skew is not None
        ]
        if not told:
            return
        tasks = [asyncio.create_task(self._look(keeper, at)) for keeper, at in told]
        if weather.blow is not None:
            self.history.blows += 1
            await asyncio.sleep(draw.uniform(0, 0.02))
        if weather.blow == "CUT_OFF":
            draw.choice(tasks).cancel()
        elif weather.blow == "DISCONNECTED":
            await self._disconnect_clocks()
        _, unfinished = await asyncio.wait(tasks, timeout=_WAITED_S if weather.projector_away else None)
        for task in unfinished:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        right = [keeper for keeper, at in told if at == now]
        if right and not weather.projector_away and now.hour % _CHECKED_H == 0:
            await self._look_undisturbed(right[0], now)

    async def _look_undisturbed(self, keeper: Timekeeper, now: datetime) -> bool:
        """Whether the clock got through: what happened before may still have broken its connections."""
        position = await self._projecting.caught_up()
        complete = await self._look(keeper, now)
        if complete:
            self.history.undisturbed.append(Look(now, position))
        return complete

    async def _look(self, keeper: Timekeeper, now: datetime) -> bool:
        """Whether the clock got through to the end."""
        self.history.times.add(now)
        try:
            while await keeper.tick(now):
                pass
        except CLOCK_WAITS:
            return False
        return True

    async def _import(self, draw: Random, now: datetime) -> None:
        """An import that lasts an hour, in which the clocks look twice, with the projector at hand."""
        await self._projecting.away(False)
        import_id = await self._people.begin_import(now)
        case_ids = []
        for _ in range(6):
            case_ids.append(await self._people.bring(import_id, now))
            if draw.random() < 0.5:
                await asyncio.gather(*(self._look(keeper, now) for keeper in self._keepers))
        await self._projecting.caught_up()
        await asyncio.gather(*(self._look(keeper, now) for keeper in self._keepers))
        await self._people.end_import(import_id, now)
        self.history.imports.append(Import(case_ids, await self._projecting.caught_up()))

    async def come_to_rest(self) -> None:
        """Nothing strikes any more; time that goes back once again changes nothing.

        By then it is as late as any clock was told that it was.
        """
        history = self.history
        history.end += timedelta(hours=SKEW_H_MAX)
        await self._projecting.away(False)
        for now in (history.end, history.end - timedelta(days=3), history.end):
            async with asyncio.timeout(60):
                while not await self._look_undisturbed(self._keepers[0], now):
                    pass
        history.cases = [*self._people.cases, *(id for each in history.imports for id in each.case_ids)]
        async with await psycopg.AsyncConnection.connect(self._database.url) as connection:
            history.events = await fetch_range(connection, 0, 10_000_000)

    async def _disconnect_clocks(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._database.owner_url, autocommit=True
        ) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'anjie clock' AND datname = current_database()"
            )
