"""A published figure says for good what it was, what it is, and which events make the difference."""

import asyncio
from datetime import date
from itertools import cycle
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings

from services.projections.api.publications import figure_reader
from services.projections.figures.measures import EXPLAINED
from services.projections.operations import rebuild
from shared.events.ledger.appender import Appender
from shared.events.publications import Figure, FigurePublished
from shared.policy.actor import Actor
from shared.runtime.identifiers import new_id
from tests.asking import Desk, Json, asking, reader
from tests.conftest import Database
from tests.histories import County, Move, moves, play, recorded
from tests.projecting import appending, head_of, project_all, record

Published = dict[UUID, FigurePublished]
FEW_DAYS: dict[str, Any] = {"from_on": date(2026, 3, 2), "to_on": date(2026, 3, 5)}


@settings(
    max_examples=4,
    # Shrinking a history that is written to a database takes longer than the suite may.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=moves(80), since=moves(80), later=moves(40))
def test_what_was_published_is_told_for_ever(
    database: Database, first: list[Move], since: list[Move], later: list[Move]
) -> None:
    async def told() -> None:
        county = County(position=await head_of(database.url))
        county.settle()
        overseer = reader("watch", "supervisor", county.township)
        async with appending(database.url) as appender, asking(database.url) as desk:
            play(county, first)
            written = await write(database, county, appender, desk)
            published = await publish(county, desk)
            play(county, since)
            written = await write(database, county, appender, desk, written)
            answers = {each: await whole(desk, overseer, each) for each in published}
            read = figure_reader(desk.reads)
            for publication_id, event in published.items():
                answer = answers[publication_id]
                then, _ = await read(event.figure, event.as_of_position)
                now, _ = await read(event.figure, answer["as_of_position"])
                assert (answer["then"], answer["now"]) == (event.value, now)
                assert then == event.value
                assert answer["late_events"] == await reasons(desk, overseer, event, county)
                await check_others(desk, county, publication_id, answer)
            play(county, later)
            await write(database, county, appender, desk, written)
            await rebuild(database.url)
            for publication_id, answer in answers.items():
                again = await whole(desk, overseer, publication_id, answer["as_of_position"])
                for member in ("then", "now", "late_events"):
                    assert again[member] == answer[member], (member, published[publication_id])
            assert await listed(desk, overseer) == [str(each) for each in reversed(published)]

    asyncio.run(told())


async def write(database: Database, county: County, appender: Appender, desk: Desk, written: int = 0) -> int:
    """Records the appends that aren't written yet, and lets the read models know; how many are written."""
    await record(appender, county.appends[written:])
    await project_all(database.url)
    await desk.trees.refresh()
    return len(county.appends)


async def publish(county: County, desk: Desk) -> Published:
    """Every measure as it stands, over everything and over a few days, of one unit after the other."""
    read = figure_reader(desk.reads)
    units = cycle(county.units)
    figures = [
        Figure(measure=name, unit=next(units), **days) for name in EXPLAINED for days in ({}, FEW_DAYS)
    ]
    figures.append(Figure(measure="containment_rate", unit=county.township, level="VILLAGE"))
    figures.append(Figure(measure="on_time_rate", unit=county.township, timer="T13"))
    as_of, published = county.position, Published()
    for figure in figures:
        value, _ = await read(figure, as_of)
        event = FigurePublished(figure=figure, as_of_position=as_of, value=value)
        publication_id = new_id()
        county.add((publication_id, event), unit=county.township)
        published[publication_id] = event
    return published


async def whole(desk: Desk, actor: Actor, publication_id: UUID, at_position: int | None = None) -> Json:
    """The answer with the late events of all its pages, which are as of one position."""
    path = f"/v1/publications/{publication_id}"
    first = page = await desk.read(actor, path, limit=7, at_position=at_position)
    items = list(first["late_events"])
    while page["next"] is not None:
        page = await desk.read(actor, path, limit=7, cursor=page["next"])
        assert page["as_of_position"] == first["as_of_position"]
        items += page["late_events"]
    return first | {"late_events": items}


async def reasons(desk: Desk, actor: Actor, event: FigurePublished, county: County) -> list[Json]:
    """What a comparison of the two positions names, each event once, by position."""
    figure = event.figure
    query = {
        "a": event.as_of_position,
        "b": county.position,
        "unit": figure.unit,
        "from": figure.from_on,
        "to": figure.to_on,
        "level": figure.level,
        "timer": figure.timer,
    }
    page = await desk.read(actor, f"/v1/compare/{figure.measure}", limit=5_000, **query)
    assert page["next"] is None
    named = {reason["position"] for item in page["items"] for reason in item["because"]}
    return [
        {
            "case_id": str(each.stream_id) if each.topic.startswith("case.") else None,
            "topic": each.topic,
            "position": each.position,
        }
        for each in recorded(county.appends)
        if each.position in named
    ]


async def check_others(desk: Desk, county: County, publication_id: UUID, told: Json) -> None:
    """Whoever may ask is told the same, but for events that they may not know; a dashboard of no event."""
    officer = reader("actor-2", "township_officer", county.township)
    seen = await whole(desk, officer, publication_id)
    assert (seen["then"], seen["now"]) == (told["then"], told["now"])
    for shown, event in zip(seen["late_events"], told["late_events"], strict=True):
        assert shown in (event, {"sealed": True, "position": event["position"]})
    wall = await desk.read(reader("wall", "dashboard", county.township), f"/v1/publications/{publication_id}")
    assert (wall["late_events"], wall["next"]) == ([], None)


async def listed(desk: Desk, actor: Actor) -> list[str]:
    page = await desk.read(actor, "/v1/publications", limit=9)
    ids = [item["publication_id"] for item in page["items"]]
    while page["next"] is not None:
        page = await desk.read(actor, "/v1/publications", limit=9, cursor=page["next"])
        ids += [item["publication_id"] for item in page["items"]]
    return ids
