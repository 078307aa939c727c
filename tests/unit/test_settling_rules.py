"""Following up, closing, withdrawing, reviewing, reopening; merging, moving, suspending, correcting."""

from typing import Any
from uuid import UUID

from shared.policy.refusal import Forbidden, GuardFailed, Taken, Unknown, WrongState
from tests.unit.casework import (
    FAR_VILLAGE,
    GROUP,
    LEADER,
    NEIGHBOURHOOD,
    OTHER_GROUP,
    OTHER_VILLAGE,
    RESIDENT,
    SISTER_LEADER,
    SUPERVISOR,
    TOWNSHIP,
    TOWNSHIP_MEDIATOR,
    TOWNSHIP_OFFICER,
    VILLAGE,
    VILLAGE_MEDIATOR,
    VILLAGE_OFFICER,
    Docket,
    actor,
    new_id,
)
from tests.unit.test_stories import NO_ANSWER, refused

RESOLVED = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已说明"}


def resolved(docket: Docket, **opening: Any) -> UUID:
    """A village's case, resolved by its officer."""
    case_id = docket.open(VILLAGE_OFFICER, **opening)
    docket.send(case_id, "accept-case", VILLAGE_OFFICER)
    docket.send(case_id, "assign-handler", VILLAGE_OFFICER, handler_ref=VILLAGE_OFFICER.ref)
    docket.send(case_id, "resolve-case", VILLAGE_OFFICER, **RESOLVED)
    return case_id


def test_three_calls_in_vain_are_enough_and_a_fourth_too_many() -> None:
    docket = Docket()
    case_id = resolved(docket)
    for _ in range(3):
        with refused(GuardFailed, "follow-up-needed"):
            docket.send(case_id, "close-case", TOWNSHIP_OFFICER)
        docket.send(case_id, "record-follow-up", VILLAGE_MEDIATOR, **NO_ANSWER)
    with refused(GuardFailed, "follow-ups-used"):
        docket.send(case_id, "record-follow-up", VILLAGE_MEDIATOR, **NO_ANSWER)
    docket.send(case_id, "close-case", TOWNSHIP_OFFICER)


def test_unsatisfied_reopens_in_its_own_cycle_only() -> None:
    docket = Docket()
    case_id = resolved(docket)
    unsatisfied = {"ground": "UNSATISFIED", "reason": "没解决"}
    docket.send(case_id, "record-follow-up", VILLAGE_MEDIATOR, reached=True, solved=False, satisfied=False)
    docket.send(case_id, "close-case", VILLAGE_OFFICER)
    docket.send(case_id, "reopen-case", VILLAGE_OFFICER, **unsatisfied)
    case = docket.cases[case_id]
    assert (case.state, case.cycle, case.handler_ref, case.holder_unit) == (
        "IN_PROGRESS",
        2,
        VILLAGE_OFFICER.ref,
        VILLAGE,
    )
    docket.send(case_id, "resolve-case", VILLAGE_OFFICER, **RESOLVED)
    with refused(GuardFailed, "not-unsatisfied"):
        docket.send(case_id, "reopen-case", VILLAGE_OFFICER, **unsatisfied)


def test_public_safety_is_not_the_complainant_s_to_withdraw() -> None:
    docket = Docket()
    person = {"person_ref": str(new_id()), "role": "COMPLAINANT", "actor_ref": RESIDENT.ref}
    case_id = docket.open(RESIDENT, people=[person])
    docket.send(case_id, "flag-risk", LEADER, risk="VIOLENCE", detail="持刀")
    with refused(GuardFailed, "public-safety"):
        docket.send(case_id, "withdraw-case", RESIDENT, statement="算了")
    other = docket.open(RESIDENT, people=[person | {"person_ref": str(new_id())}])
    with refused(GuardFailed, "not-the-complainant"):
        behalf = {"person_ref": str(new_id()), "means": "PHONE"}
        docket.send(other, "withdraw-case", LEADER, statement="算了", on_behalf_of=behalf)
    docket.send(other, "withdraw-case", RESIDENT, statement="算了")
    assert docket.cases[other].state == "WITHDRAWN"


