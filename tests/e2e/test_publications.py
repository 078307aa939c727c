"""Publishing a figure as an officer does, and reading what became of it as whoever may ask for it does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.runtime.identifiers import new_id
from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import ask, command, read, serving_a_module, settled


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("publications")
    with serving_a_module(postgres, migrated_template, "publications", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


def body(measure: str, at: Json | int, **parameters: Any) -> Json:
    position = at if isinstance(at, int) else at["position"]
    return {"measure": measure, "parameters": parameters, "position": position}


def publish(person: Person, measure: str, at: Json, **parameters: Any) -> Json:
    return person.done("/v1/publications", body(measure, at, **parameters))


def published(person: Person, answer: Json, **query: Any) -> Json:
    return read(person, f"/v1/publications/{answer['publication_id']}", **query)


def resolved(place: Town, case: Json, **more: Any) -> Json:
    case = command(place.leader, case, "accept-case", {"procedure": "SELF_GOVERNANCE"} | more)
    case = command(place.leader, case, "assign-handler", {"handler_ref": place.leader.ref} | more)
    outcome = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已说明"}
    return command(place.leader, case, "resolve-case", outcome | more)


def ratio(numerator: int, denominator: int, percent: str) -> Json:
    return {"numerator": numerator, "denominator": denominator, "percent": percent}


def event(answer: Json, topic: str) -> Json:
    """What of a command's answer a late event is."""
    [found] = [each for each in answer["events"] if each["topic"] == topic]
    return {"case_id": answer["case_id"], "topic": topic, "position": found["position"]}


def late(answer: Json, topic: str) -> Json:
    """What of a command's answer a late event is."""
    [found] = [each for each in answer["events"] if each["topic"] == topic]
    return {"case_id": answer["case_id"], "topic": topic, "position": found["position"]}


def test_a_figure_says_then_now_and_what_came_late(place: Town) -> None:
    first, second, third = (place.open_case() for _ in range(3))
    instant = datetime.now(UTC).isoformat()
    done = resolved(place, first)
    answer = publish(place.township_officer, "disposition_rate", done, to="2150-01-01")
    assert answer.keys() == {"publication_id", "version", "position", "events"}
    assert [each["topic"] for each in answer["events"]] == ["publication.figure_published"]
    at_once = published(place.auditor, answer)
    assert at_once["then"] == at_once["now"] == ratio(1, 3, "33.33")
    assert at_once["late_events"] == []

    resolution = resolved(place, second, occurred_at=instant)
    fourth = place.open_case()
    merged = command(place.village_officer, third, "merge-case", {"into_case_id": fourth["case_id"]})
    told = published(place.auditor, answer, min_position=merged["position"])
    assert told["measure"] == "disposition_rate"
    assert told["parameters"] == {"unit": place.township, "to": "2150-01-01"}
    assert (told["position"], told["published_by"]) == (done["position"], place.township_officer.ref)
    assert (told["then"], told["now"]) == (ratio(1, 3, "33.33"), ratio(2, 4, "50.00"))
    expected = [late(resolution, "case.resolved"), late(fourth, "case.registered")]
    assert told["late_events"] == expected

    settled_at_last = resolved(place, read(place.leader, f"/v1/cases/{fourth['case_id']}"))
    told = published(place.auditor, answer, min_position=settled_at_last["position"])
    assert told["now"] == ratio(4, 4, "100.00"), "a duplicate is resolved with its primary"
    first_page = published(place.auditor, answer, limit=2)
    rest = read(
        place.auditor, f"/v1/publications/{answer['publication_id']}", limit=2, cursor=first_page["next"]
    )
    assert first_page["late_events"] + rest["late_events"] == told["late_events"]
    assert told["late_events"][:2] == expected
    resolutions = [each for each in told["late_events"] if each["topic"] == "case.resolved"]
    assert resolutions == [expected[0], late(settled_at_last, "case.resolved")]


def test_as_of_a_moment_since(place: Town) -> None:
    case = place.open_case()
    before = datetime.now(UTC).isoformat()
    answer = publish(place.township_officer, "backlog", case)
    other = place.open_case(occurred_at=before)
    since = datetime.now(UTC).isoformat()
    done = resolved(place, case)
    path = f"/v1/publications/{answer['publication_id']}"
    assert published(place.auditor, answer, min_position=done["position"])["now"] == 1
    then = published(place.auditor, answer, at_position=other["position"])
    assert (then["then"], then["now"], then["as_of_position"]) == (1, 2, other["position"])
    assert then["late_events"] == [late(other, "case.registered")]
    on_that_day = published(place.auditor, answer, at_occurred=since)
    assert (on_that_day["then"], on_that_day["now"]) == (1, 2), "what was open at that instant"
    assert on_that_day["late_events"] == then["late_events"]
    for moment in ({"at_position": case["position"]}, {"at_recorded": before}, {"at_occurred": before}):
        assert place.auditor.get(path, **moment).status_code == 404, moment
    assert place.auditor.get(path, at_position=99_999_999).status_code == 422


