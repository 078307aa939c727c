"""Keeping the index of texts up with the ledger; several may try, one at a time does it."""

import asyncio
from collections.abc import Collection, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from services.projections.search.grams import VERSION, keyed, text_grams, words_of
from services.projections.search.standing import fetch_search
from services.projections.search.texts import CaseTexts, Place, case_texts
from shared.events.base import Private
from shared.events.ledger.reader import COLUMNS, fetch_head, fetch_range, recorded_row
from shared.runtime.database import Pool, service_pool
from shared.runtime.sealing import MasterKey, SealBroken
from shared.runtime.signals import end_if_cancelled
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault

Connection = AsyncConnection[Any]

BATCH_MAX: Final = 200
"""Few, since hashing their texts keeps whatever else the process does waiting."""
_LOOK_S: Final = 0.25
_AGAIN_S: Final = 2.0
_CONNECTIONS_MAX: Final = 2
"""One that has the turn, one for the keys and the units."""

_TURN: Final = "SELECT version, position FROM search.standing FOR UPDATE SKIP LOCKED"
_STREAMS: Final = f"""
    SELECT {COLUMNS} FROM ledger.events WHERE stream_id = ANY(%s) ORDER BY stream_id, version
"""
_KNOWN: Final = "SELECT case_id, township, position, field FROM search.texts WHERE case_id = ANY(%s)"
_FORGET: Final = "DELETE FROM search.texts WHERE position = %s AND field = %s"
_STORE: Final = """
    INSERT INTO search.texts (position, field, case_id, key_id, township, grams)
    VALUES (%s, %s, %s, %s, %s, %s::bytea[])
"""

_log = structlog.stdlib.get_logger("anjie.search")


async def keep_indexed(url: str, master: MasterKey, spare: asyncio.Event) -> None:
    """Indexes what comes until it is cancelled, a batch whenever there is time to spare.

    The database may come and go.
    """
    async with service_pool(url, name="search", connections_max=_CONNECTIONS_MAX) as pool:
        indexer = Indexer(pool, master)
        while True:
            await spare.wait()
            try:
                if not await indexer.step():
                    await asyncio.sleep(_LOOK_S)
            except (psycopg.Error, PoolTimeout) as error:
                end_if_cancelled()
                _log.warning("indexing_interrupted", error=type(error).__name__, again_in_s=_AGAIN_S)
                await asyncio.sleep(_AGAIN_S)


async def make_anew(url: str, master: MasterKey) -> int:
    """Empties the index and fills it up to the head of now; answers how far it is then."""
    async with service_pool(url, name="search", connections_max=_CONNECTIONS_MAX) as pool:
        indexer = Indexer(pool, master)
        async with pool.connection() as connection:
            head = (await fetch_head(connection)).position
            async with connection.transaction():
                await connection.execute("SELECT FROM search.standing FOR UPDATE")
                await _empty(connection)
        while True:
            async with pool.connection() as connection:
                position = (await fetch_search(connection)).position
            if position >= head:
                return position
            # Where a worker has the turn, it is doing the same.
            if not await indexer.step():
                await asyncio.sleep(_LOOK_S)


class Indexer:
    """Brings the cases of which something was recorded up to how they stand."""

    def __init__(self, pool: Pool, master: MasterKey, *, batch_max: int = BATCH_MAX) -> None:
        self._pool = pool
        self._batch_max = batch_max
        self._vault = Vault(pool, master)
        self._trees = Trees(pool)

    async def step(self) -> bool:
        """Indexes a batch of events; False where there is none, or another process has the turn."""
        async with self._pool.connection() as connection:
            if (await fetch_search(connection)).lag == 0:
                return False
            async with connection.transaction():
                turn = await (await connection.execute(_TURN)).fetchone()
                if turn is None:
                    return False
                version, position = turn
                if version != VERSION:
                    await _empty(connection)
                    position = 0
                events = await fetch_range(connection, position, self._batch_max)
                if not events:
                    return False
                await self._index(connection, {e.stream_id for e in events if e.topic.startswith("case.")})
                await connection.execute("UPDATE search.standing SET position = %s", [events[-1].position])
        return True

    async def _index(self, connection: Connection, case_ids: Collection[UUID]) -> None:
        """Forgets and stores texts of these cases until those are there that should be."""
        await self._trees.refresh()
        found = await connection.execute(_KNOWN, [list(case_ids)])
        known = {(case_id, township, Place(*place)) for case_id, township, *place in await found.fetchall()}
        wanted = {
            (case_id, told.township, place): value
            for case_id, told in await self._told(connection, case_ids)
            for place, value in told.texts.items()
        }
        missing = {entry: value for entry, value in wanted.items() if entry not in known}
        opened = await self._opened(missing.values())
        async with connection.cursor() as cursor:
            await cursor.executemany(_FORGET, [place for *_, place in known - wanted.keys()])
            await cursor.executemany(_STORE, list(self._rows(missing, opened)))

    async def _opened(self, values: Collection[Private]) -> dict[Private, str | None]:
        """The clear texts. One that doesn't open is found by nobody, and must not keep the others waiting."""
        try:
            return await self._vault.open_many(values)
        except SealBroken:
            opened: dict[Private, str | None] = {}
            for value in values:
                try:
                    opened |= await self._vault.open_many([value])
                except SealBroken:
                    _log.error("text_not_indexed", event_id=str(value.event), field=value.field)
            return opened

    async def _told(self, connection: Connection, case_ids: Collection[UUID]) -> list[tuple[UUID, CaseTexts]]:
        async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
            await cursor.execute(_STREAMS, [list(case_ids)])
            events = await cursor.fetchall()
        told = []
        for case_id, stream in groupby(events, attrgetter("stream_id")):
            try:
                texts = case_texts(list(stream), self._trees.current)
            except Exception as error:
                # Such a case stands still in the read models too, and must not keep the others waiting.
                _log.error("case_not_indexed", case_id=str(case_id), error=type(error).__name__)
                continue
            if texts is not None:
                told.append((case_id, texts))
        return told

    def _rows(
        self, missing: dict[tuple[UUID, UUID, Place], Private], opened: dict[Private, str | None]
    ) -> Iterator[tuple[Any, ...]]:
        keys = {township: self._vault.master.search_key(township) for _, township, _ in missing}
        for (case_id, township, place), value in missing.items():
            text = opened.get(value)
            if text is not None:
                grams = keyed(text_grams(words_of(text)), keys[township])
                yield (*place, case_id, value.key, township, grams)


async def _empty(connection: Connection) -> None:
    await connection.execute("DELETE FROM search.texts")
    await connection.execute("UPDATE search.standing SET version = %s, position = 0", [VERSION])