def test_a_petition_is_reviewed_twice_and_then_it_is_final() -> None:
    docket = Docket()
    person = {"person_ref": str(new_id()), "role": "COMPLAINANT", "actor_ref": RESIDENT.ref}
    case_id = resolved(docket, procedure="PETITION", people=[person])
    with refused(GuardFailed, "no-review-asked"):
        docket.send(case_id, "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=False)
    docket.send(case_id, "request-review", RESIDENT, grounds="不服")
    with refused(GuardFailed, "review-asked"):
        docket.send(case_id, "request-review", RESIDENT, grounds="不服")
    with refused(GuardFailed, "no-opinion-yet"):
        docket.send(case_id, "request-re-review", RESIDENT, grounds="不服")
    with refused(GuardFailed, "final-on-re-review"):
        docket.send(case_id, "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=True)
    docket.send(case_id, "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=False)
    docket.send(case_id, "request-re-review", RESIDENT, grounds="仍不服")
    docket.send(case_id, "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=True)
    with refused(GuardFailed, "final"):
        docket.send(case_id, "reopen-case", VILLAGE_OFFICER, ground="NEW_FACT", reason="新事实")


def test_merging_hands_on_everything_absorbed_before() -> None:
    docket = Docket()
    first, second, third = (docket.open(LEADER) for _ in range(3))
    docket.send(first, "classify-urgency", LEADER, urgent=True, facets=["JI"], reason="孤老")
    with refused(GuardFailed, "merge-itself"):
        docket.send(first, "merge-case", VILLAGE_OFFICER, into_case_id=first)
    with refused(GuardFailed, "primary-unknown"):
        docket.send(first, "merge-case", VILLAGE_OFFICER, into_case_id=new_id())
    assert docket.send(first, "merge-case", VILLAGE_OFFICER, into_case_id=second) == [
        "case.merged",
        "case.absorbed",
    ]
    with refused(GuardFailed, "primary-not-open"):
        docket.send(second, "merge-case", VILLAGE_OFFICER, into_case_id=first)
    docket.send(second, "merge-case", TOWNSHIP_OFFICER, into_case_id=third)
    primary = docket.cases[third]
    assert [absorbed.case_id for absorbed in primary.absorbed] == [second, first]
    assert (primary.urgent, primary.urgency_status, primary.facets) == (True, "PROPOSED", ("JI",))
    elsewhere = docket.open(actor("fo", "village_officer", FAR_VILLAGE))
    with refused(GuardFailed, "primary-outside"):
        docket.send(third, "merge-case", VILLAGE_OFFICER, into_case_id=elsewhere)


def test_a_hidden_case_merges_with_its_like_alone() -> None:
    docket = Docket()
    open_one, lead = docket.open(VILLAGE_OFFICER), docket.open(VILLAGE_OFFICER, procedure="SAFETY_LEAD")
    with refused(GuardFailed, "merge-hidden"):
        docket.send(lead, "merge-case", VILLAGE_OFFICER, into_case_id=open_one)
    with refused(GuardFailed, "merge-hidden"):
        docket.send(open_one, "merge-case", VILLAGE_OFFICER, into_case_id=lead)
    stranger = actor("vo2", "township_officer", TOWNSHIP)
    with refused(GuardFailed, "primary-unknown"):
        docket.send(open_one, "merge-case", stranger, into_case_id=lead)


def test_a_transfer_stays_on_its_level() -> None:
    docket = Docket()
    case_id = docket.open(VILLAGE_OFFICER)
    for to_unit, code in (
        (VILLAGE, "not-the-holder"),
        (GROUP, "same-level"),
        (TOWNSHIP, "same-level"),
        (new_id(), "unit-unknown"),
    ):
        with refused(GuardFailed, code):
            docket.send(case_id, "transfer-case", VILLAGE_OFFICER, to_unit=to_unit, reason="管辖")
    docket.send(case_id, "transfer-case", VILLAGE_OFFICER, to_unit=NEIGHBOURHOOD, reason="管辖")
    case = docket.cases[case_id]
    assert (case.state, case.holder_unit, case.origin_unit) == ("REGISTERED", NEIGHBOURHOOD, VILLAGE)


def test_delegation_goes_down_the_way_to_the_origin_or_where_named() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    docket.send(case_id, "accept-case", LEADER)
    docket.send(case_id, "escalate-case", LEADER, to_level="VILLAGE", reason="上报")
    docket.send(case_id, "accept-escalation", VILLAGE_OFFICER)
    for to_unit in (OTHER_GROUP, TOWNSHIP, OTHER_VILLAGE):
        with refused(GuardFailed, "one-level-down"):
            docket.send(case_id, "delegate-case", VILLAGE_OFFICER, to_unit=to_unit, reason="下派")
    docket.send(case_id, "delegate-case", VILLAGE_OFFICER, reason="下派")
    assert docket.cases[case_id].holder_unit == GROUP
    own = docket.open(TOWNSHIP_OFFICER)
    docket.send(own, "accept-case", TOWNSHIP_OFFICER)
    docket.send(own, "assign-handler", TOWNSHIP_OFFICER, handler_ref="somebody")
    with refused(GuardFailed, "unit-to-be-named"):
        docket.send(own, "delegate-case", TOWNSHIP_OFFICER, reason="下派")
    docket.send(own, "delegate-case", TOWNSHIP_OFFICER, to_unit=NEIGHBOURHOOD, reason="下派")


def test_a_village_suspends_with_approval_and_comes_back_to_where_it_was() -> None:
    docket = Docket()
    case_id = docket.open(VILLAGE_OFFICER)
    docket.send(case_id, "accept-case", VILLAGE_OFFICER)
    docket.send(case_id, "assign-handler", VILLAGE_OFFICER, handler_ref="somebody")
    court = {"ground": "COURT", "reason": "诉讼"}
    with refused(GuardFailed, "approval-needed"):
        docket.send(case_id, "suspend-case", VILLAGE_OFFICER, **court)
    docket.send(case_id, "suspend-case", VILLAGE_OFFICER, **court, approved_by="to")
    with refused(WrongState, "wrong-state"):
        docket.send(case_id, "resolve-case", VILLAGE_OFFICER, **RESOLVED)
    docket.send(case_id, "resume-case", VILLAGE_OFFICER)
    assert docket.cases[case_id].state == "IN_PROGRESS"


def test_nobody_approves_their_own_suspension_and_no_villager_stands_in_for_the_township() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    docket.send(case_id, "accept-case", LEADER)
    docket.send(case_id, "escalate-case", LEADER, to_level="VILLAGE", reason="上报")
    docket.send(case_id, "accept-escalation", VILLAGE_OFFICER)
    docket.send(case_id, "flag-risk", VILLAGE_MEDIATOR, risk="OTHER", detail="情绪激动")
    docket.send(case_id, "classify-urgency", TOWNSHIP_OFFICER, urgent=True, reason="急")
    court = {"ground": "COURT", "reason": "诉讼"}
    for approver in (VILLAGE_OFFICER, VILLAGE_MEDIATOR, LEADER):
        with refused(GuardFailed, "approval-needed"):
            docket.send(case_id, "suspend-case", VILLAGE_OFFICER, **court, approved_by=approver.ref)
    docket.send(case_id, "suspend-case", VILLAGE_OFFICER, **court, approved_by=TOWNSHIP_OFFICER.ref)
    assert docket.cases[case_id].state == "SUSPENDED"


def test_a_conflict_bars_its_declarer_from_all_but_declaring() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    docket.send(case_id, "accept-case", LEADER)
    docket.send(case_id, "declare-conflict", LEADER, reason="当事人是亲兄弟")
    assert docket.allowed(case_id, LEADER) == ["declare-conflict"]
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "assign-handler", LEADER, handler_ref="somebody")
    docket.send(case_id, "escalate-case", VILLAGE_OFFICER, to_level="VILLAGE", reason="组长回避")
    docket.send(case_id, "accept-escalation", VILLAGE_MEDIATOR)
    with refused(GuardFailed, "handler-conflict"):
        docket.send(case_id, "assign-handler", VILLAGE_OFFICER, handler_ref=LEADER.ref)
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "escalate-case", TOWNSHIP_OFFICER, to_level="TOWNSHIP", reason="越权")


def test_a_conflict_declared_before_arrival_counts_from_the_arrival() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    docket.send(case_id, "declare-conflict", VILLAGE_OFFICER, reason="亲属")
    docket.send(case_id, "accept-case", LEADER)
    assert docket.cases[case_id].conflict_since is None
    docket.send(case_id, "escalate-case", LEADER, to_level="VILLAGE", reason="上报")
    docket.send(case_id, "accept-escalation", VILLAGE_MEDIATOR)
    assert docket.cases[case_id].conflict_since is not None
    docket.send(case_id, "escalate-case", TOWNSHIP_OFFICER, to_level="TOWNSHIP", reason="村里回避")


def test_whoever_executes_does_not_supervise() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    docket.send(case_id, "accept-case", LEADER)
    both = actor(LEADER.ref, "supervisor", VILLAGE)
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "raise-query", both, question="为何?")
    docket.send(case_id, "raise-query", SUPERVISOR, question="为何?")
    turned = actor(SUPERVISOR.ref, "group_leader", GROUP)
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "assign-handler", turned, handler_ref="somebody")
    with refused(GuardFailed, "handler-conflict"):
        docket.send(case_id, "assign-handler", LEADER, handler_ref=SUPERVISOR.ref)


