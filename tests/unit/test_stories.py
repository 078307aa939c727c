"""The reported cases as the rules see them: given what has happened, when this is sent, then that follows."""

from uuid import UUID

import pytest

from shared.policy.refusal import Forbidden, GuardFailed, Refused, Unknown, WrongState
from tests.unit.casework import (
    FAR_VILLAGE,
    GROUP,
    LEADER,
    OTHER_TOWNSHIP,
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

NO_ANSWER = {"reached": False}
SATISFIED = {"reached": True, "solved": True, "satisfied": True}


def refused(kind: type[Refused], code: str) -> "pytest.RaisesExc[Refused]":
    return pytest.raises(kind, check=lambda error: error.code == code)


def relocation(docket: Docket) -> UUID:
    """S1 up to the escalation: a leader hears that relocated residents mean to petition over all heads."""
    case_id = docket.open(LEADER, category="LAND_ACQUISITION", collective=True)
    docket.send(case_id, "accept-case", LEADER)
    docket.send(case_id, "flag-risk", LEADER, risk="SKIP_LEVEL_PETITION", detail="扬言越级上访")
    docket.send(case_id, "confirm-warning", LEADER, level="RED", reason="人数较多")
    docket.send(case_id, "stabilise-situation", LEADER, detail="上门安抚")
    return case_id


def settle_at_township(docket: Docket, case_id: UUID) -> None:
    meeting = {"participants": [{"kind": "VILLAGE_COMMITTEE"}, {"kind": "DEPARTMENT"}], "summary": "会商"}
    docket.send(case_id, "convene-consultation", TOWNSHIP_OFFICER, **meeting)
    docket.send(case_id, "revise-policy", TOWNSHIP_OFFICER, detail="完善搬迁政策")
    docket.send(
        case_id, "hold-dialogue", TOWNSHIP_OFFICER, participants=[{"kind": "RESIDENTS"}], summary="座谈"
    )
    docket.send(
        case_id, "resolve-case", TOWNSHIP_OFFICER, outcome="EXPLAINED", degree="FULL", detail="取得理解和支持"
    )


def test_s1_goes_to_the_township_at_once_with_notice_to_the_village() -> None:
    docket = Docket()
    case_id = relocation(docket)
    above = {"to_level": "TOWNSHIP", "reason": "紧急"}
    with refused(GuardFailed, "not-the-next-level"):
        docket.send(case_id, "escalate-case", LEADER, **above)
    with refused(GuardFailed, "notify-skipped"):
        docket.send(case_id, "escalate-case", LEADER, **above, emergency=True)
    with refused(GuardFailed, "notify-skipped"):
        docket.send(
            case_id, "escalate-case", LEADER, **above, emergency=True, notify_levels=["VILLAGE", "TOWNSHIP"]
        )
    topics = docket.send(case_id, "escalate-case", LEADER, **above, emergency=True, notify_levels=["VILLAGE"])
    assert topics == ["case.escalated", "case.level_notified"]
    assert docket.cases[case_id].notified_units == (VILLAGE,)
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "accept-escalation", VILLAGE_OFFICER)
    docket.send(case_id, "accept-escalation", TOWNSHIP_OFFICER)

    settle_at_township(docket, case_id)
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "record-follow-up", TOWNSHIP_OFFICER, **SATISFIED)
    with refused(GuardFailed, "follow-up-needed"):
        docket.send(case_id, "close-case", TOWNSHIP_OFFICER)
    docket.send(case_id, "record-follow-up", TOWNSHIP_MEDIATOR, **SATISFIED)
    docket.send(case_id, "close-case", TOWNSHIP_OFFICER)

    case = docket.cases[case_id]
    assert (case.state, case.holder_unit, case.origin_unit) == ("CLOSED", TOWNSHIP, GROUP)
    assert case.resolved_level == "TOWNSHIP"
    assert case.procedure == "SELF_GOVERNANCE"


