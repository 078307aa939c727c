"""The live streams of this process: follows the read models and tells each group what changed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.projections.figures.queries import AsOf, Connection
from services.projections.reads import frames
from services.projections.reads.boards import (
    Board,
    ItemBoard,
    OutOfSight,
    Scope,
    Step,
    UnitBoard,
)
from services.projections.reads.frames import changes_between
from services.projections.reads.groups import HEARTBEAT_S, Group, frames_for
from services.projections.reads.inbox_board import InboxBoard
from services.projections.reads.inbox_changes import Changed, fetch_changed
from services.projections.reads.kpi_board import KpiBoard
from services.projections.reads.listed import Listed
from services.projections.reads.live_views import (
    CAMPAIGN_KPI,
    INBOX,
    ITEM_VIEWS,
    UNIT_VIEWS,
    UNITS,
    Chosen,
    Own,
    fetch_changes,
)
from services.projections.reads.progress import Stand
from services.projections.reads.rollups import units_of
from services.projections.reads.sources import Sources
from services.projections.reads.timeline_board import TimelineBoard
from shared.policy.jurisdiction import UnitTree
from shared.runtime.problems import Problem

RESUMABLE_MAX: Final = 50_000
"""How many positions a client may have missed and still be told only what changed."""
SUBSCRIBERS_MAX: Final = 1_000
_RETRY_S: Final = 0.5
_UNKNOWN: Final = Stand(-1, -1)
"""After an interruption: everything is read again."""
_BEYOND: Final = 2**63 - 1

log = structlog.stdlib.get_logger("anjie.streams")


class _Live(NamedTuple):
    board: Board
    group: Group


class Subscription:
    """The frames for one client, to be closed when it leaves, whether or not it took any."""

    def __init__(self, sent: AsyncGenerator[bytes, None], leave: Callable[[], None]) -> None:
        self._sent = sent
        self._leave: Callable[[], None] | None = leave

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._sent)

    async def aclose(self) -> None:
        await self._sent.aclose()
        if self._leave is not None:
            self._leave()
            self._leave = None


class Hub:
    """All groups of subscribers; `run` has to run for deltas to be made."""

    def __init__(self, sources: Sources, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._sources = sources
        self._heartbeat_s = heartbeat_s
        self._stand = _UNKNOWN
        self._live: dict[Scope, _Live] = {}
        self._own: dict[str, Own] = {}
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def subscribers(self) -> int:
        return sum(live.group.subscribers for live in self._live.values())

    async def subscribe(self, scope: Scope, *, after: int | None, until: datetime) -> "Subscription":
        """The frames for one client that has seen everything up to `after` (None: nothing).

        Raises: Problem 503 when there are too many clients, OutOfSight.
        """
        if self._closed or self.subscribers >= SUBSCRIBERS_MAX:
            raise Problem("too-many", headers={"Retry-After": "5"})
        async with self._turn:
            await self._step()
            live = self._live.get(scope) or await self._begin(scope)
            live.group.subscribers += 1
            try:
                first = await self._first(scope, live, after)
            except BaseException:
                self._leave(scope, live.group)
                raise
        sent = frames_for(live.group, first, until=until, heartbeat_s=self._heartbeat_s)
        return Subscription(sent, lambda: self._leave(scope, live.group))

    async def run(self) -> None:
        """Follows the read models until cancelled."""
        progress = self._sources.progress
        while True:
            heard = progress.heard
            if self._live:
                try:
                    async with self._turn:
                        await self._step()
                except Exception as error:
                    # Whatever it was, whoever listens is told everything anew, and streams go on.
                    expected = isinstance(error, (psycopg.Error, PoolTimeout))
                    log.warning("streams interrupted", error=type(error).__name__, exc_info=not expected)
                    self._stand = _UNKNOWN
                    await asyncio.sleep(_RETRY_S)
            await progress.news(heard)

    def close(self) -> None:
        """Ends every stream, so that the process can end."""
        self._closed = True
        for live in self._live.values():
            live.group.close()

    def _leave(self, scope: Scope, group: Group) -> None:
        group.subscribers -= 1
        live = self._live.get(scope)
        if group.subscribers == 0 and live is not None and live.group is group:
            del self._live[scope]

    async def _begin(self, scope: Scope) -> _Live:
        board = self._board(scope)
        position = self._stand.position
        tree = self._sources.trees.at(position)
        async with self._sources.pool.connection() as connection:
            own = await self._own_of(connection, scope.view, tree)
            rows = await board.load(connection, tree, position, own)
        live = self._live[scope] = _Live(board, Group(position, rows))
        return live

    def _board(self, scope: Scope) -> Board:
        if scope.view in UNIT_VIEWS:
            return UnitBoard(scope, UNIT_VIEWS[scope.view])
        if scope.view in ITEM_VIEWS:
            return ItemBoard(scope, ITEM_VIEWS[scope.view], self._sources)
        if scope.view == CAMPAIGN_KPI:
            return KpiBoard(scope, self._sources)
        if scope.view == INBOX:
            return InboxBoard(scope)
        return TimelineBoard(scope, self._sources)

    async def _own_of(self, connection: Connection, view: str, tree: UnitTree) -> Own:
        """Every unit's own figures of a view by unit, read once and then kept up to date."""
        if view not in UNIT_VIEWS:
            return {}
        if view not in self._own:
            as_of = AsOf(position=self._stand.position)
            self._own[view] = await UNIT_VIEWS[view].fetch(connection, tree, units_of(tree, None), as_of)
        return self._own[view]

    async def _first(self, scope: Scope, live: _Live, after: int | None) -> list[bytes]:
        group = live.group
        if after is None:
            return [group.snapshot()]
        if after == group.position:
            return []
        changes = None
        if 0 <= group.position - after <= RESUMABLE_MAX:
            async with self._sources.pool.connection() as connection:
                stand, changed = await fetch_changes(connection, [scope.view], (), after)
                # Rows that moved on meanwhile are told with the next step as well.
                if UNITS not in changed and stand.generation == self._stand.generation:
                    step = Step(
                        connection=connection,
                        tree=self._sources.trees.at(group.position),
                        after=after,
                        position=group.position,
                        keys=changed.get(scope.view, set()),
                        own=self._own.get(scope.view, {}),
                    )
                    changes = await live.board.missed(step, group.rows)
        if changes is None:
            return [frames.reset(group.position), group.snapshot()]
        return [frames.delta(group.position, changes)] if changes else []

    async def _step(self) -> None:
        before = self._stand
        views = {scope.view for scope in self._live}
        # Only here, in turn: a client may leave at any moment of a step.
        self._own = {view: own for view, own in self._own.items() if view in views}
        cases = {scope.case_id for scope in self._live if scope.case_id is not None}
        async with self._sources.pool.connection() as connection:
            # After an interruption everything is read again, so what changed meanwhile doesn't matter.
            after = before.position if before != _UNKNOWN else _BEYOND
            now, changed = await fetch_changes(connection, views, cases, after)
            if now == before:
                return
            if now.generation != before.generation or now.position < before.position:
                await self._load_all(connection, now, forget=True)
            elif UNITS in changed:
                await self._sources.trees.refresh()
                await self._load_all(connection, now, forget=False)
            else:
                await self._go_on(connection, now, changed)

    async def _go_on(self, connection: Connection, now: Stand, changed: dict[str, set[UUID]]) -> None:
        """Tells every group what changed in its view."""
        before = self._stand
        tree = self._sources.trees.at(now.position)
        self._stand = now
        as_of = AsOf(position=now.position)
        items: dict[str, dict[UUID, Listed]] = {}
        inbox: dict[UUID, Changed] = {}

        async def catch_up(view: str, keys: set[UUID]) -> None:
            async with self._sources.pool.connection() as own_connection:
                if view in ITEM_VIEWS:
                    items[view] = await ITEM_VIEWS[view](own_connection, as_of, Chosen(ids=keys))
                    return
                if view == INBOX:
                    inbox.update(await fetch_changed(own_connection, as_of, keys))
                    return
                touched = UNIT_VIEWS[view].touched(tree, keys)
                fresh = await UNIT_VIEWS[view].fetch(own_connection, tree, touched, as_of)
            for unit in touched:
                self._own[view].pop(unit, None)
            self._own[view] |= fresh

        # All views at once: one after the other their round trips would add up.
        await asyncio.gather(
            *(
                catch_up(view, keys)
                for view, keys in changed.items()
                if view in ITEM_VIEWS or view == INBOX or view in self._own
            )
        )
        for scope, live in list(self._live.items()):
            keys = changed.get(scope.view, set())
            if not keys or (scope.case_id is not None and scope.case_id not in keys):
                live.group.advance(now.position, {})
                continue
            step = Step(
                connection=connection,
                tree=tree,
                after=before.position,
                position=now.position,
                keys=keys,
                own=self._own.get(scope.view, {}),
                items=items.get(scope.view, {}),
                inbox=inbox,
            )
            await self._advance(scope, live, step)

    async def _advance(self, scope: Scope, live: _Live, step: Step) -> None:
        try:
            changes = await live.board.change(step)
            if changes is None:
                rows = await live.board.load(step.connection, step.tree, step.position, step.own)
                live.group.restart(step.position, rows)
            else:
                live.group.advance(step.position, changes)
        except OutOfSight:
            self._end(scope, live.group)

    async def _load_all(self, connection: Connection, now: Stand, *, forget: bool) -> None:
        """Reads everything again; clients are reset where what they have may not be its past."""
        self._stand = now
        self._own.clear()
        tree = self._sources.trees.at(now.position)
        for scope, live in list(self._live.items()):
            try:
                own = await self._own_of(connection, scope.view, tree)
                rows = await live.board.load(connection, tree, now.position, own)
            except OutOfSight:
                self._end(scope, live.group)
                continue
            if forget:
                live.group.restart(now.position, rows)
            else:
                live.group.advance(now.position, changes_between(live.group.rows, rows))

    def _end(self, scope: Scope, group: Group) -> None:
        group.close()
        self._live.pop(scope, None)