def test_corrections_are_the_superior_s_and_name_a_real_field() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    event_id = docket.streams[case_id][0][0].event_id
    correction = {"event_id": event_id, "field": "title", "correction": "名称更正"}
    for wrong in (LEADER, TOWNSHIP_OFFICER, SISTER_LEADER):
        with refused(Forbidden, "no-relation"):
            docket.send(case_id, "record-correction", wrong, **correction)
    with refused(GuardFailed, "field-unknown"):
        docket.send(case_id, "record-correction", VILLAGE_OFFICER, **(correction | {"field": "colour"}))
    with refused(GuardFailed, "event-unknown"):
        docket.send(case_id, "record-correction", VILLAGE_OFFICER, **(correction | {"event_id": new_id()}))
    docket.send(case_id, "record-correction", VILLAGE_OFFICER, **correction)


def test_ids_of_the_client_s_own_are_used_once() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    person, query, demand = str(new_id()), str(new_id()), str(new_id())
    docket.send(case_id, "add-person", LEADER, person_ref=person, role="WITNESS")
    docket.send(case_id, "raise-query", SUPERVISOR, query_id=query, question="为何?")
    docket.send(case_id, "demand-correction", SUPERVISOR, demand_id=demand, demand="改")
    with refused(Taken, "id-taken"):
        docket.send(case_id, "add-person", LEADER, person_ref=person, role="WITNESS")
    with refused(Taken, "id-taken"):
        docket.send(case_id, "raise-query", SUPERVISOR, query_id=query, question="为何?")
    with refused(Taken, "id-taken"):
        docket.send(case_id, "demand-correction", SUPERVISOR, demand_id=demand, demand="改")
    with refused(Taken, "id-taken"):
        docket.send(case_id, "open-case", LEADER, **_opening(case_id))


