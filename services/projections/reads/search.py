"""Cases in whose texts something stands, as far as the caller may read those texts.

The index proposes cases; what they are found by is opened and compared before they are shown.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg.sql import SQL, Composed, Placeholder

from services.projections.cases.rows import CaseRow, decode_row
from services.projections.figures.queries import Connection
from services.projections.reads.case_items import case_item, may_open, sight_of_row
from services.projections.reads.case_list import After, Wanted, restricted
from services.projections.reads.moments import Moment
from services.projections.reads.progress import WAIT_MAX_S
from services.projections.reads.shown import leaves, opened
from services.projections.reads.sources import Sources
from services.projections.search.grams import holds, keyed, sought_grams, words_of
from services.projections.search.standing import fetch_indexed
from services.projections.search.texts import Place
from shared.events.base import Private
from shared.events.ledger.reader import fetch_events
from shared.events.registry import event_of
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import CaseSight, Sight, own_person_refs, sight
from shared.runtime.problems import Problem
from shared.runtime.sealing import private_values

_AT_ONCE: Final = 200
"""How many cases are looked into at a time."""
_POLL_S: Final = 0.02

_TOWNSHIPS: Final = """
    WITH RECURSIVE known AS (
        (SELECT township FROM search.texts ORDER BY township LIMIT 1)
        UNION ALL
        SELECT (SELECT township FROM search.texts WHERE township > known.township ORDER BY township LIMIT 1)
        FROM known WHERE known.township IS NOT NULL
    )
    SELECT township FROM known WHERE township IS NOT NULL
"""
"""Those of which anything is indexed, without reading all that is."""
_PROPOSED: Final = SQL("""
    SELECT row, at, fields FROM views.cases JOIN (
        SELECT case_id AS found, array_agg(position) AS at, array_agg(field) AS fields
        FROM search.texts WHERE {having} GROUP BY case_id
    ) AS texts ON found = case_id
    WHERE {restricted} ORDER BY opened_at DESC, case_id DESC LIMIT %(at_once)s
""")
_FURTHER: Final = SQL("(opened_at, case_id) < (%(after_at)s, %(after_id)s)")

Proposed = tuple[CaseRow, frozenset[Place]]
"""A case, and which of its texts have all the grams."""


async def indexed_position(sources: Sources, least: int) -> int:
    """Up to where the index knows, once that is at a position. Raises: Problem 503 after 5 s."""
    give_up_at = time.monotonic() + WAIT_MAX_S
    while True:
        async with sources.pool.connection() as connection:
            position = await fetch_indexed(connection)
        if position >= least:
            return position
        if time.monotonic() >= give_up_at:
            raise Problem("behind", headers={"Retry-After": "1"})
        await asyncio.sleep(_POLL_S)


async def search_cases(
    sources: Sources,
    text: str,
    wanted: Wanted,
    actor: Actor,
    moment: Moment,
    *,
    after: After | None,
    limit: int,
) -> tuple[list[dict[str, Any]], After | None]:
    """A page of the cases with a text that holds every word, latest first, and where the next begins.

    As of now; texts that the actor sees masked count for nothing.
    """
    words = words_of(text)
    found: list[CaseRow] = []
    while True:
        async with sources.pool.connection() as connection:
            having, grams = await _having(sources, connection, words)
            proposed = await _propose(sources, connection, having, grams, wanted, actor, moment, after)
        confirmed = await _confirmed(sources, proposed, words, actor, moment)
        if wanted.merging is not None:
            async with sources.pool.connection() as connection:
                confirmed = await wanted.merging.only(connection, confirmed, moment)
        found += confirmed
        if len(found) > limit or len(proposed) < _AT_ONCE:
            break
        after = _place(proposed[-1][0])
    tree = sources.trees.at(moment.position)
    items = [case_item(row, actor, tree) for row in found[:limit]]
    items = opened(items, await sources.vault.open_many(leaves(items)))
    return items, _place(found[limit - 1]) if len(found) > limit else None


async def _having(
    sources: Sources, connection: Connection, words: Sequence[str]
) -> tuple[Composed | SQL, dict[str, Any]]:
    """What the grams of a text have to be, under the key of whichever township it is of."""
    grams = sought_grams(words)
    townships = await (await connection.execute(_TOWNSHIPS)).fetchall()
    sought = {
        f"grams_{number}": keyed(grams, sources.vault.master.search_key(township))
        for number, (township,) in enumerate(townships)
    }
    each = [SQL("grams @> {}::bytea[]").format(Placeholder(name)) for name in sought]
    return SQL(" OR ").join(each) if each else SQL("false"), sought


async def _propose(
    sources: Sources,
    connection: Connection,
    having: Composed | SQL,
    grams: dict[str, Any],
    wanted: Wanted,
    actor: Actor,
    moment: Moment,
    after: After | None,
) -> list[Proposed]:
    where, parameters = restricted(wanted, actor, sources.trees.at(moment.position), moment)
    parameters |= grams | {"at_once": _AT_ONCE}
    if after is not None:
        where = SQL(" AND ").join((where, _FURTHER))
        parameters |= {"after_at": after[0], "after_id": after[1]}
    query = _PROPOSED.format(having=having, restricted=where)
    rows = await (await connection.execute(query, parameters)).fetchall()
    return [(decode_row(row), frozenset(map(Place, positions, fields))) for row, positions, fields in rows]


async def _confirmed(
    sources: Sources, proposed: Sequence[Proposed], words: Sequence[str], actor: Actor, moment: Moment
) -> list[CaseRow]:
    """Those of which a text that the actor may read does hold the words."""
    tree = sources.trees.at(moment.position)
    readable = [each for each in proposed if _may_find(actor, sight_of_row(each[0]), tree)]
    async with sources.pool.connection() as connection:
        events = await fetch_events(connection, {place.position for _, at in readable for place in at})
    values = {
        Place(recorded.position, value.field): value
        for recorded in events
        for value in private_values(event_of(recorded))
    }
    shown: dict[UUID, list[Private]] = {}
    for row, places in readable:
        may = may_open(actor, sight_of_row(row), tree)
        shown[row.case_id] = [values[place] for place in places if may(values[place])]
    texts = await sources.vault.open_many(value for each in shown.values() for value in each)

    def found(value: Private) -> bool:
        text = texts[value]
        return text is not None and holds(words_of(text), words)

    return [row for row, _ in readable if any(map(found, shown[row.case_id]))]


def _may_find(actor: Actor, seen: CaseSight, tree: UnitTree) -> bool:
    """Whether the actor sees any text of the case in the clear."""
    seeing = sight(actor, seen, tree)
    return seeing is Sight.CLEAR or (seeing is Sight.MASKED and bool(own_person_refs(actor, seen)))


def _place(row: CaseRow) -> After:
    return row.opened_at, row.case_id
