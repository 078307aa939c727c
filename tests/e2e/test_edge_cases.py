"""Two edge cases of the statistics as everybody reads them: a merged case, and what is recorded late."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Town
from tests.e2e.reading import command, read, serving_a_module, settled

EXPLAINED = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已说明"}
URGENT = {"urgent": True, "facets": ["JI"], "reason": "老人独居"}


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    with serving_a_module(postgres, migrated_template, "edges", tmp_path_factory.mktemp("edges")) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    return settled(running)


def in_hand(place: Town, **changes: Any) -> Json:
    case = command(place.leader, place.open_case(**changes), "accept-case")
    return command(place.leader, case, "assign-handler", {"handler_ref": place.leader.ref})


def figures(place: Town, **when: Any) -> Json:
    """Gross, net, backlog, urgent and the clocks' rate of the group, as of a moment."""
    measures = read(place.leader, "/v1/kpi", **when)
    urgent = read(place.leader, "/v1/urgent", **when)
    rates = measures["measures"]
    return {
        "gross": fraction(rates["disposition_rate"]),
        "net": fraction(rates["disposition_rate_net"]),
        "backlog": rates["backlog"],
        "urgent": [urgent[name] for name in ("registered", "open", "resolved")],
        "on_time": fraction(measures["on_time_rate"]["T13"]["extended"]),
    }


def fraction(ratio: Json) -> tuple[int, int]:
    return ratio["numerator"], ratio["denominator"]


def test_a_merged_case_counts_with_its_primary(place: Town) -> None:
    duplicate = in_hand(place)
    duplicate = command(place.village_officer, duplicate, "classify-urgency", URGENT)
    primary = in_hand(place)
    primary = command(place.village_officer, primary, "classify-urgency", URGENT | {"urgent": False})
    before = figures(place, min_position=primary["position"])
    assert before | {"gross": (0, 2), "net": (0, 2), "backlog": 2} == before
    assert before["urgent"] == [{"value": 1}, {"value": 1}, {"value": 0}]

    body = {"into_case_id": primary["case_id"], "reason": "同一事实"}
    merged = command(place.village_officer, duplicate, "merge-case", body)
    after = figures(place, min_position=merged["position"])
    assert after | {"gross": (0, 2), "net": (0, 1), "backlog": 1} == after
    assert after["urgent"] == [{"value": 2}, {"value": 1}, {"value": 0}]
    inherited = read(place.leader, f"/v1/cases/{primary['case_id']}")
    gone = read(place.leader, f"/v1/cases/{duplicate['case_id']}")
    assert (gone["state"], gone["merged_into"]) == ("MERGED", primary["case_id"])
    assert (inherited["urgent"], inherited["urgency_status"]) == (True, "CONFIRMED")
    assert [clock["state"] for clock in gone["deadlines"]] == ["CANCELLED"]
    assert [clock["started_at"] for clock in inherited["deadlines"]] == [gone["opened_at"]]

    resolved = place.leader.done(
        f"/v1/cases/{primary['case_id']}/resolve-case", EXPLAINED, version=inherited["version"]
    )
    told = figures(place, min_position=resolved["position"])
    assert told | {"gross": (2, 2), "net": (1, 1), "backlog": 0, "on_time": (1, 1)} == told
    because = read(place.leader, "/v1/explain/disposition_rate")["numerator_items"]
    assert {item["subject_id"]: [reason["topic"] for reason in item["because"]] for item in because} == {
        primary["case_id"]: ["case.registered", "case.resolved"],
        duplicate["case_id"]: ["case.registered", "case.absorbed", "case.resolved"],
    }
    assert figures(place, at_position=primary["position"]) == before, "what was told stays so"


def test_what_is_recorded_late_counts_from_when_it_happened_and_what_was_told_stays(place: Town) -> None:
    opened_at = datetime.now(UTC) - timedelta(days=20)

    def at(hours: float) -> dict[str, str]:
        return {"occurred_at": (opened_at + timedelta(hours=hours)).isoformat()}

    case = command(place.leader, place.open_case(**at(0)), "accept-case", at(1))
    # Recorded today, it brings the breach of nearly three weeks ago with it.
    case = command(place.leader, case, "assign-handler", {"handler_ref": place.leader.ref})
    told_at = case["position"]
    before = figures(place, min_position=told_at)
    assert before | {"gross": (0, 1), "net": (0, 1), "backlog": 1, "on_time": (0, 1)} == before
    assert read(place.leader, "/v1/deadlines")["overdue"] == 1

    case = command(place.village_officer, case, "classify-urgency", URGENT | at(2))
    case = command(place.leader, case, "resolve-case", EXPLAINED | at(4))
    after = figures(place, min_position=case["position"])
    assert after == {
        "gross": (1, 1),
        "net": (1, 1),
        "backlog": 0,
        "urgent": [{"value": 1}, {"value": 0}, {"value": 1}],
        "on_time": (1, 1),
    }
    [ladder] = read(place.leader, f"/v1/cases/{case['case_id']}")["deadlines"]
    assert (ladder["timer"], ladder["state"]) == ("T13", "VOIDED")
    assert read(place.leader, "/v1/deadlines")["overdue"] == 0

    for hours, gross, backlog, urgent in ((3, (0, 1), 1, [1, 1, 0]), (5, (1, 1), 0, [1, 0, 1])):
        then = figures(place, at_occurred=at(hours)["occurred_at"])
        assert (then["gross"], then["backlog"]) == (gross, backlog)
        assert then["urgent"] == [{"value": value} for value in urgent]
    assert figures(place, at_position=told_at) == before, "what was told stays so"
