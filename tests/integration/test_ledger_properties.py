"""Whatever concurrent writers do and whoever dies: the ledger is dense, whole and read once, in order."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from shared.events.ledger.appender import Appender
from shared.events.ledger.feed import Feed
from shared.events.ledger.loader import StreamLoader
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.events.recorded import Append, Appended, AppendRefused, LedgerUnavailable, Recorded
from shared.runtime.database import Pool
from shared.runtime.postgres import SUPERUSER, EmbeddedPostgres
from tests.conftest import Database
from tests.integration.appends import new_append, new_key, open_pool, until

_KILL = (
    b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    b"WHERE datname = current_database() AND usename = 'anjie_service' AND pid <> pg_backend_pid()"
)
_AGAIN_S = 0.01


class Command(NamedTuple):
    streams: tuple[int, ...]
    """Which of the streams that all writers share; the last number is the writer's own."""
    events: int
    """How many for each stream."""
    key: int | None
    body: int
    person: int | None
    misread: int
    """By how much the version is mistaken that the command goes by."""
    cancelled: bool


class Kill(NamedTuple):
    """Every connection of the services ends."""


_SHARED, _OWN = 3, 3
_commands = st.builds(
    Command,
    streams=st.sets(st.integers(0, _OWN), min_size=1, max_size=3).map(tuple),
    events=st.integers(1, 3),
    key=st.none() | st.integers(0, 5),
    body=st.sampled_from([0, 0, 0, 1]),
    person=st.none() | st.integers(0, 5),
    misread=st.sampled_from([0, 0, 0, 0, 0, -1, 1]),
    cancelled=st.sampled_from([False, False, False, False, True]),
)
_kills = st.builds(Kill)
_writers = st.lists(
    st.lists(_commands | _commands | _commands | _commands | _kills, max_size=8), min_size=1, max_size=8
)


@dataclass
class Sent:
    append: Append
    acknowledged: Appended | None = None
    refused: bool = False


@dataclass
class World:
    """What the writers of one run share, and what they sent."""

    loader: StreamLoader
    appenders: Sequence[Appender]
    killer: psycopg.AsyncConnection
    streams: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(_SHARED)])
    persons: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(6)])
    keys: int = field(default_factory=lambda: uuid4().int)
    sent: list[Sent] = field(default_factory=list)

    async def write(self, number: int, program: Sequence[Command | Kill]) -> None:
        own = uuid4()
        appender = self.appenders[number % len(self.appenders)]
        for step in program:
            if isinstance(step, Kill):
                await self.killer.execute(_KILL)
            else:
                await self._send(appender, await self._decide(step, [*self.streams, own]), step.cancelled)

    async def _decide(self, command: Command, streams: Sequence[UUID]) -> Append:
        wanted = [streams[number] for number in command.streams]
        while True:
            try:
                loaded = await self.loader.load(wanted)
                break
            except LedgerUnavailable:
                await asyncio.sleep(_AGAIN_S)
        versions = {id_: len(loaded.streams[id_]) + 1 + command.misread for id_ in wanted}
        return new_append(
            *((id_, max(versions[id_], 1), command.events) for id_ in wanted),
            key=None if command.key is None else new_key((self.keys + command.key) % 2**128, command.body),
            persons=[] if command.person is None else [self.persons[command.person]],
        )

    async def _send(self, appender: Appender, append: Append, cancelled: bool) -> None:
        sent = Sent(append)
        self.sent.append(sent)
        while True:
            task = asyncio.create_task(appender.append(append))
            if cancelled:
                await asyncio.sleep(0)
                task.cancel()
            try:
                sent.acknowledged = await task
                return
            except AppendRefused:
                sent.refused = True
                return
            except asyncio.CancelledError:
                return
            except LedgerUnavailable:
                if append.idempotency is None:
                    return
                await asyncio.sleep(_AGAIN_S)


@asynccontextmanager
async def world_of(database: Database, killer_url: str) -> AsyncIterator[tuple[World, Pool]]:
    async with (
        open_pool(database.url) as first,
        open_pool(database.url) as second,
        StreamLoader(first) as loader,
        Appender(first) as one,
        Appender(second, group_events_max=5) as other,
        await psycopg.AsyncConnection.connect(killer_url, autocommit=True) as killer,
    ):
        yield World(loader, (one, other), killer), second


async def tail(pool: Pool, after: int, seen: list[Recorded]) -> None:
    async for batch in Feed(pool, batch_max=7).follow(after):
        assert 1 <= len(batch) <= 7
        seen.extend(batch)


def event_ids(append: Append) -> list[UUID]:
    return [event.event_id for event in append.events]


