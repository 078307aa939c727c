"""What waits for whom: escalations, breaches, warnings, queries, demands and calendars, each seen or not."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.clock_worker import timekeeper
from services.pages.api import Api
from shared.policy.clock_starts import calendar_of
from shared.policy.moments import day_of
from shared.policy.packs import DEFAULT_POLICY
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.sealing import MasterKey
from shared.runtime.web import Answer, Request
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.reading import Listener, command, read, rows_after, serving_a_module, settled
from tests.e2e.sessions import signed_in

READS_OF_A_DESK = 8
CARD = r'<strong class="what"><a href="/m/cases/([^"]+)"'
URGENT = ("classify-urgency", {"urgent": True, "reason": "老人独居"})


@pytest.fixture(scope="module")
def running(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anjie]:
    with serving_a_module(postgres, migrated_template, "inbox", tmp_path_factory.mktemp("inbox")) as anjie:
        yield anjie


@pytest.fixture
def place(running: Anjie) -> Town:
    return settled(running)


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def escalated(place: Town) -> Json:
    """A case that the group sends up to its village."""
    accepted = command(place.leader, place.open_case(), "accept-case", {"procedure": "SELF_GOVERNANCE"})
    up = {"to_level": "VILLAGE", "reason": "组内无法解决"}
    return command(place.leader, accepted, "escalate-case", up)


def asked(place: Town, case: Json) -> Json:
    """The case with a supervisor's query of thirteen days ago, which is due in two days."""
    question = {"question": "为何未回访？", "occurred_at": days_ago(13)}
    return place.supervisor.done(f"/v1/cases/{case['case_id']}/raise-query", question)


def asked_now(place: Town, case: Json) -> Json:
    return place.supervisor.done(f"/v1/cases/{case['case_id']}/raise-query", {"question": "进展如何？"})


def event_id(answer: Json, topic: str) -> str:
    [found] = [event["event_id"] for event in answer["events"] if event["topic"] == topic]
    return str(found)


def inbox(person: Person, after: Json | None = None, **query: object) -> list[Json]:
    """All that waits for somebody, a calendar's coming end aside, once the answer to a command is known."""
    position = {} if after is None else {"min_position": after["position"]}
    items: list[Json] = read(person, "/v1/inbox", **position, **query)["items"]
    return [item for item in items if "case_id" in item]


def told(person: Person, after: Json | None = None) -> list[tuple[str, str]]:
    return [(item["kind"], item["timer"]) for item in inbox(person, after)]


def see(person: Person, item_id: str) -> Json:
    return person.done(f"/v1/inbox/{item_id}/seen")


def read_feed(person: Person, position: int) -> Json:
    line: Json = person.get("/v1/events", after=position - 1, limit=1, min_position=position).json()
    return line


def let_the_clock_look(running: Anjie) -> None:
    """Has everything recorded that is due by now, and known."""

    async def look() -> None:
        async with timekeeper(running.database.url, MasterKey(bytes(32))) as keeper:
            while await keeper.tick(datetime.now(UTC)):
                pass

    asyncio.run(look())


def test_an_escalation_waits_for_the_staff_it_is_sent_to_until_they_accept_it(place: Town) -> None:
    case = escalated(place)
    [item] = inbox(place.village_officer, case)
    assert item["item_id"] == event_id(case, "case.escalated")
    assert (item["kind"], item["timer"], item["case_id"]) == ("ESCALATION", "T16", case["case_id"])
    assert item["seen"] is False
    assert inbox(place.mediator) == [item]
    for person in (place.leader, place.township_officer, place.supervisor, place.resident, place.grid_worker):
        assert inbox(person) == [], person.ref
    accepted = command(place.village_officer, case, "accept-escalation")
    assert inbox(place.village_officer, accepted) == []
    assert inbox(place.village_officer, at_position=case["position"]) == [item]


def test_each_reader_says_for_themselves_what_they_have_seen(place: Town) -> None:
    case = escalated(place)
    [item] = inbox(place.village_officer, case)
    once = see(place.village_officer, item["item_id"])
    assert once["item_id"] == item["item_id"]
    assert [event["topic"] for event in once["events"]] == ["inbox.item_seen"]
    assert inbox(place.village_officer, once) == [item | {"seen": True}]
    assert inbox(place.mediator, once) == [item]
    again = see(place.village_officer, item["item_id"])
    assert inbox(place.village_officer, again) == [item | {"seen": True}]
    assert inbox(place.village_officer, at_position=once["position"] - 1) == [item]
    assert inbox(place.village_officer, seen="true") == [item | {"seen": True}]
    assert inbox(place.village_officer, seen="false") == inbox(place.mediator, seen="true") == []


