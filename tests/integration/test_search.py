"""What is found in sealed texts is what a reader of every case and timeline would find."""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from services.projections.search.indexer import Indexer, keep_indexed, make_anew
from services.projections.search.standing import fetch_search
from shared.policy.actor import Actor
from shared.runtime.database import Pool, service_pool
from shared.runtime.identifiers import new_id
from tests.asking import Desk, Json, asking, reader
from tests.conftest import Database
from tests.histories import County, any_moves, play
from tests.projecting import appending, head_of, project_all
from tests.searching import (
    MASTER,
    SOUGHT,
    WORDS,
    Said,
    corrected_fields,
    enliven,
    move_away,
    record_sealed,
)

SEARCH = "/v1/cases:search"


@asynccontextmanager
async def indexing(url: str) -> AsyncIterator[Pool]:
    async with service_pool(url, name="test", connections_max=2) as pool:
        yield pool


async def index_all(url: str, *, batch_max: int = 100) -> None:
    async with indexing(url) as pool:
        indexer = Indexer(pool, MASTER, batch_max=batch_max)
        while await indexer.step():
            pass


@asynccontextmanager
async def kept_indexed(url: str, spare: asyncio.Event) -> AsyncIterator[None]:
    """A worker's index, whenever there is time to spare."""
    task = asyncio.create_task(keep_indexed(url, MASTER, spare))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def county_of(database: Database, chance: Random, size: int = 120) -> tuple[County, Said]:
    """A county of which everything is recorded, projected and indexed."""
    county = County(position=await head_of(database.url), neighbour=new_id())
    county.settle()
    play(county, [("open", chance.randrange(8), chance.randrange(12), 0) for _ in range(size // 8)])
    play(county, any_moves(chance, size))
    enliven(county, chance)
    async with appending(database.url) as appender:
        said = await record_sealed(appender, county.appends, chance)
    await project_all(database.url)
    await index_all(database.url, batch_max=chance.choice((1, 7, 100)))
    return county, said


def callers(county: County) -> list[Actor]:
    township, village, group = county.township, county.villages[0], county.groups[0]
    return [
        reader("leader", "group_leader", group),
        reader("village", "village_officer", village),
        reader("township", "township_officer", township),
        reader("cleared", "township_officer", township, "SAFETY_LEAD", "ACCUSATION"),
        reader("beside", "township_officer", county.neighbour),
        reader("resident-0", "resident", group),
        reader("resident-1", "supervisor", township),
        reader("actor-1", "mediator", village),
        reader("watch", "supervisor", township),
        reader("audit", "auditor", None),
        reader("runs", "operator", None),
    ]


async def search(desk: Desk, actor: Actor, text: str, **body: Any) -> Json:
    status, answer = await desk.send(actor, SEARCH, {"text": text, **body})
    assert status == 200, answer
    return answer


def norm(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


async def scanned(
    desk: Desk, actor: Actor, said: Said, corrected: set[tuple[UUID, str]]
) -> dict[str, list[str]]:
    """The cases of the caller's list with the texts that their timelines show the caller, normalised."""
    listed = await desk.read(actor, "/v1/cases", limit=1000)
    shown: dict[str, list[str]] = {}
    for item in listed["items"]:
        if "case_id" not in item:
            continue
        timeline = await desk.read(actor, f"/v1/cases/{item['case_id']}/timeline")
        events = {UUID(line["event_id"]): line["data"] for line in timeline["items"]}
        shown[item["case_id"]] = [
            norm(text)
            for (event_id, field), (_, text) in said.items()
            if event_id in events
            and (event_id, field) not in corrected
            and told(events[event_id], field) == text
        ]
    return shown


def told(data: Any, field: str) -> Any:
    for step in field.split("/"):
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data


async def must_find_as_a_scan(desk: Desk, county: County, said: Said) -> int:
    """Answers how many were found in all."""
    corrected, found = set(corrected_fields(county)), 0
    for actor in callers(county):
        shown = await scanned(desk, actor, said, corrected)
        for sought in SOUGHT:
            expected = [
                case_id
                for case_id, texts in shown.items()
                if any(all(word in text for word in norm(sought).split()) for text in texts)
            ]
            answer = await search(desk, actor, sought, limit=1000)
            assert [item["case_id"] for item in answer["items"]] == expected, (actor, sought)
            found += len(expected)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_search_finds_what_a_scan_of_all_that_one_may_read_finds(database: Database, seed: int) -> None:
    async def work() -> None:
        chance = Random(seed)
        county, said = await county_of(database, chance)
        async with asking(database.url) as desk:
            found = await must_find_as_a_scan(desk, county, said)
            assert found > 100
            # When some texts and a person are erased, their rows are gone, and nothing of them is found.
            with psycopg.connect(database.owner_url) as owner:
                keys = [
                    key for (key,) in owner.execute("SELECT key_id FROM vault.keys ORDER BY 1").fetchall()
                ]
                erased = chance.sample(keys, len(keys) // 3)
                owner.execute("DELETE FROM vault.keys WHERE key_id = ANY(%s)", [erased])
                left = owner.execute("SELECT count(*) FROM search.texts WHERE key_id = ANY(%s)", [erased])
                assert left.fetchone() == (0,)
            assert await must_find_as_a_scan(desk, county, said) < found
            # What comes afterwards brings nothing of it back.
            assert await make_anew(database.url, MASTER) == await head_of(database.url)
            await must_find_as_a_scan(desk, county, said)

    asyncio.run(work())


def indexed(database: Database) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT * FROM search.texts ORDER BY position, field").fetchall()


def test_processes_that_share_the_work_and_come_and_go_make_the_same_index(database: Database) -> None:
    async def work() -> None:
        await county_of(database, Random(1), 200)
        whole = indexed(database)
        assert len(whole) > 100
        async with indexing(database.url) as here, indexing(database.url) as there:
            with psycopg.connect(database.url) as connection:
                connection.execute("DELETE FROM search.texts")
                connection.execute("UPDATE search.standing SET position = 0")
            done = 0
            while True:
                # Two at a time, each time as if they had just started.
                took = await asyncio.gather(
                    *(Indexer(pool, MASTER, batch_max=9).step() for pool in (here, there))
                )
                done += sum(took)
                async with here.connection() as connection:
                    standing = await fetch_search(connection)
                if standing.lag == 0:
                    break
        # No batch was done twice.
        assert done == -(-standing.position // 9)
        assert indexed(database) == whole

    asyncio.run(work())


def test_a_text_that_does_not_open_keeps_none_of_the_others_waiting(database: Database) -> None:
    async def work() -> None:
        await county_of(database, Random(7), 60)
        whole = indexed(database)
        with psycopg.connect(database.owner_url) as owner:
            broken = {row[3] for row in whole[::5]}
            change = "UPDATE vault.keys SET wrapped = sha512(wrapped) WHERE key_id = ANY(%s)"
            owner.execute(change, [list(broken)])
        await make_anew(database.url, MASTER)
        assert indexed(database) == [row for row in whole if row[3] not in broken] != []

    asyncio.run(work())


def test_an_index_that_was_cut_otherwise_is_made_anew(database: Database) -> None:
    async def work() -> None:
        county, _ = await county_of(database, Random(2), 40)
        whole = indexed(database)
        with psycopg.connect(database.url) as connection:
            connection.execute("DELETE FROM search.texts WHERE position % 2 = 0")
            connection.execute("UPDATE search.standing SET version = 0")
        async with asking(database.url) as desk:
            assert (await search(desk, callers(county)[0], "水"))["indexed_position"] == 0
            await index_all(database.url)
            assert indexed(database) == whole
            answer = await search(desk, callers(county)[0], "水")
            assert answer["indexed_position"] == answer["as_of_position"] == await head_of(database.url)

    asyncio.run(work())


def test_the_table_says_nothing_and_each_township_has_grams_of_its_own(database: Database) -> None:
    async def work() -> None:
        county = County(position=await head_of(database.url), neighbour=new_id())
        county.settle()
        play(county, [("open", 0, option, 0) for option in (1, 2, 3, 5)])
        async with appending(database.url) as appender:
            await record_sealed(appender, county.appends, Random(3))
        await index_all(database.url)
        before = indexed(database)
        move_away(county, county.cases[0])
        async with appending(database.url) as appender:
            await record_sealed(appender, county.appends[-1:], Random(3))
        await index_all(database.url)
        moved = {row[:2]: set(row[5]) for row in indexed(database) if row[2] == county.cases[0].case_id}
        stood = {row[:2]: set(row[5]) for row in before if row[2] == county.cases[0].case_id}
        # The same texts, under the key of the township that the case has moved to.
        assert stood.keys() < moved.keys()
        for place, grams in stood.items():
            assert len(moved[place]) == len(grams)
            assert not moved[place] & grams

    asyncio.run(work())
    with psycopg.connect(database.owner_url) as connection, connection.cursor() as cursor:
        for form in (b"TEXT", b"BINARY"):
            with cursor.copy(b"COPY search.texts TO STDOUT (FORMAT %b)" % form) as copy:
                dumped = b"".join(bytes(piece) for piece in copy)
            assert len(dumped) > 1000
            for word in (*WORDS, *"".join(WORDS)):
                assert len(word.encode()) < 3 or word.encode() not in dumped, word


def test_pages_follow_each_other_and_filters_narrow_them(database: Database) -> None:
    async def work() -> None:
        county, _ = await county_of(database, Random(4), 300)
        # Who opened them all reads them all in the clear.
        officer = reader("actor-1", "auditor", None)
        async with asking(database.url) as desk:
            whole = (await search(desk, officer, "水", limit=1000))["items"]
            assert len(whole) > 7
            paged: list[Json] = []
            cursor: dict[str, str] = {}
            while True:
                page = await search(desk, officer, "水", limit=3, **cursor)
                paged += page["items"]
                if page["next"] is None:
                    break
                assert len(page["items"]) == 3
                cursor = {"cursor": page["next"]}
            assert paged == whole
            for filters in (
                {"state": [whole[0]["state"], "CLOSED"]},
                {"unit": str(county.villages[0])},
                {"origin": str(county.villages[1])},
            ):
                given = {"limit": 1000, **filters}
                listed = [
                    item["case_id"] for item in (await desk.read(officer, "/v1/cases", **given))["items"]
                ]
                found = await search(desk, officer, "水", **given)
                assert found["items"] == [item for item in whole if item["case_id"] in listed]

    asyncio.run(work())


def test_who_searches_what_is_refused_in_words(database: Database) -> None:
    async def work() -> None:
        county, _ = await county_of(database, Random(5), 20)
        officer, elsewhere = callers(county)[2], str(county.neighbour)
        async with asking(database.url) as desk:

            async def refused(body: Json, actor: Actor = officer, **query: Any) -> tuple[int, str]:
                status, problem = await desk.send(actor, SEARCH, body, **query)
                assert problem["detail"]
                return status, problem.get("errors", [{"pointer": ""}])[0]["pointer"]

            text = {"text": "水"}
            assert await refused(text, reader("wall", "dashboard", county.township)) == (403, "")
            assert await refused({**text, "unit": elsewhere}) == (403, "")
            assert await refused({**text, "origin": str(new_id())}) == (404, "")
            for name, value in (
                ("text", ""), ("text", "　"), ("text", "水" * 201), ("limit", 0), ("limit", 1001),
                ("cursor", "x"), ("state", ["NOWHERE"]), ("at_position", 1), ("unit", "37"),
            ):  # fmt: skip
                status, pointer = await refused({**text, name: value})
                assert (status, pointer.split("/")[1]) == (422, name), (name, value)
            assert await refused({}) == (422, "/text")
            for name in ("at_position", "at_recorded", "at_occurred"):
                assert await refused(text, officer, **{name: 1}) == (422, name)
            listed = (await desk.read(officer, "/v1/cases", limit=1))["next"]
            assert listed is None or await refused({**text, "cursor": listed}) == (422, "/cursor")

    asyncio.run(work())


def test_what_an_overseer_finds_is_in_the_register_of_reads_and_the_words_nowhere(database: Database) -> None:
    async def work() -> None:
        county, _ = await county_of(database, Random(6), 60)
        # Somebody on a case who is a supervisor too: their own name is what they see in the clear.
        overseer, auditor = callers(county)[6], callers(county)[9]
        async with asking(database.url) as desk:
            found: dict[str, str] = {}
            for word in WORDS:
                found |= {item["case_id"]: word for item in (await search(desk, overseer, word))["items"]}
            assert found
            for case_id in found:
                reads = (await desk.read(auditor, "/v1/audit/reads", case_id=case_id))["items"]
                assert {(read["actor_ref"], read["read"]) for read in reads} == {("resident-1", "search")}
                assert not any(word in json.dumps(reads, ensure_ascii=False) for word in WORDS)

    asyncio.run(work())


def test_texts_wait_until_there_is_time_to_spare(database: Database) -> None:
    async def followed() -> None:
        spare = asyncio.Event()
        async with kept_indexed(database.url, spare):
            county = County(position=await head_of(database.url))
            county.settle()
            play(county, any_moves(Random(5), 60))
            async with appending(database.url) as appender:
                await record_sealed(appender, county.appends, Random(5))
            await project_all(database.url)
            assert await indexed_to(database.url) == 0
            spare.set()
            while await indexed_to(database.url) < county.position:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    asyncio.run(followed())


async def indexed_to(url: str) -> int:
    async with indexing(url) as pool, pool.connection() as connection:
        return (await fetch_search(connection)).position
