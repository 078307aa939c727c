"""Everything that answers reads, put together once per process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.projections.reads.audit import ReadRegister
from services.projections.reads.case_reads import CaseReads
from services.projections.reads.groups import HEARTBEAT_S
from services.projections.reads.hub import Hub
from services.projections.reads.moments import Moments
from services.projections.reads.progress import Progress
from services.projections.reads.sources import Sources
from shared.runtime.database import Pool
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault


class Reads:
    def __init__(
        self,
        pool: Pool,
        trees: Trees,
        vault: Vault,
        *,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        progress = Progress(pool, trees)
        self.sources = Sources(pool=pool, trees=trees, vault=vault, progress=progress)
        self.moments = Moments(pool, trees, progress)
        self.cases = CaseReads(self.sources, self.moments)
        self.register = ReadRegister(pool, vault.master)
        self.hub = Hub(self.sources, heartbeat_s=heartbeat_s)

    def end_streams(self) -> None:
        """Ends what clients follow, so that their requests can end before the process does."""
        self.sources.progress.end()
        self.hub.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the read models for as long as it is entered; the pool has to be open."""
        tasks = [
            asyncio.create_task(self.sources.progress.run(), name="listen to projectors"),
            asyncio.create_task(self.hub.run(), name="follow read models"),
        ]
        try:
            yield
        finally:
            self.end_streams()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
