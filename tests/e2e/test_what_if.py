"""Trying rules before they are adopted: over HTTP for whoever may read, and by the operator's command."""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from shared.policy.packs import read_pack
from shared.runtime.postgres import EmbeddedPostgres
from tests import product
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import command, read, serving_a_module, settled
from tests.e2e.test_rule_packs import adopt

LONG_LADDER = """
name: long-ladder
version: 1
title: {zh: 宽限, en: Long ladder}
extends: cn-default
ladder:
  value:
    GROUP: {amount: 60, unit: CALENDAR_DAYS}
"""


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("what-if")
    with serving_a_module(postgres, migrated_template, "what_if", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


def ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def since(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def late_case(place: Town, **changes: Any) -> Json:
    """A case of three weeks ago that the group took two weeks to resolve."""
    case = place.open_case(occurred_at=ago(21), **changes)
    leader, ref = place.leader, place.leader.ref
    case = command(leader, case, "accept-case", {"occurred_at": ago(21)})
    case = command(leader, case, "assign-handler", {"handler_ref": ref, "occurred_at": ago(21)})
    body = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已说明", "occurred_at": ago(7)}
    return command(leader, case, "resolve-case", body)


def kept_hash(place: Town, content: str) -> str:
    """The hash of rules that the other village adopted, so that they are known."""
    adopted: str = adopt(place, content, place.other_village)["hash"]
    return adopted


def what_if(person: Person, pack: str, after: Json, **query: Any) -> Json:
    return read(person, "/v1/what-if", pack=pack, min_position=after["position"], **query)


def head(running: Anjie) -> int:
    with psycopg.connect(running.database.url) as connection:
        [row] = connection.execute("SELECT position FROM ledger.head").fetchall()
    return int(row[0])


def test_a_breach_would_vanish_and_the_figures_stand_side_by_side(running: Anjie, place: Town) -> None:
    pack = kept_hash(place, LONG_LADDER)
    case = late_case(place)
    still = place.open_case()
    before = head(running)
    answer = what_if(place.township_officer, pack, still, **{"from": since(30), "to": since(0)})
    assert head(running) == before, "nothing is written"
    assert answer["pack"] == {"name": "long-ladder", "version": 1, "hash": pack}
    assert answer["cases"] == 2
    breaches = answer["breaches"]
    assert breaches["by_timer"] == {"T13": {"recorded": 1, "replayed": 0, "appear": 0, "vanish": 1}}
    assert (breaches["appear"], breaches["vanish_count"]) == ([], 1)
    [vanished] = breaches["vanish"]
    assert (vanished["case_id"], vanished["timer"]) == (case["case_id"], "T13")
    assert vanished["holder_unit"] == place.group
    kpi = read(place.township_officer, "/v1/kpi", **{"from": since(30), "to": since(0)})
    for name, sides in answer["measures"].items():
        assert sides["recorded"] == sides["replayed"] == kpi["measures"][name], name
    assert set(kpi["measures"]) - set(answer["measures"]) == {"visits", "visit_coverage"}
    assert {timer: sides["recorded"] for timer, sides in answer["on_time_rate"].items()} == kpi[
        "on_time_rate"
    ]
    assert answer["on_time_rate"]["T13"]["recorded"]["extended"]["percent"] == "0.00"
    assert answer["overdue"] == {"recorded": 0, "replayed": 0}
    assert answer["as_of_position"] >= still["position"]


def test_a_breach_would_appear_under_the_rules_of_before(place: Town) -> None:
    adopt(place, LONG_LADDER)
    case = late_case(place)
    answer = what_if(place.supervisor, "cn-default", case, unit=place.village)
    [breach] = answer["breaches"]["appear"]
    assert (breach["case_id"], answer["breaches"]["vanish"]) == (case["case_id"], [])
    assert answer["pack"]["name"] == "cn-default"
    same = what_if(place.supervisor, "long-ladder", case, unit=place.village)
    assert same["breaches"]["by_timer"] == {}
    reads = read(place.auditor, "/v1/audit/reads", case_id=case["case_id"])["items"]
    assert [(item["actor_ref"], item["read"]) for item in reads] == [(place.supervisor.ref, "what-if")]


def test_the_answer_as_of_a_position_stays_and_lists_are_as_long_as_asked(place: Town) -> None:
    pack = kept_hash(place, LONG_LADDER)
    for _ in range(3):
        last = late_case(place)
    at = {"at_position": last["position"], "limit": 2}
    first = what_if(place.auditor, pack, last, **at)
    late_case(place)
    assert what_if(place.auditor, pack, last, **at) == first
    assert first["breaches"]["vanish_count"] == 3
    dues = [item["due_at"] for item in first["breaches"]["vanish"]]
    assert (len(dues), dues) == (2, sorted(dues))
    began = datetime.now(UTC) - timedelta(days=30)
    before = what_if(place.auditor, pack, last, at_occurred=began.isoformat())
    assert (before["cases"], before["breaches"]["vanish"]) == (0, [])


def test_what_the_caller_may_not_know_is_sealed(place: Town) -> None:
    pack = kept_hash(place, LONG_LADDER)
    lead = late_case(place, procedure="SAFETY_LEAD", category="PUBLIC_SAFETY")
    shown = what_if(place.leader, pack, lead)["breaches"]["vanish"]
    assert [item["case_id"] for item in shown] == [lead["case_id"]]
    [unknown] = what_if(place.resident, pack, lead)["breaches"]["vanish"]
    assert unknown.keys() == {"sealed", "position"}
    answer = what_if(place.township_officer, pack, lead)["breaches"]
    [sealed] = answer["vanish"]
    assert sealed.keys() == {"sealed", "position"}
    assert (sealed["sealed"], answer["vanish_count"]) == (True, 1)
    started = read(place.leader, f"/v1/cases/{lead['case_id']}/timeline")["items"]
    assert sealed["position"] in [
        item["position"] for item in started if item["topic"] == "case.deadline_started"
    ]


REFUSED = (
    ("dashboard", "pack=cn-default", 403, None),
    ("leader", "pack=cn-default&unit={village}", 403, None),
    ("leader", "pack=cn-default&unit=00000000-0000-7000-8000-000000000000", 404, None),
    ("leader", "pack=nowhere", 422, "pack"),
    ("leader", "pack=" + "0" * 64, 422, "pack"),
    ("leader", "", 422, "pack"),
    ("leader", "pack=cn-default&from=2020-02-02&to=2020-02-01", 422, "to"),
    ("leader", "pack=cn-default&from=soon", 422, "from"),
    ("leader", "pack=cn-default&limit=5001", 422, "limit"),
    ("leader", "pack=cn-default&at_position=999999", 422, "at_position"),
)


def test_what_is_not_answered_says_why(place: Town) -> None:
    for who, query, status, parameter in REFUSED:
        person: Person = getattr(place, who)
        target = f"/v1/what-if?{query.format(village=place.village)}"
        answer = person.http.get(target, headers={"Authorization": f"Bearer {person.token}"})
        assert answer.status_code == status, (who, query, answer.text)
        if parameter is not None:
            assert answer.json()["errors"][0]["pointer"].strip("/") == parameter, (query, answer.text)
    assert place.leader.http.get("/v1/what-if?pack=cn-default").status_code == 401


def test_one_at_a_time_and_a_client_that_leaves_ends_its_own(running: Anjie, place: Town) -> None:
    case = late_case(place)
    what_if(place.leader, "cn-default", case)
    headers = {"Authorization": f"Bearer {place.leader.token}"}

    def ask(timeout_s: float) -> httpx.Response:
        target = f"{running.base_url}/v1/what-if?pack=cn-default"
        return httpx.get(target, headers=headers, timeout=timeout_s)

    with psycopg.connect(running.database.url) as holding, ThreadPoolExecutor() as others:
        # It can't begin for as long as it may not see which imports are open.
        holding.execute("LOCK TABLE views.imports IN ACCESS EXCLUSIVE MODE")
        leaving = others.submit(ask, 1.0)
        time.sleep(0.5)
        refused = ask(30)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert isinstance(leaving.exception(), httpx.ReadTimeout)
        staying = others.submit(ask, 30)
        with pytest.raises(TimeoutError):
            staying.result(timeout=1)
        holding.rollback()
        assert staying.result().status_code == 200


class TestCommand:
    def run(self, running: Anjie, tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        period = ("--from", since(30), "--to", since(0))
        return product.anjie(
            "what-if", *period, *arguments, data_dir=tmp_path, DATABASE_URL=running.database.url
        )

    def test_a_file_is_tried_before_anybody_knows_of_it(
        self, running: Anjie, place: Town, tmp_path: Path
    ) -> None:
        case = late_case(place)
        what_if(place.leader, "cn-default", case)
        path = tmp_path / "long.yaml"
        content = LONG_LADDER.replace("version: 1", "version: 2")
        path.write_text(content, encoding="utf-8")
        before = head(running)
        told = self.run(running, tmp_path, "--pack", str(path), "--unit", place.township, "--json")
        assert told.returncode == 0, told.stderr
        answer = json.loads(told.stdout)
        assert answer["pack"]["hash"] == read_pack(content, file="long.yaml").hash
        assert [item["case_id"] for item in answer["breaches"]["vanish"]] == [case["case_id"]]
        assert head(running) == before
        with psycopg.connect(running.database.url) as connection:
            kept = connection.execute(
                "SELECT FROM ledger.rule_packs WHERE hash = %s", [answer["pack"]["hash"]]
            ).fetchall()
        assert kept == []

    def test_people_get_a_table(self, running: Anjie, place: Town, tmp_path: Path) -> None:
        case = late_case(place)
        adopt(place, LONG_LADDER, place.other_village)
        what_if(place.leader, "cn-default", case)
        told = self.run(running, tmp_path, "--pack", "long-ladder", "--unit", place.township)
        assert told.returncode == 0, told.stderr
        lines = [line.split() for line in told.stdout.splitlines()]
        assert ["T13", "1", "0", "0", "1"] in lines
        assert ["disposition_rate", *["100.00", "%", "(1/1)"] * 2] in lines
        assert f"T13  {case['case_id']}  37组" in told.stdout

    def test_a_broken_file_is_refused_with_line_and_field(
        self, running: Anjie, place: Town, tmp_path: Path
    ) -> None:
        path = tmp_path / "broken.yaml"
        path.write_text(LONG_LADDER.replace("amount: 60", "amount: soon"), encoding="utf-8")
        told = self.run(running, tmp_path, "--pack", str(path), "--unit", place.township)
        assert told.returncode == 1
        assert f"{path}:8: ladder.value.GROUP.amount" in told.stdout

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (("--pack", "nowhere"), "--pack"),
            (("--pack", "cn-default", "--unit", "00000000-0000-7000-8000-000000000000"), "--unit"),
            (("--pack", "cn-default", "--unit", "无此村"), "无此村"),
        ],
    )
    def test_what_there_is_not_is_named(
        self, running: Anjie, place: Town, tmp_path: Path, arguments: tuple[str, ...], named: str
    ) -> None:
        told = self.run(running, tmp_path, *arguments)
        assert told.returncode == 2
        assert named in told.stderr
