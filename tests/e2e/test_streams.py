"""Live streams as their clients meet them: snapshot, deltas, resumption, reset, heartbeat, end."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.projections.operations import rebuild
from shared.runtime.identity import issue_token
from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import JWT_SECRET, Anjie, Json, Person, Town
from tests.e2e.reading import Listener, rows_after, serving_a_module, settled


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("streams")
    with serving_a_module(postgres, migrated_template, "streams", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


def accept(town: Town, case: Json) -> Json:
    path = f"/v1/cases/{case['case_id']}/accept-case"
    return town.leader.done(path, {"procedure": "SELF_GOVERNANCE"}, version=case["version"])


def escalate(town: Town, case: Json) -> Json:
    path = f"/v1/cases/{case['case_id']}"
    sent = town.leader.done(
        f"{path}/escalate-case", {"to_level": "VILLAGE", "reason": "组内无法解决"}, version=case["version"]
    )
    return town.village_officer.done(f"{path}/accept-escalation", version=sent["version"])


def classify(town: Town, case: Json, *, urgent: bool = True) -> Json:
    body = {"urgent": urgent, "facets": ["JI"] if urgent else [], "reason": "老人独居"}
    path = f"/v1/cases/{case['case_id']}/classify-urgency"
    return town.leader.done(path, body, version=case["version"])


def read(person: Person, path: str, position: int, **query: Any) -> Json:
    answer = person.get(path, min_position=position, **query)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def test_backlogs_follow_a_case_from_unit_to_unit(place: Town) -> None:
    first = place.open_case()
    read(place.township_officer, "/v1/backlog", first["position"])
    with (
        Listener(place.village_officer, "/v1/streams/backlog_by_holder") as by_holder,
        Listener(place.township_officer, "/v1/streams/backlog_by_origin", unit=place.village) as by_origin,
    ):
        opened = place.open_case()
        moved = escalate(place, accept(place, opened))
        held = by_holder.until(moved["events"][0]["position"])
        begun = by_origin.until(opened["events"][0]["position"])
        assert held[0][0] == "snapshot"
        for events, by in ((held, "holder"), (begun, "origin")):
            answer = read(place.township_officer, "/v1/backlog", moved["position"], by=by, unit=place.village)
            assert rows_after(events, "unit_id") == {row["unit_id"]: row for row in answer["rows"]}
        deltas = [data for name, data in held if name == "delta"]
        positions = [data["position"] for data in deltas]
        assert positions == sorted(set(positions)), "all changes of one position stand in one delta"
        assert by_holder.last_id == str(positions[-1])


def test_the_statistics_are_streamed_measure_by_measure(place: Town) -> None:
    first = place.open_case()
    read(place.village_officer, "/v1/kpi", first["position"])
    with (
        Listener(place.village_officer, "/v1/streams/campaign_kpi") as listener,
        Listener(place.dashboard, "/v1/streams/campaign_kpi", unit=place.village) as wall,
    ):
        moved = escalate(place, accept(place, place.open_case()))
        told = read(place.village_officer, "/v1/kpi", moved["position"])
        events = listener.until(moved["events"][0]["position"])
        values = {row["measure"]: row["value"] for row in _kpi_rows(events).values()}
        assert values == {**told["measures"], "on_time_rate": told["on_time_rate"]}
        changed = {change["key"] for name, data in events if name == "delta" for change in data["changes"]}
        assert f"{place.village}/registered" in changed
        assert f"{place.village}/reopen_rate" not in changed, "only what is another value is told"
        [(name, snapshot)] = [wall.next()]
        assert name == "snapshot"
        assert {row["measure"]: row["value"] for row in snapshot["rows"]}["registered"] == {
            "suppressed": True
        }


def _kpi_rows(events: list[tuple[str, Json]]) -> dict[str, Json]:
    """By key what a client holds in the end."""
    rows: dict[str, Json] = {}
    for name, data in events:
        if name == "snapshot":
            rows = {f"{row['unit_id']}/{row['measure']}": row for row in data["rows"]}
        elif name == "delta":
            rows |= {change["key"]: change["row"] for change in data["changes"]}
    return rows


def test_no_small_number_can_be_worked_out_from_a_wall(running: Anjie, place: Town) -> None:
    """One village has five cases, another six, the town none of its own: to hide the none takes the five."""
    body = {"kind": "VILLAGE", "name": "新江村", "parent_id": place.township}
    beside = place.operator.done("/v1/units", body)["unit_id"]
    neighbour = running.person("officer-of-xinjiang", "village_officer", beside)
    cases = [place.open_case() for _ in range(5)]
    cases += [neighbour.done("/v1/cases", place.opening(origin_unit=beside)) for _ in range(6)]
    hidden, path = {"suppressed": True}, "/v1/backlog"
    answer = read(place.dashboard, path, cases[-1]["position"])
    assert answer["total"] == 11
    shown = {row["unit_id"]: row["open"] for row in answer["rows"]}
    assert (shown[place.village], shown[beside], shown[place.township]) == (hidden, 6, hidden)
    for unit in (place.village, place.group):
        assert read(place.dashboard, path, 0, unit=unit)["total"] == hidden, "nor by asking beneath"
        measures = read(place.dashboard, "/v1/kpi", 0, unit=unit)["measures"]
        assert (measures["backlog"], measures["registered"]) == (hidden, hidden)
    with Listener(place.dashboard, "/v1/streams/backlog_by_holder") as wall:
        _, seventh = place.open_case(), place.open_case()
        answer = read(place.dashboard, path, seventh["position"])
        events = wall.until(seventh["position"])
        assert rows_after(events, "unit_id") == {row["unit_id"]: row for row in answer["rows"]}
    shown = {row["unit_id"]: row["open"] for row in answer["rows"]}
    assert (shown[place.village], shown[beside]) == (7, hidden), "now the six are fewer"


def test_the_urgent_board_shows_what_each_reader_may_see(place: Town) -> None:
    with (
        Listener(place.leader, "/v1/streams/urgent_board") as in_the_clear,
        Listener(place.supervisor, "/v1/streams/urgent_board") as masked,
    ):
        case = classify(place, place.open_case())
        for listener, title in ((in_the_clear, "宅基地边界纠纷"), (masked, {"sealed": True})):
            rows = rows_after(listener.until(case["position"]), "case_id")
            assert rows[case["case_id"]]["title"] == title
        calm = classify(place, case, urgent=False)
        _, delta = in_the_clear.until(calm["position"])[-1]
        assert delta["changes"] == [{"op": "DELETE", "key": case["case_id"]}]


def test_a_hidden_case_is_on_the_board_by_its_position_only(running: Anjie, place: Town) -> None:
    person = place.leader
    case = person.done("/v1/cases", place.opening(procedure="SAFETY_LEAD", category="PUBLIC_SAFETY"))
    case = classify(place, case)
    read(place.township_officer, "/v1/urgent", case["position"])
    auditor = running.person("auditor", "auditor", place.township)
    with (
        Listener(auditor, "/v1/streams/urgent_board") as board,
        Listener(place.dashboard, "/v1/streams/urgent_board") as wall,
    ):
        [row] = board.until(case["position"])[-1][1]["rows"]
        assert row.keys() == {"sealed", "position"}
        assert wall.until(case["position"])[-1][1]["rows"] == [], "nor can anybody count what is kept back"


def test_a_timeline_grows_event_by_event(place: Town) -> None:
    case = place.open_case()
    with Listener(place.leader, "/v1/streams/case_timeline", case_id=case["case_id"]) as timeline:
        accepted = accept(place, case)
        events = timeline.until(accepted["position"])
        rows = rows_after([("delta", data) for name, data in events if name == "delta"], "")
        answer = read(place.leader, f"/v1/cases/{case['case_id']}/timeline", accepted["position"])
        known, later = answer["items"][: case["version"]], answer["items"][case["version"] :]
        assert events[0][1]["rows"] == known
        assert rows == {f"{case['case_id']}/{item['version']}": item for item in later}


def test_a_timeline_opens_to_whoever_comes_to_hold_the_case(place: Town) -> None:
    case = accept(place, place.open_case())
    with Listener(place.village_officer, "/v1/streams/case_timeline", case_id=case["case_id"]) as timeline:
        assert timeline.next()[1]["rows"][0]["data"]["title"] == {"sealed": True}
        moved = escalate(place, case)
        snapshots = [data for name, data in timeline.until(moved["position"]) if name == "snapshot"]
    assert snapshots[-1]["rows"][0]["data"]["title"] == "宅基地边界纠纷"


def test_services_and_coverage_are_streamed(place: Town) -> None:
    officer = place.village_officer
    with (
        Listener(officer, "/v1/streams/service_ledger") as ledger,
        Listener(officer, "/v1/streams/visit_coverage") as coverage,
    ):
        officer.done(
            "/v1/rosters", {"unit": place.village, "as_of_on": "2020-01-01", "households": ["h1", "h2"]}
        )
        visit = place.leader.done(
            "/v1/visits",
            {"unit": place.group, "visit_kind": "HOUSEHOLD", "household_ref": "h1", "findings": "一切正常"},
        )
        service = place.leader.done("/v1/services", {"unit": place.group, "item": "ATTESTATION"})
        rows = rows_after(ledger.until(service["position"]), "service_id")
        assert list(rows) == [service["service_id"]]
        covered = rows_after(coverage.until(visit["position"]), "unit_id")
    assert covered[place.village] == {"unit_id": place.village, "households": 2, "visited": 1, "visits": 0}
    assert covered[place.group] == {"unit_id": place.group, "households": None, "visited": 0, "visits": 1}


@pytest.mark.parametrize("view", ["backlog_by_origin", "urgent_board", "case_timeline"])
def test_a_client_that_comes_back_is_told_what_it_missed(place: Town, view: str) -> None:
    case = classify(place, place.open_case())
    scope = {"case_id": case["case_id"]} if view == "case_timeline" else {"unit": place.village}
    with Listener(
        place.leader if "case_id" in scope else place.village_officer, f"/v1/streams/{view}", **scope
    ) as before:
        seen = before.until(case["position"])
    reader = place.leader if "case_id" in scope else place.village_officer
    other = classify(place, place.open_case())
    calm = classify(place, case, urgent=False)
    read(place.village_officer, "/v1/urgent", max(calm["position"], other["position"]))
    with (
        Listener(reader, f"/v1/streams/{view}", **scope) as fresh,
        Listener(reader, f"/v1/streams/{view}", {"Last-Event-ID": before.last_id or ""}, **scope) as resumed,
    ):
        missed = resumed.next()
        assert missed[0] == "delta"
        key = {"backlog_by_origin": "unit_id", "urgent_board": "case_id", "case_timeline": "version"}[view]
        now = {str(row[key]): row for row in fresh.next()[1]["rows"]}
        held = {str(k).rpartition("/")[2]: row for k, row in rows_after([*seen, missed], key).items()}
        assert held == now


def test_clients_that_come_and_go_stop_nobody_elses_stream(place: Town) -> None:
    ended = threading.Event()

    def open_cases() -> None:
        while not ended.is_set():
            place.open_case()

    working = threading.Thread(target=open_cases)
    working.start()
    try:
        for _ in range(60):
            with Listener(place.township_officer, "/v1/streams/backlog_by_holder") as passing:
                passing.next()
    finally:
        ended.set()
        working.join()
    with Listener(place.township_officer, "/v1/streams/backlog_by_holder") as staying:
        opened = place.open_case()
        assert staying.until(opened["position"])


def test_a_position_that_the_ledger_never_reached_resets(place: Town) -> None:
    case = place.open_case()
    read(place.leader, "/v1/backlog", case["position"])
    with Listener(place.leader, "/v1/streams/backlog_by_holder", after=10**9) as listener:
        assert [listener.next()[0], listener.next()[0]] == ["reset", "snapshot"]


def test_an_exchange_of_the_rows_resets(running: Anjie, place: Town) -> None:
    case = place.open_case()
    with Listener(place.leader, "/v1/streams/backlog_by_holder") as listener:
        before = rows_after(listener.until(case["position"]), "unit_id")
        asyncio.run(rebuild(running.database.url, ()))
        events = [listener.next(), listener.next()]
        assert [name for name, _ in events] == ["reset", "snapshot"]
        assert rows_after(events, "unit_id") == before


def test_a_unit_that_moves_moves_its_rows(running: Anjie, place: Town) -> None:
    case = place.open_case()
    officer = place.township_officer
    with Listener(officer, "/v1/streams/backlog_by_origin") as listener:
        listener.until(case["position"])
        moved = place.operator.done(
            f"/v1/units/{place.group}/move-unit", {"parent_id": place.other_village}, version=1
        )
        changes = listener.until(moved["position"])[-1][1]["changes"]
    open_now = {change["key"]: change["row"]["open"] for change in changes}
    assert open_now == {place.village: 0, place.other_village: 1}


def test_an_expired_token_ends_the_stream(running: Anjie, place: Town) -> None:
    token = issue_token(
        JWT_SECRET,
        sub="leader-37",
        role="group_leader",
        unit=UUID(place.group),
        lifetime=timedelta(seconds=2),
    )
    with Listener(Person(running.http, token, "leader-37"), "/v1/streams/backlog_by_holder") as listener:
        assert listener.next()[0] == "snapshot"
        with pytest.raises(EOFError):
            listener.next()


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("leader", "/v1/streams/backlog_by_holder?unit={village}", 403),
        ("leader", "/v1/streams/nothing", 404),
        ("leader", "/v1/streams/case_timeline", 422),
        ("leader", "/v1/streams/case_timeline?case_id=00000000-0000-7000-8000-000000000000", 404),
        ("dashboard", "/v1/streams/case_timeline?case_id={case}", 403),
        ("other_leader", "/v1/streams/case_timeline?case_id={case}", 403),
        ("leader", "/v1/streams/urgent_board?case_id={case}", 422),
        ("dashboard", "/v1/streams/backlog_by_holder", 200),
    ],
)
def test_who_may_listen_to_what(place: Town, who: str, path: str, status: int) -> None:
    case = place.open_case()
    target = path.format(village=place.village, case=case["case_id"])
    person: Person = getattr(place, who)
    with Listener(person, target) as listener:
        assert listener.status == status
