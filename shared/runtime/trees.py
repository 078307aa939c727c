"""The tree of units and their rules, now and at any time: in memory, since every decision needs it."""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from datetime import datetime
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from shared.events.ledger.reader import COLUMNS, recorded_row
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.events.units import RulePackAdopted, UnitMoved, UnitRegistered
from shared.policy.jurisdiction import EMPTY_TREE, UnitTree, tree_of
from shared.policy.packs import pack_of
from shared.policy.policy import Policy
from shared.runtime.database import Pool

_UNIT_EVENTS: Final = f"""
    SELECT {COLUMNS} FROM ledger.events WHERE topic LIKE 'unit.%%' AND position > %s ORDER BY position
"""
_PACKS: Final = "SELECT hash, content FROM ledger.rule_packs WHERE hash = ANY(%s)"
_POLL_S: Final = 1.0
"""How late a process may learn of units that another one registered."""
_REMEMBERED_MAX: Final = 64
_TURNING: Final = frozenset((RulePackAdopted.topic, UnitMoved.topic))
"""What changes under which rules a unit stands."""

log = structlog.stdlib.get_logger("anjie.trees")


async def fetch_tree(connection: AsyncConnection[Any]) -> UnitTree:
    """The units as they stand now, without their rules."""
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_UNIT_EVENTS, (0,))
        return tree_of(await cursor.fetchall())


class Trees:
    """Follows the units of the ledger; answers from memory."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._events: list[Recorded] = []
        self._positions: list[int] = []
        self._policies: dict[str, Policy] = {}
        self._current: UnitTree | None = EMPTY_TREE
        self._past: OrderedDict[tuple[int, datetime | None], UnitTree] = OrderedDict()
        self._reading = asyncio.Lock()

    @property
    def current(self) -> UnitTree:
        if self._current is None:
            self._current = tree_of(self._events, policies=self._policies)
        return self._current

    async def reach(self, position: int) -> None:
        """Reads what is missing when the last unit event lies at a position, perhaps another process's."""
        if not self._positions or self._positions[-1] < position:
            await self.refresh()

    def at(self, position: int | None, at_occurred: datetime | None = None) -> UnitTree:
        """The tree as registered by a position (None: by now), and as it was on an instant."""
        known = len(self._events) if position is None else bisect_right(self._positions, position)
        if at_occurred is None and known == len(self._events):
            return self.current
        tree = self._past.get((known, at_occurred))
        if tree is None:
            tree = tree_of(self._events[:known], at_occurred=at_occurred, policies=self._policies)
            self._past[known, at_occurred] = tree
            if len(self._past) > _REMEMBERED_MAX:
                self._past.popitem(last=False)
        return tree

    def turned(self, position: int) -> list[datetime]:
        """The instants at which units known by a position were renamed, moved or closed, or adopted rules."""
        known = self._events[: bisect_right(self._positions, position)]
        return [event.occurred_at for event in known if event.topic != UnitRegistered.topic]

    def eras(self, position: int) -> list[tuple[int, UnitTree]]:
        """From which position on which tree was known, from 0 up to a position.

        An era begins with what changes whose rules hold; units registered in it are there all along.
        """
        begun = [e.position for e in self._events if e.position <= position and e.topic in _TURNING]
        last = [*(each - 1 for each in begun), position]
        return [(first, self.at(until)) for first, until in zip([0, *begun], last, strict=True)]

    async def refresh(self) -> None:
        """Reads the unit events stored since the last time; called at once after storing some."""
        async with self._reading:
            last = self._positions[-1] if self._positions else 0
            async with (
                self._pool.connection() as connection,
                connection.cursor(binary=True, row_factory=recorded_row) as cursor,
            ):
                await cursor.execute(_UNIT_EVENTS, (last,), prepare=True)
                events = await cursor.fetchall()
                hashes = {
                    event.hash for event in map(event_of, events) if isinstance(event, RulePackAdopted)
                } - self._policies.keys()
                if hashes:
                    packs = await connection.execute(_PACKS, (list(hashes),))
                    self._policies |= {
                        found: pack_of(content).policy for found, content in await packs.fetchall()
                    }
            self._events.extend(events)
            self._positions.extend(event.position for event in events)
            if events:
                self._current = None

    async def follow(self) -> None:
        """Refreshes until cancelled; a database that is away is asked again."""
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                await self.refresh()
            except (psycopg.Error, PoolTimeout) as error:
                log.warning("units not read", error=type(error).__name__)