def test_the_parts_of_a_measure_and_what_is_no_case(place: Town) -> None:
    case = place.open_case()
    reached = publish(place.village_officer, "containment_rate", case, level="GROUP", unit=place.group)
    kept = publish(place.village_officer, "on_time_rate", case, timer="T13")
    visits = publish(place.village_officer, "visits", case)
    visit = {"unit": place.group, "visit_kind": "HOUSEHOLD", "findings": "x", "household_ref": "2"}
    visited = place.leader.done("/v1/visits", visit)
    done = resolved(place, case)
    contained = published(place.village_officer, reached, min_position=done["position"])
    assert contained["parameters"] == {"unit": place.group, "level": "GROUP"}
    assert (contained["then"], contained["now"]) == (ratio(0, 1, "0.00"), ratio(1, 1, "100.00"))
    assert contained["late_events"] == [late(done, "case.resolved")]
    in_time = published(place.village_officer, kept)
    assert in_time["parameters"] == {"unit": place.village, "timer": "T13"}
    assert (in_time["then"], in_time["now"]["numerator"]) == (
        {"numerator": 0, "denominator": 0, "percent": None},
        1,
    )
    outside = [{"case_id": None, "topic": "visit.recorded", "position": visited["position"]}]
    assert published(place.village_officer, visits)["late_events"] == outside


def test_of_one_category(place: Town) -> None:
    road, _ = place.open_case(category="ROADS"), place.open_case(category="NEIGHBOUR")
    at = place.open_case(category="NEIGHBOUR")
    roads = publish(place.village_officer, "disposition_rate", at, category="ROADS")
    done = resolved(place, road)
    told = published(place.village_officer, roads, min_position=done["position"])
    assert told["parameters"] == {"unit": place.village, "category": "ROADS"}
    assert (told["then"], told["now"]) == (ratio(0, 1, "0.00"), ratio(1, 1, "100.00"))
    assert told["late_events"] == [event(done, "case.resolved")]
    coverage = body("visit_coverage", done, category="ROADS")
    refused = place.village_officer.post("/v1/publications", coverage)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/parameters/category"


def test_who_may_know_what(running: Anjie, place: Town) -> None:
    case = place.open_case()
    answer = publish(place.township_officer, "backlog", case, unit=place.group)
    lead = place.open_case(procedure="SAFETY_LEAD", category="PUBLIC_SAFETY")
    at = lead["position"]
    told = published(place.leader, answer, min_position=at)
    assert told["late_events"] == [late(lead, "case.registered")]
    hidden = [{"sealed": True, "position": lead["events"][0]["position"]}]
    for person in (place.village_officer, place.auditor, place.resident):
        assert published(person, answer, min_position=at)["late_events"] == hidden
    path = f"/v1/publications/{answer['publication_id']}"
    assert place.other_leader.get(path).status_code == 403
    for unknown in (str(new_id()), case["case_id"]):
        assert place.auditor.get(f"/v1/publications/{unknown}").status_code == 404
    wall = published(place.dashboard, answer, min_position=at)
    small = {"suppressed": True}
    assert (wall["then"], wall["now"], wall["late_events"], wall["next"]) == (small, small, [], None)
    [item] = read(place.dashboard, "/v1/publications")["items"]
    assert item["then"] is None, "each is read by itself"
    for person in (place.supervisor, place.operator):
        published(person, answer)
    cleared = running.person("cleared", "auditor", place.township, frozenset({"SAFETY_LEAD"}))
    published(cleared, answer)
    seen = read(cleared, "/v1/audit/reads", case_id=lead["case_id"])["items"]
    assert [(each["actor_ref"], each["read"]) for each in seen] == [
        ("supervisor-1", "publications/backlog"),
        ("cleared", "publications/backlog"),
    ]


def test_publications_are_listed_by_unit_the_latest_first(place: Town) -> None:
    case = place.open_case()
    made = [
        publish(place.township_officer, "backlog", case),
        publish(place.township_officer, "visits", case, unit=place.village),
        publish(place.village_officer, "registered", case, unit=place.group),
        publish(place.township_officer, "registered", case, unit=place.other_village),
    ]
    ids = [each["publication_id"] for each in made]

    def listed(person: Person, **query: Any) -> list[str]:
        answer = person.get("/v1/publications", limit=2, **query)
        items = list(answer.json()["items"])
        while "next" in answer.links:
            answer = ask(person, answer.links["next"]["url"])
            items += answer.json()["items"]
        return [item["publication_id"] for item in items]

    assert listed(place.township_officer) == list(reversed(ids))
    assert listed(place.township_officer, unit=place.village) == [ids[2], ids[1]]
    assert listed(place.village_officer) == [ids[2], ids[1]]
    assert listed(place.leader) == [ids[2]]
    assert listed(place.auditor, at_position=made[1]["position"]) == [ids[1], ids[0]]
    assert place.leader.get("/v1/publications", unit=place.village).status_code == 403
    [item] = read(place.leader, "/v1/publications")["items"]
    assert (item["measure"], item["then"], item["position"]) == ("registered", 1, case["position"])


