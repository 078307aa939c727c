"""Small numbers are kept from a dashboard, and can't be worked out from the others either."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.reads.rollups import rows_under
from services.projections.reads.suppression import SUPPRESSED, covered, hidden_cells
from services.projections.reads.values import ratio
from shared.policy.jurisdiction import Unit, UnitTree

SMALL = 5
TOWN = UUID(int=1)
VILLAGES = [UUID(int=10 + number) for number in range(3)]
GROUPS = {village: [UUID(int=village.int * 10 + number) for number in range(3)] for village in VILLAGES}
UNITS = [TOWN, *VILLAGES, *(group for groups in GROUPS.values() for group in groups)]
TREE = UnitTree(
    {
        unit.unit_id: unit
        for unit in (
            Unit(unit_id=TOWN, kind="TOWNSHIP", name="镇", parent_id=None),
            *(Unit(unit_id=each, kind="VILLAGE", name="村", parent_id=TOWN) for each in VILLAGES),
            *(
                Unit(unit_id=group, kind="GROUP", name="组", parent_id=village)
                for village, groups in GROUPS.items()
                for group in groups
            ),
        )
    }
)


def told(own: dict[UUID, int]) -> dict[tuple[UUID, bool], int | None]:
    """What a dashboard of every unit sees: of each unit with all beneath, and (True) its own in a table."""

    def figures(units: Iterable[UUID]) -> dict[str, Any]:
        return {"open": sum(own[unit] for unit in units)}

    seen: dict[tuple[UUID, bool], int | None] = {}
    for unit in UNITS:
        hidden = hidden_cells(TREE, unit, figures, lambda unit: SMALL)
        value = covered(figures(TREE.subtree(unit)), hidden.total)["open"]
        seen[unit, False] = None if value == SUPPRESSED else value
        for row, units in rows_under(TREE, unit).items():
            value = covered(figures(units), hidden.rows[row])["open"]
            key = (row, row == unit)
            found = None if value == SUPPRESSED else value
            assert seen.setdefault(key, found) == found, "a unit shows the same wherever it is asked for"
    return seen


def family(unit: UUID) -> list[tuple[UUID, bool]]:
    return [(row, row == unit) for row in rows_under(TREE, unit)]


def could_be(seen: dict[tuple[UUID, bool], int | None]) -> dict[tuple[UUID, bool], int]:
    """The most that each number can be, as far as sums and what is shown tell."""
    least = {key: shown or 0 for key, shown in seen.items()}
    most = {key: 10**6 if shown is None else shown for key, shown in seen.items()}
    for _ in range(3 * len(seen)):
        for unit in UNITS:
            total, parts = (unit, False), family(unit)
            least[total] = max(least[total], sum(least[part] for part in parts))
            most[total] = min(most[total], sum(most[part] for part in parts))
            for part in parts:
                others = [other for other in parts if other != part]
                least[part] = max(least[part], least[total] - sum(most[other] for other in others))
                most[part] = min(most[part], most[total] - sum(least[other] for other in others))
    return most


@given(st.fixed_dictionaries({unit: st.integers(0, 12) for unit in UNITS}))
def test_of_no_number_it_can_be_told_that_it_is_small(own: dict[UUID, int]) -> None:
    seen = told(own)
    assert all(shown is None or shown >= SMALL for shown in seen.values())
    assert all(most >= SMALL for most in could_be(seen).values())


@given(st.fixed_dictionaries({unit: st.integers(SMALL, 40) for unit in UNITS}))
def test_where_nothing_is_small_everything_is_shown(own: dict[UUID, int]) -> None:
    assert None not in told(own).values()


@pytest.mark.parametrize(
    ("figures", "hidden", "shown"),
    [
        ({"total": 4}, {("total",)}, {"total": SUPPRESSED}),
        ({"rate": ratio(4, 100)}, {("rate", "numerator")}, {"rate": SUPPRESSED}),
        ({"urgent": {"value": 3}}, {("urgent", "known")}, {"urgent": SUPPRESSED}),
        ({"urgent": {"value": 9}}, {("urgent", "unclassified")}, {"urgent": SUPPRESSED}),
        (
            {"open": 4, "urgent_open": {"value": 7}, "oldest_opened_at": "2026-03-01"},
            {("open",)},
            {"open": SUPPRESSED, "urgent_open": {"value": 7}, "oldest_opened_at": None},
        ),
        (
            {"name": "新河村", "visited": 9, "households": None},
            set(),
            {"name": "新河村", "visited": 9, "households": None},
        ),
    ],
)
def test_what_is_made_of_a_hidden_number_is_hidden_with_it(figures: Any, hidden: Any, shown: Any) -> None:
    assert covered(figures, hidden) == shown


def test_urgent_cases_still_open_are_not_told_by_those_registered_and_resolved() -> None:
    def figures(units: Iterable[UUID]) -> dict[str, Any]:
        return {"registered": {"value": 17}, "open": {"value": 3}, "resolved": {"value": 14}}

    hidden = hidden_cells(TREE, TOWN, figures, lambda unit: SMALL)
    shown = covered(figures([TOWN]), hidden.total)
    assert shown == {"registered": SUPPRESSED, "open": SUPPRESSED, "resolved": {"value": 14}}


def test_a_count_that_may_still_grow_is_small_where_either_part_is() -> None:
    def figures(units: Iterable[UUID]) -> dict[str, Any]:
        return {"urgent": {"value": None, "at_least": 9, "unclassified": 2}}

    hidden = hidden_cells(TREE, TOWN, figures, lambda unit: SMALL)
    assert hidden.total == {("urgent", "unclassified")}
