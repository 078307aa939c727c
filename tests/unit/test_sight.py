"""Who sees a case in the clear, masked, not at all, or is told that it isn't theirs: a table."""

from typing import get_args
from uuid import UUID

import msgspec
import pytest

from shared.events.base import Person
from shared.events.cases import Accused
from shared.events.vocabulary import Procedure, Role
from shared.policy.actor import Actor
from shared.policy.refusal import Forbidden, GuardFailed, Unknown
from shared.policy.sight import CaseSight, Sight, own_person_refs, reads_unit, sight, sight_of
from tests.unit.casework import (
    FAR_VILLAGE,
    GROUP,
    LEADER,
    NEIGHBOURHOOD,
    OTHER_GROUP,
    OTHER_TOWNSHIP,
    OTHER_VILLAGE,
    SISTER_GROUP,
    TOWNSHIP,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
    Docket,
    actor,
    new_id,
)
from tests.unit.rulebook import A, case_at
from tests.unit.test_stories import refused

CLEAR, MASKED, HIDDEN, OUTSIDE = Sight.CLEAR, Sight.MASKED, Sight.HIDDEN, Sight.OUTSIDE
CLEARED = ("SAFETY_LEAD", "ACCUSATION")

# A case of group 37 now at the village, escalated to the township, once referred to the police of another
# village and notified there: an ordinary one, and a safety lead.
TABLE: dict[str, tuple[Actor, Sight, Sight]] = {
    "the opener": (actor("opener", "grid_worker", VILLAGE), CLEAR, CLEAR),
    "a former handler": (actor("former", "group_leader", GROUP), CLEAR, CLEAR),
    "its mediator": (actor("mediator", "mediator", FAR_VILLAGE), CLEAR, CLEAR),
    "holder's officer": (actor("a", "village_officer", VILLAGE), CLEAR, CLEAR),
    "holder's mediator": (actor("b", "mediator", VILLAGE), CLEAR, CLEAR),
    "receiver's officer": (actor("c", "township_officer", TOWNSHIP), CLEAR, CLEAR),
    "notified officer": (actor("d", "village_officer", OTHER_VILLAGE), CLEAR, CLEAR),
    "notified unit's mediator": (actor("e", "mediator", OTHER_VILLAGE), OUTSIDE, HIDDEN),
    "referred police": (actor("f", "community_police", OTHER_VILLAGE), CLEAR, CLEAR),
    "village police": (actor("g", "community_police", VILLAGE), MASKED, HIDDEN),
    "origin's leader": (actor("h", "group_leader", GROUP), MASKED, HIDDEN),
    "holder's grid worker": (actor("i", "grid_worker", VILLAGE), MASKED, HIDDEN),
    "sister group's leader": (actor("j", "group_leader", SISTER_GROUP), OUTSIDE, HIDDEN),
    "supervisor": (actor("k", "supervisor", VILLAGE), MASKED, MASKED),
    "supervisor above": (actor("l", "supervisor", TOWNSHIP), MASKED, MASKED),
    "supervisor elsewhere": (actor("m", "supervisor", OTHER_VILLAGE), OUTSIDE, HIDDEN),
    "town's auditor": (actor("n", "auditor", TOWNSHIP), MASKED, HIDDEN),
    "auditor of the whole": (actor("o", "auditor", None), MASKED, HIDDEN),
    "cleared auditor": (actor("p", "auditor", None, *CLEARED), MASKED, MASKED),
    "cleared officer elsewhere": (actor("q", "village_officer", FAR_VILLAGE, *CLEARED), OUTSIDE, OUTSIDE),
    "cleared for accusations only": (actor("r", "auditor", None, "ACCUSATION"), MASKED, HIDDEN),
    "operator": (actor("s", "operator", None), MASKED, HIDDEN),
    "privacy officer": (actor("t", "privacy_officer", TOWNSHIP), MASKED, HIDDEN),
    "dashboard": (actor("u", "dashboard", TOWNSHIP), OUTSIDE, HIDDEN),
    "complainant": (actor("resident", "resident", GROUP), MASKED, MASKED),
    "respondent from afar": (actor("neighbour", "resident", FAR_VILLAGE), MASKED, MASKED),
    "stranger": (actor("v", "resident", GROUP), OUTSIDE, HIDDEN),
    "unitless leader": (actor("w", "group_leader", None), OUTSIDE, HIDDEN),
}