def check(sent: Sequence[Sent], history: Sequence[Recorded], vault: dict[UUID, int]) -> None:
    """Every acknowledged append whole and where it was said to be, every refused one absent."""
    start = history[0].position if history else 0
    stored_ids = {event.event_id for event in history}
    by_first_event = {one.append.events[0].event_id: one for one in sent}
    used: dict[bytes, Append] = {}
    for one in sent:
        ids = event_ids(one.append)
        present = [id_ for id_ in ids if id_ in stored_ids]
        assert present in ([], ids)
        if one.refused:
            assert present == []
        if one.acknowledged is not None:
            found = history[
                one.acknowledged.first_position - start : one.acknowledged.last_position - start + 1
            ]
            assert {event.recorded_at for event in found} == {one.acknowledged.recorded_at}
            answered = by_first_event[found[0].event_id].append
            assert [event.event_id for event in found] == event_ids(answered)
            assert answered.idempotency == one.append.idempotency
            assert answered is one.append or one.acknowledged.repeated
        if present:
            key = one.append.idempotency
            if key is not None:
                assert key.key_hash not in used
                used[key.key_hash] = one.append
            positions = [event.position for event in history if event.event_id in ids]
            assert positions == list(range(positions[0], positions[0] + len(ids)))
            assert all(vault.pop(sealing.key_id) == positions[0] for sealing in one.append.keys)
    assert vault == {}


def check_dense(history: Sequence[Recorded], after: int) -> None:
    assert [event.position for event in history] == list(range(after + 1, after + 1 + len(history)))
    versions = defaultdict(list)
    for event in history:
        versions[event.stream_id].append(event.version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    times = [event.recorded_at for event in history]
    assert times == sorted(times)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs=_writers)
def test_concurrent_writers_and_killed_connections(
    database: Database, postgres: EmbeddedPostgres, programs: list[list[Command | Kill]]
) -> None:
    name = str(conninfo_to_dict(database.url)["dbname"])

    async def run() -> None:
        async with (
            world_of(database, postgres.url(SUPERUSER, name)) as (world, pool),
            await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as reader,
        ):
            after = (await fetch_head(reader)).position
            seen: list[Recorded] = []
            tailing = asyncio.create_task(tail(pool, after, seen))
            await asyncio.gather(*(world.write(n, program) for n, program in enumerate(programs)))
            await asyncio.gather(*(appender.close() for appender in world.appenders))
            history = await fetch_range(reader, after, 10_000)
            await until(lambda: len(seen) >= len(history))
            tailing.cancel()
            assert seen == history
            check_dense(history, after)
            keys = await reader.execute(
                "SELECT key_id, position FROM vault.keys WHERE position > %s", (after,)
            )
            check(world.sent, history, dict(await keys.fetchall()))

    asyncio.run(run())


def expected_outcomes(appends: Sequence[Append]) -> list[str]:
    """What becomes of appends that come one after another, by the rules alone."""
    versions: dict[object, int] = defaultdict(int)
    bodies: dict[bytes, bytes] = {}
    taken: set[UUID] = set()
    outcomes = []
    for append in appends:
        key = append.idempotency
        heads = dict(versions)
        for event in append.events:
            if event.originator_version == heads.get(event.originator_id, 0) + 1:
                heads[event.originator_id] = event.originator_version
            else:
                heads = {}
                break
        if key is not None and key.key_hash in bodies:
            outcomes.append("repeated" if bodies[key.key_hash] == key.body_hash else "KeyReused")
        elif any(sealing.key_id in taken for sealing in append.keys):
            outcomes.append("PersonTaken")
        elif not heads:
            outcomes.append("StreamConflict")
        else:
            outcomes.append("accepted")
            versions.update(heads)
            taken.update(sealing.key_id for sealing in append.keys)
            if key is not None:
                bodies[key.key_hash] = key.body_hash
    return outcomes


def outcome(answer: Appended | BaseException) -> str:
    if isinstance(answer, Appended):
        return "repeated" if answer.repeated else "accepted"
    return type(answer).__name__


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(_commands, max_size=40), data=st.data())
def test_a_group_comes_to_the_same_as_one_after_another(
    database: Database, commands: list[Command], data: st.DataObject
) -> None:
    streams, persons = [uuid4() for _ in range(_OWN + 1)], [uuid4() for _ in range(6)]
    keys = uuid4().int
    appends = [
        new_append(
            *((streams[n], data.draw(st.integers(1, 3)), command.events) for n in command.streams),
            key=None if command.key is None else new_key((keys + command.key) % 2**128, command.body),
            persons=[] if command.person is None else [persons[command.person]],
        )
        for command in commands
    ]

    async def run() -> list[str]:
        async with open_pool(database.url) as pool, Appender(pool) as appender:
            answers = await asyncio.gather(
                *(appender.append(append) for append in appends), return_exceptions=True
            )
        return [outcome(answer) for answer in answers]

    assert asyncio.run(run()) == expected_outcomes(appends)
