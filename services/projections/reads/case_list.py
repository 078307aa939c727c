"""Cases in a list, as of any moment, as far as the caller may know them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Composed

from services.projections.cases.rows import CaseRow, decode_row
from services.projections.figures.facts import SHANGHAI
from services.projections.figures.queries import Connection, valid
from services.projections.reads.allowed import allowed_now
from services.projections.reads.case_items import case_item, hidden_now
from services.projections.reads.mergeable import Merging
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.shown import hidden, leaves, opened
from services.projections.reads.sources import Sources
from shared.events.vocabulary import OPEN_STATES
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.runtime.bodies import read_id

After = tuple[datetime, UUID]
"""The last case of the page before: when it was opened, and its id."""

_SEARCHED: Final = SQL(
    "(case_id = %(q_id)s OR category = %(q_category)s"
    " OR holder_unit = ANY(%(q_units)s) OR origin_unit = ANY(%(q_units)s))"
)

_TO_CALL: Final = SQL(
    "calls IS NOT NULL AND calls < %(attempts_max)s AND settled_by IS DISTINCT FROM %(caller)s"
)
_NOT_TO_CALL: Final = SQL("NOT ({})").format(_TO_CALL)


class Caller(NamedTuple):
    """Who would call complainants, and how often one may be tried."""

    ref: str
    attempts_max: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases; None doesn't restrict."""

    own: bool = True
    """Only those that are the reader's to know of by unit or person; the others are sealed otherwise."""

    ids: Sequence[UUID] | None = None
    unit: UUID | None = None
    """Held within."""
    holder: UUID | None = None
    """Held by that unit itself."""
    origin: UUID | None = None
    """Found within by origin."""
    pending_unit: UUID | None = None
    handler: str | None = None
    assigned: bool | None = None
    """Somebody was made its handler."""
    to_call: bool | None = None
    """Settled by somebody other than the caller, its complainant not reached yet."""
    caller: Caller | None = None
    states: Sequence[str] | None = None
    urgent: bool | None = None
    overdue: bool | None = None
    """A breach stands on it."""
    category: str | None = None
    procedure: str | None = None
    q: str | None = None
    opened_from: date | None = None
    opened_to: date | None = None
    merging: Merging | None = None
    """Those that its duplicate may be merged into."""


URGENT_AND_OPEN: Final = Wanted(own=False, urgent=True, states=tuple(sorted(OPEN_STATES)))


async def list_cases(
    sources: Sources,
    wanted: Wanted,
    actor: Actor,
    moment: Moment,
    *,
    after: After | None,
    limit: int,
    known_only: bool = False,
    oldest_first: bool = False,
    allowed: Collection[str] | None = None,
) -> tuple[list[dict[str, Any]], After | None]:
    """A page of cases, by default the latest opened first, and where the next one begins.

    Of the commands of `allowed` each case tells which the actor may send.
    """
    tree = sources.trees.at(moment.position, moment.occurred)
    where, parameters = restricted(wanted, actor, tree, moment)
    parameters["limit"] = limit + 1
    listed: list[tuple[CaseRow, dict[str, Any]]] = []
    async with sources.pool.connection() as connection:
        more = True
        while more and len(listed) <= limit:
            query = _page(where, oldest_first, parameters, after)
            fetched = await (await connection.execute(query, parameters)).fetchall()
            found = [decode_row(stored) for (stored,) in fetched]
            more = len(found) > limit
            after = (found[-1].opened_at, found[-1].case_id) if found else None
            if wanted.merging is not None:
                found = await wanted.merging.only(connection, found, moment)
            shown = zip(found, await _items(sources, connection, found, actor, tree, moment), strict=True)
            listed += [(row, item) for row, item in shown if not known_only or "case_id" in item]
        items = [item for _, item in listed[:limit]]
        if allowed is not None:
            items = await allowed_now(sources, connection, items, allowed, actor, moment)
    items = opened(items, await sources.vault.open_many(leaves(items)))
    last = listed[limit - 1][0] if len(listed) > limit else None
    return items, None if last is None else (last.opened_at, last.case_id)


def _page(where: Composed, oldest_first: bool, parameters: dict[str, Any], after: After | None) -> Composed:
    beyond, direction = (SQL(">"), SQL("ASC")) if oldest_first else (SQL("<"), SQL("DESC"))
    if after is not None:
        further = SQL("(opened_at, case_id) {} (%(after_at)s, %(after_id)s)").format(beyond)
        where = SQL(" AND ").join((where, further))
        parameters |= {"after_at": after[0], "after_id": after[1]}
    return SQL(
        "SELECT row FROM views.cases WHERE {} ORDER BY opened_at {way}, case_id {way} LIMIT %(limit)s"
    ).format(where, way=direction)


