"""Refusals come in the order of the contract, each as a problem of its own kind."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.runtime.identifiers import new_id
from tests.e2e.conftest import Anjie, Json, Town

Request = dict[str, Any]


def _header(name: str, value: str | None) -> Callable[[Request], None]:
    def spoil(request: Request) -> None:
        request["headers"].pop(name, None)
        if value is not None:
            request["headers"][name] = value

    return spoil


def _field(name: str, value: object) -> Callable[[Request], None]:
    return lambda request: request["json"].update({name: value})


def _nobodys_case(request: Request) -> None:
    request["url"] = f"/v1/cases/{new_id()}/escalate-case"


def _strangers_token(request: Request) -> None:
    request["headers"]["Authorization"] = request["stranger"]


FAULTS: list[tuple[int, str, Callable[[Request], None]]] = [
    (401, "unauthenticated", _header("Authorization", "Bearer nobody")),
    (428, "header-missing", _header("Idempotency-Key", None)),
    *((400, "if-match-malformed", _header("If-Match", given)) for given in ("7", '"0"', '"01"')),
    (422, "invalid", _field("unknown", 1)),
    (422, "key-reused", _header("Idempotency-Key", "used before")),
    (404, "unknown-case", _nobodys_case),
    (403, "no-relation", _strangers_token),
    (412, "stale", _header("If-Match", '"1"')),
    (422, "not-the-next-level", _field("to_level", "TOWNSHIP")),
]
"""What can be wrong with a command, in the order of the contract."""


@pytest.fixture
def escalation(town: Town) -> Request:
    """A request that is fine: an accepted case's escalation to the village."""
    case_id = town.open_case()["case_id"]
    town.leader.done(f"/v1/cases/{case_id}/accept-case", version=1)
    town.leader.done("/v1/cases", town.opening(), key="used before")
    elsewhere = town.opening(origin_unit=town.other_group)
    town.other_leader.done("/v1/cases", elsewhere, key="used before")
    return {
        "url": f"/v1/cases/{case_id}/escalate-case",
        "case_id": case_id,
        "stranger": f"Bearer {town.other_leader.token}",
        "json": {"to_level": "VILLAGE", "reason": "超出本组能力"},
        "headers": {
            "Authorization": f"Bearer {town.leader.token}",
            "Idempotency-Key": "new",
            "If-Match": '"3"',
        },
    }


def sent(anjie: Anjie, request: Request) -> httpx.Response:
    return anjie.http.post(request["url"], json=request["json"], headers=request["headers"])


def test_of_several_faults_the_first_in_the_order_of_the_contract_is_answered(
    anjie: Anjie, escalation: Request
) -> None:
    for place, (status, code, spoil) in enumerate(FAULTS):
        for later in FAULTS[place:]:
            request = {
                **escalation,
                "json": dict(escalation["json"]),
                "headers": dict(escalation["headers"]),
            }
            later[2](request)
            spoil(request)
            answer = sent(anjie, request)
            told = (answer.status_code, answer.json()["type"])
            assert told == (status, f"/problems/{code}"), (code, later[1])
            assert answer.headers["content-type"] == "application/problem+json"
    accepted = sent(anjie, escalation)
    assert accepted.status_code == 200, "and nothing of all that was stored"
    assert accepted.json()["version"] == 5


def test_a_conflict_of_state_comes_before_any_guard_and_after_a_stale_version(town: Town) -> None:
    case_id = town.open_case()["case_id"]
    path = f"/v1/cases/{case_id}/escalate-case"
    not_yet = town.leader.post(path, {"to_level": "TOWNSHIP", "reason": "x"}, version=1)
    assert (not_yet.status_code, not_yet.json()["state"]) == (409, "REGISTERED")
    assert "accept-case" in not_yet.json()["allowed_commands"]
    past = {"to_level": "TOWNSHIP", "reason": "x", "occurred_at": "2013-01-01T00:00:00+08:00"}
    assert town.leader.post(path, past, version=1).status_code == 409
    town.leader.done(f"/v1/cases/{case_id}/accept-case", version=1)
    stale = town.leader.post(path, past, version=1)
    assert stale.status_code == 412
    assert stale.json()["current_version"] == 3
    since = [event["topic"] for event in stale.json()["events"]]
    assert since == ["case.deadline_started", "case.accepted"]


