"""The rows of one reader's inbox, kept up to date."""

from typing import Final
from uuid import UUID

from services.projections.figures.queries import Connection
from services.projections.reads.boards import Scope, Step
from services.projections.reads.frames import Delta, Rows, encode
from services.projections.reads.inbox_items import (
    EVERYTHING,
    Waiting,
    Wanted,
    fetch_waiting,
    inbox_item,
    only_theirs,
)
from services.projections.reads.live_views import Own
from services.projections.reads.moments import Moment
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.waiting import Addressee, audiences_of

_NOBODY: Final[frozenset[Addressee]] = frozenset()


class InboxBoard:
    """A row for each item that waits for the reader.

    That the calendar ends is looked at when the rows are loaded: it comes with a snapshot, not by itself.
    """

    def __init__(self, scope: Scope) -> None:
        assert scope.reader is not None
        self._reader: Actor = scope.reader
        self._audiences = _NOBODY
        self._alarm: Waiting | None = None

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        self._audiences = audiences_of(self._reader, tree)
        items = await self._items(connection, tree, position, EVERYTHING)
        self._alarm = next((item for item in items if item.case_id is None), None)
        return {str(item.item_id): encode(inbox_item(item)) for item in items}

    async def change(self, step: Step) -> Delta | None:
        return {str(item_id): self._row(step, item_id) for item_id in step.keys}

    async def missed(self, step: Step, rows: Rows) -> Delta | None:
        before = await self._items(step.connection, step.tree, step.after, Wanted(ids=step.keys))
        gone: dict[str, bytes | None] = dict.fromkeys(str(item.item_id) for item in before)
        return gone | {key: rows[key] for key in map(str, step.keys) if key in rows}

    async def _items(
        self, connection: Connection, tree: UnitTree, position: int, wanted: Wanted
    ) -> list[Waiting]:
        moment = Moment.now_at(position)
        found = await fetch_waiting(connection, self._reader, tree, moment, wanted)
        return await only_theirs(connection, found, self._reader, tree, moment, tree)

    def _row(self, step: Step, item_id: UUID) -> bytes | None:
        changed = step.inbox[item_id]
        if self._alarm is not None and item_id == self._alarm.item_id:
            item: Waiting | None = self._alarm._replace(seen=self._reader.ref in changed.readers)
        else:
            item = changed.as_it_waits_for(self._reader, self._audiences, step.tree)
        return None if item is None else encode(inbox_item(item))
