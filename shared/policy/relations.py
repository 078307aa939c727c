"""How an actor stands to a case: every relation that may act, worked out in this one place."""

from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from shared.events.case import Case
from shared.events.vocabulary import LEVELS, Level
from shared.policy.actor import Actor
from shared.policy.command import EventRef
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import (
    CaseSight,
    Sight,
    is_hearing_auditor,
    is_supervisor_of,
    sight,
    sight_of,
)
from shared.policy.standing import EXECUTIVES, OPENERS, is_officer, is_staff


class Relation(StrEnum):
    OPENER_WITHIN = "OPENER_WITHIN"
    """May open a case for an origin within their unit."""
    HOLDER = "HOLDER"
    """Staff of the unit that holds it."""
    UPPER_HOLDER = "UPPER_HOLDER"
    """Staff of the village or township that holds it."""
    RECEIVER = "RECEIVER"
    """Staff of the unit it is escalated to."""
    OFFICER = "OFFICER"
    """An officer of the unit that holds it."""
    OFFICER_ABOVE = "OFFICER_ABOVE"
    """An officer of a unit above the holder."""
    NEXT_LEVEL = "NEXT_LEVEL"
    """An officer of the level next above a holder of whom somebody declared a conflict."""
    NEXT_ABOVE = "NEXT_ABOVE"
    """An officer of the level next above the holder, or above whoever it is escalated to."""
    HEAD = "HEAD"
    """An officer of the unit that holds it; of a group, of its village."""
    MEDIATOR = "MEDIATOR"
    PARTY = "PARTY"
    COMPLAINANT = "COMPLAINANT"
    NOTIFIED = "NOTIFIED"
    """An officer of a unit that was notified."""
    REFERRED_POLICE = "REFERRED_POLICE"
    SUPERVISOR = "SUPERVISOR"
    """A supervisor of a unit at or above the origin who never acted on the case otherwise."""
    ANSWERER = "ANSWERER"
    """An officer of the origin's village or of the holder."""
    FOLLOWER_UP = "FOLLOWER_UP"
    """Staff of the holder or an officer above, but not who handled it."""
    REVIEWER = "REVIEWER"
    """A township officer within whose township it is."""
    SUPERIOR = "SUPERIOR"
    """An officer of an author's unit other than the author, or of the unit above."""
    ACTOR = "ACTOR"
    """Anybody who may read it and acts on cases at all."""


HOLDING = frozenset((Relation.HOLDER, Relation.MEDIATOR))
"""Who may act for a party with `on_behalf_of`."""
_BYSTANDERS = frozenset(("operator", "dashboard"))


def opening_relations(actor: Actor, origin_unit: UUID, tree: UnitTree) -> frozenset[Relation]:
    """How the actor stands to a case that they would open there."""
    if actor.role not in OPENERS or actor.unit is None:
        return frozenset()
    within = origin_unit == actor.unit if actor.role == "resident" else tree.within(origin_unit, actor.unit)
    return frozenset((Relation.OPENER_WITHIN,)) if within else frozenset()


def relations(actor: Actor, case: Case, tree: UnitTree) -> frozenset[Relation]:
    """Every relation in which the actor stands to the case.

    A declared conflict of interest leaves nothing but declaring; whoever supervised a case does not
    execute on it, nor the other way round.
    """
    if actor.role in _BYSTANDERS:
        return frozenset()
    seen = sight_of(case)
    found: set[Relation] = set()
    in_sight = sight(actor, seen, tree)
    if in_sight is Sight.HIDDEN:
        return frozenset()
    if in_sight is not Sight.OUTSIDE:
        found.add(Relation.ACTOR)
    if actor.ref in case.barred:
        return frozenset(found)
    own = [person for person in case.people if person.actor_ref == actor.ref]
    if own:
        disputing = parties(case)
        if any(person.person_ref in disputing for person in own):
            found.add(Relation.PARTY)
        if any(person.role == "COMPLAINANT" for person in own):
            found.add(Relation.COMPLAINANT)
    if actor.role == "supervisor":
        if is_supervisor_of(actor, seen, tree) and actor.ref not in executed_by(case):
            found.add(Relation.SUPERVISOR)
    elif actor.unit is not None and actor.ref not in supervised_by(case):
        found |= _executive(actor, actor.unit, case, seen, tree)
    return frozenset(found)


def parties(case: Case) -> tuple[UUID, ...]:
    """Who the parties are: whom the offer or agreement names, else the people in dispute."""
    if case.mediation is not None and case.mediation.state in ("OFFERED", "STARTED", "AGREED"):
        return case.mediation.parties
    if case.agreement is not None:
        return case.agreement.parties
    return tuple(p.person_ref for p in case.people if p.role in ("COMPLAINANT", "RESPONDENT", "PARTY"))


