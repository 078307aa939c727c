"""Rule packs as an operator adopts them: for a unit and those beneath it, from a day on, for good."""

from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from shared.policy.packs import DEFAULT_POLICY, SHIPPED, read_pack, shipped
from tests.e2e.conftest import Anjie, Json, Town

STRICT = """
name: strict-town
version: 3
title: {zh: 从严, en: Strict}
extends: cn-default
late_days:
  title: {zh: 补录期限, en: How late}
  value: 2
  source: 镇办公会 2026-01-05
"""


def adopt(town: Town, content: str, unit: str | None = None, since: str = "2020-01-01") -> Json:
    body = {"unit": unit or town.township, "from": since, "content": content}
    return town.operator.done("/v1/rule-packs", body)


def late(town: Town, days: int) -> Json:
    """An opening that happened so many days ago."""
    return town.opening(occurred_at=(datetime.now(UTC) - timedelta(days=days)).isoformat())


def test_the_first_start_adopts_the_default_for_everybody(anjie: Anjie, town: Town) -> None:
    with psycopg.connect(anjie.database.url) as connection:
        first = connection.execute("SELECT topic, data FROM ledger.events WHERE position = 1").fetchone()
    assert first is not None
    assert first[0] == "unit.rule_pack_adopted"
    text = shipped("cn-default")
    assert text is not None
    assert msgspec.json.decode(first[1])["hash"] == read_pack(text, file="cn-default").hash
    assert town.leader.get("/v1/reference").json()["version"] == DEFAULT_POLICY.id


def test_a_pack_holds_for_its_unit_and_those_beneath(anjie: Anjie, town: Town) -> None:
    assert town.leader.post("/v1/cases", late(town, 20)).status_code == 201
    adopted = adopt(town, STRICT)
    assert (adopted["pack"], adopted["pack_version"], adopted["unit_id"]) == ("strict-town", 3, town.township)
    refused = town.leader.post("/v1/cases", late(town, 20))
    assert (refused.status_code, refused.json()["rule"]) == (422, "too-late")
    assert town.leader.post("/v1/cases", late(town, 1)).status_code == 201
    assert town.leader.get("/v1/reference").json()["version"].startswith("strict-town@3+")


def test_the_rules_in_force_are_read_with_who_adopted_them_and_since_when(anjie: Anjie, town: Town) -> None:
    before = town.leader.get("/v1/rules").json()
    assert (before["unit_id"], before["adopted_by"], before["from_on"]) == (town.group, None, None)
    assert before["rules"] == DEFAULT_POLICY.id
    adopted = adopt(town, STRICT)
    now = town.leader.get("/v1/rules").json()
    assert (now["adopted_by"], now["from_on"]) == (town.township, "2020-01-01")
    assert now["rules"] == f"strict-town@3+{adopted['hash'][:12]}"
    assert (before["limits"]["late_days"], now["limits"]["late_days"]) == (30, 2)
    [ladder] = [timer for timer in now["timers"] if timer["timer"] == "T13"]
    assert ladder["length"] is None
    assert now["ladder"]["GROUP"] == {"amount": 1, "unit": "WORKING_DAYS"}
    past = town.leader.get("/v1/rules", at_position=before["as_of_position"]).json()
    assert past == before | {"as_of_instant": past["as_of_instant"]}
    assert town.leader.get("/v1/rules", unit=town.village).status_code == 403
    assert town.village_officer.get("/v1/rules", unit=town.group).json()["rules"] == now["rules"]


def test_the_nearest_unit_decides(anjie: Anjie, town: Town) -> None:
    adopt(town, STRICT)
    adopt(town, STRICT.replace("value: 2", "value: 40").replace("version: 3", "version: 4"), town.village)
    assert town.leader.post("/v1/cases", late(town, 35)).status_code == 201


def test_a_pack_holds_from_its_day(anjie: Anjie, town: Town) -> None:
    adopt(town, STRICT, since="2190-01-01")
    assert town.leader.post("/v1/cases", late(town, 20)).status_code == 201


def test_adopting_again_under_the_same_key_is_answered_alike(anjie: Anjie, town: Town) -> None:
    body = {"unit": town.township, "from": "2026-01-01", "content": STRICT}
    first = town.operator.post("/v1/rule-packs", body, key="once")
    again = town.operator.post("/v1/rule-packs", body, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


def test_a_broken_pack_is_refused_with_its_lines_and_the_one_in_force_stays(anjie: Anjie, town: Town) -> None:
    adopt(town, STRICT)
    broken = STRICT.replace("value: 2", "value: soon").replace("extends: cn-default", "extends: nowhere")
    body = {"unit": town.township, "from": "2026-01-01", "content": broken}
    refused = town.operator.post("/v1/rule-packs", body)
    assert refused.status_code == 422
    details = [error["detail"] for error in refused.json()["errors"]]
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/content"}
    assert any("content:5:" in detail for detail in details), details
    assert any("content:8:" in detail for detail in details), details
    assert town.leader.get("/v1/reference").json()["version"].startswith("strict-town@3+")


@pytest.mark.parametrize(
    "body", [{"from": "2026-01-01", "content": STRICT}, {"unit": "x", "content": STRICT}]
)
def test_the_shape_is_checked(anjie: Anjie, town: Town, body: Json) -> None:
    refused = town.operator.post("/v1/rule-packs", body)
    assert refused.status_code == 422


def test_only_an_operator_adopts_for_a_unit_that_is_there(anjie: Anjie, town: Town) -> None:
    body = {"unit": town.township, "from": "2026-01-01", "content": "nonsense"}
    assert town.township_officer.post("/v1/rule-packs", body).status_code == 403
    elsewhere = body | {"unit": "01932f4a-8a00-7000-8000-000000000037", "content": STRICT}
    refused = town.operator.post("/v1/rule-packs", elsewhere)
    assert (refused.status_code, refused.json()["rule"]) == (422, "unit-unknown")


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_can_be_adopted(anjie: Anjie, town: Town, name: str) -> None:
    text = shipped(name)
    assert text is not None
    assert adopt(town, text)["pack"] == name
