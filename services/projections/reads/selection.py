"""What a figure is asked of."""

from uuid import UUID

import msgspec

from services.projections.figures.queries import ALWAYS, Only, Period
from shared.events.vocabulary import Level
from shared.policy.jurisdiction import UnitTree


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """A unit with everything beneath it (None: all there are), days, and which cases."""

    unit: UUID | None = None
    period: Period = ALWAYS
    category: str | None = None
    holder_level: Level | None = None
    """The level of the unit that holds the case as of the moment asked for."""

    @property
    def of_all_cases(self) -> bool:
        return self.category is None and self.holder_level is None

    def only(self, tree: UnitTree) -> Only:
        if self.holder_level is None:
            return Only(category=self.category)
        holders = tuple(unit.unit_id for unit in tree if unit.level == self.holder_level)
        return Only(category=self.category, holders=holders)