async def _items(
    sources: Sources,
    connection: Connection,
    rows: Sequence[CaseRow],
    actor: Actor,
    tree: UnitTree,
    moment: Moment,
) -> list[dict[str, Any]]:
    since_hidden = await hidden_now(connection, rows, moment, actor, sources.trees.current)
    return [
        hidden(row.position) if row.case_id in since_hidden else case_item(row, actor, tree) for row in rows
    ]


def restricted(
    wanted: Wanted, actor: Actor, tree: UnitTree, moment: Moment
) -> tuple[Composed, dict[str, Any]]:
    """What a row of `views.cases` has to be, with the parameters of that."""
    held, parameters = valid(moment.as_of)
    restrictions: list[tuple[SQL, str, Any]] = [
        (SQL("case_id = ANY(%(ids)s)"), "ids", wanted.ids and list(wanted.ids)),
        (SQL("holder_unit = ANY(%(unit)s)"), "unit", wanted.unit and units_of(tree, wanted.unit)),
        (SQL("holder_unit = %(holder)s"), "holder", wanted.holder),
        (SQL("origin_unit = ANY(%(origin)s)"), "origin", wanted.origin and units_of(tree, wanted.origin)),
        (SQL("pending_unit = %(pending_unit)s"), "pending_unit", wanted.pending_unit),
        (SQL("handler_ref = %(handler)s"), "handler", wanted.handler),
        (SQL("(handler_ref IS NOT NULL) = %(assigned)s"), "assigned", wanted.assigned),
        (SQL("state = ANY(%(states)s)"), "states", wanted.states and list(wanted.states)),
        (SQL("urgent = %(urgent)s"), "urgent", wanted.urgent),
        (SQL("overdue = %(overdue)s"), "overdue", wanted.overdue),
        (SQL("category = %(category)s"), "category", wanted.category),
        (SQL("procedure = %(procedure)s"), "procedure", wanted.procedure),
        (SQL("opened_at >= %(opened_from)s"), "opened_from", _midnight(wanted.opened_from)),
        (SQL("opened_at < %(opened_before)s"), "opened_before", _midnight(wanted.opened_to, days_later=1)),
        *([_own(actor, tree)] if wanted.own else []),
        *([] if wanted.merging is None else _takers(wanted.merging)),
    ]
    clauses: list[SQL | Composed] = [held]
    for clause, name, value in restrictions:
        if value is not None:
            clauses.append(clause)
            parameters[name] = value
    if wanted.to_call is not None and wanted.caller is not None:
        clauses.append(_TO_CALL if wanted.to_call else _NOT_TO_CALL)
        parameters |= {"caller": wanted.caller.ref, "attempts_max": wanted.caller.attempts_max}
    if wanted.q is not None:
        named = [unit.unit_id for unit in tree if wanted.q.casefold() in unit.name.casefold()]
        clauses.append(_SEARCHED)
        parameters |= {"q_id": read_id(wanted.q), "q_category": wanted.q.upper(), "q_units": named}
    return SQL(" AND ").join(clauses), parameters


def _own(actor: Actor, tree: UnitTree) -> tuple[SQL, str, Any]:
    """What restricts a list to the cases that the actor may read, or may know to be there."""
    if actor.role == "resident":
        return SQL("known_to @> ARRAY[%(known_to)s::text]"), "known_to", actor.ref
    within = None if actor.unit is None else units_of(tree, actor.unit)
    return SQL("reach && %(reach)s"), "reach", within


def _takers(merging: Merging) -> list[tuple[SQL, str, Any]]:
    """What of the rule for merging stands in rows."""
    within = None if merging.actor.unit is None else units_of(merging.tree, merging.actor.unit)
    return [
        (SQL("case_id <> %(duplicate)s"), "duplicate", merging.duplicate.case_id),
        (SQL("state = ANY(%(open)s)"), "open", sorted(OPEN_STATES)),
        (SQL("holder_unit = ANY(%(holders)s)"), "holders", within),
    ]


def _midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    """The beginning of a day in Asia/Shanghai."""
    return None if day is None else datetime.combine(day + timedelta(days=days_later), time(), SHANGHAI)
