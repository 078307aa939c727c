"""Reads over HTTP: moments, pages, refusals, the raw feed, the register of reads."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from shared.runtime.identity import issue_token
from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import JWT_SECRET, Anjie, Json, Person, Town
from tests.e2e.reading import Listener, ask, command, read, serving_a_module, settled
from tests.e2e.sessions import signed_in


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    with serving_a_module(postgres, migrated_template, "reads", tmp_path_factory.mktemp("reads")) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


UNFIT = (
    ("/v1/cases?at_position=3&at_recorded=2020-01-01T00:00:00Z", "at_recorded"),
    ("/v1/cases?at_position=99999", "at_position"),
    ("/v1/cases?at_position=-1", "at_position"),
    ("/v1/kpi?at_recorded=2150-01-01T00:00:00Z", "at_recorded"),
    ("/v1/kpi?at_occurred=2150-01-01T00:00:00Z", "at_occurred"),
    ("/v1/kpi?at_occurred=2020-01-01T00:00:00", "at_occurred"),
    ("/v1/kpi?at_occurred=0001-01-01T00:00:00%2B08:00", "at_occurred"),
    ("/v1/kpi?from=2020-02-02&to=2020-02-01", "to"),
    ("/v1/trend?from=2020-02-02&to=2020-02-01", "to"),
    ("/v1/trend?to=2150-01-01", "to"),
    ("/v1/trend?from=2150-01-01", "from"),
    ("/v1/trend?from=2020-01-01&to=2021-01-01", "from"),
    ("/v1/backlog?by=nobody", "by"),
    ("/v1/cases?order=any", "order"),
    ("/v1/cases?state=DREAMING", "state"),
    ("/v1/cases?limit=0", "limit"),
    ("/v1/cases?limit=1001", "limit"),
    ("/v1/explain/registered?limit=5001", "limit"),
    ("/v1/explain/registered?level=GROUP", "level"),
    ("/v1/cases?cursor=nonsense", "cursor"),
    ("/v1/cases?handler=%00", "handler"),
    ("/v1/cases?overdue=perhaps", "overdue"),
    ("/v1/events?limit=5001", "limit"),
    ("/v1/streams/urgent_board?after=x", "after"),
    ("/v1/audit/reads", "case_id"),
)


def test_what_does_not_fit_is_refused_by_name(place: Town) -> None:
    for target, parameter in UNFIT:
        answer = ask(place.auditor, target)
        assert answer.status_code == 422, (target, answer.text)
        assert parameter in answer.json()["errors"][0]["pointer"], (target, answer.text)


ALLOWED = (
    ("leader", "/v1/backlog?unit={village}", 403),
    ("leader", "/v1/cases?unit={village}", 403),
    ("leader", "/v1/kpi?unit=00000000-0000-7000-8000-000000000000", 404),
    ("operator", "/v1/kpi?unit={village}", 200),
    ("operator", "/v1/kpi", 200),
    ("dashboard", "/v1/cases", 403),
    ("dashboard", "/v1/explain/registered", 403),
    ("village_officer", "/v1/explain/nothing", 404),
    ("village_officer", "/v1/events", 403),
    ("resident", "/v1/actors", 403),
    ("leader", "/v1/cases/nonsense", 404),
    ("leader", "/v1/cases/00000000-0000-7000-8000-000000000000", 404),
)


def test_who_may_ask_for_what(place: Town) -> None:
    for who, target, status in ALLOWED:
        person: Person = getattr(place, who)
        answer = ask(person, target.format(village=place.village))
        assert answer.status_code == status, (who, target, answer.text)
        if status == 403:
            assert len(answer.json()["detail"]) > 20


def test_without_a_token_nothing_is_read(running: Anjie) -> None:
    for path in ("/v1/cases", "/v1/kpi", "/v1/events", "/v1/streams/urgent_board", "/v1/me"):
        assert running.http.get(path).status_code == 401
    assert running.http.get("/asyncapi.json").json()["asyncapi"] == "3.0.0"


def test_a_case_is_read_as_of_any_moment(place: Town) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    opened = place.open_case()
    first = read(place.leader, f"/v1/cases/{opened['case_id']}")
    accepted = command(place.leader, opened, "accept-case", {"procedure": "SELF_GOVERNANCE"})
    path = f"/v1/cases/{opened['case_id']}"
    live = read(place.leader, path)
    assert (live["state"], live["as_of_position"]) == ("ACCEPTED", accepted["position"])
    assert "offer-mediation" in live["allowed_commands"]
    past = read(place.leader, path, at_position=opened["position"])
    assert past["allowed_commands"] == []
    assert past == first | {"as_of_instant": past["as_of_instant"], "allowed_commands": []}
    assert read(place.leader, path, at_recorded=past["as_of_instant"]) == past
    recorded = datetime.fromisoformat(past["as_of_instant"]).astimezone(timezone(timedelta(hours=8)))
    bare = ask(place.leader, f"{path}?at_recorded={recorded.isoformat()}")
    assert bare.json() == past, "an offset's plus sign may be left as it is"
    timeline = read(place.leader, f"{path}/timeline", at_position=opened["position"])
    assert [item["topic"] for item in timeline["items"]] == [
        "case.registered",
        "case.deadline_started",
    ]
    assert place.leader.get(path, at_position=opened["events"][0]["position"] - 1).status_code == 404
    assert place.leader.get(path, at_occurred=before.isoformat()).status_code == 404


def test_a_timeline_speaks_the_callers_language(place: Town) -> None:
    case = place.open_case()
    path = f"/v1/cases/{case['case_id']}/timeline"
    said = {
        language: place.leader.http.get(
            path, headers={"Authorization": f"Bearer {place.leader.token}", "Accept-Language": language}
        ).json()["items"][0]["summary"]
        for language in ("zh", "en")
    }
    assert said["zh"].startswith("登记")
    assert said["en"].startswith("Registered")


def test_a_write_is_read_by_whoever_waits_for_it(place: Town) -> None:
    for _ in range(5):
        case = place.open_case()
        answer = read(place.leader, "/v1/cases", min_position=case["position"])
        assert answer["as_of_position"] >= case["position"]
        assert answer["items"][0]["case_id"] == case["case_id"]


def test_waiting_for_what_does_not_come_ends(town: Town) -> None:
    """The read models stand still here: nothing projects."""
    case = town.open_case()
    waiting = (
        f"/v1/cases?min_position={case['position']}",
        f"/v1/events?min_position={case['position']}",
        f"/v1/kpi?at_position={case['position']}",
        f"/v1/cases/{case['case_id']}?min_position={case['position'] + 1}",
    )
    started = time.monotonic()
    with ThreadPoolExecutor() as pool:
        feed = pool.submit(ask, town.auditor, "/v1/events")
        answers = list(pool.map(lambda target: ask(town.auditor, target), waiting))
    assert 4.5 < time.monotonic() - started < 9
    assert [answer.status_code for answer in answers] == [503] * 4
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
    assert (feed.result().status_code, feed.result().text) == (200, ""), "the feed goes on with what there is"


def test_pages_stay_at_the_moment_of_the_first(place: Town) -> None:
    opened = [place.open_case() for _ in range(5)]
    for order in ("latest", "oldest"):
        query = {"limit": 2, "at_position": opened[-1]["position"], "order": order}
        answer = place.leader.get("/v1/cases", **query)
        place.open_case()
        seen = list(answer.json()["items"])
        while "next" in answer.links:
            answer = ask(place.leader, answer.links["next"]["url"])
            assert answer.json()["as_of_position"] == opened[-1]["position"]
            seen += answer.json()["items"]
        expected = opened if order == "oldest" else opened[::-1]
        assert [item["case_id"] for item in seen] == [case["case_id"] for case in expected]
        assert answer.json()["next"] is None


def test_lists_are_filtered(place: Town) -> None:
    plain = place.open_case()
    roads = command(
        place.leader, place.open_case(category="ROADS"), "accept-case", {"procedure": "SELF_GOVERNANCE"}
    )
    roads = command(place.leader, roads, "assign-handler", {"handler_ref": "leader-37"})
    today = datetime.now(UTC) + timedelta(hours=8)
    read(place.leader, "/v1/cases", min_position=roads["position"])
    for query, expected in (
        ({"category": "ROADS"}, [roads]),
        ({"state": ["REGISTERED", "CLOSED"]}, [plain]),
        ({"handler": "leader-37"}, [roads]),
        ({"procedure": "SELF_GOVERNANCE"}, [roads]),
        ({"case_id": [plain["case_id"], str(UUID(int=7))]}, [plain]),
        ({"to_call": "false"}, [roads, plain]),
        ({"assigned": "true"}, [roads]),
        ({"assigned": "false"}, [plain]),
        ({"unit": place.village}, [roads, plain]),
        ({"holder": place.village}, []),
        ({"holder": place.group}, [roads, plain]),
        ({"origin": place.other_village}, []),
        ({"urgent": "true"}, []),
        ({"q": plain["case_id"]}, [plain]),
        ({"q": "roads"}, [roads]),
        ({"q": "37"}, [roads, plain]),
        ({"opened_from": today.date().isoformat()}, [roads, plain]),
        ({"opened_to": (today.date() - timedelta(days=1)).isoformat()}, []),
    ):
        items = read(place.township_officer, "/v1/cases", **query)["items"]
        assert [item["case_id"] for item in items] == [case["case_id"] for case in expected], query


def test_complainants_are_called_by_somebody_who_did_not_handle_the_case(place: Town) -> None:
    def to_call(person: Person, after: Json) -> list[str]:
        query = {"to_call": "true", "min_position": after["position"]}
        return [item["case_id"] for item in read(person, "/v1/cases", **query)["items"]]

    case = command(place.leader, place.open_case(), "accept-case", {"procedure": "SELF_GOVERNANCE"})
    case = command(place.leader, case, "assign-handler", {"handler_ref": place.leader.ref})
    assert to_call(place.village_officer, case) == []
    settled = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "讲明界址"}
    resolved = command(place.leader, case, "resolve-case", settled)
    assert to_call(place.leader, resolved) == []
    assert to_call(place.village_officer, resolved) == [case["case_id"]]
    tried = command(place.village_officer, resolved, "record-follow-up", {"reached": False})
    assert to_call(place.village_officer, tried) == [case["case_id"]]
    answer = {"reached": True, "solved": False, "satisfied": False}
    reached = command(place.village_officer, tried, "record-follow-up", answer)
    assert to_call(place.village_officer, reached) == []
    again = {"ground": "UNSATISFIED", "reason": "仍未解决"}
    reopened = command(place.village_officer, reached, "reopen-case", again)
    resolved = command(place.leader, reopened, "resolve-case", settled)
    assert to_call(place.village_officer, resolved) == [case["case_id"]]
    for _ in range(3):
        resolved = command(place.village_officer, resolved, "record-follow-up", {"reached": False})
    assert to_call(place.village_officer, resolved) == []


def test_what_became_confidential_is_so_in_its_past(place: Town) -> None:
    case = place.open_case(category="PUBLIC_SAFETY")
    then = {"at_position": case["position"]}
    assert read(place.village_officer, "/v1/cases", **then)["items"][0]["case_id"] == case["case_id"]
    lead = command(place.leader, case, "accept-case", {"procedure": "SAFETY_LEAD"})
    hidden = {"sealed": True, "position": case["position"]}
    read(place.leader, "/v1/cases", min_position=lead["position"])
    assert read(place.village_officer, "/v1/cases", **then)["items"] == [hidden]
    registered = {"sealed": True, "position": case["events"][0]["position"]}
    assert read(place.village_officer, "/v1/explain/registered", **then)["items"] == [registered]
    assert place.village_officer.get(f"/v1/cases/{case['case_id']}", **then).status_code == 404
    assert read(place.leader, f"/v1/cases/{case['case_id']}", **then)["state"] == "REGISTERED"


def test_reads_by_those_who_oversee_are_registered(place: Town) -> None:
    case = place.open_case()
    path = f"/v1/cases/{case['case_id']}"
    read(place.township_officer, path)
    read(place.supervisor, path, at_position=case["position"])
    read(place.operator, f"{path}/timeline")
    read(place.auditor, "/v1/explain/registered", min_position=case["position"])
    with Listener(place.supervisor, "/v1/streams/case_timeline", case_id=case["case_id"]) as listener:
        listener.next()
    read(place.supervisor, "/v1/cases")
    taken_along = place.auditor.credentials | {"Anjie-Purpose": "export"}
    for target in (path, "/v1/cases", "/v1/explain/registered"):
        assert place.auditor.http.get(target, headers=taken_along).status_code == 200
    reads = read(place.auditor, "/v1/audit/reads", case_id=case["case_id"])["items"]
    assert [(item["actor_ref"], item["read"]) for item in reads] == [
        ("supervisor-1", "case"),
        ("operator", "timeline"),
        ("auditor-1", "explain/registered"),
        ("supervisor-1", "stream"),
        ("supervisor-1", "cases"),
        ("auditor-1", "export/case"),
        ("auditor-1", "export/cases"),
        ("auditor-1", "export/explain/registered"),
    ]
    assert {item["reason"] for item in reads} == {None}
    assert reads[0]["as_of_position"] == case["position"]
    for order, ordered in (("oldest", reads), ("latest", reads[::-1])):
        page = place.auditor.get("/v1/audit/reads", case_id=case["case_id"], limit=3, order=order)
        assert page.json()["items"] == ordered[:3]
        assert ask(place.auditor, page.links["next"]["url"]).json()["items"] == ordered[3:6]


def test_whoever_oversees_reads_each_case_that_a_board_lists(running: Anjie, place: Town) -> None:
    urgent = {"urgent": True, "facets": ["JI"], "reason": "老人独居"}
    asked = place.open_case(procedure="SERVICE", category="SERVICE_REQUEST")
    case = command(place.leader, asked, "classify-urgency", urgent)
    served = command(place.leader, case, "perform-service", {"item": "ATTESTATION"})
    overseers = [
        running.person(f"{role}-{place.village}", role, place.village)
        for role in ("supervisor", "auditor", "privacy_officer")
    ]
    boards = ("/v1/urgent", "/v1/deadlines", "/v1/services")
    for person in (place.leader, *overseers):
        for board in boards:
            listed = read(person, board, min_position=served["position"])
            assert case["case_id"] in {item["case_id"] for item in listed["items"]}, board
            counted = read(person, board, items="false", at_position=listed["as_of_position"])
            assert counted["items"] == []
            figures = listed.keys() - {"items", "next", "as_of_instant"}
            assert {name: counted[name] for name in figures} == {name: listed[name] for name in figures}
    page = signed_in(running, overseers[0], "supervisor", place.village)
    assert page.get("/audit/figures").status_code == 200, "whose figures list nothing"
    reads = read(place.auditor, "/v1/audit/reads", case_id=case["case_id"])["items"]
    assert [(item["actor_ref"], item["read"]) for item in reads] == [
        (person.ref, board.removeprefix("/v1/")) for person in overseers for board in boards
    ]


def test_the_feed_has_every_position_and_seals_what_is_private(place: Town) -> None:
    case = place.open_case()
    read(place.leader, "/v1/cases", min_position=case["position"])
    lines = place.operator.get("/v1/events", limit=5000).text.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["position"] for event in events] == list(range(1, case["position"] + 1))
    registered = events[case["events"][0]["position"] - 1]
    assert registered["type"] == "case.registered"
    assert registered["subject"] == case["case_id"]
    assert registered["data"]["title"] == {"sealed": True}
    assert registered["data"]["people"][0]["name"] == {"sealed": True}
    part = place.operator.get("/v1/events", after=2, limit=2).text.splitlines()
    assert part == lines[2:4]
    elsewhere = Person(place.operator.http, _supervisor_elsewhere(place), "supervisor-2")
    sealed = elsewhere.get("/v1/events", after=case["position"] - 1).text.splitlines()
    assert [json.loads(line) for line in sealed] == [{"sealed": True, "position": case["position"]}]


def test_the_feed_holds_what_was_just_acknowledged(place: Town) -> None:
    for number in range(20):
        case = place.open_case()
        waits = {"min_position": case["position"]} if number % 2 else {}
        lines = place.operator.get("/v1/events", after=case["position"] - 1, **waits).text.splitlines()
        assert [json.loads(line)["subject"] for line in lines] == [case["case_id"]]


def _supervisor_elsewhere(town: Town) -> str:
    return issue_token(JWT_SECRET, sub="supervisor-2", role="supervisor", unit=UUID(town.other_village))


def test_the_feed_can_be_followed(place: Town) -> None:
    case = place.open_case()
    headers = {"Authorization": f"Bearer {place.operator.token}"}
    query = {"after": case["position"] - 1, "follow": "true"}
    with place.operator.http.stream("GET", "/v1/events", params=query, headers=headers) as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines))["position"] == case["position"]
        later = place.open_case()
        assert json.loads(next(lines))["position"] == later["events"][0]["position"]


def test_units_and_actors_are_listed(place: Town) -> None:
    case = place.open_case()
    units = read(place.leader, "/v1/units", parent=place.township)["items"]
    assert [unit["unit_id"] for unit in units] == [place.village, place.other_village]
    assert [
        unit["name"] for unit in read(place.leader, "/v1/units", name="37", parent=place.village)["items"]
    ] == ["37组"]
    named = read(place.leader, "/v1/units", unit_id=[place.other_group, place.township])["items"]
    assert [unit["unit_id"] for unit in named] == [place.township, place.other_group]
    read(place.leader, "/v1/cases", min_position=case["position"])
    actors = read(place.village_officer, "/v1/actors", role="group_leader")["items"]
    assert actors == [{"actor_ref": "leader-37", "role": "group_leader", "unit": place.group}]
    me = read(place.leader, "/v1/me")
    assert (me["sub"], me["role"], me["unit"], me["unit_name"]) == (
        "leader-37",
        "group_leader",
        place.group,
        "37组",
    )
    assert [step["name"] for step in me["unit_path"]][1:] == ["新河村", "37组"]


def test_an_account_has_one_key_for_its_devices_and_no_other_has_it(place: Town) -> None:
    key = read(place.leader, "/v1/me/device-key")["key"]
    assert len(urlsafe_b64decode(key)) == 32
    assert read(place.leader, "/v1/me/device-key")["key"] == key
    assert read(place.mediator, "/v1/me/device-key")["key"] != key


def test_services_are_counted_and_listed(place: Town) -> None:
    person = {"role": "BENEFICIARY", "name": "黄某"}
    first = place.leader.done(
        "/v1/services", {"unit": place.group, "item": "ATTESTATION", "beneficiary": person}
    )
    second = place.leader.done("/v1/services", {"unit": place.group, "item": "PENSION"})
    read(place.leader, "/v1/services", min_position=second["position"])
    told = read(place.village_officer, "/v1/services")
    assert (told["total"], told["by_item"]) == (2, {"ATTESTATION": 1, "PENSION": 1})
    assert told["items"][1]["beneficiary"]["name"] == {"sealed": True}
    assert read(place.leader, "/v1/services")["items"][1]["beneficiary"]["name"] == "黄某"
    wall = read(place.dashboard, "/v1/services")
    assert (wall["total"], wall["items"]) == ({"suppressed": True}, [])
    assert first["service_id"] == told["items"][1]["service_id"]


def test_neither_an_accusation_nor_its_accuser_shows_where_the_accused_work(
    running: Anjie, place: Town
) -> None:
    neighbour = running.person("resident-2", "resident", place.group)
    neighbour.done("/v1/cases", place.opening())
    accused = {"actor_ref": place.village_officer.ref, "role": "village_officer", "unit_id": place.village}
    people = [
        {"role": "COMPLAINANT", "actor_ref": place.resident.ref},
        {"role": "ACCUSED", "actor_ref": "cousin"},
    ]
    body = place.opening(procedure="ACCUSATION", accused=accused, people=people)
    accusation = place.resident.done("/v1/cases", body)
    read(place.leader, "/v1/cases", min_position=accusation["position"])
    cousin = running.person("cousin", "resident", place.group)
    for person, others in ((place.village_officer, 1), (place.mediator, 1), (place.leader, 1), (cousin, 0)):
        assert len(read(person, "/v1/cases")["items"]) == others, person.ref
    for person in (place.resident, place.township_officer):
        assert accusation["case_id"] in str(read(person, "/v1/cases")["items"])
    withdrawn = command(place.resident, accusation, "withdraw-case", {"statement": "不再追究"})
    read(place.leader, "/v1/cases", min_position=withdrawn["position"])
    residents = read(place.village_officer, "/v1/actors", role="resident")["items"]
    assert [actor["actor_ref"] for actor in residents] == ["resident-2"]
