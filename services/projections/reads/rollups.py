"""Figures of single units rolled up over the tree, as the rows and totals that are answered."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.projections.figures.coverage import Coverage
from services.projections.figures.queries import Backlog
from services.projections.reads.values import urgent_count
from shared.policy.jurisdiction import UnitTree


def rows_under(tree: UnitTree, unit: UUID | None) -> dict[UUID, list[UUID]]:
    """For each row of a table of `unit` the units it sums: those directly under it, then its own."""
    rows = {child: tree.subtree(child) for child in tree.children(unit)}
    if unit is not None:
        rows[unit] = [unit]
    return rows


def units_of(tree: UnitTree, unit: UUID | None) -> list[UUID]:
    """The unit and everything beneath it; None: every unit there is."""
    return [each.unit_id for each in tree] if unit is None else tree.subtree(unit)


def backlog_row(
    tree: UnitTree, unit: UUID, summed: Iterable[UUID], own: Mapping[UUID, Backlog]
) -> dict[str, Any]:
    parts = [own[each] for each in summed if each in own]
    known = tree.get(unit)
    oldest = [part.oldest_opened_at for part in parts if part.oldest_opened_at is not None]
    return {
        "unit_id": unit,
        "name": known.name if known else None,
        "kind": known.kind if known else None,
        "open": sum(part.open for part in parts),
        "urgent_open": urgent_count(
            sum(part.urgent_open for part in parts), sum(part.unclassified_open for part in parts)
        ),
        "overdue": sum(part.overdue for part in parts),
        "oldest_opened_at": earliest(oldest),
    }


def coverage_row(
    tree: UnitTree, unit: UUID, summed: Iterable[UUID], own: Mapping[UUID, Coverage]
) -> dict[str, Any]:
    """`households` is None where no unit of the sum has a roster."""
    parts = [own[each] for each in summed if each in own]
    rosters = [part.households for part in parts if part.households is not None]
    return {
        "unit_id": unit,
        "households": sum(rosters) if rosters else None,
        "visited": sum(part.visited for part in parts),
        "visits": sum(part.visits for part in parts),
    }


def earliest(instants: Iterable[datetime]) -> datetime | None:
    return min(instants, default=None)
