"""Under which rules a period is replayed: the units as they were known, with other rules for one of them."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Self
from uuid import UUID

from shared.events.units import WHOLE
from shared.policy.jurisdiction import UnitTree
from shared.policy.policy import Policy

Eras = Sequence[tuple[int, UnitTree]]
"""From which position on which tree of units was known, from 0, positions ascending."""


class Rules:
    """The rules by which whatever stands at a position of the ledger is judged."""

    def __init__(self, eras: Eras) -> None:
        self._since = [position for position, _ in eras]
        self._trees = [tree for _, tree in eras]
        self.clocks_from = next((position for position, tree in eras if tree.has_adoptions), 0)
        """Before any rules were adopted there were no clocks, and events started none."""

    def at(self, position: int) -> UnitTree:
        """The units and rules that were known when the event of that position was recorded."""
        return self._trees[bisect_right(self._since, position) - 1]

    @property
    def latest(self) -> UnitTree:
        return self._trees[-1]

    def ruled_by(self, policy: Policy, unit: UUID | None) -> Self:
        """As if the unit (None: the whole) had always had these rules, and adopted no others itself."""
        other = type(self)(
            [
                (position, tree.ruled_by(policy, unit or WHOLE))
                for position, tree in zip(self._since, self._trees, strict=True)
            ]
        )
        other.clocks_from = self.clocks_from
        return other