def test_what_does_not_wait_for_somebody_they_cannot_have_seen(place: Town) -> None:
    case = escalated(place)
    [item] = inbox(place.village_officer, case)
    path = f"/v1/inbox/{item['item_id']}/seen"
    for person in (place.leader, place.other_leader, place.resident, place.dashboard):
        assert person.post(path).status_code == 404, person.ref
    assert place.village_officer.post(f"/v1/inbox/{uuid4()}/seen").status_code == 404
    assert place.village_officer.post("/v1/inbox/something/seen").status_code == 404
    assert place.village_officer.post(path, {"surplus": 1}).status_code == 422
    first = place.village_officer.done(path, key="seen once")
    accepted = command(place.village_officer, case, "accept-escalation")
    assert inbox(place.village_officer, accepted) == []
    assert place.village_officer.post(path).status_code == 404
    assert place.village_officer.done(path, key="seen once") == first


def test_a_dashboard_has_no_inbox(place: Town) -> None:
    assert place.dashboard.get("/v1/inbox").status_code == 403
    assert place.dashboard.get("/v1/streams/inbox").status_code == 403
    assert place.village_officer.get("/v1/streams/inbox", unit=place.village).status_code == 422
    assert place.village_officer.get("/v1/inbox", kind="LETTER").status_code == 422


def test_a_breach_waits_for_whoever_is_late_and_for_the_level_above(running: Anjie, place: Town) -> None:
    case = place.open_case(occurred_at=days_ago(20))
    read(place.leader, "/v1/inbox", min_position=case["position"])
    let_the_clock_look(running)
    [mine] = inbox(place.leader)
    assert (mine["kind"], mine["timer"], mine["due_at"]) == ("BREACH", "T13", mine["since"])
    assert inbox(place.village_officer) == [mine]
    for person in (place.mediator, place.township_officer, place.supervisor):
        assert inbox(person) == [], person.ref
    taken = place.village_officer.done(
        f"/v1/cases/{case['case_id']}/take-over-case", {"reason": "逾期"}, version=case["version"]
    )
    assert inbox(place.leader, taken) == inbox(place.village_officer) == []


def test_at_the_township_its_supervisors_are_told_of_a_breach(running: Anjie, place: Town) -> None:
    opening = place.opening(origin_unit=place.township, occurred_at=days_ago(20))
    case = place.township_officer.done("/v1/cases", opening)
    read(place.leader, "/v1/inbox", min_position=case["position"])
    let_the_clock_look(running)
    above = running.person("supervisor-t", "supervisor", place.township)
    assert told(place.township_officer) == told(above) == [("BREACH", "T13")]
    assert inbox(place.supervisor) == []


def test_queries_and_demands_wait_for_those_who_may_answer_them(running: Anjie, place: Town) -> None:
    case = place.open_case(occurred_at=days_ago(20))
    queried = asked(place, case)
    demand = {"demand": "补记走访", "occurred_at": days_ago(1)}
    demanded = place.supervisor.done(f"/v1/cases/{case['case_id']}/demand-correction", demand)
    [query] = inbox(place.village_officer, demanded, kind="QUERY")
    assert (query["item_id"], query["timer"]) == (event_id(queried, "case.query_raised"), "T11")
    [correction] = inbox(place.village_officer, kind="DEMAND")
    assert (correction["item_id"], correction["timer"]) == (
        event_id(demanded, "case.correction_demanded"),
        "T12",
    )
    assert query["due_at"] < correction["due_at"]
    let_the_clock_look(running)
    # The case itself was late when the query came, which is the group's matter as well.
    late = ("BREACH", "T13")
    of_the_query = [("QUERY", "T11"), ("APPROACHING", "T11")]
    assert sorted(told(place.village_officer)) == sorted([late, *of_the_query, ("DEMAND", "T12")])
    assert told(place.leader) == [late]
    for person in (place.township_officer, place.supervisor, place.mediator):
        assert inbox(person) == [], person.ref
    [found] = read(place.village_officer, f"/v1/cases/{case['case_id']}")["queries"]
    answer = {"query_id": found["query_id"], "answer": "已安排"}
    answered = place.village_officer.done(f"/v1/cases/{case['case_id']}/answer-query", answer)
    assert told(place.village_officer, answered) == [late, ("DEMAND", "T12")]
    [waiting] = read(place.village_officer, f"/v1/cases/{case['case_id']}")["demands"]
    assert (waiting["outcome"], waiting["due_at"]) == (None, correction["due_at"])
    corrected = {"demand_id": waiting["demand_id"], "outcome": "CORRECTED", "detail": "已补记"}
    answered = place.village_officer.done(f"/v1/cases/{case['case_id']}/answer-demand", corrected)
    assert told(place.village_officer, answered) == [late]
    [done] = read(place.supervisor, f"/v1/cases/{case['case_id']}")["demands"]
    assert done == waiting | {"outcome": "CORRECTED"}


