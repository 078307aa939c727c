"""The clock: records what falls due, each once, however many clocks run and however late they look.

What there is to record follows from a case's own events, and an append states the version that it was
decided on, so a second clock, or the same one after a crash, finds nothing left to do.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.events.recorded import Metadata, StreamConflict
from shared.policy.clocks import told_by_clock
from shared.policy.moments import day_of
from shared.policy.provisional import CLOCK
from shared.runtime.drafts import Placed, draft
from shared.runtime.sealing import MasterKey, Sealing
from shared.runtime.trees import Trees

log = structlog.stdlib.get_logger("anjie.clock")


class Clock:
    def __init__(self, appender: Appender, loader: StreamLoader, trees: Trees, master: MasterKey) -> None:
        self._appender = appender
        self._loader = loader
        self._trees = trees
        self._master = master

    async def look(self, case_ids: Sequence[UUID], now: datetime) -> int:
        """Records what is due by now of some cases, and returns the last position written, 0 if none.

        Raises: LedgerUnavailable, QueueFull; psycopg.Error.
        """
        if not case_ids:
            return 0
        await self._trees.refresh()
        loaded = await self._loader.load(case_ids)
        cases = [fold(loaded.streams[case_id]) for case_id in case_ids]
        # All at once and in their order, so that they are committed together.
        written = await asyncio.gather(*(self._record(case, now) for case in cases if case is not None))
        position = max(written, default=0)
        if position:
            log.info("clock_recorded", cases=sum(map(bool, written)), position=position)
        return position

    async def _record(self, case: Case, now: datetime) -> int:
        tree = self._trees.current
        told = told_by_clock(case, now, tree)
        if not told:
            return 0
        placed = [
            Placed(case.case_id, version, event, at)
            for version, (at, event) in enumerate(told, start=case.version + 1)
        ]
        metadata = Metadata(
            occurred_at=now,
            actor_ref=CLOCK.ref,
            actor_role=CLOCK.role,
            unit=CLOCK.unit,
            correlation_id=case.case_id,
            policy=tree.policy(case.holder_unit, day_of(now)).id,
        )
        ready = draft(placed, metadata, Sealing(self._master, ()), None)
        try:
            appended = await self._appender.append(ready.append)
        except StreamConflict:
            # Somebody acted on the case meanwhile, or another clock was there first: the next look tells.
            return 0
        return appended.last_position
