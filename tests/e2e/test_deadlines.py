"""Clocks as their readers meet them: the list, the filter, the counts, the live board."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.events import cases
from shared.events.base import Event
from shared.events.ledger.appender import Appender
from shared.events.recorded import Append, Metadata, NewEvent
from shared.events.registry import encode
from shared.runtime.database import service_pool
from shared.runtime.postgres import EmbeddedPostgres
from tests.e2e.conftest import Anjie, Json, Town
from tests.e2e.reading import Event as Received
from tests.e2e.reading import Listener, command, read, serving_a_module, settled


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    data_dir = tmp_path_factory.mktemp("deadlines")
    with serving_a_module(postgres, migrated_template, "deadlines", data_dir) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    """A town of the test's own, with its read models kept up."""
    return settled(running)


def clock_of(case: Json) -> tuple[str, int]:
    """The key and the version of the ladder's clock, which every case has from its opening."""
    [started] = [event for event in case["events"] if event["topic"] == "case.deadline_started"]
    return f"{case['case_id']}/T13/{started['version']}", started["version"]


def breach(anjie: Anjie, case: Json, started_version: int) -> Json:
    """What the clock worker records of a clock that fell due; answers the case as it then stands."""
    path = f"/v1/cases/{case['case_id']}"
    held = read(anjie.person("operator", "operator"), path)
    [clock] = [clock for clock in held["deadlines"] if clock["version"] == started_version]
    event: Event = cases.DeadlineBreached(
        timer="T13", started_version=started_version, due_at=clock["due_at"]
    )
    appended = Append(
        events=[
            NewEvent(
                originator_id=UUID(case["case_id"]),
                originator_version=held["version"] + 1,
                topic=event.topic,
                state=encode(event),
                event_id=uuid4(),
                schema_version=1,
            )
        ],
        metadata=Metadata(
            occurred_at=datetime.now(UTC),
            actor_ref="clock",
            actor_role="operator",
            unit=None,
            correlation_id=UUID(case["case_id"]),
            policy="builtin-1",
        ),
    )

    async def record() -> int:
        async with (
            service_pool(anjie.database.url, name="test", connections_max=3) as pool,
            Appender(pool) as appender,
        ):
            return (await appender.append(appended)).first_position

    position = asyncio.run(record())
    return case | {"version": held["version"] + 1, "position": position}


def withdraw(town: Town, case: Json) -> Json:
    """The complainant is content; the holder records it."""
    [person] = [person for person in case["people"] if person["role"] == "COMPLAINANT"]
    told = {"person_ref": person["person_ref"], "means": "IN_PERSON"}
    body = {"statement": "已自行和解", "on_behalf_of": told}
    return town.leader.done(f"/v1/cases/{case['case_id']}/withdraw-case", body, version=case["version"])


def rows_after(events: list[Received]) -> dict[str, Json]:
    rows: dict[str, Json] = {}
    for name, data in events:
        if name == "snapshot":
            rows = {f"{r['case_id']}/{r['timer']}/{r['version']}": r for r in data["rows"]}
        for change in data.get("changes", ()) if name == "delta" else ():
            if change["op"] == "DELETE":
                del rows[change["key"]]
            else:
                rows[change["key"]] = change["row"]
    return rows


def test_clocks_are_listed_soonest_first_page_by_page(place: Town) -> None:
    opened = [place.open_case() for _ in range(3)]
    officer = place.village_officer
    first = read(officer, "/v1/deadlines", limit=2, min_position=opened[-1]["position"])
    place.open_case()
    rest = read(officer, "/v1/deadlines", cursor=first["next"], limit=2)
    assert rest["as_of_position"] == first["as_of_position"]
    items = first["items"] + rest["items"]
    assert [item["case_id"] for item in items] == sorted(case["case_id"] for case in opened)
    assert {(item["timer"], item["state"], item["holder_unit"]) for item in items} == {
        ("T13", "RUNNING", place.group)
    }
    assert rest["next"] is None
    elsewhere = read(place.township_officer, "/v1/deadlines", unit=place.other_village)
    assert (elsewhere["items"], elsewhere["overdue"]) == ([], 0)
    assert officer.get("/v1/deadlines", unit=place.township).status_code == 403


