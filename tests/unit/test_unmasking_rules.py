"""Who may see a case in the clear that they else see masked: who oversees it, with what it takes."""

from itertools import product
from typing import get_args
from uuid import UUID

import pytest

from shared.events.case import Case
from shared.events.vocabulary import Procedure, Role
from shared.policy.actor import Actor
from shared.policy.sight import HIDDEN_PROCEDURES, Sight, reads_unit, sight, sight_of
from shared.policy.unmasking import UNMASKERS, may_unmask
from tests.unit.casework import GROUP, OTHER_VILLAGE, TOWNSHIP, TREE, VILLAGE, actor
from tests.unit.rulebook import case_at

PROCEDURES: tuple[Procedure, ...] = get_args(Procedure)
UNITS: tuple[UUID | None, ...] = (GROUP, VILLAGE, TOWNSHIP, OTHER_VILLAGE, None)


def held(procedure: Procedure, **changes: object) -> Case:
    """A case of a group, now at its village."""
    return case_at("VILLAGE", "IN_PROGRESS", procedure=procedure, **changes)


@pytest.mark.parametrize("role", get_args(Role))
def test_only_who_oversees_may_unmask_with_the_clearance_it_takes(role: Role) -> None:
    for unit, procedure, clearances in product(
        UNITS, PROCEDURES, ((), ("SAFETY_LEAD",), ("SAFETY_LEAD", "ACCUSATION"))
    ):
        by = actor("somebody", role, unit, *clearances)
        above = reads_unit(by, GROUP, TREE)
        cleared = procedure not in HIDDEN_PROCEDURES or procedure in clearances
        expected = role in UNMASKERS and above and cleared
        assert may_unmask(by, held(procedure), TREE) is expected, by


@pytest.mark.parametrize("role", get_args(Role))
def test_nobody_unmasks_what_is_hidden_from_them_or_not_theirs(role: Role) -> None:
    for unit, procedure in product(UNITS, PROCEDURES):
        by = actor("somebody", role, unit)
        case = held(procedure)
        if may_unmask(by, case, TREE):
            assert sight(by, sight_of(case), TREE) in (Sight.MASKED, Sight.CLEAR)


def test_whoever_acted_on_it_or_declared_a_conflict_may_not() -> None:
    by: Actor = actor("supervisor", "supervisor", VILLAGE)
    assert may_unmask(by, held("GRID"), TREE)
    assert not may_unmask(by, held("GRID", handler_refs=("supervisor",)), TREE)
    assert not may_unmask(by, held("GRID", barred=frozenset(("supervisor",))), TREE)
