"""Keeping the topics of the views up with the read models, beside the events and whatever becomes of them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import psycopg
import structlog
from kafka.errors import KafkaError
from psycopg_pool import PoolTimeout

from services.kafka_topics import create_missing
from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.published.rows import READ_FROM_ROWS, lacking
from services.projections.published.steps import Change, at_position, changes_between, whole
from services.projections.reads.progress import Progress, Stand
from services.relay.standing import Reached
from services.relay.threads import first_error, in_thread, look_again
from services.relay.transactions import TRANSACTION_BYTES_MAX, NotPublished, Unpublishable
from services.relay.view_publisher import ViewPublisher
from shared.events.ledger.reader import fetch_head
from shared.runtime.database import Pool, service_pool
from shared.runtime.settings import KafkaSettings
from shared.runtime.signals import end_if_cancelled
from shared.runtime.trees import Trees

_POSITIONS_AT_ONCE: Final = 500
"""What changed within them is one transaction, if it isn't too much; what changed twice is told once."""
_AGAIN_S: Final = 1.0
_UNFIT_AGAIN_S: Final = 30.0

log = structlog.stdlib.get_logger("anjie.relay")


async def publish_views(url: str, kafka: KafkaSettings, reached: Reached) -> None:
    """Publishes until it is cancelled; `reached` is told up to where all views are published."""
    while True:
        again_s = _AGAIN_S
        try:
            async with (
                service_pool(url, name="relay views", connections_max=2) as pool,
                _publisher(pool, kafka) as publisher,
                asyncio.TaskGroup() as tasks,
            ):
                progress = Progress(pool, trees := Trees(pool))
                tasks.create_task(progress.run())
                tasks.create_task(look_again(publisher.look))
                await _Views(pool, trees, progress, publisher, reached).follow()
        except* Unpublishable as unfit:
            again_s = _UNFIT_AGAIN_S
            log.error("views_unfit", reason=str(first_error(unfit)), again_in_s=again_s)
        except* (psycopg.Error, PoolTimeout, KafkaError, NotPublished) as away:
            log.warning("views_wait", reason=type(first_error(away)).__name__, again_in_s=again_s)
        except* Exception:
            # Whatever it was, the events go on.
            again_s = _UNFIT_AGAIN_S
            log.exception("views_failed", again_in_s=again_s)
        end_if_cancelled()
        await asyncio.sleep(again_s)


@asynccontextmanager
async def _publisher(pool: Pool, kafka: KafkaSettings) -> AsyncIterator[ViewPublisher]:
    async with pool.connection() as connection:
        ledger_id = (await fetch_head(connection)).ledger_id
    await in_thread(partial(create_missing, kafka))
    publisher = await in_thread(partial(ViewPublisher, kafka, ledger_id))
    try:
        async with pool.connection() as connection:
            head = (await fetch_head(connection)).position
        ahead = max((mark.position for mark in publisher.marks.values()), default=0)
        if ahead > head:
            raise Unpublishable(f"views are published to position {ahead}, the ledger ends at {head}")
        yield publisher
    finally:
        await in_thread(publisher.close)


class _Views:
    """Brings every view to where the read models stand, again and again."""

    def __init__(
        self, pool: Pool, trees: Trees, progress: Progress, publisher: ViewPublisher, reached: Reached
    ) -> None:
        self._pool = pool
        self._trees = trees
        self._progress = progress
        self._publisher = publisher
        self._reached = reached

    async def follow(self) -> None:
        while True:
            heard = self._progress.heard
            stand = await self._progress.stand()
            for view in PUBLISHED_VIEWS:
                await self._begin(view, stand)
            self._tell()
            while await self._step(stand):
                self._tell()
            await self._progress.news(heard)

    def _tell(self) -> None:
        self._reached.views = min(mark.position for mark in self._publisher.marks.values())

    async def _begin(self, view: str, stand: Stand) -> None:
        """Publishes a view anew where what its topic has doesn't lead to the rows there are now."""
        mark = self._publisher.marks.get(view)
        if view not in READ_FROM_ROWS:
            # The lines of timelines are the ledger's own: they are there from the first to the last.
            if mark is None:
                await self._publish([], {view: 0}, stand)
        elif mark is None or mark.generation != stand.generation:
            log.info("view_published_anew", view=view, position=stand.position)
            await self._sweep(view, stand)
            await self._fill(view, stand)
            await self._publish([], {view: stand.position}, stand)

    async def _sweep(self, view: str, stand: Stand) -> None:
        """Takes away what the topic has and the view hasn't."""
        # Not closed from here, since a thread that nobody waits for any more may still be in it.
        pages = self._publisher.keys(view)
        while (keys := await in_thread(partial(next, pages, None))) is not None:
            async with self._pool.connection() as connection:
                at = await at_position(connection, self._trees, stand.position)
                gone = await lacking(READ_FROM_ROWS[view], at, keys)
            if gone:
                await self._publish([Change(view, key, None, stand.position) for key in gone], {}, stand)

    async def _fill(self, view: str, stand: Stand) -> None:
        async with self._pool.connection() as connection:
            at = await at_position(connection, self._trees, stand.position)
            async for rows in whole(at, view):
                if rows:
                    await self._publish(rows, {}, stand)

    async def _step(self, stand: Stand) -> bool:
        """Takes the views that are furthest behind some positions on; False where none is behind."""
        marks = self._publisher.marks
        after = min(mark.position for mark in marks.values())
        if after >= stand.position:
            return False
        behind = [view for view, mark in marks.items() if mark.position == after]
        ahead = (mark.position for mark in marks.values() if mark.position > after)
        to = min(stand.position, after + _POSITIONS_AT_ONCE, *ahead)
        async with self._pool.connection() as connection:
            earlier = await at_position(connection, self._trees, after)
            while True:
                later = await at_position(connection, self._trees, to)
                changes = await changes_between(earlier, later, self._trees, behind)
                if to == after + 1 or _size(changes) <= TRANSACTION_BYTES_MAX:
                    break
                to = after + (to - after) // 2
        await self._publish(changes, dict.fromkeys(behind, to), stand)
        return True

    async def _publish(self, changes: list[Change], positions: dict[str, int], stand: Stand) -> None:
        """Publishes changes, with the positions that their views have reached with them, if any."""
        publisher = self._publisher
        marks = {
            view: publisher.mark(view, position, stand.generation) for view, position in positions.items()
        }
        await in_thread(partial(publisher.publish, changes, marks))


def _size(changes: Iterable[Change]) -> int:
    return sum(len(change.row) for change in changes if change.row is not None)
