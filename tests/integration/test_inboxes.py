"""Inboxes as they are asked for: equal to a plain reading of the events, and found without a scan."""

import asyncio
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from services.projections.figures.queries import AsOf
from services.projections.reads.inbox_changes import fetch_changed
from services.projections.reads.inbox_items import Wanted, waiting_query
from services.projections.reads.moments import Moment
from shared.events.inbox import ItemSeen
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree, tree_of
from shared.policy.transitions import TRANSITIONS
from shared.policy.waiting import audiences_of
from tests import naive_inbox
from tests.asking import Desk, Json, asking, reader
from tests.conftest import Database
from tests.histories import START, County, lively, play, recorded
from tests.naive import seen
from tests.projecting import appending, head_of, project_all, record

ROWS = 100_000


def readers(county: County) -> list[Actor]:
    return [
        reader("actor-1", "village_officer", county.villages[0]),
        reader("watch", "village_officer", county.villages[1], "SAFETY_LEAD"),
        reader("actor-1", "group_leader", county.groups[0]),
        reader("officer", "township_officer", county.township),
        reader("supervisor", "supervisor", county.township),
        reader("actor-2", "mediator", county.township),
        reader("auditor", "auditor", county.township),
        reader("operator", "operator", None),
    ]


@settings(
    max_examples=5,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chance=st.randoms(use_true_random=True))
def test_what_waits_equals_a_plain_reading_of_the_events(database: Database, chance: Random) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url))
        county.settle()
        play(county, lively(chance, 200))
        events = recorded(county.appends)
        async with appending(database.url) as appender, asking(database.url) as desk:
            await record(appender, county.appends)
            await project_all(database.url)
            await desk.trees.refresh()
            for at in [events[-1], *chance.sample(events, 3)]:
                for occurred in (None, START + timedelta(hours=chance.randrange(-30, 400))):
                    await _check_inboxes(desk, county, events, at.position, occurred)
            await _check_changes(desk, county, events)
            await _check_allowed(desk, county)

    asyncio.run(told())


async def _check_inboxes(
    desk: Desk, county: County, events: list[Recorded], position: int, occurred: datetime | None
) -> None:
    """By the relations of each reader to each case; that the calendar ends is of no case."""
    then = seen(events, position, occurred)
    units = [e for e in events if e.position <= position and e.topic.startswith("unit.")]
    tree = tree_of(units, at_occurred=occurred)
    ours = {str(event.stream_id) for event in events}
    moment = {"at_position": position, "at_occurred": occurred and occurred.isoformat()}
    for actor in readers(county):
        expected = _expected(then, actor, tree)
        for order, in_order in (("soonest", expected), ("urgent", _expected(then, actor, tree, "urgent"))):
            page = await desk.read(actor, "/v1/inbox", limit=2, order=order, **moment)
            items: list[Json] = list(page["items"])
            while page["next"] is not None:
                page = await desk.read(actor, "/v1/inbox", limit=2, cursor=page["next"])
                items += page["items"]
            # The operator's are of every county in this ledger.
            assert [_with_instants(item) for item in items if item.get("case_id") in ours] == in_order, actor
        for whether in (True, False):
            asked = {"seen": str(whether).lower(), "limit": 1000}
            part = (await desk.read(actor, "/v1/inbox", **asked, **moment))["items"]
            found = [item["item_id"] for item in part if item.get("case_id") in ours]
            assert found == [item["item_id"] for item in expected if item["seen"] is whether]


async def _check_changes(desk: Desk, county: County, events: list[Recorded]) -> None:
    """What is told of items that changed is what is read of them."""
    ids = {event.event_id for event in events}
    as_of = AsOf(position=county.position)
    async with desk.reads.sources.pool.connection() as connection:
        changed = await fetch_changed(connection, as_of, ids)
    assert changed.keys() == ids
    tree = desk.trees.current
    for actor in readers(county):
        mine = audiences_of(actor, tree)
        told = [item.as_it_waits_for(actor, mine, tree) for item in changed.values()]
        now = {(item.item_id, item.seen) for item in told if item is not None}
        assert now == {(UUID(item["item_id"]), item["seen"]) for item in _expected(events, actor, tree)}


