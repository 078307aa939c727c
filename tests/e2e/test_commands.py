"""A case over HTTP: its story, and the order in which refusals come."""

from typing import Any

import httpx

from tests.e2e.conftest import Json, Person, Town


def test_a_case_goes_from_the_group_to_the_township_and_is_closed(town: Town) -> None:
    """S1 with the emergency path."""
    visit = town.leader.done(
        "/v1/visits",
        {
            "unit": town.group, "visit_kind": "HOUSEHOLD", "findings": "对拆迁不满",
            "opens_case": town.opening(category="LAND_ACQUISITION", collective=True),
        },
    )  # fmt: skip
    case = visit["case"]
    path = f"/v1/cases/{case['case_id']}"
    assert (case["state"], case["version"], case["holder_unit"]) == ("REGISTERED", 2, town.group)
    topics = ["visit.recorded", "case.registered", "case.deadline_started"]
    assert [event["topic"] for event in visit["events"]] == topics

    def step(who: Any, command: str, body: Json | None = None, version: int | None = None) -> Json:
        told: Json = who.done(f"{path}/{command}", body, version=version)
        return told

    held = step(town.leader, "accept-case", version=1)["version"]
    step(town.leader, "flag-risk", {"risk": "SKIP_LEVEL_PETITION", "detail": "扬言越级上访"})
    step(town.leader, "confirm-warning", {"level": "ORANGE", "reason": "情绪激动"})
    step(town.leader, "stabilise-situation", {"detail": "已安抚"})
    refused = town.leader.post(
        f"{path}/escalate-case", {"to_level": "TOWNSHIP", "reason": "紧急"}, version=held
    )
    assert (refused.status_code, refused.json()["rule"]) == (422, "not-the-next-level")
    escalated = step(
        town.leader,
        "escalate-case",
        {"to_level": "TOWNSHIP", "reason": "紧急", "emergency": True, "notify_levels": ["VILLAGE"]},
        version=held,
    )
    topics = ["case.escalated", "case.level_notified", "case.deadline_started"]
    assert [event["topic"] for event in escalated["events"]] == topics
    assert (escalated["state"], escalated["pending_unit"]) == ("PENDING_ESCALATION", town.township)
    accepted = step(town.township_officer, "accept-escalation", version=escalated["version"])
    assert (accepted["holder_level"], accepted["pending_unit"]) == ("TOWNSHIP", None)
    meeting = {"participants": [{"kind": "VILLAGE_COMMITTEE"}, {"kind": "DEPARTMENT"}], "summary": "会商"}
    step(town.township_officer, "convene-consultation", meeting)
    step(town.township_officer, "revise-policy", {"detail": "调整补偿标准"})
    dialogue = {"participants": [{"kind": "RESIDENTS", "name": "张三等"}], "summary": "对话"}
    step(town.township_officer, "hold-dialogue", dialogue)
    resolution = {"outcome": "SETTLED", "degree": "FULL", "detail": "达成一致"}
    resolved = step(town.township_officer, "resolve-case", resolution, version=accepted["version"])
    follower = {"reached": True, "solved": True, "satisfied": True}
    mediator = town.township_officer.post(f"{path}/record-follow-up", follower, version=resolved["version"])
    assert mediator.status_code == 403, "who handled it doesn't follow up"


def test_what_was_accepted_is_answered_again_word_for_word(town: Town) -> None:
    body = town.opening()
    first = town.leader.post("/v1/cases", body, key="once")
    again = town.leader.post("/v1/cases", body, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["etag"] == again.headers["etag"] == '"2"'

    path = f"/v1/cases/{first.json()['case_id']}"
    accepted = town.leader.post(f"{path}/accept-case", version=1, key="accept")
    town.leader.done(f"{path}/flag-risk", {"risk": "OTHER", "detail": "x"})
    later = town.leader.post(f"{path}/accept-case", version=1, key="accept")
    assert later.status_code == 200
    assert later.json() == accepted.json(), "as of then, not as it stands"

    other = town.leader.post("/v1/cases", town.opening(title="别的"), key="once")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    foreign = town.village_officer.post("/v1/cases", body, key="once")
    assert foreign.status_code == 201, "a key belongs to whoever used it"


def test_every_kind_of_answer_is_given_again_from_what_is_stored(town: Town) -> None:
    """Each command is sent again at the end of everything, when its case has long moved on."""
    sent: list[tuple[Person, str, Json, int | None, str, httpx.Response]] = []

    def do(who: Person, path: str, body: Json | None = None, version: int | None = None) -> Json:
        key = f"step {len(sent)}"
        answer = who.post(path, body, version=version, key=key)
        assert answer.status_code in (200, 201), answer.text
        sent.append((who, path, body or {}, version, key, answer))
        told: Json = answer.json()
        return told

    unit = do(town.operator, "/v1/units", {"kind": "GROUP", "name": "38组", "parent_id": town.village})
    do(town.operator, f"/v1/units/{unit['unit_id']}/rename-unit", {"name": "三十八组"}, 1)
    opened = do(town.operator, "/v1/imports", {"unit": town.village, "note": "x"})
    do(town.operator, f"/v1/imports/{opened['import_id']}/close")
    households = {"unit": town.village, "as_of_on": "2024-01-01", "households": ["1", "2"]}
    do(town.village_officer, "/v1/rosters", households)
    service = {
        "unit": town.group,
        "item": "ATTESTATION",
        "beneficiary": {"role": "BENEFICIARY", "name": "黄"},
    }
    do(town.leader, "/v1/services", service)
    visit = {"unit": town.group, "visit_kind": "HOUSEHOLD", "findings": "x", "opens_case": town.opening()}
    duplicate = do(town.leader, "/v1/visits", visit)["case"]
    primary = do(town.leader, "/v1/cases", town.opening())
    people = [person["person_ref"] for person in primary["people"]]
    path = f"/v1/cases/{primary['case_id']}"
    do(town.leader, f"{path}/accept-case", version=1)
    do(town.leader, f"{path}/add-person", {"role": "WITNESS", "name": "王五"})
    do(town.leader, f"{path}/offer-mediation", {"parties": people}, 4)
    consent = {"on_behalf_of": {"person_ref": people[0], "means": "IN_PERSON"}, "person_ref": people[0]}
    do(town.leader, f"{path}/consent-to-mediation", consent, 5)
    do(town.leader, f"{path}/refuse-mediation", consent | {"reason": "不愿"}, 6)
    merged = {"into_case_id": primary["case_id"], "reason": "同一事项"}
    both = do(town.village_officer, f"/v1/cases/{duplicate['case_id']}/merge-case", merged, 1)
    assert {event["stream_id"] for event in both["events"]} == {duplicate["case_id"], primary["case_id"]}
    escalation = {"to_level": "TOWNSHIP", "reason": "x", "emergency": True, "notify_levels": ["VILLAGE"]}
    do(town.leader, f"{path}/escalate-case", escalation, 8)
    do(town.township_officer, f"{path}/return-escalation", {"reason": "x"}, 10)
    do(town.supervisor, f"{path}/raise-query", {"question": "?"})

    for who, where, body, version, key, first in sent:
        again = who.post(where, body, version=version, key=key)
        assert (again.status_code, again.json()) == (first.status_code, first.json()), where
        assert again.headers.get("etag") == first.headers.get("etag")