def test_a_publication_is_made_once(place: Town) -> None:
    case = place.open_case()
    officer, publication_id = place.township_officer, str(new_id())
    given = body("backlog", case) | {"publication_id": publication_id}
    first = officer.post("/v1/publications", given, key=f"once {publication_id}")
    place.open_case()
    again = officer.post("/v1/publications", given, key=f"once {publication_id}")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["publication_id"] == publication_id
    assert first.headers["ETag"] == '"1"'
    other = officer.post("/v1/publications", given | {"measure": "visits"}, key=f"once {publication_id}")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert officer.post("/v1/publications", given).status_code == 409
    in_a_case = given | {"publication_id": case["case_id"]}
    assert officer.post("/v1/publications", in_a_case).status_code == 409
    headers = {"Authorization": f"Bearer {officer.token}"}
    assert officer.http.post("/v1/publications", json=given, headers=headers).status_code == 428


def test_publications_come_in_batches(place: Town) -> None:
    case = place.open_case()
    ids = [str(new_id()) for _ in range(2)]
    lines = [
        {
            "method": "POST",
            "path": "/v1/publications",
            "headers": {"Idempotency-Key": f"batch {publication_id}"},
            "body": body(measure, case) | {"publication_id": publication_id},
        }
        for publication_id, measure in zip((*ids, ids[1]), ("backlog", "nothing", "visits"), strict=True)
    ]
    answer = place.township_officer.http.post(
        "/v1/commands:batch",
        content="\n".join(json.dumps(line) for line in lines),
        headers={"Authorization": f"Bearer {place.township_officer.token}"},
    )
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["status"] for line in told] == [201, 422, 424]
    assert published(place.auditor, told[0]["body"])["then"] == 1


REFUSED: tuple[tuple[str, str, dict[str, str], int, str | None], ...] = (
    ("leader", "backlog", {}, 403, None),
    ("operator", "backlog", {}, 403, None),
    ("dashboard", "backlog", {}, 403, None),
    ("village_officer", "backlog", {"unit": "{other_village}"}, 403, "parameters/unit"),
    ("village_officer", "backlog", {"unit": "{township}"}, 403, "parameters/unit"),
    ("village_officer", "backlog", {"unit": "{nobodys}"}, 422, "parameters/unit"),
    ("village_officer", "nothing", {}, 422, "measure"),
    ("village_officer", "", {}, 422, "measure"),
    ("village_officer", "backlog", {"level": "GROUP"}, 422, "parameters/level"),
    ("village_officer", "containment_rate", {"level": "COUNTY"}, 422, "parameters/level"),
    ("village_officer", "on_time_rate", {"timer": "T5"}, 422, "parameters/timer"),
    ("village_officer", "backlog", {"from": "2020-02-02", "to": "2020-02-01"}, 422, "parameters/to"),
    ("village_officer", "backlog", {"category": "ROAD"}, 422, "parameters/category"),
    ("village_officer", "backlog", {"from": "soon"}, 422, "parameters/from"),
    ("village_officer", "backlog", {"at_occurred": "2020-02-01"}, 422, "parameters"),
)


def test_what_is_not_published_says_why(place: Town) -> None:
    names = {"other_village": place.other_village, "township": place.township, "nobodys": str(new_id())}
    case = place.open_case()
    for who, measure, parameters, status, field in REFUSED:
        person: Person = getattr(place, who)
        given = {name: value.format(**names) for name, value in parameters.items()}
        answer = person.post("/v1/publications", body(measure, case, **given))
        assert answer.status_code == status, (who, measure, parameters, answer.text)
        if field is not None:
            assert answer.json()["errors"][0]["pointer"].strip("/").startswith(field), answer.text
    before = body("backlog", case) | {"occurred_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    answer = place.village_officer.post("/v1/publications", before)
    assert answer.status_code == 422, "nobody gives out what nobody knew yet"
    assert answer.json()["errors"][0]["pointer"] == "/occurred_at"
    refused = place.leader.post("/v1/publications", body("backlog", case)).json()
    assert refused["roles"] == ["village_officer", "township_officer"]
    for position in (0, -1, 10**9, "1", None):
        answer = place.village_officer.post(
            "/v1/publications", body("backlog", case) | {"position": position}
        )
        assert answer.status_code == 422, (position, answer.text)
        assert answer.json()["errors"][0]["pointer"] == "/position", answer.text
    for missing in ("measure", "parameters", "position"):
        given = {name: value for name, value in body("backlog", case).items() if name != missing}
        assert place.village_officer.post("/v1/publications", given).status_code == 422, missing