def test_whoever_has_a_conflict_of_interest_is_not_waited_for(place: Town) -> None:
    case = escalated(place)
    assert told(place.village_officer, case) == [("ESCALATION", "T16")]
    barred = command(place.village_officer, case, "declare-conflict", {"reason": "亲属"})
    assert inbox(place.village_officer, barred) == []
    assert told(place.mediator) == [("ESCALATION", "T16")]


def test_of_a_hidden_case_nothing_waits_for_those_who_may_not_know_of_it(running: Anjie, place: Town) -> None:
    lead = place.opening(procedure="SAFETY_LEAD", category="PUBLIC_SAFETY")
    case = place.leader.done("/v1/cases", lead)
    queried = asked_now(place, case)
    item_id = event_id(queried, "case.query_raised")
    cleared = running.person("village-2", "village_officer", place.village, frozenset(("SAFETY_LEAD",)))
    assert told(cleared, queried) == [("QUERY", "T11")]
    assert inbox(place.village_officer) == []
    assert place.village_officer.post(f"/v1/inbox/{item_id}/seen").status_code == 404
    seen = see(cleared, item_id)
    feed = read_feed(place.operator, seen["position"])
    assert feed == {"sealed": True, "position": seen["position"]}


def test_what_waits_on_a_case_that_becomes_confidential_leaves_whoever_may_not_know(place: Town) -> None:
    case = place.open_case(category="PUBLIC_SAFETY")
    queried = asked_now(place, case)
    item_id = event_id(queried, "case.query_raised")
    assert told(place.village_officer, queried) == [("QUERY", "T11")]
    with Listener(place.village_officer, "/v1/streams/inbox") as listener:
        assert [row["item_id"] for row in listener.next()[1]["rows"]] == [item_id]
        lead = command(place.leader, queried, "accept-case", {"procedure": "SAFETY_LEAD"})
        assert listener.until(lead["position"])[-1][1]["changes"] == [{"op": "DELETE", "key": item_id}]
    assert inbox(place.village_officer, lead) == []
    assert inbox(place.village_officer, at_position=queried["position"]) == []


def test_an_inbox_is_read_page_by_page(place: Town) -> None:
    cases = [escalated(place) for _ in range(3)]
    whole = read(place.mediator, "/v1/inbox", min_position=cases[-1]["position"])["items"]
    assert {item["case_id"] for item in whole} == {case["case_id"] for case in cases}
    first = read(place.mediator, "/v1/inbox", limit=2)
    more = escalated(place)
    read(place.mediator, "/v1/inbox", min_position=more["position"])
    rest = read(place.mediator, "/v1/inbox", cursor=first["next"], limit=2)
    assert first["items"] + rest["items"] == whole
    assert (rest["next"], rest["as_of_position"]) == (None, first["as_of_position"])
    assert len(read(place.mediator, "/v1/inbox", kind="ESCALATION")["items"]) == 4
    assert read(place.mediator, "/v1/inbox", kind="BREACH")["items"] == []


