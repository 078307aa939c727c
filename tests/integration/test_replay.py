"""An answer is given again whenever it is asked for as of its position, whatever happened since."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.projections.figures.measures import EXPLAINED, percent
from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.jurisdiction import tree_of
from tests import naive
from tests.asking import Desk, Json, asking, reader
from tests.conftest import Database
from tests.histories import START, County, Move, moves, play, recorded
from tests.projecting import appending, head_of, project_all, record

LAST = datetime.max.replace(tzinfo=UTC)
CHAPTERS = 3
"""In how many parts a history is written, with questions after each."""
URGENT = {
    "urgent_registered": "urgent_unclassified",
    "urgent_open": "unclassified_open",
    "urgent_resolved": "unclassified_resolved",
}
"""Urgent counts, and the cases beside each that nobody has classified."""
SINCE_CHANGEABLE = ("as_of_instant", "allowed_commands")

Question = tuple[Actor, str, tuple[tuple[str, Any], ...]]

_settings = settings(
    max_examples=5,
    # Shrinking a history that is written to a database takes longer than the suite may.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def readers(county: County) -> list[Actor]:
    return [
        reader("watch", "supervisor", county.township),
        reader("actor-2", "village_officer", county.villages[0]),
        reader("actor-1", "resident", county.groups[0]),
        reader("wall", "dashboard", county.township),
    ]


def questions(county: County, occurred: datetime | None) -> list[Question]:
    """What every reader is asked; who may not ask is refused each time."""
    at = () if occurred is None else (("at_occurred", occurred.isoformat()),)
    period = (("from", "2026-03-02"), ("to", "2026-03-05"))
    asked: list[tuple[str, tuple[tuple[str, Any], ...]]] = [
        ("/v1/cases", (("limit", 1000),)),
        ("/v1/cases", (("origin", county.villages[0]), ("state", "RESOLVED"), ("state", "CLOSED"))),
        ("/v1/cases", (("overdue", "true"), ("order", "oldest"))),
        ("/v1/cases", (("holder", county.groups[0]), ("assigned", "false"))),
        ("/v1/cases", (("to_call", "true"),)),
        ("/v1/me/cases", (("limit", 1000),)),
        ("/v1/deadlines", ()),
        ("/v1/inbox", ()),
        ("/v1/backlog", (("by", "holder"),)),
        ("/v1/backlog", (("by", "origin"),)),
        ("/v1/trend", ()),
        ("/v1/trend", period),
        ("/v1/urgent", ()),
        ("/v1/kpi", ()),
        ("/v1/kpi", period),
        ("/v1/services", ()),
        ("/v1/units", (("parent", county.villages[1]),)),
        ("/v1/actors", (("role", "mediator"),)),
        *((f"/v1/explain/{measure}", period) for measure in EXPLAINED),
    ]
    for case in county.cases[-3:]:
        asked += [(f"/v1/cases/{case.case_id}", ()), (f"/v1/cases/{case.case_id}/timeline", ())]
    for duplicate, primary in pairwise(county.cases[-3:]):
        asked.append(("/v1/cases", (("may_absorb", duplicate.case_id),)))
        asked.append((f"/v1/cases/{duplicate.case_id}/merged", (("into", primary.case_id),)))
    return [(actor, path, query + at) for actor in readers(county) for path, query in asked]


def _query(query: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in query:
        given[name] = [*given[name], value] if isinstance(given.get(name), list) else value
        if name == "state":
            given[name] = ["RESOLVED", "CLOSED"]
    return given


def lasting(answer: Json) -> Json:
    return {name: value for name, value in answer.items() if name not in SINCE_CHANGEABLE}


@_settings
@given(drawn=moves(90), hours=st.integers(-100, 100))
def test_answers_are_given_again(database: Database, drawn: list[Move], hours: int) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url))
        county.settle()
        instants = (None, START + timedelta(hours=hours))
        given_then: list[tuple[Question, int, Json]] = []
        async with appending(database.url) as appender, asking(database.url) as desk:
            written = 0
            for chapter in range(CHAPTERS):
                play(county, drawn[chapter::CHAPTERS])
                await record(appender, county.appends[written:])
                written = len(county.appends)
                await project_all(database.url)
                await desk.trees.refresh()
                for occurred in instants:
                    asked = questions(county, occurred)
                    for actor, path, query in asked:
                        status, answer = await desk.ask(actor, path, **_query(query))
                        if status == 200:
                            given_then.append(((actor, path, query), county.position, answer))
            for (actor, path, query), position, before in given_then:
                assert before["as_of_position"] == position
                again = await desk.read(actor, path, **_query(query), at_position=position)
                assert lasting(again) == lasting(before), (actor.role, path, query)
            (actor, path, query), position, _ = given_then[0]
            past = await desk.read(actor, path, **_query(query), at_position=position)
            same = await desk.read(actor, path, **_query(query), at_recorded=past["as_of_instant"])
            assert same == past

    asyncio.run(told())


@_settings
@given(drawn=moves(160), data=st.data())
def test_answers_equal_a_plain_fold(database: Database, drawn: list[Move], data: st.DataObject) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url))
        county.settle()
        play(county, drawn)
        events = recorded(county.appends)
        async with appending(database.url) as appender, asking(database.url) as desk:
            await record(appender, county.appends)
            await project_all(database.url)
            await desk.trees.refresh()
            for _ in range(4):
                position = data.draw(st.sampled_from(events), label="position").position
                hours = data.draw(st.none() | st.integers(-150, 150), label="occurred")
                occurred = None if hours is None else START + timedelta(hours=hours)
                await _check_figures(desk, county, events, position, occurred)
                await _check_list(desk, county, events, position, occurred)
                await _check_deadlines(desk, county, events, position, occurred)
                await _check_explanations(desk, county, position, occurred)

    asyncio.run(told())


def _moment(position: int, occurred: datetime | None) -> dict[str, Any]:
    return {"at_position": position, "at_occurred": None if occurred is None else occurred.isoformat()}


async def _check_figures(
    desk: Desk, county: County, events: list[Recorded], position: int, occurred: datetime | None
) -> None:
    """Rolled up for a village over the tree of that moment, from counts made event by event."""
    actor = reader("watch", "auditor", None)
    seen = naive.seen(events, position, occurred)
    units = [e for e in events if e.position <= position and e.topic.startswith("unit.")]
    tree = tree_of(units, at_occurred=occurred)
    village = county.villages[1]
    if tree.get(village) is None:
        return
    beneath = tree.subtree(village)
    counted = naive.counted(seen, None, None)

    def count(name: str, level: str | None = None) -> int:
        return sum(counted[name, level, unit] for unit in beneath)

    def ratio(numerator: int, denominator: int) -> Json:
        return {
            "numerator": numerator,
            "denominator": denominator,
            "percent": percent(numerator, denominator),
        }

    told = await desk.read(actor, "/v1/kpi", unit=village, **_moment(position, occurred))
    kpi = told["measures"]
    today = naive.shanghai(datetime.fromisoformat(told["as_of_instant"]))
    run_out = naive.counted(seen, None, today - timedelta(days=1))
    fulfilled, due = (
        sum(run_out[name, None, of] for of in beneath) for name in ("agreement_fulfilled", "agreement_due")
    )
    assert kpi["fulfilment_rate"] == ratio(fulfilled, due)
    for timer, rate in told["on_time_rate"].items():
        assert rate == {
            "original": ratio(count("duty_in_original_time", timer), count("duty", timer)),
            "extended": ratio(count("duty_in_time", timer), count("duty", timer)),
        }
    assert "T5" not in told["on_time_rate"]
    assert kpi["registered"] == count("registered")
    assert kpi["backlog"] == count("open_by_origin")
    assert kpi["visits"] == count("visit")
    assert kpi["disposition_rate"] == ratio(count("disposed"), count("registered"))
    assert kpi["disposition_rate_net"] == ratio(count("disposed_net"), count("registered_net"))
    assert kpi["reopen_rate"] == ratio(count("reopening"), count("resolution"))
    concluded = count("agreed") + count("terminated")
    assert kpi["mediation_success_rate"] == ratio(count("agreed"), concluded)
    assert kpi["response_rate"] == ratio(count("hotline_contacted"), count("hotline_order"))
    solved, unsolved = count("told_solved"), count("told_unsolved")
    assert kpi["resolution_rate"] == ratio(solved, solved + unsolved)
    answered = count("satisfied") + count("unsatisfied")
    assert kpi["satisfaction_rate"] == ratio(count("satisfied"), answered)
    assert kpi["satisfaction_answered"] == ratio(answered, answered + count("unanswered"))
    for level in ("GROUP", "VILLAGE", "TOWNSHIP"):
        expected = ratio(count("contained", level), count("reached", level))
        assert kpi["containment_rate"][level] == expected
    for measure, name in URGENT.items():
        known, missing = (count(fact) + count(f"{fact}_outside") for fact in (measure, name))
        unknown = {"value": None, "at_least": known, "unclassified": missing}
        assert kpi[measure] == (unknown if missing else {"value": known})
    share = ratio(count("urgent_resolved"), count("resolved"))
    missing = count("unclassified_resolved")
    assert kpi["urgent_share_of_resolved"] == share | ({"unclassified": missing} if missing else {})
    board = await desk.read(actor, "/v1/urgent", unit=village, **_moment(position, occurred))
    for figure in ("registered", "open", "resolved"):
        assert board[figure] == kpi[f"urgent_{figure}"]
    backlog = await desk.read(actor, "/v1/backlog", unit=village, by="holder", **_moment(position, occurred))
    assert backlog["total"] == count("open_by_holder")
    assert {row["unit_id"] for row in backlog["rows"]} == {str(u) for u in (*tree.children(village), village)}
    assert sum(row["overdue"] for row in backlog["rows"]) == count("overdue_by_holder")
    urgent = [row["urgent_open"] for row in backlog["rows"]]
    known = sum(told.get("at_least", told["value"]) for told in urgent)
    unclassified = sum(told.get("unclassified", 0) for told in urgent)
    assert (known, unclassified) == (count("urgent_open_by_holder"), count("unclassified_open_by_holder"))


async def _check_list(
    desk: Desk, county: County, events: list[Recorded], position: int, occurred: datetime | None
) -> None:
    """Every case of the county stands in the list of whoever oversees it, hidden ones by position only."""
    lives = naive.lives(naive.seen(events, position, occurred))
    _, items = await _pages(desk, county, "/v1/cases", position, occurred)
    _, overdue = await _pages(desk, county, "/v1/cases", position, occurred, overdue="true")
    assert overdue == [item for item in items if item.get("overdue", item in overdue)]
    assert len(overdue) == sum(life.overdue for life in lives)
    sealed = [item for item in items if "sealed" in item]
    listed = {item["case_id"]: item["state"] for item in items if "sealed" not in item}
    assert len(sealed) == sum(life.procedure == "SAFETY_LEAD" for life in lives)
    assert all(item.keys() == {"sealed", "position"} for item in sealed)
    assert listed == {str(life.case_id): life.state for life in lives if life.procedure != "SAFETY_LEAD"}


async def _pages(
    desk: Desk, county: County, path: str, position: int, occurred: datetime | None, **query: Any
) -> tuple[Json, list[Json]]:
    """The first page, and the items of all, for whoever oversees the county."""
    auditor = reader("watch", "auditor", county.township)
    first = page = await desk.read(auditor, path, limit=7, **query, **_moment(position, occurred))
    items: list[Json] = list(first["items"])
    while page["next"] is not None:
        page = await desk.read(auditor, path, limit=7, cursor=page["next"])
        assert page["as_of_position"] == position
        items += page["items"]
    return first, items


async def _check_deadlines(
    desk: Desk, county: County, events: list[Recorded], position: int, occurred: datetime | None
) -> None:
    """Every clock that somebody waits for, soonest first, those of hidden cases by position only."""
    lives = naive.lives(naive.seen(events, position, occurred))
    live = [(life, clock) for life in lives for clock in life.clocks if clock.ended_at is None]
    first, items = await _pages(desk, county, "/v1/deadlines", position, occurred)
    assert first["overdue"] == sum(clock.state == "BREACHED" for _, clock in live)
    live.sort(key=lambda pair: (pair[1].due_at or LAST, pair[0].case_id, pair[1].version))
    started = {(e.stream_id, e.version): e.position for e in events if e.topic == "case.deadline_started"}
    expected = [
        {"sealed": True, "position": started[life.case_id, clock.version]}
        if life.procedure == "SAFETY_LEAD"
        else {
            "case_id": str(life.case_id),
            "timer": clock.timer,
            "version": clock.version,
            "state": clock.state,
            "holder_unit": str(life.holder),
            "due_at": clock.due_at,
            "original_due_at": clock.original_due_at,
            "started_at": clock.started_at,
        }
        for life, clock in live
    ]
    assert [_with_instants(item) for item in items] == expected


def _with_instants(item: Json) -> Json:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value else value
        for name, value in item.items()
    }


async def _check_explanations(desk: Desk, county: County, position: int, occurred: datetime | None) -> None:
    """As many items, over all pages, as the figure says."""
    actor = reader("watch", "supervisor", county.township)
    for name, measure in EXPLAINED.items():
        lists: dict[str, list[Json]] = {}
        cursor = None
        while True:
            where = {"cursor": cursor} if cursor else _moment(position, occurred)
            page = await desk.read(actor, f"/v1/explain/{name}", limit=40, **where)
            for part in ("items", "unclassified_items", "numerator_items", "denominator_items"):
                if part in page:
                    lists.setdefault(part, []).extend(page[part])
            cursor = page["next"]
            if cursor is None:
                break
        value = page["value"]
        if measure.kind == "COUNT":
            assert len(lists["items"]) == value
        elif measure.kind == "URGENT":
            at_least = value["at_least"] if value["value"] is None else value["value"]
            assert len(lists["items"]) == at_least
            assert len(lists["unclassified_items"]) == value.get("unclassified", 0)
        else:
            ratios = value.values() if measure.kind in ("LEVELS", "TIMERS") else [value]
            assert len(lists["numerator_items"]) == sum(each["numerator"] for each in ratios)
            assert len(lists["denominator_items"]) == sum(each["denominator"] for each in ratios)
        for item in (item for items in lists.values() for item in items):
            reasons = [{"position": item["position"]}] if "sealed" in item else item["because"]
            assert [reason["position"] for reason in reasons] == sorted(r["position"] for r in reasons)
            assert all(reason["position"] <= position for reason in reasons)
