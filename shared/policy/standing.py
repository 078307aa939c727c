"""What an actor is by role and unit alone, whatever the case."""

from uuid import UUID

from shared.events.vocabulary import Level, Role
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree

STAFF: dict[Level, frozenset[Role]] = {
    "GROUP": frozenset(("group_leader", "mediator")),
    "VILLAGE": frozenset(("village_officer", "mediator")),
    "TOWNSHIP": frozenset(("township_officer", "mediator")),
}
OFFICERS: dict[Level, Role] = {"VILLAGE": "village_officer", "TOWNSHIP": "township_officer"}
FIELD_ROLES: frozenset[Role] = frozenset(("grid_worker", "community_police"))
"""Who, beside staff, records visits, services and files within their unit."""
OPENERS: frozenset[Role] = frozenset(
    (
        "resident",
        "group_leader",
        "mediator",
        "grid_worker",
        "village_officer",
        "township_officer",
        "community_police",
    )
)
EXECUTIVES: frozenset[str] = OPENERS - {"resident"}
"""Roles that execute: whoever acted on a case in one of them doesn't supervise it."""


def level_of_unit(unit: UUID | None, tree: UnitTree) -> Level | None:
    found = tree.get(unit)
    return None if found is None else found.level


def is_staff(actor: Actor, tree: UnitTree) -> bool:
    """Whether the actor is staff of the unit they act for."""
    level = level_of_unit(actor.unit, tree)
    return level is not None and actor.role in STAFF[level]


def is_officer(actor: Actor, tree: UnitTree) -> bool:
    """Whether the actor is an officer of the unit they act for."""
    level = level_of_unit(actor.unit, tree)
    return level is not None and OFFICERS.get(level) == actor.role


def is_whole(actor: Actor) -> bool:
    """Whether the actor acts for the whole, without a unit."""
    return actor.unit is None and actor.role in ("operator", "auditor")


def serves(actor: Actor, unit: UUID, tree: UnitTree) -> bool:
    """Whether the actor records visits, services and files of that unit: staff or field, within their own."""
    if actor.unit is None or not (is_staff(actor, tree) or actor.role in FIELD_ROLES):
        return False
    return tree.within(unit, actor.unit)
