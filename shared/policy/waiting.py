"""For whom something on a case waits: the relations that may act, told by unit.

What waits is kept under audiences, without saying who is in them; whoever asks is in some of them by
their role, their unit and the tree of that moment.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.events.case import Case
from shared.events.vocabulary import Level, Timer
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.relations import executed_by, supervised_by, unit_above
from shared.policy.sight import CaseSight, Sight, is_hearing_auditor, sight
from shared.policy.standing import is_officer, is_staff, level_of_unit


class Audience(StrEnum):
    """Whom of a unit."""

    STAFF = "STAFF"
    OFFICERS = "OFFICERS"
    SUPERVISORS = "SUPERVISORS"
    OFFICERS_ABOVE = "OFFICERS_ABOVE"
    """The officers of the level next above."""
    VILLAGE_OFFICERS = "VILLAGE_OFFICERS"
    """The officers of the village that it is, or is in."""
    TOWNSHIP_OFFICERS = "TOWNSHIP_OFFICERS"
    """The officers of the township that it is, or is in."""
    CALENDAR_KEEPERS = "CALENDAR_KEEPERS"
    """The same, and operators."""


class Addressee(NamedTuple):
    audience: Audience
    unit_id: UUID


def receivers(case: Case) -> Iterator[Addressee]:
    """Who may accept or return an escalation."""
    if case.pending_unit is not None:
        yield Addressee(Audience.STAFF, case.pending_unit)


def answerers(case: Case) -> Iterator[Addressee]:
    """Who may answer what supervisors ask."""
    yield Addressee(Audience.OFFICERS, case.holder_unit)
    yield Addressee(Audience.VILLAGE_OFFICERS, case.origin_unit)


def whose_turn(case: Case, timer: Timer) -> Iterator[Addressee]:
    """Who has to act before a clock ends, or may; nobody for what is the right of people on the case."""
    match timer:
        case "T5" | "T7" | "T10":
            return
        case "T6" | "T8":
            yield Addressee(Audience.TOWNSHIP_OFFICERS, case.holder_unit)
        case "T11" | "T12":
            yield from answerers(case)
        case "T16":
            yield from receivers(case)
        case _:
            yield Addressee(Audience.STAFF, case.holder_unit)


def alarmed(case: Case, timer: Timer) -> Iterator[Addressee]:
    """Who has to act on a breach: whoever is late and, on the ladder, whoever is told of it."""
    yield from whose_turn(case, timer)
    if timer == "T13":
        yield _told(case.holder_unit, case.holder_level)
    elif timer == "T16" and case.pending_unit is not None:
        yield _told(case.pending_unit, case.pending_level)


def calendar_keepers(case: Case) -> Iterator[Addressee]:
    """Who is to see to it that a clock gets its calendar."""
    yield Addressee(Audience.CALENDAR_KEEPERS, case.holder_unit)


def left_out(case: Case, audience: Audience) -> tuple[str, ...]:
    """The actors who may not act on the case, though they are in the audience."""
    if audience is Audience.CALENDAR_KEEPERS:
        return ()
    others = executed_by(case) if audience is Audience.SUPERVISORS else supervised_by(case)
    return tuple(dict.fromkeys((*case.barred, *others)))


def audiences_of(actor: Actor, tree: UnitTree) -> frozenset[Addressee]:
    """The audiences that the actor is in; of an auditor those in which they are if they hear the case."""
    return frozenset(_audiences(actor, tree))


def is_theirs(actor: Actor, case: CaseSight, tree: UnitTree) -> bool:
    """Whether what waits on the case for one of the actor's audiences waits for them, too."""
    if sight(actor, case, tree) not in (Sight.CLEAR, Sight.MASKED):
        return False
    return actor.role != "auditor" or (actor.unit is not None and is_hearing_auditor(actor, case, actor.unit))


def keeps_calendars(actor: Actor, tree: UnitTree) -> bool:
    """Whether the actor is told when the calendar of their unit ends."""
    return actor.role == "operator" or (
        is_officer(actor, tree) and level_of_unit(actor.unit, tree) == "TOWNSHIP"
    )


def _told(unit: UUID, level: Level | None) -> Addressee:
    # A township's own officers are told as its staff.
    return Addressee(Audience.SUPERVISORS if level == "TOWNSHIP" else Audience.OFFICERS_ABOVE, unit)


def _audiences(actor: Actor, tree: UnitTree) -> Iterator[Addressee]:
    unit = actor.unit
    if actor.role == "operator":
        for each in (known.unit_id for known in tree) if unit is None else tree.subtree(unit):
            yield Addressee(Audience.CALENDAR_KEEPERS, each)
    if unit is None:
        return
    officer, may_hear = is_officer(actor, tree), actor.role == "auditor"
    if actor.role == "supervisor":
        yield Addressee(Audience.SUPERVISORS, unit)
    if may_hear or is_staff(actor, tree):
        yield Addressee(Audience.STAFF, unit)
    if may_hear or officer:
        yield Addressee(Audience.OFFICERS, unit)
    if not officer:
        return
    within = (
        (Audience.TOWNSHIP_OFFICERS, Audience.CALENDAR_KEEPERS)
        if level_of_unit(unit, tree) == "TOWNSHIP"
        else (Audience.VILLAGE_OFFICERS,)
    )
    for each in tree.subtree(unit):
        for audience in within:
            yield Addressee(audience, each)
        if unit_above(each, level_of_unit(each, tree), tree) == unit:
            yield Addressee(Audience.OFFICERS_ABOVE, each)