def seen(procedure: Procedure) -> CaseSight:
    case = case_at(
        "VILLAGE",
        "PENDING_ESCALATION",
        procedure=procedure,
        handler_refs=("handler", "former"),
        mediator_ref="mediator",
    )
    return sight_of(case)


@pytest.mark.parametrize("who", TABLE)
def test_sight(who: str) -> None:
    by, ordinary, lead = TABLE[who]
    assert sight(by, seen("SELF_GOVERNANCE"), TREE) is ordinary
    assert sight(by, seen("SAFETY_LEAD"), TREE) is lead


def test_a_row_of_a_list_shows_what_the_case_itself_would() -> None:
    case = seen("SAFETY_LEAD")
    assert msgspec.json.decode(msgspec.json.encode(case), type=CaseSight) == case


def test_people_see_their_own_data() -> None:
    complainant = TABLE["complainant"][0]
    assert own_person_refs(complainant, seen("GRID")) == {A}
    assert own_person_refs(TABLE["supervisor"][0], seen("GRID")) == frozenset()


@pytest.mark.parametrize("role", get_args(Role))
def test_figures_are_asked_for_one_s_own_unit_and_beneath(role: Role) -> None:
    within = (TOWNSHIP, VILLAGE, GROUP, OTHER_VILLAGE, FAR_VILLAGE)
    assert [reads_unit(actor("x", role, VILLAGE), unit, TREE) for unit in within] == [
        False, True, True, False, False,
    ]  # fmt: skip
    whole = role in ("operator", "auditor")
    assert all(reads_unit(actor("x", role, None), unit, TREE) is whole for unit in within)


ACCUSER = actor("accuser", "resident", GROUP)


def accusation(
    docket: Docket, unit: UUID, role: Role = "village_officer", ref: str | None = "accused"
) -> UUID:
    accused = {"role": role, "unit_id": unit} | ({"actor_ref": ref} if ref else {})
    return docket.open(ACCUSER, procedure="ACCUSATION", category="VILLAGE_AFFAIRS", accused=accused)


def test_an_accusation_bypasses_the_accused_s_level_and_is_hidden_from_their_side() -> None:
    docket = Docket()
    case_id = accusation(docket, VILLAGE)
    case = docket.cases[case_id]
    assert (case.holder_unit, case.docket_unit, case.origin_unit) == (TOWNSHIP, TOWNSHIP, GROUP)
    see = sight_of(case)
    for by, expected in {
        ACCUSER: CLEAR,
        TOWNSHIP_OFFICER: CLEAR,
        actor("accused", "township_officer", TOWNSHIP): HIDDEN,
        actor("accused", "supervisor", TOWNSHIP, *CLEARED): HIDDEN,
        VILLAGE_OFFICER: HIDDEN,
        actor("cleared", "village_officer", VILLAGE, *CLEARED): HIDDEN,
        actor("leader", "group_leader", GROUP): HIDDEN,
        actor("sv", "supervisor", VILLAGE): MASKED,
        actor("cleared", "auditor", None, *CLEARED): MASKED,
        actor("vp", "community_police", VILLAGE): HIDDEN,
    }.items():
        assert sight(by, see, TREE) is expected, by
    with refused(Unknown, "unknown-case"):
        docket.send(case_id, "answer-query", VILLAGE_OFFICER, query_id=new_id(), answer="不知")


