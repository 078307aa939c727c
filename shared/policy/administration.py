"""Who may give out accounts: an officer those of their unit and beneath it, and none above themselves."""

from datetime import datetime, timedelta
from typing import Final

from shared.events.vocabulary import Level, Role
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import reads_unit
from shared.policy.standing import is_officer, is_whole, level_of_unit

_OF_A_VILLAGE: Final[frozenset[Role]] = frozenset(
    (
        "resident",
        "group_leader",
        "mediator",
        "grid_worker",
        "village_officer",
        "community_police",
        "dashboard",
    )
)
APPOINTED: Final[dict[Role, frozenset[Role]]] = {
    "village_officer": _OF_A_VILLAGE,
    "township_officer": _OF_A_VILLAGE | {"township_officer"},
}
"""Whom an officer may let in. Not those who oversee them: whoever executes doesn't choose who supervises."""
_STANDS_AT: Final[dict[Role, Level]] = {
    "group_leader": "GROUP",
    "village_officer": "VILLAGE",
    "township_officer": "TOWNSHIP",
}
"""Roles that are nothing at another level."""
GIVEN_PASSWORD_LASTS: Final = timedelta(days=14)
"""From when somebody gave it to when its owner has to have signed in with it and chosen another."""


def fits(role: Role, level: Level | None) -> bool:
    """Whether somebody may have the role in a unit of that level; None is the whole, or an unknown unit."""
    return _STANDS_AT.get(role, level) == level


def administers(actor: Actor, tree: UnitTree) -> bool:
    """Whether the actor looks after anybody's account."""
    return actor.role == "operator" or is_officer(actor, tree)


def may_look_up(by: Actor, account: Actor, tree: UnitTree) -> bool:
    """Whether the account is one of those that the actor may know of: of their unit or one beneath it."""
    if not administers(by, tree):
        return False
    if account.unit is None:
        return is_whole(by)
    return reads_unit(by, account.unit, tree)


def may_administer(by: Actor, account: Actor, tree: UnitTree) -> bool:
    """Whether the actor may make such an account, change or end it.

    None with more than they have: an officer gives no clearance that isn't theirs. Nobody does it to
    themselves.
    """
    if by.ref == account.ref or not may_look_up(by, account, tree):
        return False
    if by.role == "operator":
        return True
    if not account.clearances <= by.clearances or account.role not in APPOINTED[by.role]:
        return False
    return fits(account.role, level_of_unit(account.unit, tree))


def may_give_password(by: Actor, account: Actor, tree: UnitTree, *, used: bool) -> bool:
    """Whether the actor may give the account another password, with which they could act as its owner.

    An officer only until its owner has signed in: what they have brought since may be against the officer.
    """
    return may_administer(by, account, tree) and (by.role == "operator" or not used)


def has_run_out(given_at: datetime, now: datetime) -> bool:
    """Whether a password that was given then opens nothing any more, not even the choice of another."""
    return now >= given_at + GIVEN_PASSWORD_LASTS
