"""The rows of one stream, loaded and kept up to date: what a group of subscribers is shown."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from services.projections.cases.rows import CaseRow
from services.projections.figures.queries import AsOf, Connection
from services.projections.reads.case_answer import timeline_item
from services.projections.reads.case_items import READABLE, case_item, fetch_rows, may_open
from services.projections.reads.live_views import Chosen, Fetch, Own, UnitView
from services.projections.reads.rollups import rows_under, units_of
from services.projections.reads.service_items import service_item
from services.projections.reads.shown import cover, leaves, opened
from services.projections.reads.sources import Sources
from services.projections.reads.values import suppressed
from services.projections.services_ledger.rows import ServiceRow
from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.reader import fetch_stream
from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import Sight, sight, sight_of

Rows = dict[str, Any]
Changes = list[dict[str, Any]]

_NOTHING: Final[frozenset[UUID]] = frozenset()


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
    own: Own
    """Of a view by unit every unit's own figures; of one by item the changed items."""


class OutOfSight(Exception):
    """The reader may no longer see any of it."""


class Board(Protocol):
    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        """All rows as of a position. Raises OutOfSight."""

    async def change(self, step: Step, rows: Rows) -> Rows | None:
        """The rows after a step, those before being given; None when they have to be loaded anew."""

    async def missed(self, step: Step, rows: Rows) -> Changes | None:
        """What brings a client that left at `after` to the rows of now; None when that isn't known."""


class UnitBoard:
    def __init__(self, scope: Scope, view: UnitView, small_cell_min: int) -> None:
        self._scope = scope
        self._view = view
        self._small_cell_min = small_cell_min
        self._summed: dict[UUID, list[UUID]] = {}
        self._row_of: dict[UUID, UUID] = {}

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        self._summed = rows_under(tree, self._scope.unit)
        self._row_of = {unit: row for row, units in self._summed.items() for unit in units}
        return {str(unit): self._row(tree, unit, own) for unit in self._summed}

    async def change(self, step: Step, rows: Rows) -> Rows | None:
        touched = self._touched(step)
        return rows | {str(unit): self._row(step.tree, unit, step.own) for unit in touched}

    async def missed(self, step: Step, rows: Rows) -> Changes | None:
        touched = [str(unit) for unit in self._touched(step)]
        return [{"op": "UPSERT", "key": key, "row": rows[key]} for key in touched]

    def _touched(self, step: Step) -> set[UUID]:
        units = self._view.touched(step.tree, step.keys)
        return {self._row_of[unit] for unit in units if unit in self._row_of}

    def _row(self, tree: UnitTree, unit: UUID, own: Own) -> dict[str, Any]:
        row = self._view.row(tree, unit, self._summed[unit], own)
        return suppressed(row, self._small_cell_min) if self._scope.suppress else row