def test_an_accused_known_by_role_alone_is_everybody_of_that_role_there() -> None:
    docket = Docket()
    see = sight_of(docket.cases[accusation(docket, VILLAGE, "supervisor", None)])
    assert sight(actor("sv", "supervisor", VILLAGE), see, TREE) is HIDDEN
    assert sight(actor("sv", "supervisor", TOWNSHIP), see, TREE) is MASKED


def test_an_accusation_never_comes_to_the_accused_s_unit_nor_beneath_it() -> None:
    docket = Docket()
    case_id = accusation(docket, VILLAGE)
    docket.send(case_id, "accept-case", TOWNSHIP_OFFICER)
    docket.send(case_id, "assign-handler", TOWNSHIP_OFFICER, handler_ref="somebody")
    for to_unit in ({}, {"to_unit": VILLAGE}):
        with refused(GuardFailed, "accused-unit"):
            docket.send(case_id, "delegate-case", TOWNSHIP_OFFICER, reason="下派", **to_unit)
    with refused(GuardFailed, "accused-unit"):
        docket.send(case_id, "notify-level", TOWNSHIP_OFFICER, level="VILLAGE")
    with refused(GuardFailed, "handler-conflict"):
        docket.send(case_id, "assign-handler", TOWNSHIP_OFFICER, handler_ref="accused")
    docket.send(case_id, "delegate-case", TOWNSHIP_OFFICER, to_unit=OTHER_VILLAGE, reason="异地办理")
    other = actor("ovo", "village_officer", OTHER_VILLAGE)
    with refused(GuardFailed, "accused-unit"):
        docket.send(case_id, "transfer-case", other, to_unit=VILLAGE, reason="退还")
    docket.send(case_id, "transfer-case", other, to_unit=NEIGHBOURHOOD, reason="异地办理")


def test_an_accusation_of_a_group_leader_goes_to_the_village_and_not_down() -> None:
    docket = Docket()
    case_id = accusation(docket, OTHER_GROUP, "group_leader")
    assert docket.cases[case_id].holder_unit == OTHER_VILLAGE


def test_an_accusation_of_a_township_is_heard_by_its_auditor() -> None:
    docket = Docket()
    case_id = accusation(docket, TOWNSHIP, "township_officer")
    auditor = actor("auditor", "auditor", TOWNSHIP)
    see = sight_of(docket.cases[case_id])
    assert sight(auditor, see, TREE) is CLEAR
    assert sight(TOWNSHIP_OFFICER, see, TREE) is HIDDEN
    with refused(Unknown, "unknown-case"):
        docket.send(case_id, "accept-case", TOWNSHIP_OFFICER)
    with refused(Unknown, "unknown-case"):
        docket.send(case_id, "accept-case", actor("elsewhere", "auditor", OTHER_TOWNSHIP))
    docket.send(case_id, "accept-case", auditor)
    docket.send(case_id, "assign-handler", auditor, handler_ref="auditor")
    docket.send(case_id, "resolve-case", auditor, outcome="UNFOUNDED", degree="FULL", detail="查无实据")
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "record-follow-up", auditor, reached=False)


def test_a_case_is_an_accusation_from_its_opening_or_never() -> None:
    docket = Docket()
    case_id = accusation(docket, VILLAGE)
    with refused(GuardFailed, "accusation-stays"):
        docket.send(case_id, "accept-case", TOWNSHIP_OFFICER, procedure="PETITION")
    ordinary = docket.open(LEADER)
    with refused(GuardFailed, "accusation-stays"):
        docket.send(ordinary, "accept-case", LEADER, procedure="ACCUSATION")


def test_the_accused_among_the_people_is_kept_out_as_well() -> None:
    case = case_at(
        "VILLAGE",
        "IN_PROGRESS",
        procedure="ACCUSATION",
        accused=Accused(role="group_leader", unit_id=GROUP),
        people=(Person(person_ref=A, role="ACCUSED", actor_ref="who"),),
    )
    assert sight(actor("who", "village_officer", VILLAGE), sight_of(case), TREE) is HIDDEN