def test_a_breach_stands_in_lists_and_figures_until_it_is_made_good(running: Anjie, place: Town) -> None:
    other, case = place.open_case(), place.open_case()
    _, version = clock_of(case)
    with Listener(place.village_officer, "/v1/streams/backlog_by_holder") as backlog:
        late = breach(running, case, version)
        read(place.leader, "/v1/cases", min_position=late["position"])
        asked = {"min_position": late["position"]}
        assert [i["case_id"] for i in read(place.leader, "/v1/cases", overdue="true", **asked)["items"]] == [
            case["case_id"]
        ]
        assert [i["case_id"] for i in read(place.leader, "/v1/cases", overdue="false")["items"]] == [
            other["case_id"]
        ]
        rows = [row for row in read(place.leader, "/v1/backlog")["rows"] if row["open"]]
        assert [(row["open"], row["overdue"]) for row in rows] == [(2, 1)]
        assert read(place.leader, "/v1/deadlines")["overdue"] == 1
        changes = [c for _, data in backlog.until(late["position"]) for c in data.get("changes", ())]
        assert changes[-1]["row"]["overdue"] == 1
        before = read(place.leader, "/v1/deadlines", at_position=late["position"] - 1)
        assert before["overdue"] == 0
        done = withdraw(place, late)
        after = read(place.leader, "/v1/deadlines", min_position=done["position"])
    assert (after["overdue"], [item["case_id"] for item in after["items"]]) == (0, [other["case_id"]])
    assert read(place.leader, "/v1/cases", overdue="true")["items"] == []


def test_on_time_rates_are_explained_by_starts_and_ends(running: Anjie, place: Town) -> None:
    kept, missed = place.open_case(), place.open_case()
    path = f"/v1/cases/{kept['case_id']}"
    accepted = place.leader.done(
        f"{path}/accept-case", {"procedure": "SELF_GOVERNANCE"}, version=kept["version"]
    )
    place.leader.done(
        f"{path}/escalate-case",
        {"to_level": "VILLAGE", "reason": "组内无法解决"},
        version=accepted["version"],
    )
    late = breach(running, missed, clock_of(missed)[1])
    told = read(place.leader, "/v1/kpi", min_position=late["position"])
    half = {"numerator": 1, "denominator": 2, "percent": "50.00"}
    assert told["on_time_rate"]["T13"] == {"original": half, "extended": half}
    assert told["on_time_rate"]["T4"]["extended"]["percent"] is None
    for measure in ("on_time_rate", "on_time_rate_original"):
        explained = read(place.leader, f"/v1/explain/{measure}", timer="T13")
        assert explained["value"] == half
        [item] = explained["numerator_items"]
        assert (item["subject_id"], item["timer"]) == (kept["case_id"], "T13")
        assert [reason["topic"] for reason in item["because"]] == ["case.deadline_started", "case.escalated"]
        assert len(explained["denominator_items"]) == 2
    for query in ({"timer": "T5"}, {"level": "GROUP"}):
        assert place.leader.get("/v1/explain/on_time_rate", **query).status_code == 422
    assert place.leader.get("/v1/explain/registered", timer="T13").status_code == 422


def test_the_response_rate_is_explained_by_the_start_and_the_contact(place: Town) -> None:
    order = {"channel": "HOTLINE", "procedure": "HOTLINE"}
    before = datetime.now(UTC)
    kept, missed = (place.open_case(**order, occurred_at=_ago(before, days=3)) for _ in range(2))
    accepted = [
        command(place.leader, case, "accept-case", {"occurred_at": _ago(before, days=2)})
        for case in (kept, missed)
    ]
    contact = {"reached": False, "means": "PHONE"}
    command(place.leader, accepted[1], "record-contact", contact | {"occurred_at": _ago(before, hours=23)})
    in_time = contact | {"occurred_at": _ago(before, hours=25)}
    contacted = command(place.leader, accepted[0], "record-contact", in_time)

    told = read(place.leader, "/v1/kpi", min_position=contacted["position"])
    half = {"numerator": 1, "denominator": 2, "percent": "50.00"}
    assert told["measures"]["response_rate"] == half
    explained = read(place.leader, "/v1/explain/response_rate")
    assert explained["value"] == half
    [item] = explained["numerator_items"]
    assert item["subject_id"] == kept["case_id"]
    topics = ["case.deadline_started", "case.contact_recorded"]
    assert [reason["topic"] for reason in item["because"]] == topics
    assert len(explained["denominator_items"]) == 2
    compared = read(
        place.leader, "/v1/compare/response_rate", a=accepted[1]["position"], b=contacted["position"]
    )
    [change] = compared["items"]
    assert (change["case_id"], change["change"]) == (kept["case_id"], "CHANGED")
    assert [reason["position"] for reason in change["because"]] == [contacted["position"]]