class ItemBoard:
    def __init__(self, scope: Scope, fetch: Fetch, sources: Sources) -> None:
        assert scope.reader is not None
        self._scope = scope
        self._reader: Actor = scope.reader
        self._fetch = fetch
        self._sources = sources
        self._units: frozenset[UUID] = frozenset()
        self._keys: dict[UUID, str] = {}

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        self._units = frozenset(units_of(tree, self._scope.unit))
        as_of = AsOf(position=position)
        items = await self._fetch(connection, as_of, Chosen(units=self._units))
        shown = await self._shown(connection, tree, as_of, items)
        self._keys = {item_id: key for item_id, (key, _) in shown.items()}
        return dict(shown.values())

    async def change(self, step: Step, rows: Rows) -> Rows | None:
        items = {key: step.own[key] for key in step.keys if key in step.own}
        as_of = AsOf(position=step.position)
        shown = await self._shown(step.connection, step.tree, as_of, items)
        changed = dict(rows)
        for item_id in step.keys:
            gone = self._keys.pop(item_id, None)
            if gone is not None and shown.get(item_id, ("",))[0] != gone:
                changed.pop(gone, None)
        for item_id, (key, row) in shown.items():
            self._keys[item_id] = key
            changed[key] = row
        return changed

    async def missed(self, step: Step, rows: Rows) -> Changes | None:
        as_of = AsOf(position=step.after)
        items = await self._fetch(step.connection, as_of, Chosen(keys=step.keys))
        shown = await self._shown(step.connection, step.tree, as_of, items)
        now = [self._keys[item_id] for item_id in step.keys if item_id in self._keys]
        upserts: Changes = [{"op": "UPSERT", "key": key, "row": rows[key]} for key in now]
        gone = {key for key, _ in shown.values()} - set(now)
        return upserts + [{"op": "DELETE", "key": key} for key in sorted(gone)]

    async def _shown(
        self, connection: Connection, tree: UnitTree, as_of: AsOf, items: Own
    ) -> dict[UUID, tuple[str, Any]]:
        """By item its key and its row; what is sealed is known by its position only."""
        within = {item_id: item for item_id, item in items.items() if item.unit in self._units}
        cases = await self._cases(connection, as_of, within)
        rows: dict[UUID, dict[str, Any]] = {}
        for item_id, item in within.items():
            if isinstance(item.row, ServiceRow):
                rows[item_id] = service_item(item.row, item.position, self._reader, tree, cases)
            else:
                rows[item_id] = case_item(item.row, self._reader, tree)
        texts = await self._sources.vault.open_many(leaf for row in rows.values() for leaf in leaves(row))
        return {
            item_id: (f"sealed/{row['position']}" if "sealed" in row else str(item_id), opened(row, texts))
            for item_id, row in rows.items()
        }

    async def _cases(self, connection: Connection, as_of: AsOf, items: Own) -> Mapping[UUID, CaseRow]:
        wanted = {
            item.row.case_id
            for item in items.values()
            if isinstance(item.row, ServiceRow) and item.row.case_id is not None
        }
        return await fetch_rows(connection, wanted, as_of) if wanted else {}


class TimelineBoard:
    def __init__(self, scope: Scope, sources: Sources) -> None:
        assert scope.reader is not None
        assert scope.case_id is not None
        self._scope = scope
        self._reader: Actor = scope.reader
        self._case_id: UUID = scope.case_id
        self._sources = sources
        self._case: Case | None = None
        self._sight: Sight | None = None

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        stream = await fetch_stream(connection, self._case_id, to_position=position)
        self._case = fold(stream)
        self._sight = self._seen(tree)
        if self._sight not in READABLE:
            raise OutOfSight
        return await self._rows(stream, tree)

    async def change(self, step: Step, rows: Rows) -> Rows | None:
        assert self._case is not None
        whole = await fetch_stream(step.connection, self._case_id, to_position=step.position)
        stream = whole[self._case.version :]
        if not stream:
            return rows
        self._case = fold(stream, self._case)
        seen = self._seen(step.tree)
        if seen is not self._sight or any(recorded.topic == "case.person_added" for recorded in stream):
            return None
        return rows | await self._rows(stream, step.tree)

    async def missed(self, step: Step, rows: Rows) -> Changes | None:
        case = fold(await fetch_stream(step.connection, self._case_id, to_position=step.after))
        if case is None or sight(self._reader, sight_of(case), step.tree) is not self._sight:
            return None
        return [
            {"op": "UPSERT", "key": key, "row": row}
            for key, row in rows.items()
            if row["position"] > step.after
        ]

    def _seen(self, tree: UnitTree) -> Sight:
        return Sight.HIDDEN if self._case is None else sight(self._reader, sight_of(self._case), tree)

    async def _rows(self, stream: list[Recorded], tree: UnitTree) -> Rows:
        assert self._case is not None
        may = may_open(self._reader, sight_of(self._case), tree)
        items = {
            f"{recorded.stream_id}/{recorded.version}": cover(
                timeline_item(recorded, self._sources.summary(recorded, self._scope.language, tree)), may
            )
            for recorded in stream
        }
        texts = await self._sources.vault.open_many(leaves(list(items.values())))
        rows: Rows = opened(items, texts)
        return rows
