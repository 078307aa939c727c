"""Two cases that are one: whether the one may be merged into the other, and what is made of that."""

from datetime import datetime

from shared.events.case import Author, Case
from shared.events.cases import AbsorbedCase, CaseAbsorbed
from shared.events.evolve import evolve
from shared.policy.actor import Actor
from shared.policy.clocks import caught_up, running_clocks
from shared.policy.jurisdiction import UnitTree
from shared.policy.provisional import provisional_of
from shared.policy.sight import HIDDEN_PROCEDURES, Sight, sight, sight_of


def merge_fault(duplicate: Case, primary: Case | None, actor: Actor, tree: UnitTree) -> str | None:
    """The code of the guard by which the actor may not merge the one into the other; None where they may."""
    if primary is None or sight(actor, sight_of(primary), tree) is Sight.HIDDEN:
        return "primary-unknown"
    if primary.case_id == duplicate.case_id:
        return "merge-itself"
    if not tree.within(primary.holder_unit, actor.unit):
        return "primary-outside"
    if actor.ref in primary.barred:
        return "handler-conflict"
    if not primary.is_open:
        return "primary-not-open"
    return None if _may_absorb(primary, duplicate) else "merge-hidden"


def _may_absorb(primary: Case, duplicate: Case) -> bool:
    """Whether what is known of the one may be known of the other."""
    if primary.procedure not in HIDDEN_PROCEDURES and duplicate.procedure not in HIDDEN_PROCEDURES:
        return True
    return primary.procedure == duplicate.procedure and primary.accused == duplicate.accused


def absorption(duplicate: Case, at: datetime) -> CaseAbsorbed:
    """What the primary is told of a merge: of the duplicate, and of all that it had absorbed itself."""
    return CaseAbsorbed(absorbed=(_absorbed(duplicate, at), *duplicate.absorbed))


def _absorbed(case: Case, at: datetime) -> AbsorbedCase:
    """What the primary keeps of a duplicate; what was late by then stays with that, recorded or not."""
    return AbsorbedCase(
        case_id=case.case_id,
        docket_unit=case.docket_unit,
        registered_at=case.opened_at,
        registered_position=case.registered.position,
        procedure=case.procedure,
        category=case.category,
        urgent=case.urgent,
        urgency_status=case.urgency_status,
        facets=case.facets,
        clocks=running_clocks(case, at),
    )


def primary_after(duplicate: Case, primary: Case, actor: Actor, at: datetime, tree: UnitTree) -> Case:
    """The primary as it will stand if the actor merges the duplicate into it at an instant."""
    duplicate, _ = caught_up(duplicate, at, tree)
    primary, _ = caught_up(primary, at, tree)
    absorbed = absorption(duplicate, at)
    author = Author(actor.ref, actor.role, actor.unit)
    after = evolve(primary, provisional_of(primary, absorbed, author, at), absorbed)
    assert after is not None
    return after