def test_only_handling_makes_a_version_stale(town: Town) -> None:
    case_id = town.open_case()["case_id"]
    path = f"/v1/cases/{case_id}"
    town.leader.done(f"{path}/accept-case", version=1)
    town.leader.done(f"{path}/flag-risk", {"risk": "OTHER", "detail": "x"})
    town.supervisor.done(f"{path}/raise-query", {"question": "为何未办"})
    town.leader.done(f"{path}/record-contact", {"reached": True, "means": "PHONE"}, version=3)
    assigned = town.leader.done(f"{path}/assign-handler", {"handler_ref": "leader-37"}, version=3)
    assert assigned["version"] == 8
    for version, status in ((3, 412), (7, 412), (8, 200)):
        answer = town.leader.post(
            f"{path}/record-contact", {"reached": True, "means": "PHONE"}, version=version
        )
        assert answer.status_code == status, version
    assert town.leader.post(f"{path}/assign-handler", {"handler_ref": "a"}, version=99).status_code == 412


MISFITS: list[tuple[bytes | Json, int, str | None]] = [
    (b"{", 400, None),
    (b"\xff\xfe", 400, None),
    (b"[" * 100_000, 400, None),
    (b"[]", 422, ""),
    (b"{}", 422, "/origin_unit"),
    ({"title": 1}, 422, "/title"),
    ({"title": "\0"}, 422, "/title"),
    ({"title": "x\ud800"}, 422, "/title"),
    ({"title": " \n"}, 422, "/title"),
    ({"title": "x" * 201}, 422, "/title"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, 422, "/occurred_at"),
    ({"occurred_at": "9999-12-31T23:59:59-14:00"}, 422, "/occurred_at"),
    ({"occurred_at": "2024-05-01T10:00:00"}, 422, "/occurred_at"),
    ({"occurred_at": "yesterday"}, 422, "/occurred_at"),
    ({"channel": "PIGEON"}, 422, "/channel"),
    ({"origin_unit": "37"}, 422, "/origin_unit"),
    ({"people": [{"role": "PARTY"}, {"role": "PARTY", "shoe_size": 43}]}, 422, "/people/1/shoe_size"),
    ({"people": [{"name": "x"}]}, 422, "/people/0/role"),
    ({"a/b~c": 1}, 422, "/a~1b~0c"),
    ({"collective": "yes"}, 422, "/collective"),
]


def test_a_body_that_does_not_fit_is_refused_by_the_name_of_the_field(town: Town) -> None:
    for content, status, pointer in MISFITS:
        body = content if isinstance(content, bytes) else json.dumps(town.opening(**content)).encode()
        for language in ("en", "zh"):
            headers = {
                "Authorization": f"Bearer {town.leader.token}",
                "Idempotency-Key": "k",
                "Accept-Language": language,
            }
            answer = town.leader.http.post("/v1/cases", content=body, headers=headers)
            assert answer.status_code == status, (content, answer.text)
            told = answer.json()
            assert answer.headers["content-language"] == language
            assert any("\u4e00" <= sign <= "\u9fff" for sign in told["title"]) == (language == "zh")
            if pointer is not None:
                assert [error["pointer"] for error in told["errors"]] == [pointer]


def test_a_body_over_a_mebibyte_is_too_large(town: Town) -> None:
    answer = town.leader.post("/v1/cases", town.opening(description="x" * (1 << 20)))
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_ids_that_clients_make_are_theirs_once(town: Town) -> None:
    case_id, person_ref, visit_id, query_id = (str(new_id()) for _ in range(4))
    people = [{"person_ref": person_ref, "role": "COMPLAINANT", "name": "张三"}]
    body = town.opening(case_id=case_id, people=people)
    town.leader.done("/v1/cases", body, key="mine")
    again = town.leader.post("/v1/cases", body)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/id-taken")
    foreign = town.leader.post("/v1/cases", town.opening(people=people))
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (409, "/people")
    visit = {"visit_id": visit_id, "unit": town.group, "visit_kind": "HOUSEHOLD", "findings": "x"}
    town.leader.done("/v1/visits", visit)
    assert town.leader.post("/v1/visits", visit).status_code == 409
    assert town.leader.post("/v1/visits", visit | {"visit_id": case_id}).status_code == 409
    assert town.leader.post("/v1/cases", town.opening(case_id=visit_id)).status_code == 409
    path = f"/v1/cases/{case_id}/raise-query"
    town.supervisor.done(path, {"query_id": query_id, "question": "?"})


