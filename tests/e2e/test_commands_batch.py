"""Batches: streamed, in order, whole streams only."""

import json
from itertools import count
from typing import Any

import httpx

from shared.runtime.identifiers import new_id
from tests.e2e.conftest import Anjie, Json, Person, Town

_keys = count(1)


def line(path: str, body: Json | None = None, **headers: str) -> Json:
    given = {"Idempotency-Key": f"line {next(_keys)}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return {"method": "POST", "path": path, "headers": given, "body": body or {}}


def send(person: Person, lines: list[Json], **headers: str) -> list[Json]:
    content = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    answer = post_batch(person, content, **headers)
    assert answer.status_code == 200, answer.text
    answers: list[Json] = [json.loads(line) for line in answer.text.splitlines()]
    return answers


def post_batch(person: Person, content: bytes, **headers: str) -> httpx.Response:
    given = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/x-ndjson"}
    return person.http.post("/v1/commands:batch", content=content, headers=given | headers)


def statuses(answers: list[Json]) -> list[Any]:
    return [answer["status"] for answer in answers]


def test_lines_of_a_case_go_in_order_and_take_its_version_as_it_stands(town: Town) -> None:
    cases = [str(new_id()) for _ in range(40)]
    lines = [line("/v1/cases", town.opening(case_id=case)) for case in cases]
    lines += [line(f"/v1/cases/{case}/accept-case", If_Match="*") for case in cases]
    lines += [
        line(f"/v1/cases/{case}/assign-handler", {"handler_ref": "leader-37"}, If_Match="*") for case in cases
    ]
    answers = send(town.leader, lines)
    assert statuses(answers) == [201] * 40 + [200] * 80
    assert [answer["body"]["case_id"] for answer in answers] == cases * 3
    assert {answer["body"]["state"] for answer in answers[80:]} == {"IN_PROGRESS"}
    assert all(answer["headers"]["etag"] == f'"{answer["body"]["version"]}"' for answer in answers)
    assert send(town.leader, lines) == answers, "the same batch again gives the same answers"


def test_after_a_refusal_its_stream_stands_still(town: Town) -> None:
    refused, other = str(new_id()), str(new_id())
    answers = send(
        town.leader,
        [
            line("/v1/cases", town.opening(case_id=refused)),
            line(f"/v1/cases/{refused}/close-case", If_Match="*"),
            line("/v1/cases", town.opening(case_id=other)),
            line(f"/v1/cases/{refused}/accept-case", If_Match="*"),
            line(f"/v1/cases/{other}/accept-case", If_Match="*"),
            line(f"/v1/cases/{refused}/flag-risk", {"risk": "OTHER", "detail": "x"}),
        ],
    )
    assert statuses(answers) == [201, 403, 201, 424, 200, 424]
    assert answers[3]["body"]["type"] == "/problems/failed-dependency"
    accepted = town.leader.done(f"/v1/cases/{refused}/accept-case", version=1)
    assert accepted["version"] == 3, "nothing of the later lines was stored"


def test_any_version_is_for_streams_that_the_batch_has_moved_itself(town: Town) -> None:
    case = town.open_case()
    answers = send(town.leader, [line(f"/v1/cases/{case['case_id']}/accept-case", If_Match="*")])
    assert statuses(answers) == [400]
    answers = send(
        town.leader,
        [
            line(f"/v1/cases/{case['case_id']}/accept-case", If_Match='"1"'),
            line(f"/v1/cases/{case['case_id']}/assign-handler", {"handler_ref": "a"}, If_Match="*"),
        ],
    )
    assert statuses(answers) == [200, 200]


def test_lines_may_carry_their_own_token_language_and_key(town: Town) -> None:
    theirs = town.opening(origin_unit=town.other_group)
    foreign = line("/v1/cases", theirs)
    own = line("/v1/cases", theirs, Authorization=f"Bearer {town.other_leader.token}", Accept_Language="zh")
    keyless = line("/v1/cases", town.opening())
    del keyless["headers"]["Idempotency-Key"]
    nobody = line("/v1/cases", theirs, Authorization="Bearer x", Accept_Language="zh")
    answers = send(town.leader, [foreign, own, keyless, nobody])
    assert statuses(answers) == [403, 201, 428, 401]
    assert answers[3]["headers"]["content-language"] == "zh"


def test_what_is_no_command_is_answered_line_by_line(town: Town) -> None:
    content = b"\n".join(
        [
            b"{",
            b'{"method":"POST"}',
            b"",
            json.dumps(line("/v1/commands:batch")).encode(),
            json.dumps(line("/v1/nothing")).encode(),
            json.dumps(line("/v1/cases") | {"method": "DELETE"}).encode(),
            json.dumps(line("/v1/cases", {"title": "x" * (1 << 20)})).encode(),
            json.dumps(line("/v1/cases", town.opening())).encode(),
        ]
    )
    answers = [json.loads(line) for line in post_batch(town.leader, content).text.splitlines()]
    assert statuses(answers) == [400, 400, 404, 404, 405, 413, 201]


def test_an_empty_batch_has_an_empty_answer(town: Town) -> None:
    answer = post_batch(town.leader, b"")
    assert (answer.status_code, answer.text) == (200, "")


def test_a_client_may_send_everything_before_it_reads(town: Town) -> None:
    """The answers are larger than what sockets hold, and the client reads none until the end."""
    body = {"risk": "OTHER", "detail": "x" * 10_000}
    case = town.open_case()
    lines = [line(f"/v1/cases/{case['case_id']}/flag-risk", body) for _ in range(300)]
    lines += [line("/v1/nothing") for _ in range(40_000)]
    answers = send(town.leader, lines)
    assert statuses(answers) == [200] * 300 + [404] * 40_000


def test_units_may_follow_their_parents_in_one_batch(town: Town) -> None:
    township, village, group = (str(new_id()) for _ in range(3))
    answers = send(
        town.operator,
        [
            line("/v1/units", {"unit_id": township, "kind": "TOWNSHIP", "name": "三星镇"}),
            line(
                "/v1/units", {"unit_id": village, "kind": "VILLAGE", "name": "召良村", "parent_id": township}
            ),
            line("/v1/units", {"unit_id": group, "kind": "GROUP", "name": "1组", "parent_id": village}),
        ],
    )
    assert statuses(answers) == [201, 201, 201]


def test_an_operator_imports_what_others_did(town: Town) -> None:
    opened = town.operator.done("/v1/imports", {"unit": town.village, "note": "历史台账"})
    under = {"Anjie_Import": opened["import_id"]}
    case_id = str(new_id())
    past = {"occurred_at": "2013-10-05T09:00:00+08:00"}
    leader = {"sub": "老组长", "role": "group_leader", "unit": town.group}
    lines = [
        line("/v1/cases", town.opening(case_id=case_id, **past), **under) | {"actor": leader},
        line(f"/v1/cases/{case_id}/accept-case", past, If_Match="*", **under) | {"actor": leader},
    ]
    assert statuses(send(town.operator, lines)) == [201, 200]

    outsider = leader | {"unit": town.other_group}
    elsewhere = town.opening(origin_unit=town.other_group, **past)
    refused = send(
        town.operator,
        [
            line("/v1/cases", elsewhere, **under) | {"actor": outsider},
            line("/v1/cases", town.opening(**past)) | {"actor": leader},
            line("/v1/cases", town.opening(**past), **under),
            line("/v1/cases", town.opening(**past), **under) | {"actor": {"sub": "x", "role": "chief"}},
        ],
    )
    assert statuses(refused) == [403, 422, 403, 422]
    not_theirs = send(town.leader, [line("/v1/cases", town.opening(), **under) | {"actor": leader}])
    assert statuses(not_theirs) == [403]

    def open_under(import_id: str | None, **changes: Any) -> Any:
        headers = {} if import_id is None else {"Anjie-Import": import_id}
        return town.leader.post("/v1/cases", town.opening(**changes), headers=headers)

    assert open_under(None, **past).json()["rule"] == "too-late"
    assert open_under(opened["import_id"], **past).status_code == 201
    town.operator.done(f"/v1/imports/{opened['import_id']}/close")
    closed = open_under(opened["import_id"], **past)
    assert (closed.status_code, closed.json()["rule"]) == (422, "import-closed")
    assert open_under("x").status_code == 422
    assert open_under(str(new_id())).status_code == 404


def test_each_line_may_bring_its_own_token(anjie: Anjie, town: Town) -> None:
    own = {"Authorization": f"Bearer {town.leader.token}"}
    lines = [
        line("/v1/cases", town.opening(), **headers) for headers in (own, {}, {"Authorization": "Bearer x"})
    ]
    content = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    answer = anjie.http.post("/v1/commands:batch", content=content)
    assert answer.status_code == 200
    answers = [json.loads(told) for told in answer.text.splitlines()]
    assert statuses(answers) == [201, 401, 401]
    assert answers[1]["headers"]["www-authenticate"] == "Bearer"
    for given in ("", "Bearer x"):
        refused = anjie.http.post("/v1/commands:batch", content=content, headers={"Authorization": given})
        assert refused.status_code == 401, "a token that is given must be valid, whatever the lines bring"
    described = anjie.http.get("/openapi.json").json()["paths"]["/v1/commands:batch"]["post"]
    assert described["security"] == [{"bearer": []}, {"session": []}, {}]
    assert "401" in described["responses"]