async def _check_allowed(desk: Desk, county: County) -> None:
    """What a list says that its reader may send to a case is what the case says, and nothing in the past."""
    commands = {row.command for row in TRANSITIONS.values() if not row.creates}
    ours = {str(case.case_id) for case in county.cases}
    for actor in readers(county):
        few = {"accept-escalation", "return-escalation"}
        for asked in (commands, few):
            listed = await desk.read(actor, "/v1/cases", limit=1000, allowed=sorted(asked))
            for item in [item for item in listed["items"] if item.get("case_id") in ours]:
                whole = (await desk.read(actor, f"/v1/cases/{item['case_id']}"))["allowed_commands"]
                assert item["allowed_commands"] == [name for name in whole if name in asked], actor
        known = [item["case_id"] for item in listed["items"] if "case_id" in item]
        for limit in (1, 1000):
            page = await desk.read(actor, "/v1/cases", limit=limit, known_only="true")
            assert [item["case_id"] for item in page["items"]] == known[:limit], actor
        past = await desk.read(actor, "/v1/cases", allowed=sorted(few), at_position=county.position)
        assert {name for item in past["items"] for name in item.get("allowed_commands", ())} == set()


def _expected(
    events: list[Recorded], actor: Actor, tree: UnitTree, order: Literal["soonest", "urgent"] = "soonest"
) -> list[Json]:
    said = [event_of(e) for e in events if e.topic == ItemSeen.topic and e.actor_ref == actor.ref]
    of_reader = {event.item_id for event in said if isinstance(event, ItemSeen)}
    found = naive_inbox.waiting(events, actor, tree)
    if order == "urgent":
        found.sort(key=lambda item: not item.case.urgent)
    return [
        {
            "item_id": str(item.item_id),
            "kind": item.kind,
            "case_id": str(item.case.case_id),
            "timer": item.timer,
            "since": item.since,
            "due_at": item.due_at,
            "seen": item.item_id in of_reader,
        }
        for item in found
    ]


def _with_instants(item: Json) -> Json:
    return {
        name: datetime.fromisoformat(value) if name in ("since", "due_at") and value else value
        for name, value in item.items()
    }


_MANY = """
    INSERT INTO views.inbox (stream_id, shard, known_from, known_until, occurred_from, row_key, item_id,
        case_id, kind, timer, since, due_at, audience, unit_id, left_out, seen_from)
    SELECT id, 0, n, CASE n %% 3 WHEN 0 THEN n + 1 ELSE 9223372036854775807 END, now(), id, id, id, 'BREACH',
        'T13', now(), now(), CASE n %% 2 WHEN 0 THEN 'STAFF' ELSE 'OFFICERS_ABOVE' END,
        md5((n %% 5000)::text)::uuid, '{}', n
    FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(1, %s) AS n) AS made
"""


def test_an_inbox_among_many_is_found_without_a_scan(database: Database) -> None:
    async def told() -> None:
        county = County()
        county.settle()
        tree = tree_of(recorded(county.appends))
        officer = reader("officer", "village_officer", county.villages[0])
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            await connection.execute(_MANY, [ROWS])
            await connection.execute("ANALYZE views.inbox")
            for wanted in (Wanted(), Wanted(urgent_first=True)):
                query, parameters = waiting_query(officer, tree, Moment.now_at(ROWS), wanted, limit=100)
                plan = await connection.execute(b"EXPLAIN " + query.as_bytes(connection), parameters)
                lines = "\n".join(line for (line,) in await plan.fetchall())
                assert "inbox_by_audience" in lines, lines
                assert "Seq Scan on inbox" not in lines, lines

    asyncio.run(told())
