"""What a caller may know of a case: in the clear, masked, nothing at all, or not theirs to read.

Works on `CaseSight`, the few fields of a case that the rule needs, so that a list answers
from its rows what the case itself would answer.
"""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.events.case import Case
from shared.events.cases import Accused
from shared.events.vocabulary import PersonRole, Procedure
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.standing import is_officer, is_staff, is_whole

HIDDEN_PROCEDURES: frozenset[Procedure] = frozenset(("SAFETY_LEAD", "ACCUSATION"))


class Sight(StrEnum):
    CLEAR = "CLEAR"
    """Personal data in the clear."""
    MASKED = "MASKED"
    """Each personal value is sealed, save the caller's own."""
    HIDDEN = "HIDDEN"
    """404: not for this caller to know that it exists."""
    OUTSIDE = "OUTSIDE"
    """403: neither in the caller's unit nor otherwise theirs to read."""


class PersonSight(NamedTuple):
    """Somebody on the case who has an actor_ref."""

    person_ref: UUID
    actor_ref: str
    role: PersonRole


class CaseSight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What deciding about sight needs to know of a case; encodable, so that list rows keep it."""

    procedure: Procedure | None
    opener_ref: str
    origin_unit: UUID
    holder_unit: UUID
    held_units: tuple[UUID, ...]
    pending_unit: UUID | None = None
    notified_units: tuple[UUID, ...] = ()
    police_units: tuple[UUID, ...] = ()
    handler_refs: tuple[str, ...] = ()
    mediator_ref: str | None = None
    accused: Accused | None = None
    people: tuple[PersonSight, ...] = ()


def sight_of(case: Case) -> CaseSight:
    """The fields of a case that `sight` looks at."""
    return CaseSight(
        procedure=case.procedure,
        opener_ref=case.opener_ref,
        origin_unit=case.origin_unit,
        holder_unit=case.holder_unit,
        held_units=case.held_units,
        pending_unit=case.pending_unit,
        notified_units=case.notified_units,
        police_units=case.police_units,
        handler_refs=case.handler_refs,
        mediator_ref=case.mediator_ref,
        accused=case.accused,
        people=tuple(PersonSight(p.person_ref, p.actor_ref, p.role) for p in case.people if p.actor_ref),
    )


def sight(actor: Actor, case: CaseSight, tree: UnitTree) -> Sight:
    """What the actor may know of the case, by the unit tree given."""
    hidden = case.procedure in HIDDEN_PROCEDURES
    if hidden and is_accused_side(actor, case, tree):
        return Sight.HIDDEN
    if actor.role == "dashboard":
        return Sight.HIDDEN if hidden else Sight.OUTSIDE
    if _is_party_to_it(actor, case, tree):
        return Sight.CLEAR
    if is_on_case(actor, case):
        return Sight.MASKED
    reached = within_reach(actor, case, tree)
    if hidden and case.procedure not in actor.clearances and not is_supervisor_of(actor, case, tree):
        return Sight.HIDDEN
    return Sight.MASKED if reached else Sight.OUTSIDE


def _is_party_to_it(actor: Actor, case: CaseSight, tree: UnitTree) -> bool:
    """Whether the actor is one of those who see personal data in the clear."""
    if actor.ref == case.opener_ref or actor.ref == case.mediator_ref or actor.ref in case.handler_refs:
        return True
    unit = actor.unit
    if unit is None:
        return False
    if unit in (case.holder_unit, case.pending_unit) and (
        is_staff(actor, tree) or is_hearing_auditor(actor, case, unit)
    ):
        return True
    if is_officer(actor, tree) and (unit in case.notified_units or unit in case.held_units):
        return True
    return actor.role == "community_police" and unit in case.police_units


def is_on_case(actor: Actor, case: CaseSight) -> bool:
    return any(person.actor_ref == actor.ref for person in case.people)


def own_person_refs(actor: Actor, case: CaseSight) -> frozenset[UUID]:
    """The people of the case who are the actor: their personal data they see in the clear."""
    return frozenset(person.person_ref for person in case.people if person.actor_ref == actor.ref)


def is_supervisor_of(actor: Actor, case: CaseSight, tree: UnitTree) -> bool:
    """Whether the actor is a supervisor of a unit at or above the origin."""
    return actor.role == "supervisor" and actor.unit is not None and tree.within(case.origin_unit, actor.unit)


def is_hearing_auditor(actor: Actor, case: CaseSight, unit: UUID) -> bool:
    """Whether the actor hears an accusation against the very unit that would hold it: a township's own."""
    return actor.role == "auditor" and case.accused is not None and case.accused.unit_id == unit


def is_accused_side(actor: Actor, case: CaseSight, tree: UnitTree) -> bool:
    """Whether the actor is the accused, or of their unit's staff.

    An accused who is known by role and unit only is everybody of that role there.
    """
    accused = case.accused
    if any(person.role == "ACCUSED" and person.actor_ref == actor.ref for person in case.people):
        return True
    if accused is None:
        return False
    if accused.actor_ref is not None and accused.actor_ref == actor.ref:
        return True
    if actor.unit != accused.unit_id:
        return False
    return is_staff(actor, tree) or (accused.actor_ref is None and accused.role == actor.role)


def within_reach(actor: Actor, case: CaseSight, tree: UnitTree) -> bool:
    """Whether the case began in, or was ever held by, the actor's unit or one under it."""
    if actor.role == "resident":
        return False
    units = (case.origin_unit, *case.held_units)
    return any(reads_unit(actor, unit, tree) for unit in units)


def reads_unit(actor: Actor, unit: UUID, tree: UnitTree) -> bool:
    """Whether a unit is the actor's own or stands beneath it, so that its figures are theirs to ask for."""
    if actor.unit is None:
        return is_whole(actor)
    return tree.within(unit, actor.unit)