def is_superior(actor: Actor, event: EventRef, tree: UnitTree) -> bool:
    """Whether the actor is the superior of the event's author."""
    return _is_superior(actor, event.author_ref, event.author_unit, tree)


def next_level(level: Level) -> Level | None:
    """The level above; None above the township."""
    place = LEVELS.index(level) + 1
    return LEVELS[place] if place < len(LEVELS) else None


def unit_above(unit: UUID | None, level: Level | None, tree: UnitTree) -> UUID | None:
    """The unit of the level next above; None above a township."""
    above = None if level is None else next_level(level)
    return None if above is None else tree.ancestor_at(unit, above)


def late_units(case: Case, tree: UnitTree) -> set[UUID]:
    """Who may take the case over: the units next above a breach of T13 or T16 that stands, or a conflict."""
    overdue = {deadline.timer for deadline in case.deadlines if deadline.overdue}
    found = set()
    if case.conflict_since is not None or "T13" in overdue:
        found.add(unit_above(case.holder_unit, case.holder_level, tree))
    if "T16" in overdue:
        found.add(unit_above(case.pending_unit, case.pending_level, tree))
    return {unit for unit in found if unit is not None}


def _executive(actor: Actor, unit: UUID, case: Case, seen: CaseSight, tree: UnitTree) -> set[Relation]:
    found: set[Relation] = set()
    hears = is_hearing_auditor(actor, seen, unit)
    staff = is_staff(actor, tree) or hears
    officer = is_officer(actor, tree) or hears
    above = unit in tree.path(case.holder_unit)[1:]
    if staff and unit == case.holder_unit:
        found.add(Relation.HOLDER)
        if case.holder_level != "GROUP":
            found.add(Relation.UPPER_HOLDER)
    if staff and unit == case.pending_unit:
        found.add(Relation.RECEIVER)
    if officer:
        if unit == case.holder_unit:
            found.add(Relation.OFFICER)
        next_above = unit_above(case.holder_unit, case.holder_level, tree)
        if above:
            found.add(Relation.OFFICER_ABOVE)
        if unit == next_above and case.conflict_since is not None:
            found.add(Relation.NEXT_LEVEL)
        if unit in (next_above, unit_above(case.pending_unit, case.pending_level, tree)):
            found.add(Relation.NEXT_ABOVE)
        if unit == (next_above if case.holder_level == "GROUP" else case.holder_unit):
            found.add(Relation.HEAD)
        if unit in case.notified_units:
            found.add(Relation.NOTIFIED)
        if unit in (case.holder_unit, tree.ancestor_at(case.origin_unit, "VILLAGE")):
            found.add(Relation.ANSWERER)
        if actor.role == "township_officer" and (
            above or unit in (case.holder_unit, *tree.path(case.origin_unit))
        ):
            found.add(Relation.REVIEWER)
        if any(_is_superior(actor, author.ref, author.unit, tree) for author in case.authors):
            found.add(Relation.SUPERIOR)
    if _mediates(actor, unit, case, tree):
        found.add(Relation.MEDIATOR)
    if actor.role == "community_police" and unit in case.police_units:
        found.add(Relation.REFERRED_POLICE)
    if actor.ref != (case.handler_ref or case.resolver_ref) and found & {
        Relation.HOLDER,
        Relation.OFFICER_ABOVE,
    }:
        found.add(Relation.FOLLOWER_UP)
    return found


def _mediates(actor: Actor, unit: UUID, case: Case, tree: UnitTree) -> bool:
    if case.mediator_ref is not None:
        return actor.ref == case.mediator_ref
    if actor.role == "group_leader":
        return unit == case.holder_unit and case.holder_level == "GROUP"
    return actor.role == "mediator" and tree.within(case.holder_unit, unit)


def _is_superior(actor: Actor, ref: str, unit: UUID | None, tree: UnitTree) -> bool:
    if unit is None or not is_officer(actor, tree):
        return False
    if actor.unit == unit:
        return actor.ref != ref
    written_for = tree.get(unit)
    return written_for is not None and written_for.parent_id == actor.unit


def executed_by(case: Case) -> Iterator[str]:
    """Who handled it or acted on it in an executive role, and so doesn't supervise it."""
    yield from case.handler_refs
    yield from (author.ref for author in case.authors if author.role in EXECUTIVES)


def supervised_by(case: Case) -> Iterator[str]:
    """Who acted on it as a supervisor, and so doesn't execute on it."""
    return (author.ref for author in case.authors if author.role == "supervisor")
