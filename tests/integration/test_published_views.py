"""Folding what is published of the views, step by step, gives the rows that the reads give."""

import asyncio
import dataclasses
from collections.abc import Iterable
from datetime import timedelta
from itertools import zip_longest

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from msgspec.structs import replace
from psycopg import AsyncConnection

from services.projections.api.asyncapi import asyncapi_document
from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.published.rows import READ_FROM_ROWS, At, lacking
from services.projections.published.steps import Change, at_position, changes_between, whole
from services.projections.reads.live_views import CASE_TIMELINE
from shared.events.ledger.reader import fetch_range
from shared.events.units import UnitRenamed
from shared.runtime.identifiers import new_id
from shared.runtime.trees import Trees
from tests.asking import asking
from tests.conftest import Database
from tests.histories import START, County, Move, append_of, moves, play
from tests.projecting import appending, head_of, project_all, record
from tests.published import Views, bare, expected

Topics = dict[str, dict[str, bytes]]

FIELDWORK = st.lists(
    st.tuples(
        st.sampled_from(("visit", "roster", "move_unit", "move_unit")),
        st.integers(0, 4),
        st.integers(0, 11),
        st.just(0),
    ),
    min_size=80,
    max_size=100,
)
"""What shows in the rows of units further up."""


def fold(topics: Topics, changes: Iterable[Change]) -> None:
    for view, key, row, _ in changes:
        if row is None:
            del topics[view][key]
        else:
            assert topics[view].get(key) != row
            topics[view][key] = row


def must_be_as_documented(topics: Topics) -> None:
    document = asyncapi_document("0")
    for view, rows in topics.items():
        payload = document["components"]["messages"][f"{view}.row"]["payload"]
        validator = Draft202012Validator({**payload, "components": document["components"]})
        for row in rows.values():
            validator.validate(msgspec.json.decode(row))


def told(topics: Topics) -> Views:
    return {view: {key: bare(row) for key, row in rows.items()} for view, rows in topics.items()}


async def state(at: At, trees: Trees) -> Topics:
    """All rows as of a position, read at once."""
    topics: Topics = {view: {} for view in PUBLISHED_VIEWS}
    for view in READ_FROM_ROWS:
        async for rows in whole(at, view):
            fold(topics, rows)
    beginning = await at_position(at.connection, trees, 0)
    fold(topics, await changes_between(beginning, at, trees, [CASE_TIMELINE]))
    return topics


@settings(
    max_examples=4,
    # Each example plays on in the same ledger, so looking for a smaller one takes long and tells little.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=moves(100), fieldwork=FIELDWORK, data=st.data())
def test_steps_of_any_length_over_any_days_lead_to_the_rows_that_are_read(
    database: Database, drawn: list[Move], fieldwork: list[Move], data: st.DataObject
) -> None:
    async def play_and_fold() -> None:
        county = County(position=await head_of(database.url), neighbour=new_id())
        before = county.position
        county.settle()
        play(county, [move for pair in zip_longest(drawn, fieldwork) for move in pair if move is not None])
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        async with (
            asking(database.url) as desk,
            await AsyncConnection.connect(database.url, autocommit=True) as connection,
        ):
            at = replace(await at_position(connection, desk.trees, before), today=START.date())
            topics = await state(at, desk.trees)
            while at.position < county.position:
                to = min(county.position, at.position + data.draw(st.integers(1, 30), label="positions"))
                later = await at_position(connection, desk.trees, to)
                if to < county.position:
                    days = timedelta(days=data.draw(st.integers(0, 2), label="days"))
                    later = replace(later, today=at.today + days)
                changes = await changes_between(at, later, desk.trees, PUBLISHED_VIEWS)
                positions = [change.position for change in changes]
                assert positions == sorted(positions)
                assert all(at.position < position <= to for position in positions)
                fold(topics, changes)
                at = later
            assert topics == await state(at, desk.trees)
            must_be_as_documented(topics)
            events = await fetch_range(connection, 0, at.position)
            assert told(topics) == await expected(desk, events, at.position)
            for name, view in READ_FROM_ROWS.items():
                false = {f"{new_id()}", "nobody's", *(f"{key}/more" for key in topics[name])}
                assert await lacking(view, at, {*topics[name], *false}) == false

    asyncio.run(play_and_fold())


def test_a_new_name_of_a_unit_is_told_in_its_backlogs(database: Database) -> None:
    async def rename() -> None:
        county = County()
        county.settle()
        play(county, [("open", 0, 1, 0), ("open", 1, 1, 0)])
        before, [holder] = county.position, {case.holder_unit for case in county.cases}
        county.add((holder, UnitRenamed(name="三七组")))
        async with appending(database.url) as appender:
            await record(appender, county.appends)
        await project_all(database.url)
        changes = await step(database, before, county.position)
        assert [(change.view, change.key, change.position) for change in changes] == [
            ("backlog_by_holder", str(holder), county.position),
            ("backlog_by_origin", str(holder), county.position),
        ]
        assert all(bare(change.row or b"")["name"] == "三七组" for change in changes)

    asyncio.run(rename())


def test_an_event_of_a_later_version_is_a_line_all_the_same(database: Database) -> None:
    async def record_later_version() -> None:
        county = County()
        county.settle()
        play(county, [("open", 0, 1, 0)])
        [*earlier, opening] = map(append_of, county.appends)
        later = dataclasses.replace(opening.events[0], schema_version=9)
        async with appending(database.url) as appender:
            for append in earlier:
                await appender.append(append)
            await appender.append(replace(opening, events=[later]))
        await project_all(database.url)
        [line] = await step(database, 0, county.position)
        assert bare(line.row or b"")["summary"] == "case.registered"

    asyncio.run(record_later_version())


async def step(database: Database, after: int, to: int) -> list[Change]:
    """What is published of it, in the order of the views."""
    async with (
        asking(database.url) as desk,
        await AsyncConnection.connect(database.url, autocommit=True) as connection,
    ):
        earlier = await at_position(connection, desk.trees, after)
        later = await at_position(connection, desk.trees, to)
        return await changes_between(earlier, later, desk.trees, PUBLISHED_VIEWS)
