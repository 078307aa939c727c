"""Making read models anew beside those that are served, and exchanging them without a gap."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from services.projections.build import Build
from services.projections.catalogue import MODELS, ReadModel, projector_of
from services.projections.parking import Parked, fetch_parked, park
from services.projections.runner import connect
from services.projections.schema import LIVE, PROJECTION, Workshop, changes_statements, in_schema
from services.projections.shards import shard_of
from services.projections.source import stream_pasts
from services.projections.standing import CHANGED, fetch_standing
from services.projections.teller import ProjectorOf, Teller
from services.projections.writer import write
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.runtime.garbage import rarely_collected

Connection = AsyncConnection[Any]

_BATCH_EVENTS_MAX: Final = 5_000
_NEAR_EVENTS: Final = 1_000
"""So close to the head the exchange may begin: what is left is told while the live worker waits."""
_LOCK_TIMEOUT_S: Final = 2
"""For so long the live worker may keep the exchange waiting."""
_TABLES_TIMEOUT_MS: Final = 500
"""For so long readers queue behind the exchange while it waits for one of them.

Two that wait for each other are a deadlock after a second, of which a reader might be the victim: by
then the exchange has given way.
"""
_EXCHANGE_ATTEMPTS_MAX: Final = 100
_ADVISORY_KEY: Final = 4_201_986_501

_log = structlog.stdlib.get_logger("anjie.projections")


class RebuildBusy(Exception):
    """Another rebuild or verification is under way."""

    def __str__(self) -> str:
        return "another rebuild or verification is under way"


class ExchangeBlocked(Exception):
    """Readers held the served tables for so long that they could not be exchanged."""

    def __str__(self) -> str:
        return "the served tables could not be locked; a session holds them open"


class Rebuild:
    """One rebuild of some read models (all, when the number of shards changes), in `views_next`."""

    def __init__(
        self,
        writing: Connection,
        reading: Connection,
        models: Collection[ReadModel],
        *,
        shards: int,
        projectors: ProjectorOf = projector_of,
    ) -> None:
        self._writing = writing
        self._reading = reading
        self._models = models
        self._tables = [table for model in models for table in model.tables]
        self._whole = len(models) == len(MODELS)
        self._shards = shards
        self._projectors = projectors
        self._parked: list[Parked] = []
        self._stopped: set[UUID] = set()
        self._teller = Teller(
            lambda wanted: stream_pasts(reading, wanted), shards=shards, projectors=projectors
        )
        self._position = 0

    async def run(self) -> int:
        """Makes the read models, lets them catch up, exchanges them; returns the position they stand at.

        All of them come to stand at the head; only some, where the others stand.

        Raises: ExchangeBlocked.
        """
        await self._build()
        while await self._catch_up(await self._lowest()) >= _NEAR_EVENTS:
            pass
        for _ in range(_EXCHANGE_ATTEMPTS_MAX):
            try:
                await self._exchange()
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                await asyncio.sleep(_LOCK_TIMEOUT_S)
                await self._catch_up(await self._lowest())
            else:
                return self._position
        raise ExchangeBlocked

    async def _lowest(self) -> int:
        """Up to where no shard's rows may fall short."""
        if self._whole:
            return (await fetch_head(self._reading)).position
        return (await fetch_standing(self._reading)).position

    async def _build(self) -> None:
        # What stands still goes on standing still, unless everything that is known of it is made anew.
        stopped = {} if self._whole else {s.stream_id: s.position for s in await fetch_parked(self._reading)}
        build = Build(
            self._writing, self._models, shards=self._shards, stopped=stopped, projectors=self._projectors
        )
        self._position = await self._lowest()
        await build.run(self._reading, self._position)
        self._parked = build.parked
        self._stopped = {*stopped, *(stream.stream_id for stream in build.parked)}

    async def _catch_up(self, to: int, ahead: Mapping[int, int] | None = None) -> int:
        """Tells a batch of what came since, and answers how many events that were.

        `ahead`: shards whose streams are told up to a position of their own; the others not.
        """
        events = await fetch_range(self._reading, self._position, _BATCH_EVENTS_MAX, to)
        if not events:
            return 0
        due = events
        if ahead is not None:
            due = [e for e in events if e.position <= ahead[shard_of(e.stream_id, self._shards)]]
        changes, newly = await self._teller.tell(due, self._stopped)
        async with self._writing.transaction():
            newly += await write(self._writing, changes.only(self._tables), shards=self._shards)
        self._parked += newly
        self._stopped.update(stream.stream_id for stream in newly)
        self._position = events[-1].position
        return len(events)

    async def _exchange(self) -> None:
        before = self._position, list(self._parked), set(self._stopped)
        try:
            async with self._writing.transaction():
                positions = await self._hold_the_worker()
                to = await self._lowest() if self._whole else max(positions.values())
                while await self._catch_up(to, None if self._whole else positions):
                    pass
                await self._exchange_tables()
                await self._write_standing()
        except BaseException:
            self._position, self._parked, self._stopped = before
            self._teller.forget()
            raise

    async def _hold_the_worker(self) -> dict[int, int]:
        """Keeps the live rows from moving on, and answers where each shard stands."""
        await self._writing.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'".encode())
        await self._writing.execute("SELECT FROM views.positions ORDER BY projection, shard FOR UPDATE")
        return (await fetch_standing(self._writing)).positions

    async def _exchange_tables(self) -> None:
        await self._writing.execute(f"SET LOCAL lock_timeout = '{_TABLES_TIMEOUT_MS}ms'".encode())
        await self._writing.execute("DROP VIEW IF EXISTS views.changes")
        caches = [table for model in self._models for table in model.caches]
        for table in map(Identifier, (*self._tables, *caches)):
            await self._writing.execute(SQL("DROP TABLE IF EXISTS views.{}").format(table))
            await self._writing.execute(SQL("ALTER TABLE views_next.{} SET SCHEMA views").format(table))

    async def _write_standing(self) -> None:
        execute = self._writing.execute
        await execute(in_schema(LIVE))
        await execute(changes_statements())
        for model in self._models:
            await execute(
                "INSERT INTO models VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET definition = %s",
                [model.name, model.definition, model.definition],
            )
        if self._whole:
            await execute("DELETE FROM parked WHERE projection = %s", [PROJECTION])
            await execute("DELETE FROM positions WHERE projection = %s", [PROJECTION])
            await execute(
                "INSERT INTO positions (projection, shard, position)"
                " SELECT %s, shard, %s FROM generate_series(0, %s) AS shard",
                [PROJECTION, self._position, self._shards - 1],
            )
        await park(self._writing, self._parked)
        await execute("UPDATE meta SET generation = generation + 1, shards = %s", [self._shards])
        await execute("SELECT pg_notify(%s, %s)", [CHANGED, str(self._position)])


