"""What is in somebody's hands: the cases of their unit and their own, by the time that is left."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import command, read, serving_a_module, settled


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("my-cases")
    with serving_a_module(postgres, migrated_template, "my_cases", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


def mine(person: Person, case: Json, **query: object) -> list[Json]:
    """What is in their hands once the case is as it was answered."""
    items: list[Json] = read(person, "/v1/me/cases", min_position=case["position"], **query)["items"]
    return items


def ids(items: list[Json]) -> list[str]:
    return [item["case_id"] for item in items]


def test_the_soonest_due_comes_first_whatever_was_opened_last(place: Town) -> None:
    ago = [datetime.now(UTC) - timedelta(days=days) for days in (1, 20, 9)]
    cases = [place.open_case(occurred_at=then.isoformat()) for then in ago]
    today, longest, week = (case["case_id"] for case in cases)
    items = mine(place.leader, cases[-1])
    assert ids(items) == [longest, week, today]
    [clock] = items[0]["deadlines"]
    assert clock["timer"] == "T13"
    assert clock["left"] is None
    first = read(place.leader, "/v1/me/cases", limit=2)
    rest = read(place.leader, "/v1/me/cases", limit=2, cursor=first["next"])
    assert ids(first["items"]) + ids(rest["items"]) == [longest, week, today]
    assert rest["next"] is None


def test_what_is_left_is_told_in_working_days_on_the_case_as_in_the_list(place: Town) -> None:
    case = place.open_case()
    [item] = mine(place.leader, case)
    [listed] = item["deadlines"]
    [told] = read(place.leader, f"/v1/cases/{case['case_id']}")["deadlines"]
    assert listed["left"] == told["left"] == {"days": 1, "working": True}


def test_a_case_that_goes_up_is_in_the_hands_of_both_until_it_is_received(place: Town) -> None:
    case = command(place.leader, place.open_case(), "accept-case")
    up = command(place.leader, case, "escalate-case", {"to_level": "VILLAGE", "reason": "组里协调不了"})
    assert ids(mine(place.leader, up)) == ids(mine(place.mediator, up)) == [case["case_id"]]
    received = command(place.mediator, up, "accept-escalation")
    assert mine(place.leader, received) == []
    assert ids(mine(place.village_officer, received)) == [case["case_id"]]


def test_who_mediates_has_it_in_hand_wherever_it_is_held(place: Town) -> None:
    case = command(place.leader, place.open_case(), "accept-case")
    parties = [person["person_ref"] for person in case["people"]]
    body = {"parties": parties, "mediator_ref": place.mediator.ref}
    offered = command(place.mediator, case, "offer-mediation", body)
    assert ids(mine(place.mediator, offered)) == [case["case_id"]]
    assert mine(place.village_officer, offered) == []


def test_what_is_settled_is_asked_for_by_its_state(place: Town) -> None:
    case = command(place.leader, place.open_case(), "accept-case")
    case = command(place.leader, case, "assign-handler", {"handler_ref": place.leader.ref})
    body = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已解释清楚"}
    case = command(place.leader, case, "resolve-case", body)
    assert mine(place.leader, case) == []
    assert ids(mine(place.leader, case, state="RESOLVED")) == [case["case_id"]]


def test_nobody_is_handed_a_case_by_their_unit_alone(place: Town) -> None:
    case = place.open_case()
    for person in (place.resident, place.grid_worker, place.supervisor, place.operator):
        assert mine(person, case) == []
    assert place.dashboard.get("/v1/me/cases").status_code == 403
