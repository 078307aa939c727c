"""What a dashboard is not shown: small cells, and others that would give them away. All of it is pure.

A figure of a unit is the sum over the units directly beneath it and its own, so whoever knows the sum
and all but one of its parts knows that one. Cells are hidden from the top of the tree down: in each family of
such parts the small ones, and if there are any, or the sum is hidden, further ones, the smallest first, until
two are hidden that together aren't small. Then nobody can tell that any of them is. A unit shows the same
whoever asks, and for whichever unit around it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.reads.rollups import rows_under, units_of
from shared.policy.jurisdiction import UnitTree

SUPPRESSED: Final[dict[str, Any]] = {"suppressed": True}

Path = tuple[str, ...]
"""Where a number stands in an answer."""
Figures = Callable[[Iterable[UUID]], dict[str, Any]]
"""The figures of some units taken together."""
SmallBelow = Callable[[UUID], int]
"""The least number that a unit's rules let be shown."""

_SUM_OF: Final = {
    "open": "registered",
    "resolved": "registered",
    "urgent_open": "urgent_registered",
    "urgent_resolved": "urgent_registered",
}
"""Urgent counts of which hardly anything but these two is in another one of the same answer."""
_URGENT: Final = frozenset(("value", "at_least"))
_RATIO: Final = frozenset(("numerator",))


class Hidden(NamedTuple):
    total: frozenset[Path]
    """Cells of the unit with everything beneath it."""
    rows: dict[UUID, frozenset[Path]]
    """Those of each row of its table: the units directly under it, and its own."""


def small_below(tree: UnitTree, on: date) -> SmallBelow:
    """By the rules in force on a day in Asia/Shanghai."""
    return lambda unit: tree.policy(unit, on).small_cell_min


def gathered(tree: UnitTree, unit: UUID | None, small_below: SmallBelow | None) -> list[UUID]:
    """The units whose figures it takes: those beneath, and to hide small cells those all around."""
    if unit is None or small_below is None:
        return units_of(tree, unit)
    return tree.subtree(_downwards(tree, unit)[0])


def told(
    tree: UnitTree, unit: UUID | None, figures: Figures, small_below: SmallBelow | None
) -> dict[str, Any]:
    """The figures of a unit with everything beneath it; `small_below`: for whom small cells are hidden."""
    value = figures(units_of(tree, unit))
    if unit is None or small_below is None:
        return value
    shown: dict[str, Any] = covered(value, hidden_cells(tree, unit, figures, small_below).total)
    return shown


def hidden_cells(tree: UnitTree, unit: UUID, figures: Figures, small_below: SmallBelow) -> Hidden:
    """What is hidden of a unit's figures."""
    downwards = _downwards(tree, unit)
    top = downwards[0]
    cells = dict(_cells(figures(tree.subtree(top))))
    hidden = frozenset(_with_sums([path for path, n in cells.items() if n < small_below(top)]))
    rows: dict[UUID, frozenset[Path]] = {}
    for step in downwards:
        if step != top:
            hidden = rows[step]
        parts = {row: dict(_cells(figures(units))) for row, units in rows_under(tree, step).items()}
        rows = _hidden_among(parts, hidden, small_below)
    return Hidden(hidden, rows)


def covered(value: Any, hidden: Collection[Path], path: Path = ()) -> Any:
    """The same figures without what is hidden."""
    if not isinstance(value, Mapping):
        return SUPPRESSED if path in hidden else value
    if value.keys() & (_URGENT | _RATIO):
        return SUPPRESSED if any(cell[: len(path)] == path for cell in hidden) else value
    shown = {name: covered(member, hidden, (*path, name)) for name, member in value.items()}
    if shown.get("open") == SUPPRESSED and "oldest_opened_at" in shown:
        shown["oldest_opened_at"] = None
    return shown


def _downwards(tree: UnitTree, unit: UUID) -> tuple[UUID, ...]:
    """From its root to the unit, which may be unknown to the tree."""
    return tree.path(unit)[::-1] or (unit,)


def _cells(value: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield path, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            # What is known of a count has one place, whether or not more may come to it.
            yield from _cells(member, (*path, "known" if name in _URGENT else name))


def _hidden_among(
    parts: Mapping[UUID, Mapping[Path, int]],
    of_total: Collection[Path],
    small_below: SmallBelow,
) -> dict[UUID, frozenset[Path]]:
    hidden: dict[UUID, set[Path]] = {part: set() for part in parts}
    for path in {*of_total, *(path for cells in parts.values() for path in cells)}:
        small = {part for part, cells in parts.items() if path in cells and cells[path] < small_below(part)}
        if small or path in of_total:
            numbers = {part: cells.get(path, 0) for part, cells in parts.items()}
            for part in _with_others(small, numbers, max(map(small_below, parts))):
                hidden[part].add(path)
    return {part: frozenset(_with_sums(paths)) for part, paths in hidden.items()}


def _with_sums(paths: Collection[Path]) -> Iterator[Path]:
    """The paths, and those of counts that bound one of them from above or below."""
    for path in paths:
        yield path
        if len(path) > 1 and path[-2] in _SUM_OF:
            yield (*path[:-2], _SUM_OF[path[-2]], path[-1])


def _with_others(small: Collection[UUID], numbers: Mapping[UUID, int], least: int) -> Iterator[UUID]:
    """The small parts, and others with them until they are two and together as many as may be shown."""
    together, taken = 0, 0
    for part in sorted(numbers, key=lambda part: (part not in small, numbers[part], part)):
        if part not in small and taken >= 2 and together >= least:
            return
        yield part
        together, taken = together + numbers[part], taken + 1
