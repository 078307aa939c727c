"""The clock: records what falls due, each once, however many clocks run and however late they look.

What there is to record follows from a case's own events, and an append states the version that it was
decided on, so a second clock, or the same one after a crash, finds nothing left to do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.events.recorded import Append, Metadata, StreamConflict
from shared.policy.clocks import told_by_clock
from shared.policy.moments import day_of
from shared.policy.provisional import CLOCK
from shared.runtime.drafts import Placed, draft
from shared.runtime.sealing import MasterKey, Sealing
from shared.runtime.trees import Trees

AT_ONCE: Final = 512
"""How many cases are looked at together."""

log = structlog.stdlib.get_logger("anjie.clock")


class Waking(NamedTuple):
    """What is to be looked at, as the read models know it."""

    cases: Sequence[UUID]
    """Whose clocks have something due or to be dated, the earliest first."""
    held_units: Collection[UUID]
    """Units that an import is open for: what falls due there waits until it closes."""


Wake = Callable[[datetime, int], Awaitable[Waking]]


class Clock:
    def __init__(
        self, appender: Appender, loader: StreamLoader, trees: Trees, master: MasterKey, wake: Wake
    ) -> None:
        self._appender = appender
        self._loader = loader
        self._trees = trees
        self._master = master
        self._wake = wake

    async def tick(self, now: datetime | None = None) -> int:
        """Records what is due by now of some cases, and returns the last position written, 0 if none.

        Raises: LedgerUnavailable, QueueFull; psycopg.Error.
        """
        instant = now or datetime.now(UTC)
        waking = await self._wake(instant, AT_ONCE)
        if not waking.cases:
            return 0
        await self._trees.refresh()
        loaded = await self._loader.load(waking.cases)
        # All at once, so that they are committed together.
        written = await asyncio.gather(
            *(self._record(fold(stream), instant, waking) for stream in loaded.streams.values())
        )
        return max(written, default=0)

    async def _record(self, case: Case | None, now: datetime, waking: Waking) -> int:
        if case is None or self._held(case, waking.held_units):
            return 0
        tree = self._trees.current
        told = told_by_clock(case, now, tree)
        if not told:
            return 0
        version = case.version
        placed = [Placed(case.case_id, version + n, event, at) for n, (at, event) in enumerate(told, start=1)]
        metadata = Metadata(
            occurred_at=now,
            actor_ref=CLOCK.ref,
            actor_role=CLOCK.role,
            unit=CLOCK.unit,
            correlation_id=case.case_id,
            policy=tree.policy(case.holder_unit, day_of(now)).id,
        )
        try:
            appended = await self._appender.append(self._append(placed, metadata))
        except StreamConflict:
            # Somebody acted on the case meanwhile, or another clock was there first: the next look tells.
            return 0
        log.info(
            "clock_recorded", stream_id=str(case.case_id), position=appended.last_position, events=len(told)
        )
        return appended.last_position

    def _append(self, placed: Sequence[Placed], metadata: Metadata) -> Append:
        return draft(placed, metadata, Sealing(self._master, ()), None).append

    def _held(self, case: Case, units: Collection[UUID]) -> bool:
        tree = self._trees.current
        return any(tree.within(case.holder_unit, unit) for unit in units)