def test_what_is_wrong_with_a_case_that_a_visit_opens_is_named_where_it_stands(town: Town) -> None:
    visit = {"unit": town.group, "visit_kind": "HOUSEHOLD", "findings": "x"}
    taken = town.open_case()["case_id"]
    for changes, status, pointer in (
        ({"channel": "x"}, 422, "/opens_case/channel"),
        ({"category": "x"}, 422, "/opens_case/category"),
        ({"case_id": taken, "people": []}, 409, "/opens_case/case_id"),
    ):
        answer = town.leader.post("/v1/visits", visit | {"opens_case": town.opening(**changes)})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)


def test_a_visit_to_a_case_may_name_its_people_and_nobody_elses(town: Town) -> None:
    case, other = town.open_case(), town.open_case()
    visit = {"unit": town.group, "visit_kind": "FOLLOW_UP", "findings": "x", "case_id": case["case_id"]}

    def naming(person: Json, **more: Any) -> httpx.Response:
        people = [{"person_ref": person["person_ref"], "role": person["role"], "phone": "138"}]
        return town.leader.post("/v1/visits", visit | {"people": people} | more)

    assert naming(case["people"][0]).status_code == 201
    assert naming(case["people"][0], about=[case["people"][1]["person_ref"]]).status_code == 201
    assert naming(other["people"][0]).status_code == 409
    unknown = naming(case["people"][0], about=[other["people"][0]["person_ref"]])
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/about/0")
    when = {"occurred_at": "2024-05-01T09:00:00+08:00"}
    both = {"unit": town.group, "visit_kind": "PATROL", "findings": "x", "opens_case": town.opening(**when)}
    apart = town.leader.post("/v1/visits", both)
    assert (apart.status_code, apart.json()["errors"][0]["pointer"]) == (422, "/opens_case/occurred_at")


def test_paths_and_methods_that_are_not_there(anjie: Anjie, town: Town) -> None:
    for path in ("/away", "/v1", "/v1/cases/x/fly-away", f"/v1/cases/{new_id()}/forget-case", "/v1/cases/"):
        answer = town.leader.post(path)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-route"), path
    answer = anjie.http.delete("/v1/cases")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    malformed = town.leader.post("/v1/cases/not-an-id/accept-case", version=1)
    assert (malformed.status_code, malformed.json()["type"]) == (404, "/problems/not-found")


def test_an_empty_body_is_one_without_fields(town: Town) -> None:
    headers = {"Authorization": f"Bearer {town.leader.token}", "Idempotency-Key": "nothing in it"}
    answer = town.leader.http.post("/v1/cases", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "missing")
    case_id = town.open_case()["case_id"]
    accepting = headers | {"If-Match": '"1"'}
    assert town.leader.http.post(f"/v1/cases/{case_id}/accept-case", headers=accepting).status_code == 200


def test_every_problem_is_documented_at_its_type(anjie: Anjie, town: Town) -> None:
    answer = town.leader.post("/v1/cases", {})
    told = anjie.http.get(answer.json()["type"]).json()
    assert told["status"] == answer.status_code
    assert set(told["meaning"]) == {"en", "zh"}
    for code in ("no-relation", "wrong-state"):
        assert "{" not in "".join(anjie.http.get(f"/problems/{code}").json()["meaning"].values())
    assert anjie.http.get("/problems/no-such-problem").status_code == 404


def test_an_operator_and_a_dashboard_send_no_case_commands(town: Town) -> None:
    for who in (town.operator, town.dashboard, town.auditor):
        assert who.post("/v1/cases", town.opening()).status_code == 403
    assert town.leader.post("/v1/units", {"kind": "TOWNSHIP", "name": "x"}).status_code == 403


def test_request_ids_and_traces_come_back_or_are_made(town: Town) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    given = town.leader.http.get("/healthz", headers={"X-Request-Id": "abc-1", "traceparent": trace})
    assert given.headers["x-request-id"] == "abc-1"
    made = town.leader.http.get("/healthz", headers={"X-Request-Id": "no good", "traceparent": "x"})
    assert len(made.headers["x-request-id"]) == 32