def _ago(now: datetime, **by: int) -> str:
    return (now - timedelta(**by)).isoformat()


def test_the_board_follows_the_list(running: Anjie, place: Town) -> None:
    reader = place.village_officer
    first = place.open_case()
    read(reader, "/v1/deadlines", min_position=first["position"])
    with Listener(reader, "/v1/streams/deadline_board", unit=place.village) as board:
        second = place.open_case()
        key, version = clock_of(second)
        late = breach(running, second, version)
        events = board.until(late["position"])
        assert rows_after(events)[key]["state"] == "BREACHED"
        answer = read(reader, "/v1/deadlines", min_position=late["position"])
        assert list(rows_after(events).values()) == sorted(
            answer["items"], key=lambda item: str(item["case_id"])
        )
        seen = board.last_id
    done = withdraw(place, first)
    read(reader, "/v1/deadlines", min_position=done["position"])
    with Listener(
        reader, "/v1/streams/deadline_board", {"Last-Event-ID": seen or ""}, unit=place.village
    ) as resumed:
        _, delta = resumed.next()
        assert delta["changes"] == [{"op": "DELETE", "key": clock_of(first)[0]}]


def test_clocks_of_a_hidden_case_are_known_by_their_positions_only(place: Town) -> None:
    lead = place.leader.done("/v1/cases", place.opening(procedure="SAFETY_LEAD", category="PUBLIC_SAFETY"))
    plain = place.open_case()
    [started] = [e for e in lead["events"] if e["topic"] == "case.deadline_started"]
    sealed = {"sealed": True, "position": started["position"]}
    told = read(place.village_officer, "/v1/deadlines", min_position=plain["position"])
    assert sealed in told["items"]
    assert len(told["items"]) == 2
    assert sealed not in read(place.leader, "/v1/deadlines")["items"]
    with Listener(place.village_officer, "/v1/streams/deadline_board") as board:
        assert sealed in board.next()[1]["rows"]
    with Listener(place.dashboard, "/v1/streams/deadline_board") as wall:
        assert all(row.keys() == {"sealed", "position"} for row in wall.next()[1]["rows"])


def test_the_board_covers_what_becomes_confidential(place: Town) -> None:
    """The clock itself goes on as it was; only who may know of its case changes."""
    case = place.open_case(category="PUBLIC_SAFETY")
    key, _ = clock_of(case)
    [started] = [e for e in case["events"] if e["topic"] == "case.deadline_started"]
    read(place.village_officer, "/v1/deadlines", min_position=case["position"])
    with Listener(place.village_officer, "/v1/streams/deadline_board") as board:
        assert key in rows_after([board.next()])
        accept = f"/v1/cases/{case['case_id']}/accept-case"
        lead = place.leader.done(accept, {"procedure": "SAFETY_LEAD"}, version=case["version"])
        changes = [c for _, data in board.until(lead["position"]) for c in data["changes"]]
    hidden = {"sealed": True, "position": started["position"]}
    assert {"op": "DELETE", "key": key} in changes
    assert {"op": "UPSERT", "key": f"sealed/{started['position']}", "row": hidden} in changes
    past = read(place.village_officer, "/v1/deadlines", at_position=case["position"])
    assert past["items"] == [hidden]


def test_a_dashboard_is_told_counts_without_small_cells(place: Town) -> None:
    case = place.open_case()
    told = read(place.dashboard, "/v1/deadlines", min_position=case["position"])
    assert told["items"] == []
    assert told["overdue"] == told["due_today"] == {"suppressed": True}
