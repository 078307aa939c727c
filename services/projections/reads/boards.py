"""The rows of one stream, loaded and kept up to date: what a group of subscribers is shown."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from services.projections.figures.queries import AsOf, Connection
from services.projections.reads.case_items import fetch_rows
from services.projections.reads.frames import Delta, Rows, encode
from services.projections.reads.inbox_changes import Changed
from services.projections.reads.listed import Cases, Listed, ListedCase, hidden_row
from services.projections.reads.live_views import Chosen, Fetch, Own, UnitView
from services.projections.reads.rollups import rows_under, units_of
from services.projections.reads.shown import leaves, opened
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import covered, hidden_cells, small_below
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: subscribers with the same scope see the same."""

    view: str
    unit: UUID | None = None
    case_id: UUID | None = None
    reader: Actor | None = None
    """Absent where everybody sees the same."""
    language: str = "en"
    suppress: bool = False
    """Small cells are kept from a dashboard."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The way from one position to the next, as far as the boards need to know it."""

    connection: Connection
    tree: UnitTree
    after: int
    position: int
    keys: Collection[UUID]
    """What changed in the board's view."""
    own: Own = {}
    """Of a view by unit: every unit's own figures."""
    items: Mapping[UUID, Listed] = {}
    """Of a view by item: those of `keys` that now stand in it."""
    inbox: Mapping[UUID, Changed] = {}
    """Of the inboxes: each of `keys` as it is now."""


class OutOfSight(Exception):
    """The reader may no longer see any of it."""


class Board(Protocol):
    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        """All rows as of a position. Raises OutOfSight."""

    async def change(self, step: Step) -> Delta | None:
        """The rows that a step may have changed; None when all have to be loaded anew."""

    async def missed(self, step: Step, rows: Rows) -> Delta | None:
        """What brings a client that left at `after` to the rows of now; None when that isn't known."""


class UnitBoard:
    """A row for each unit, the same for all readers of the unit."""

    def __init__(self, scope: Scope, view: UnitView) -> None:
        self._scope = scope
        self._view = view
        self._summed: dict[UUID, list[UUID]] = {}
        self._row_of: dict[UUID, UUID] = {}

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        self._summed = rows_under(tree, self._scope.unit)
        self._row_of = {unit: row for row, units in self._summed.items() for unit in units}
        return self._rows(tree, self._summed, own)

    async def change(self, step: Step) -> Delta | None:
        return dict(self._rows(step.tree, self._touched(step), step.own))

    async def missed(self, step: Step, rows: Rows) -> Delta | None:
        return {str(unit): rows[str(unit)] for unit in self._touched(step)}

    def _touched(self, step: Step) -> Collection[UUID]:
        if self._scope.suppress:
            # A number that becomes small, or no longer is, may hide others or bring them back.
            return self._summed
        units = self._view.touched(step.tree, step.keys)
        return {self._row_of[unit] for unit in units if unit in self._row_of}

    def _rows(self, tree: UnitTree, units: Iterable[UUID], own: Own) -> Rows:
        rows = {unit: self._view.row(tree, unit, self._summed[unit], own) for unit in units}
        unit = self._scope.unit
        if self._scope.suppress and unit is not None:
            hidden = hidden_cells(
                tree,
                unit,
                lambda units: self._view.row(tree, unit, units, own),
                small_below(tree, day_of(datetime.now(UTC))),
            )
            rows = {each: covered(row, hidden.rows[each]) for each, row in rows.items()}
        return {str(each): encode(row) for each, row in rows.items()}


class ItemBoard:
    """A row for each case, service or clock, as its reader may see it."""

    def __init__(self, scope: Scope, fetch: Fetch, sources: Sources) -> None:
        assert scope.reader is not None
        self._scope = scope
        self._reader: Actor = scope.reader
        self._fetch = fetch
        self._sources = sources
        self._units: frozenset[UUID] = frozenset()
        self._keys: dict[UUID, str] = {}

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        # A dashboard is shown no single case, nor how many there are where the figures keep that back.
        of_cases = self._reader.role != "dashboard"
        self._units = frozenset(units_of(tree, self._scope.unit) if of_cases else ())
        as_of = AsOf(position=position)
        items = await self._fetch(connection, as_of, Chosen(ids=self._units, of_units=True))
        shown = await self._shown(connection, tree, as_of, items)
        self._keys = {item_id: key for item_id, (key, _) in shown.items()}
        return dict(shown.values())

    async def change(self, step: Step) -> Delta | None:
        shown = await self._shown(step.connection, step.tree, AsOf(position=step.position), step.items)
        changed: dict[str, bytes | None] = {}
        for item_id in step.keys:
            if (gone := self._keys.pop(item_id, None)) is not None:
                changed[gone] = None
        for item_id, (key, row) in shown.items():
            self._keys[item_id] = key
            changed[key] = row
        return changed

    async def missed(self, step: Step, rows: Rows) -> Delta | None:
        as_of = AsOf(position=step.after)
        items = await self._fetch(step.connection, as_of, Chosen(ids=step.keys))
        before = await self._shown(step.connection, step.tree, as_of, items)
        now = [self._keys[item_id] for item_id in step.keys if item_id in self._keys]
        gone: dict[str, bytes | None] = dict.fromkeys(key for key, _ in before.values())
        return gone | {key: rows[key] for key in now}

    async def _shown(
        self, connection: Connection, tree: UnitTree, as_of: AsOf, items: Mapping[UUID, Listed]
    ) -> dict[UUID, tuple[str, bytes]]:
        """By item its key and its row."""
        within = {item_id: item for item_id, item in items.items() if item.unit in self._units}
        cases = await _cases(connection, as_of, within.values())
        rows = {item_id: item.show(self._reader, tree, cases) for item_id, item in within.items()}
        unopened = [leaf for row in rows.values() if isinstance(row, dict) for leaf in leaves(row)]
        texts = await self._sources.vault.open_many(unopened) if unopened else {}
        shown: dict[UUID, tuple[str, bytes]] = {}
        for item_id, row in rows.items():
            item = within[item_id]
            if row is None:
                shown[item_id] = hidden_row(item.position)
            else:
                shown[item_id] = item.key, row if isinstance(row, bytes) else encode(opened(row, texts))
        return shown


async def _cases(connection: Connection, as_of: AsOf, items: Collection[Listed]) -> Cases:
    of_others = (item.case_id for item in items if not isinstance(item, ListedCase))
    wanted = {case_id for case_id in of_others if case_id is not None}
    return await fetch_rows(connection, wanted, as_of) if wanted else {}
