"""Who may see a case in the clear that they else see masked, where they say why."""

from typing import Final

from shared.events.case import Case
from shared.events.vocabulary import Role
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.relations import executed_by
from shared.policy.sight import HIDDEN_PROCEDURES, reads_unit

UNMASKERS: Final[frozenset[Role]] = frozenset(("supervisor", "auditor", "privacy_officer"))


def may_unmask(actor: Actor, case: Case, tree: UnitTree) -> bool:
    """Whether somebody who may read the case oversees it, impartially and with the clearance it needs.

    Of a unit at or above the origin, or of the whole. A supervisor who isn't cleared knows of a confidential
    case, but not from whom it came.
    """
    if actor.role not in UNMASKERS or not reads_unit(actor, case.origin_unit, tree):
        return False
    if case.procedure in HIDDEN_PROCEDURES and case.procedure not in actor.clearances:
        return False
    return actor.ref not in case.barred and actor.ref not in executed_by(case)
