"""Arrivals, closures and the backlog day by day: what asking for each evening gives, at once."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from services.projections.figures.turns import Turns, fetch_turns
from services.projections.reads.moments import Moment
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import SUPPRESSED, SmallBelow, gathered, told
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import SHANGHAI, day_of

_DAY: Final = timedelta(days=1)
_NONE: Final = Turns(0, 0)

OwnTurns = Mapping[UUID, Mapping[date, Turns]]
"""By unit its own cases that came and left on each day."""


async def read_trend(
    sources: Sources,
    unit: UUID | None,
    days: Sequence[date],
    moment: Moment,
    small_below: SmallBelow | None = None,
) -> list[dict[str, Any]]:
    """Of each of the consecutive days `{on came left open}`, by origin.

    `open` is the backlog at the end of the day, or of what of it the moment covers. `small_below`: given for
    a dashboard, from which small cells are kept.
    """
    trend: list[dict[str, Any]] = []
    async with sources.pool.connection() as connection:
        for tree, era in _eras(sources, days, moment):
            units = gathered(tree, unit, small_below)
            until = _end_of(era[-1], moment)
            own = await fetch_turns(connection, units, moment.position, era[0], until)
            trend += _told(tree, unit, era, own, small_below)
    return trend


def _end_of(day: date, moment: Moment) -> datetime:
    """The last microsecond of a day in Asia/Shanghai, or the instant of occurrence that is asked for."""
    end = datetime.combine(day + _DAY, time(), SHANGHAI) - timedelta(microseconds=1)
    return end if moment.occurred is None else min(end, moment.occurred)


def _eras(sources: Sources, days: Sequence[date], moment: Moment) -> Iterable[tuple[UnitTree, list[date]]]:
    """The days in stretches at whose evenings the units stood alike."""
    turned = sorted(day_of(instant) for instant in sources.trees.turned(moment.position))
    for _, era in groupby(days, key=lambda day: bisect_right(turned, day)):
        alike = list(era)
        yield sources.trees.at(moment.position, _end_of(alike[-1], moment)), alike


def _told(
    tree: UnitTree,
    unit: UUID | None,
    days: Sequence[date],
    own: OwnTurns,
    small_below: SmallBelow | None,
) -> list[dict[str, Any]]:
    eve = days[0] - _DAY

    def turns(units: Iterable[UUID]) -> dict[date, Turns]:
        of_units = [own[each] for each in units if each in own]
        return {day: _sum(each.get(day, _NONE) for each in of_units) for day in (eve, *days)}

    def evenings(units: Iterable[UUID]) -> dict[str, Any]:
        standing, found = 0, {}
        for day, (came, left) in turns(units).items():
            standing += came - left
            found[day.isoformat()] = standing
        return found

    standing = told(tree, unit, evenings, small_below)
    moved = turns(tree.subtree(unit) if unit is not None else own)
    trend = []
    for day in days:
        came, left = moved[day]
        known = small_below is None or (
            unit is not None
            and _may_be_told(tree, unit, (came, left), small_below)
            and SUPPRESSED not in (standing[(day - _DAY).isoformat()], standing[day.isoformat()])
        )
        turned = {"came": came, "left": left} if known else {"came": SUPPRESSED, "left": SUPPRESSED}
        trend.append({"on": day, **turned, "open": standing[day.isoformat()]})
    return trend


def _may_be_told(tree: UnitTree, unit: UUID, turns: Iterable[int], small_below: SmallBelow) -> bool:
    """Whether a dashboard may know what came and left on a day.

    Only of a unit with none above it: of the parts of a whole they would, with the backlogs before and
    after, give away numbers that are hidden there.
    """
    return len(tree.path(unit)) == 1 and min(turns) >= small_below(unit)


def _sum(turns: Iterable[Turns]) -> Turns:
    came = left = 0
    for each in turns:
        came, left = came + each.came, left + each.left
    return Turns(came, left)
