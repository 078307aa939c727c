"""How much of the rosters was visited, remembered for as long as nothing changes in it.

Households and visits come from streams of their own and are matched by whoever reads, which takes a
town's half a second. A wall asks for the same days again and again, of which hardly any unit has changed.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from services.projections.figures.coverage import Visited, fetch_visited
from services.projections.figures.queries import Connection, Period
from services.projections.reads.live_views import UNIT_VIEWS, UNITS, fetch_changes
from services.projections.reads.moments import Moment
from services.projections.reads.progress import Stand
from shared.policy.jurisdiction import UnitTree

_VIEW: Final = "visit_coverage"
_PERIODS_MAX: Final = 32


class _Known(msgspec.Struct):
    """What was found for some units (None: no roster), and where the read models stood then."""

    stand: Stand
    by_unit: dict[UUID, Visited | None]


class VisitedMemory:
    """Answers what `fetch_visited` does, for the latest position out of memory where it can."""

    def __init__(self) -> None:
        self._known: OrderedDict[Period, _Known] = OrderedDict()

    async def fetch(
        self, connection: Connection, tree: UnitTree, units: Sequence[UUID], moment: Moment, period: Period
    ) -> dict[UUID, Visited]:
        if moment.occurred is not None or not moment.known_now:
            return await fetch_visited(connection, tree, units, moment.as_of, period)
        known = self._known.get(period)
        after = moment.position if known is None else known.stand.position
        stand, changed = await fetch_changes(connection, [_VIEW], (), after)
        if known is None or UNITS in changed or known.stand.generation != stand.generation:
            known = _Known(stand, {})
        elif known.stand.position > moment.position:
            return await fetch_visited(connection, tree, units, moment.as_of, period)
        touched = UNIT_VIEWS[_VIEW].touched(tree, changed.get(_VIEW, ()))
        by_unit = {unit: visited for unit, visited in known.by_unit.items() if unit not in touched}
        missing = [unit for unit in units if unit not in by_unit]
        found = await fetch_visited(connection, tree, missing, moment.as_of, period) if missing else {}
        by_unit |= {unit: found.get(unit) for unit in missing}
        self._known[period] = _Known(Stand(stand.generation, moment.position), by_unit)
        self._known.move_to_end(period)
        if len(self._known) > _PERIODS_MAX:
            self._known.popitem(last=False)
        return {unit: visited for unit in units if (visited := by_unit[unit]) is not None}