def test_about_names_people_of_the_case() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    with refused(GuardFailed, "person-unknown"):
        docket.send(case_id, "flag-risk", LEADER, risk="OTHER", detail="风险", about=[new_id()])


def test_urgency_stands_as_proposed_until_an_officer_s() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    for by, status in ((LEADER, "PROPOSED"), (VILLAGE_OFFICER, "CONFIRMED"), (TOWNSHIP_OFFICER, "CONFIRMED")):
        docket.send(case_id, "classify-urgency", by, urgent=True, reason="孤老")
        assert docket.cases[case_id].urgency_status == status


def test_a_case_that_is_not_there_is_unknown_to_everybody() -> None:
    with refused(Unknown, "unknown-case"):
        Docket().send(new_id(), "accept-case", LEADER)


def test_notice_goes_up_from_the_holder_or_down_to_the_origin() -> None:
    docket = Docket()
    case_id = docket.open(LEADER)
    docket.send(case_id, "notify-level", LEADER, level="VILLAGE")
    with refused(GuardFailed, "already-there"):
        docket.send(case_id, "notify-level", LEADER, level="GROUP")
    own = docket.open(TOWNSHIP_OFFICER)
    with refused(GuardFailed, "no-unit-at-level"):
        docket.send(own, "notify-level", TOWNSHIP_MEDIATOR, level="VILLAGE")
    docket.send(case_id, "record-contact", VILLAGE_OFFICER, reached=True, means="PHONE")


def _opening(case_id: UUID) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "channel": "VISIT",
        "category": "ROADS",
        "origin_unit": GROUP,
        "title": "路",
        "description": "坑",
    }
