"""Clocks in lists, as far as the caller may know of their cases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.sql import SQL

from services.projections.cases.rows import CaseRow
from services.projections.reads.case_items import READABLE, sight_of_row
from services.projections.reads.shown import hidden
from shared.events.vocabulary import Timer
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import sight


class DeadlineRow(NamedTuple):
    """A clock that holds; instants are UTC."""

    clock_id: UUID
    case_id: UUID
    timer: Timer
    version: int
    position: int
    """Of the event that started it, by which it is known to whoever may not know more."""
    state: str
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    holder_unit: UUID


DEADLINE_COLUMNS: Final = SQL(
    "clock_id, case_id, timer, version, position, state, started_at, due_at, original_due_at, holder_unit"
)


def deadline_item(
    row: DeadlineRow, actor: Actor, tree: UnitTree, cases: Mapping[UUID, CaseRow]
) -> dict[str, Any]:
    """The clock as an item; `cases` are those as of the same moment that may be told of at all."""
    case = cases.get(row.case_id)
    if case is None or sight(actor, sight_of_row(case), tree) not in READABLE:
        return hidden(row.position)
    return clock_told(row)


def clock_told(row: DeadlineRow) -> dict[str, Any]:
    """The clock as an item of a list."""
    return {
        "case_id": row.case_id,
        "timer": row.timer,
        "version": row.version,
        "started_at": row.started_at,
        "due_at": row.due_at,
        "original_due_at": row.original_due_at,
        "state": row.state,
        "holder_unit": row.holder_unit,
    }