def test_s1b_goes_step_by_step_and_never_beyond_the_township() -> None:
    docket = Docket()
    case_id = relocation(docket)
    docket.send(case_id, "escalate-case", LEADER, to_level="VILLAGE", reason="请村里处理")
    docket.send(case_id, "accept-escalation", VILLAGE_OFFICER)
    docket.send(case_id, "escalate-case", VILLAGE_MEDIATOR, to_level="TOWNSHIP", reason="请镇里处理")
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "return-escalation", VILLAGE_OFFICER, reason="退回")
    docket.send(case_id, "return-escalation", TOWNSHIP_OFFICER, reason="村里再做工作")
    assert docket.cases[case_id].holder_unit == VILLAGE
    docket.send(case_id, "escalate-case", VILLAGE_OFFICER, to_level="TOWNSHIP", reason="做不通")
    docket.send(case_id, "return-escalation", TOWNSHIP_OFFICER, reason="材料不全")
    docket.send(case_id, "escalate-case", VILLAGE_OFFICER, to_level="TOWNSHIP", reason="材料已补")
    with refused(GuardFailed, "return-limit"):
        docket.send(case_id, "return-escalation", TOWNSHIP_OFFICER, reason="再退")
    docket.send(case_id, "accept-escalation", TOWNSHIP_OFFICER)
    with refused(GuardFailed, "top-level"):
        docket.send(case_id, "escalate-case", TOWNSHIP_OFFICER, to_level="TOWNSHIP", reason="再上报")
    settle_at_township(docket, case_id)
    assert docket.cases[case_id].held_levels == ("GROUP", "VILLAGE", "TOWNSHIP")


def test_s2_a_safety_lead_is_kept_from_most_never_mediated_and_closed_without_follow_up() -> None:
    docket = Docket()
    guard = actor("liu", "village_officer", FAR_VILLAGE)
    town = actor("san-xing", "township_officer", OTHER_TOWNSHIP)
    police = actor("zhaoliang-police", "community_police", FAR_VILLAGE)
    persons = [{"person_ref": str(new_id()), "role": "INVOLVED", "name": f"甲{n}"} for n in range(3)]
    case_id = docket.open(guard, category="PUBLIC_SAFETY", procedure="SAFETY_LEAD", people=persons)
    docket.send(case_id, "accept-case", guard)
    with refused(WrongState, "wrong-procedure"):
        docket.send(
            case_id,
            "offer-mediation",
            actor("m", "mediator", FAR_VILLAGE),
            parties=[p["person_ref"] for p in persons],
        )
    with refused(Unknown, "unknown-case"):
        docket.send(case_id, "record-external-outcome", town, kind="OTHER", body="公安", detail="未知")
    with refused(Unknown, "unknown-case"):
        docket.send(case_id, "record-external-outcome", police, kind="OTHER", body="公安", detail="未知")
    docket.send(case_id, "refer-to-police", guard, reason="形迹可疑")
    docket.send(case_id, "notify-level", guard, level="TOWNSHIP")
    assert docket.cases[case_id].police_units == (FAR_VILLAGE,)
    docket.send(case_id, "assign-handler", guard, handler_ref="liu")
    for person in persons:
        docket.send(
            case_id,
            "record-external-outcome",
            police,
            kind="CRIMINAL_DETENTION",
            body="公安局",
            subject={"person_ref": person["person_ref"]},
            detail="刑事拘留",
        )
    for side in ("LANDLORD", "EMPLOYER"):
        docket.send(
            case_id,
            "record-external-outcome",
            guard,
            kind="ADMINISTRATIVE_PENALTY",
            body="公安局",
            subject={"kind": side},
            detail="行政处罚",
        )
    docket.send(case_id, "resolve-case", guard, outcome="EXTERNAL", detail="公安处理")
    docket.send(case_id, "close-case", town)
    topics = [recorded.topic for recorded, _ in docket.streams[case_id]]
    assert topics.count("case.external_outcome_recorded") == 5
    assert docket.cases[case_id].state == "CLOSED"


