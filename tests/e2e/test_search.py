"""An officer searches for what residents said; the words stand in the body, and in no log and no table."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from shared.runtime.sealing import MasterKey
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import command, projecting


@pytest.fixture
def followed(anjie: Anjie) -> Iterator[Anjie]:
    """The application with its projector, which indexes texts."""
    with projecting(anjie.database, MasterKey(anjie.secrets.master_key)):
        yield anjie


def search(person: Person, position: int, text: str, **body: Any) -> httpx.Response:
    """What somebody finds once everything up to a position can be found; no key is needed to ask."""
    return person.http.post(
        "/v1/cases:search",
        params={"min_position": position},
        json={"text": text, **body},
        headers=person.credentials,
    )


def found(person: Person, position: int, text: str) -> list[str]:
    answer = search(person, position, text)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    assert min(told["indexed_position"], told["as_of_position"]) >= position
    return [item["case_id"] for item in told["items"]]


def test_an_officer_finds_by_any_word_what_they_may_read(followed: Anjie, town: Town) -> None:
    # Given two cases, of which one is with the village
    boundary = town.open_case(title="宅基地界址不清", people=[{"role": "COMPLAINANT", "name": "黄静怡"}])
    lamp = town.open_case(title="路灯不亮", description="三号路灯坏了", category="LIGHTING", people=[])
    accepted = town.leader.done(f"/v1/cases/{lamp['case_id']}/accept-case", version=1)
    raised = town.leader.done(
        f"/v1/cases/{lamp['case_id']}/escalate-case",
        {"to_level": "VILLAGE", "reason": "需要ＬＥＤ灯具"},
        version=accepted["version"],
    )
    at = raised["position"]
    # When its people search, then each finds what they may read: titles, people, reasons, in any width
    assert found(town.leader, at, "界址") == [boundary["case_id"]]
    assert found(town.leader, at, "黄静怡") == [boundary["case_id"]]
    assert found(town.leader, at, "灯") == [lamp["case_id"]]
    assert found(town.village_officer, at, "led灯具") == [lamp["case_id"]]
    assert found(town.village_officer, at, "三号 坏了") == [lamp["case_id"]]
    # And nobody finds what they see masked, or what stands in no text though its characters do
    for person in (town.supervisor, town.auditor, town.operator, town.other_leader):
        assert found(person, at, "灯") == []
    assert found(town.village_officer, at, "黄静怡") == []
    assert found(town.leader, at, "址界") == []
    assert search(town.dashboard, at, "灯").status_code == 403


def test_a_correction_takes_the_place_of_what_it_corrects(followed: Anjie, town: Town) -> None:
    case = town.open_case(title="沟渠堵塞")
    body = {"event_id": case["events"][0]["event_id"], "field": "title", "correction": "水闸失修"}
    corrected = command(town.village_officer, case, "record-correction", body)
    assert found(town.leader, corrected["position"], "沟渠") == []
    assert found(town.leader, corrected["position"], "水闸") == [case["case_id"]]


def test_a_person_whose_key_is_destroyed_is_not_found_from_then_on(followed: Anjie, town: Town) -> None:
    case = town.open_case(people=[{"role": "COMPLAINANT", "name": "黄静怡"}])
    assert found(town.leader, case["position"], "黄静怡") == [case["case_id"]]
    person_ref = case["people"][0]["person_ref"]
    with psycopg.connect(followed.database.owner_url) as owner:
        owner.execute("DELETE FROM vault.keys WHERE key_id = %s", [person_ref])
    assert found(town.leader, case["position"], "黄静怡") == []
    assert found(town.leader, case["position"], "宅基地") == [case["case_id"]]


def test_what_lags_is_told(anjie: Anjie, town: Town) -> None:
    # Given that nobody indexes
    with projecting(anjie.database):
        case = town.open_case()
        assert town.leader.get("/v1/cases", min_position=case["position"]).status_code == 200
        # Then a search says that it knows of nothing yet, and one that needs the case says so
        answer = town.leader.http.post(
            "/v1/cases:search", json={"text": "宅基地"}, headers=town.leader.credentials
        ).json()
        assert (answer["items"], answer["indexed_position"]) == ([], 0)
        assert answer["as_of_position"] >= case["position"]
        assert search(town.leader, case["position"], "宅基地").status_code == 503
        metrics = anjie.http.get("/metrics").text
        assert "anjie_search_position 0.0" in metrics
        assert f"anjie_search_lag {float(case['position'])}" in metrics