def test_the_stream_follows_the_inbox(place: Town) -> None:
    first = escalated(place)
    read(place.mediator, "/v1/inbox", min_position=first["position"])
    with Listener(place.mediator, "/v1/streams/inbox") as listener:
        events = [listener.next()]
        assert [row["case_id"] for row in events[0][1]["rows"]] == [first["case_id"]]
        second = escalated(place)
        events += listener.until(second["position"])
        item_id = event_id(second, "case.escalated")
        # Somebody else's seeing is nothing to this reader, so the next delta is their own.
        see(place.village_officer, item_id)
        seen = see(place.mediator, item_id)
        events += listener.until(seen["position"])
        assert events[-1][1]["changes"] == [
            {"op": "UPSERT", "key": item_id, "row": inbox(place.mediator, seen, seen="true")[0]}
        ]
        left = listener.last_id
        accepted = command(place.village_officer, first, "accept-escalation")
        events += listener.until(accepted["position"])
    rows = rows_after(events, "item_id")
    assert list(rows.values()) == inbox(place.mediator, accepted)
    with Listener(place.mediator, "/v1/streams/inbox", {"Last-Event-ID": left or ""}) as resumed:
        gone = {"op": "DELETE", "key": event_id(first, "case.escalated")}
        assert resumed.next()[1]["changes"] == [gone]


def test_a_clock_without_a_calendar_alarms_the_township_and_the_operator(place: Town) -> None:
    """Nobody has published which days of 2003 were worked."""
    note = {"unit": place.township, "note": "历史台账"}
    opened = place.operator.done("/v1/imports", note)
    old = place.opening(occurred_at="2003-06-02T09:00:00+08:00")
    case = place.leader.done("/v1/cases", old, headers={"Anjie-Import": opened["import_id"]})
    place.operator.done(f"/v1/imports/{opened['import_id']}/close")
    [item] = inbox(place.township_officer, case)
    assert (item["kind"], item["timer"], item["due_at"]) == ("CALENDAR", "T13", None)
    assert item in inbox(place.operator)
    assert inbox(place.leader) == inbox(place.village_officer) == []


def test_who_keeps_calendars_is_told_that_theirs_ends(running: Anjie, place: Town) -> None:
    last = calendar_of(DEFAULT_POLICY).known_until
    near = day_of(datetime.now(UTC)) >= last - timedelta(days=60)
    ending = {}
    for person in (place.operator, place.township_officer, place.village_officer, place.leader):
        items = read(person, "/v1/inbox", kind="CALENDAR")["items"]
        ending[person.ref] = [item for item in items if "case_id" not in item]
    assert len(ending["operator"]) == len(ending["township-1"]) == near
    assert ending["village-1"] == ending["leader-37"] == []
    if near:
        [item] = ending["township-1"]
        assert "timer" not in item
        with Listener(place.township_officer, "/v1/streams/inbox") as listener:
            assert item in listener.next()[1]["rows"]
            seen = see(place.township_officer, item["item_id"])
            [(_, delta)] = listener.until(seen["position"])
        assert delta["changes"][0]["row"] == item | {"seen": True}


def test_the_desk_is_there_however_much_waits(
    running: Anjie, place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_about = [asked_now(place, place.open_case())["case_id"] for _ in range(80)]
    handed_up = [escalated(place)["case_id"] for _ in range(20)]
    urgent = asked_now(place, command(place.leader, place.open_case(), *URGENT))
    assert len(inbox(place.village_officer, urgent)) == 100
    expected = [urgent["case_id"], *handed_up, *asked_about]
    session = signed_in(running, place.village_officer, "village_officer", place.village)
    asked_for = counting(monkeypatch)
    page = session.get("/desk")
    assert page.status_code == 200, page.text
    assert len(asked_for) <= READS_OF_A_DESK, asked_for
    assert set(expected[:50]) <= set(re.findall(CARD, page.text))
    for case_id in handed_up:
        for name in ("accept-escalation", "return-escalation"):
            assert f'data-command="/v1/cases/{case_id}/{name}"' in page.text
    page = session.get("/desk/inbox")
    shown = re.findall(CARD, page.text)
    while further := re.search(r'rel="next" href="/desk/inbox\?cursor=([^"]+)"', page.text):
        page = session.get("/desk/inbox", cursor=further[1])
        shown += re.findall(CARD, page.text)
    assert shown == expected


def counting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of what pages ask the interface for from now on."""
    paths: list[str] = []
    answer = Api._answer

    async def counted(api: Api, request: Request) -> Answer:
        paths.append(request.path)
        return await answer(api, request)

    monkeypatch.setattr(Api, "_answer", counted)
    return paths


def test_a_list_is_asked_of_commands_that_there_are(place: Town) -> None:
    for wrong in ("accept", "open-case"):
        refused = place.leader.get("/v1/cases", allowed=wrong)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "allowed"