async def rebuild(
    url: str,
    models: Collection[ReadModel] = tuple(MODELS.values()),
    *,
    shards: int | None = None,
    projectors: ProjectorOf = projector_of,
) -> int:
    """Makes read models anew while the present ones are served, and returns the position they stand at.

    `shards` changes into how many the streams are divided, which makes all of them anew.

    Raises: RebuildBusy, ExchangeBlocked.
    """
    async with workshop(url, "views_next") as (writing, reading):
        stored = (await fetch_standing(reading)).shards
        if shards is not None and shards != stored:
            models = tuple(MODELS.values())
        made = Rebuild(writing, reading, models, shards=shards or stored, projectors=projectors)
        with rarely_collected():
            position = await made.run()
    _log.info("read_models_rebuilt", models=[model.name for model in models], position=position)
    return position


@asynccontextmanager
async def workshop(url: str, schema: Workshop) -> AsyncIterator[tuple[Connection, Connection]]:
    """Two connections to an emptied schema, one that writes and one that reads, for one user at a time.

    Raises: RebuildBusy.
    """
    async with (
        await connect(url, schema) as writing,
        await AsyncConnection.connect(
            url, autocommit=True, options=f"-c timezone=UTC -c search_path={schema}"
        ) as reading,
    ):
        taken = await writing.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_KEY])
        if await taken.fetchone() != (True,):
            raise RebuildBusy
        await _empty(writing, schema)
        try:
            yield writing, reading
        finally:
            # Whoever comes next empties it as well, so a failure here must not hide what ended this.
            with suppress(psycopg.Error):
                await _empty(writing, schema)


async def _empty(connection: Connection, schema: Workshop) -> None:
    found = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
    for (table,) in await found.fetchall():
        await connection.execute(SQL("DROP TABLE {}").format(Identifier(schema, table)))