def test_s3_an_attestation_is_done_at_home() -> None:
    docket = Docket()
    huang = str(new_id())
    case_id = docket.open(
        LEADER,
        category="SERVICE_REQUEST",
        procedure="SERVICE",
        item="ATTESTATION",
        people=[{"person_ref": huang, "role": "BENEFICIARY", "name": "黄某"}],
    )
    docket.send(case_id, "accept-case", LEADER)
    docket.send(case_id, "escalate-case", LEADER, to_level="VILLAGE", reason="需村委会见证")
    docket.send(case_id, "accept-escalation", VILLAGE_OFFICER)
    docket.send(case_id, "decide-home-service", VILLAGE_OFFICER, detail="上门现场办公")
    with refused(GuardFailed, "item-unknown"):
        docket.send(case_id, "perform-service", VILLAGE_OFFICER, item="HAIRCUT", beneficiary=huang)
    docket.send(case_id, "perform-service", VILLAGE_OFFICER, item="ATTESTATION", beneficiary=huang)
    docket.send(
        case_id, "resolve-case", VILLAGE_OFFICER, outcome="SERVICE_DONE", degree="FULL", detail="办妥"
    )
    docket.send(case_id, "record-follow-up", VILLAGE_MEDIATOR, **SATISFIED)
    docket.send(case_id, "close-case", VILLAGE_OFFICER)
    assert docket.cases[case_id].procedure == "SERVICE"
    assert docket.cases[case_id].state == "CLOSED"


def test_s6_a_joint_meeting_settles_parking_in_part() -> None:
    docket = Docket()
    case_id = docket.open(VILLAGE_OFFICER, category="PARKING")
    docket.send(case_id, "accept-case", VILLAGE_OFFICER)
    docket.send(case_id, "assign-handler", VILLAGE_OFFICER, handler_ref="village-officer")
    seven = "NEIGHBOURHOOD_COMMITTEE PROPERTY_MANAGER OWNERS_COMMITTEE URBAN_MANAGEMENT HOUSING_OFFICE POLICE"
    kinds = [*seven.split(), "PARTNER_UNIT"]
    docket.send(
        case_id,
        "hold-joint-meeting",
        VILLAGE_OFFICER,
        participants=[{"kind": k} for k in kinds],
        summary="联席会议",
    )
    docket.send(
        case_id, "resolve-case", VILLAGE_OFFICER, outcome="SETTLED", degree="PARTIAL", detail="部分缓解"
    )
    assert docket.cases[case_id].degree == "PARTIAL"


def test_s7_a_supervisor_asks_on_a_closed_case_and_changes_nothing() -> None:
    docket = Docket()
    case_id = relocation(docket)
    docket.send(case_id, "withdraw-case", LEADER, **_withdrawal(docket, case_id))
    before = docket.cases[case_id]
    query = str(new_id())
    docket.send(case_id, "raise-query", SUPERVISOR, query_id=query, question="为何撤回?")
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "answer-query", TOWNSHIP_OFFICER, query_id=query, answer="已核实")
    docket.send(case_id, "answer-query", VILLAGE_OFFICER, query_id=query, answer="已核实")
    with refused(GuardFailed, "query-answered"):
        docket.send(case_id, "answer-query", VILLAGE_OFFICER, query_id=query, answer="再答")
    after = docket.cases[case_id]
    assert (after.state, after.stated, after.holder_unit) == (before.state, before.stated, before.holder_unit)
    with refused(Forbidden, "no-relation"):
        docket.send(case_id, "reopen-case", SUPERVISOR, ground="NEW_FACT", reason="监督要求")


def _withdrawal(docket: Docket, case_id: UUID) -> dict[str, object]:
    person = str(new_id())
    docket.send(case_id, "add-person", LEADER, person_ref=person, role="COMPLAINANT", name="张某")
    return {"statement": "不再要求", "on_behalf_of": {"person_ref": person, "means": "PHONE"}}
