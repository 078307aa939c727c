"""What changed in a figure between two moments: which cases came, left, changed, and by which events."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import ask, command, read, serving_a_module, settled


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("compare")
    with serving_a_module(postgres, migrated_template, "compare", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


def under_way(place: Town, **changes: Any) -> Json:
    case = place.open_case(**changes)
    case = command(place.leader, case, "accept-case", {"procedure": "SELF_GOVERNANCE"})
    return command(place.leader, case, "assign-handler", {"handler_ref": place.leader.ref})


def resolved(person: Person, case: Json) -> Json:
    body = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已说明"}
    return command(person, case, "resolve-case", body)


def risen(place: Town, case: Json) -> Json:
    """The case at the village, which takes it."""
    escalated = command(place.leader, case, "escalate-case", {"to_level": "VILLAGE", "reason": "超出能力"})
    return command(place.village_officer, escalated, "accept-escalation")


def compare(person: Person, measure: str, a: Json | int, b: Json | int, **query: Any) -> Json:
    positions = {name: at if isinstance(at, int) else at["position"] for name, at in (("a", a), ("b", b))}
    return read(person, f"/v1/compare/{measure}", **positions, **query)


def changes(answer: Json) -> dict[str, tuple[str, list[str]]]:
    """By case how it changed, and the topics because of which; their order and positions are looked at."""
    ids = [item["case_id"] for item in answer["items"]]
    assert ids == sorted(ids)
    for item in answer["items"]:
        at = [reason["position"] for reason in item["because"]]
        assert at == sorted(set(at))
    return {
        item["case_id"]: (item["change"], [reason["topic"] for reason in item["because"]])
        for item in answer["items"]
    }


def test_a_case_comes_another_leaves_and_a_third_changes(place: Town) -> None:
    ending, rising, still = (under_way(place) for _ in range(3))
    a = still["position"]
    fresh = place.open_case()
    up = risen(place, rising)
    done = resolved(place.leader, ending)
    b = done["position"]
    officer = place.township_officer

    backlog = compare(officer, "backlog", a, b)
    assert (backlog["measure"], backlog["a"], backlog["b"]) == ("backlog", 3, 3)
    assert (backlog["as_of_position"], backlog["next"]) == (b, None)
    assert changes(backlog) == {
        fresh["case_id"]: ("CAME", ["case.registered"]),
        ending["case_id"]: ("LEFT", ["case.resolved"]),
    }
    [came] = [item for item in backlog["items"] if item["change"] == "CAME"]
    assert came.keys() == {"case_id", "change", "because"}
    assert came["because"][0]["position"] == fresh["events"][0]["position"]

    contained = compare(officer, "containment_rate", a, b)
    assert contained["a"]["GROUP"]["denominator"] == 3
    assert (contained["b"]["GROUP"]["numerator"], contained["b"]["GROUP"]["denominator"]) == (1, 4)
    seen = changes(contained)
    assert seen[ending["case_id"]] == ("CHANGED", ["case.resolved"])
    assert seen[rising["case_id"]][0] == "CHANGED"
    assert seen[rising["case_id"]][1][-1] == up["events"][0]["topic"]
    assert seen[fresh["case_id"]] == ("CAME", ["case.registered"])
    assert still["case_id"] not in seen

    villages = compare(officer, "containment_rate", a, b, level="VILLAGE")
    assert (villages["a"]["denominator"], villages["b"]["denominator"]) == (0, 1)
    assert {case: change for case, (change, _) in changes(villages).items()} == {rising["case_id"]: "CAME"}

    rate = compare(officer, "disposition_rate", a, b)
    assert changes(rate) == {
        fresh["case_id"]: ("CAME", ["case.registered"]),
        ending["case_id"]: ("CHANGED", ["case.resolved"]),
    }
    on_time = compare(officer, "on_time_rate", a, b, timer="T13")
    assert changes(on_time)[rising["case_id"]][0] == "CAME"

    assert compare(officer, "backlog", b, b)["items"] == []
    later = under_way(place)
    assert read(officer, "/v1/backlog", min_position=later["position"])["total"] == 4
    assert compare(officer, "backlog", a, b) == backlog, "what was compared stays so"


def test_coming_and_leaving_add_up_to_what_a_count_changed_by(place: Town) -> None:
    first = [under_way(place) for _ in range(3)]
    a = first[-1]["position"]
    for case in first[:2]:
        done = resolved(place.leader, case)
    back = command(place.village_officer, done, "reopen-case", {"ground": "NEW_FACT", "reason": "再办"})
    fresh = [place.open_case() for _ in range(4)]
    b = fresh[-1]["position"]
    for measure in ("backlog", "registered"):
        told = compare(place.auditor, measure, a, b)
        ways = [item["change"] for item in told["items"]]
        assert told["b"] - told["a"] == ways.count("CAME") - ways.count("LEFT") > 0
    left_and_back = compare(place.auditor, "backlog", done["position"], back["position"])
    assert changes(left_and_back) == {back["case_id"]: ("CAME", ["case.reopened"])}
    assert back["case_id"] not in changes(compare(place.auditor, "backlog", a, b)), "as open as it was"
    reopened = compare(place.auditor, "reopen_rate", a, b)
    assert changes(reopened) == {
        first[0]["case_id"]: ("CAME", ["case.resolved"]),
        back["case_id"]: ("CAME", ["case.resolved", "case.reopened"]),
    }


def test_what_happened_by_an_instant_is_compared_as_it_came_to_be_known(place: Town) -> None:
    case = under_way(place)
    instant = datetime.now(UTC)
    read(place.leader, "/v1/backlog", min_position=case["position"])
    resolved(place.leader, case)
    late = place.open_case(occurred_at=instant.replace(microsecond=0).isoformat())
    told = compare(place.leader, "backlog", case, late, at_occurred=instant.isoformat())
    assert changes(told) == {late["case_id"]: ("CAME", ["case.registered"])}, "it was open then still"
    assert (told["a"], told["b"]) == (1, 2)


def test_visits_and_households_are_told_by_what_they_are(place: Town) -> None:
    roster = {"unit": place.group, "as_of_on": "2024-01-01", "households": ["1", "2", "3"]}
    a = place.village_officer.done("/v1/rosters", roster)
    visit = {"unit": place.group, "visit_kind": "HOUSEHOLD", "findings": "x", "household_ref": "2"}
    visited = place.leader.done("/v1/visits", visit)
    newer = {"unit": place.group, "as_of_on": "2024-02-01", "households": ["2", "3", "4"]}
    b = place.village_officer.done("/v1/rosters", newer)
    visits = compare(place.leader, "visits", a, b)
    assert (visits["a"], visits["b"]) == (0, 1)
    because = [{"topic": "visit.recorded", "position": visited["position"]}]
    assert visits["items"] == [
        {
            "subject_kind": "visit",
            "subject_id": visited["visit_id"],
            "subject_ref": "2",
            "change": "CAME",
            "because": because,
        }
    ]
    filed = [{"topic": "roster.filed", "position": b["position"]}]
    first = compare(place.leader, "visit_coverage", a, b, limit=2)
    rest = read(place.leader, "/v1/compare/visit_coverage", cursor=first["next"])
    household = {"subject_kind": "household", "subject_id": None, "unit_id": place.group}
    assert first["items"] + rest["items"] == [
        household | {"subject_ref": "1", "change": "LEFT", "because": filed},
        household | {"subject_ref": "2", "change": "CHANGED", "because": because},
        household | {"subject_ref": "4", "change": "CAME", "because": filed},
    ]
    assert (first["b"]["numerator"], first["b"]["denominator"], rest["next"]) == (1, 3, None)
    assert read(place.resident, "/v1/compare/visits", a=a["position"], b=b["position"])["items"] == [
        {"sealed": True, "position": visited["position"]}
    ]


def test_a_group_that_moves_takes_its_cases_along(place: Town) -> None:
    case = place.open_case()
    move = {"parent_id": place.other_village}
    moved = place.operator.done(f"/v1/units/{place.group}/move-unit", move, version=1)
    because = [{"topic": "unit.moved", "position": moved["position"]}]
    for unit, change in ((place.village, "LEFT"), (place.other_village, "CAME")):
        told = compare(place.township_officer, "backlog", case, moved, unit=unit)
        assert told["items"] == [{"case_id": case["case_id"], "change": change, "because": because}]
    assert compare(place.township_officer, "backlog", case, moved)["items"] == []


def test_what_the_caller_may_not_know_is_sealed(place: Town) -> None:
    a = place.open_case()
    lead = place.open_case(procedure="SAFETY_LEAD", category="PUBLIC_SAFETY")
    plain = place.open_case(category="PUBLIC_SAFETY")
    told = compare(place.village_officer, "backlog", a, plain)
    assert told["b"] - told["a"] == len(told["items"]) == 2
    sealed = {"sealed": True, "position": lead["events"][0]["position"]}
    assert sealed in told["items"]
    assert [item["case_id"] for item in told["items"] if item != sealed] == [plain["case_id"]]
    assert changes(compare(place.leader, "backlog", a, plain)).keys() == {lead["case_id"], plain["case_id"]}
    since = command(place.leader, plain, "accept-case", {"procedure": "SAFETY_LEAD"})
    read(place.leader, "/v1/backlog", min_position=since["position"])
    hidden = {"sealed": True, "position": plain["events"][0]["position"]}
    assert compare(place.village_officer, "backlog", a, plain)["items"] == [sealed, hidden]


def test_pages_are_of_the_same_two_moments(place: Town) -> None:
    a = place.open_case()
    opened = [place.open_case() for _ in range(5)]
    answer = place.leader.get("/v1/compare/registered", a=a["position"], b=opened[-1]["position"], limit=2)
    first = answer.json()
    place.open_case()
    seen = list(first["items"])
    while "next" in answer.links:
        answer = ask(place.leader, answer.links["next"]["url"])
        told = answer.json()
        assert {**told, "items": [], "next": None} == {**first, "items": [], "next": None}
        seen += told["items"]
    assert [item["case_id"] for item in seen] == sorted(case["case_id"] for case in opened)
    foreign = place.leader.get("/v1/compare/backlog", cursor=first["next"])
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "cursor")


def test_who_oversees_is_registered(place: Town) -> None:
    a = place.open_case()
    case = place.open_case()
    for person in (place.leader, place.supervisor, place.auditor, place.operator):
        compare(person, "registered", a, case)
    reads = read(place.auditor, "/v1/audit/reads", case_id=case["case_id"])["items"]
    assert [(item["actor_ref"], item["read"]) for item in reads] == [
        (person.ref, "compare/registered") for person in (place.supervisor, place.auditor, place.operator)
    ]
    assert {item["as_of_position"] for item in reads} == {case["position"]}
    assert read(place.auditor, "/v1/audit/reads", case_id=a["case_id"])["items"] == []


REFUSED = (
    ("leader", "nothing?a=1&b=2", 404, None),
    ("leader", "backlog?a=1&b=2&unit=00000000-0000-7000-8000-000000000000", 404, None),
    ("leader", "backlog?a=1&b=2&unit={village}", 403, None),
    ("dashboard", "backlog?a=1&b=2", 403, None),
    ("leader", "backlog?a=2&b=1", 422, "a"),
    ("leader", "backlog?a=1&b=99999", 422, "b"),
    ("leader", "backlog?a=99999&b=99999", 422, "a"),
    ("leader", "backlog?a=-1&b=1", 422, "a"),
    ("leader", "backlog?b=1", 422, "a"),
    ("leader", "backlog?a=1", 422, "b"),
    ("leader", "backlog?a=1&b=2&at_position=2", 422, "at_position"),
    ("leader", "backlog?a=1&b=2&at_occurred=2150-01-01T00:00:00Z", 422, "at_occurred"),
    ("leader", "backlog?a=1&b=2&level=GROUP", 422, "level"),
    ("leader", "on_time_rate?a=1&b=2&timer=T5", 422, "timer"),
    ("leader", "backlog?a=1&b=2&from=2020-02-02&to=2020-02-01", 422, "to"),
    ("leader", "backlog?a=1&b=2&limit=5001", 422, "limit"),
    ("leader", "backlog?cursor=nonsense", 422, "cursor"),
)


def test_what_is_not_answered_says_why(place: Town) -> None:
    for who, target, status, parameter in REFUSED:
        person: Person = getattr(place, who)
        answer = ask(person, f"/v1/compare/{target.format(village=place.village)}")
        assert answer.status_code == status, (who, target, answer.text)
        if parameter is not None:
            assert answer.json()["errors"][0]["pointer"].strip("/") == parameter, (target, answer.text)
    anonymous = place.leader.http.get("/v1/compare/backlog?a=1&b=2")
    assert anonymous.status_code == 401


def test_figures_of_a_category_and_of_a_level_are_explained_and_compared_alone(place: Town) -> None:
    road, quarrel = under_way(place, category="ROADS"), under_way(place, category="NEIGHBOUR")
    risen_one = risen(place, under_way(place, category="ROADS"))
    done = resolved(place.leader, road)
    officer, b = place.township_officer, done["position"]

    roads = read(officer, "/v1/kpi", min_position=b, category="ROADS")["measures"]
    assert (roads["registered"], roads["backlog"]) == (2, 1)
    assert roads["disposition_rate"] == {"numerator": 1, "denominator": 2, "percent": "50.00"}
    assert roads["visit_coverage"] is None, "a roster knows of no category"
    villages = read(officer, "/v1/kpi", min_position=b, holder_level="VILLAGE")["measures"]
    assert (villages["registered"], villages["backlog"]) == (1, 1)
    neither = read(officer, "/v1/kpi", category="NEIGHBOUR", holder_level="VILLAGE")["measures"]
    assert neither["registered"] == 0

    explained = read(officer, "/v1/explain/registered", category="ROADS")
    assert explained["value"] == 2
    assert {item["subject_id"] for item in explained["items"]} == {road["case_id"], risen_one["case_id"]}
    held = read(officer, "/v1/explain/backlog", holder_level="GROUP")
    assert [item["subject_id"] for item in held["items"]] == [quarrel["case_id"]]
    since = compare(officer, "backlog", road, b, category="ROADS")
    assert (since["a"], since["b"]) == (1, 1)
    assert {item["case_id"]: item["change"] for item in since["items"]} == {
        road["case_id"]: "LEFT",
        risen_one["case_id"]: "CAME",
    }
    for path in ("/v1/kpi", "/v1/explain/registered"):
        unknown = officer.get(path, category="ROAD")
        assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "category")
    for part in ({"category": "ROADS"}, {"holder_level": "GROUP"}):
        wall = place.dashboard.get("/v1/kpi", **part)
        assert wall.status_code == 403, "the parts of a total would give small numbers away"
    refused = officer.get("/v1/compare/backlog", a=1, b=b, holder_level="GROUP")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "holder_level"
