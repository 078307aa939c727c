"""The statistics of one unit, a row for each measure, kept up to date."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.projections.figures.queries import Connection
from services.projections.reads.boards import Scope, Step
from services.projections.reads.figure_reads import read_kpi
from services.projections.reads.frames import Delta, Rows, encode
from services.projections.reads.live_views import Own
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.selection import Selection
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import small_below
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of


class KpiBoard:
    """All measures of a unit with everything beneath it and of all days; `on_time_rate` is one of them."""

    def __init__(self, scope: Scope, sources: Sources) -> None:
        self._scope = scope
        self._sources = sources
        self._units: frozenset[UUID] = frozenset()

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        # What is small depends on the units around as well.
        top = tree.path(self._scope.unit)[-1:] if self._scope.suppress else ()
        self._units = frozenset(units_of(tree, top[0] if top else self._scope.unit))
        return await self._rows(tree, position)

    async def change(self, step: Step) -> Delta | None:
        if self._units.isdisjoint(step.keys):
            return {}
        return dict(await self._rows(step.tree, step.position))

    async def missed(self, step: Step, rows: Rows) -> Delta | None:
        return dict(rows)

    async def _rows(self, tree: UnitTree, position: int) -> Rows:
        now = datetime.now(UTC)
        moment = Moment(position=position, instant=now, occurred=None, live=True, head=position)
        small = small_below(tree, day_of(now)) if self._scope.suppress else None
        unit = self._scope.unit
        told = await read_kpi(self._sources, Selection(unit=unit), moment, small)
        values: dict[str, Any] = {**told["measures"], "on_time_rate": told["on_time_rate"]}
        return kpi_rows(unit, values)


def kpi_rows(unit: UUID | None, values: Mapping[str, Any]) -> Rows:
    """A row for each measure of a unit."""
    return {
        f"{unit or 'whole'}/{name}": encode({"unit_id": unit, "measure": name, "value": value})
        for name, value in values.items()
    }
