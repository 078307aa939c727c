"""Cases in lists and figures, as far as the caller may know them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg.sql import SQL

from services.projections.cases.rows import CaseRow, decode_row
from services.projections.figures.queries import AsOf, Connection, valid
from services.projections.reads.moments import Moment
from services.projections.reads.shown import MayOpen, cover, hidden
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import (
    HIDDEN_PROCEDURES,
    CaseSight,
    Sight,
    own_person_refs,
    sight,
)

READABLE: Final = frozenset((Sight.CLEAR, Sight.MASKED))

_HIDDEN_NOW: Final = (
    "SELECT row FROM views.cases WHERE case_id = ANY(%s) AND known_from <= %s AND gone_at > %s"
    " AND procedure = ANY(%s)"
)


def sight_of_row(row: CaseRow) -> CaseSight:
    """What deciding about sight needs of a list row."""
    return row.sight


def may_open(actor: Actor, seen: CaseSight, tree: UnitTree) -> MayOpen:
    """Which private values of a case that they may read the actor sees in the clear."""
    if sight(actor, seen, tree) is Sight.CLEAR:
        return lambda value: True
    own = own_person_refs(actor, seen)
    return lambda value: value.key in own


def case_item(row: CaseRow, actor: Actor, tree: UnitTree) -> dict[str, Any]:
    """The case as an item of a list, with leaves where the caller may open a value."""
    seen = sight_of_row(row)
    if sight(actor, seen, tree) not in READABLE:
        return hidden(row.position)
    item: dict[str, Any] = cover(case_told(row), may_open(actor, seen, tree))
    return item


async def hidden_now(
    connection: Connection, rows_then: Iterable[CaseRow], moment: Moment, actor: Actor, current: UnitTree
) -> set[UUID]:
    """Which of these cases were made confidential since, so that the actor may not know of them.

    Such a case is hidden in its past as well. One that was confidential then already is shown
    to whoever was let know of it then, whatever has become of their part in it. `current` is
    the tree of now.
    """
    if moment.live:
        return set()
    now = moment.head
    ids = [row.case_id for row in rows_then if row.procedure not in HIDDEN_PROCEDURES]
    arguments: Sequence[Any] = (ids, now, now, list(HIDDEN_PROCEDURES))
    rows = await (await connection.execute(_HIDDEN_NOW, arguments)).fetchall()
    cases = [decode_row(stored) for (stored,) in rows]
    return {case.case_id for case in cases if sight(actor, sight_of_row(case), current) is Sight.HIDDEN}


async def fetch_rows(connection: Connection, case_ids: Collection[UUID], as_of: AsOf) -> dict[UUID, CaseRow]:
    """The list rows of these cases, of those that were there."""
    held, parameters = valid(as_of)
    query = SQL("SELECT row FROM views.cases WHERE case_id = ANY(%(cases)s) AND {}").format(held)
    found = await (await connection.execute(query, parameters | {"cases": list(case_ids)})).fetchall()
    return {row.case_id: row for row in (decode_row(stored) for (stored,) in found)}


async def fetch_shown(
    connection: Connection, case_ids: Collection[UUID], moment: Moment, actor: Actor, current: UnitTree
) -> dict[UUID, CaseRow]:
    """The list rows of these cases as of the moment, but for those hidden since; `current` as above."""
    if not case_ids:
        return {}
    rows = await fetch_rows(connection, case_ids, moment.as_of)
    hidden_since = await hidden_now(connection, rows.values(), moment, actor, current)
    return {case_id: row for case_id, row in rows.items() if case_id not in hidden_since}


async def known_cases(
    connection: Connection,
    case_ids: Collection[UUID],
    actor: Actor,
    tree: UnitTree,
    moment: Moment,
    current: UnitTree,
) -> set[UUID]:
    """The cases among these that the actor may read as of the moment; `current` is the tree of now."""
    rows = await fetch_shown(connection, case_ids, moment, actor, current)
    return {case_id for case_id, row in rows.items() if sight(actor, sight_of_row(row), tree) in READABLE}


def case_told(row: CaseRow) -> dict[str, Any]:
    """A case as an item of a list, every private value a leaf."""
    return {
        "case_id": row.case_id,
        "version": row.version,
        "position": row.position,
        "state": row.state,
        "procedure": row.procedure,
        "category": row.category,
        "channel": row.channel,
        "title": row.title,
        "item": row.item,
        "origin_unit": row.origin_unit,
        "holder_unit": row.holder_unit,
        "holder_level": row.holder_level,
        "pending_unit": row.pending_unit,
        "pending_level": row.pending_level,
        "handler_ref": row.handler_ref,
        "mediator_ref": row.mediator_ref,
        "collective": row.collective,
        "urgent": row.urgent,
        "urgency_status": row.urgency_status,
        "facets": list(row.facets),
        "warning_level": row.warning_level,
        "overdue": row.overdue,
        "opened_at": row.opened_at,
        "closed_at": row.closed_at,
        "cycle": row.cycle,
        "final": row.final,
        "merged_into": row.merged_into,
    }
