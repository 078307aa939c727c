"""The cases in somebody's hands, by the time that is left, as of any moment."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.sql import SQL

from services.projections.cases.rows import CaseRow, decode_row
from services.projections.figures.queries import Connection, valid
from services.projections.reads.case_items import case_item, hidden_now
from services.projections.reads.deadline_items import DEADLINE_COLUMNS, DeadlineRow, clock_told
from services.projections.reads.moments import Moment
from services.projections.reads.shown import hidden, leaves, opened
from services.projections.reads.sources import Sources
from services.projections.reads.time_left import time_left
from shared.events.vocabulary import State
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.policy.standing import is_staff

After = tuple[datetime | None, UUID]
"""The last case of the page before: when its first clock is due, and its id."""

_MINE: Final = SQL(
    "SELECT cases.row, first.due_at FROM views.cases AS cases LEFT JOIN LATERAL ("
    " SELECT min(due_at) AS due_at FROM views.deadlines AS clocks WHERE clocks.stream_id = cases.stream_id"
    " AND state IN ('RUNNING', 'BREACHED') AND {held}"
    ") AS first ON true"
    " WHERE (handler_ref = %(me)s OR mediator_ref = %(me)s"
    " OR holder_unit = %(unit)s OR pending_unit = %(unit)s) AND state = ANY(%(states)s) AND {held}"
    " AND (%(after_case)s::uuid IS NULL OR (coalesce(first.due_at, 'infinity'), case_id)"
    " > (coalesce(%(after_due)s::timestamptz, 'infinity'), %(after_case)s::uuid))"
    " ORDER BY coalesce(first.due_at, 'infinity'), case_id LIMIT %(limit)s"
)
_CLOCKS: Final = SQL(
    "SELECT {columns} FROM views.deadlines"
    " WHERE stream_id = ANY(%(cases)s) AND state NOT IN ('STOPPED', 'CANCELLED') AND {held}"
    " ORDER BY coalesce(due_at, 'infinity'), version"
)


class _Mine(NamedTuple):
    case: CaseRow
    due_at: datetime | None
    clocks: Sequence[DeadlineRow]


async def list_my_cases(
    sources: Sources,
    states: Sequence[State],
    actor: Actor,
    moment: Moment,
    *,
    after: After | None,
    limit: int,
) -> tuple[list[dict[str, Any]], After | None]:
    """A page of cases, the soonest due first, and where the next one begins.

    In somebody's hands are the cases that they handle or mediate, and for staff those that their unit holds
    or is to receive.
    """
    tree = sources.trees.at(moment.position, moment.occurred)
    asked = {
        "me": actor.ref,
        "unit": actor.unit if is_staff(actor, tree) else None,
        "states": list(states),
        "after_due": after and after[0],
        "after_case": after and after[1],
        "limit": limit + 1,
    }
    async with sources.pool.connection() as connection:
        found = await _fetch(connection, asked, moment)
        page = found[:limit]
        secret = await hidden_now(
            connection, [mine.case for mine in page], moment, actor, sources.trees.current
        )
    items = [
        hidden(mine.case.position) if mine.case.case_id in secret else _item(mine, actor, tree, moment)
        for mine in page
    ]
    items = opened(items, await sources.vault.open_many(leaves(items)))
    last = page[-1] if len(found) > limit else None
    return items, None if last is None else (last.due_at, last.case.case_id)


async def _fetch(connection: Connection, asked: dict[str, Any], moment: Moment) -> list[_Mine]:
    held, parameters = valid(moment.as_of)
    query = _MINE.format(held=held)
    rows = await (await connection.execute(query, parameters | asked)).fetchall()
    cases = [(decode_row(stored), due_at) for stored, due_at in rows]
    query = _CLOCKS.format(columns=DEADLINE_COLUMNS, held=held)
    ids = [case.case_id for case, _ in cases]
    clocks: dict[UUID, list[DeadlineRow]] = defaultdict(list)
    for row in await (await connection.execute(query, parameters | {"cases": ids})).fetchall():
        clock = DeadlineRow(*row)
        clocks[clock.case_id].append(clock)
    return [_Mine(case, due_at, clocks[case.case_id]) for case, due_at in cases]


def _item(mine: _Mine, actor: Actor, tree: UnitTree, moment: Moment) -> dict[str, Any]:
    item = case_item(mine.case, actor, tree)
    if "case_id" not in item:
        return item
    policy = tree.policy(mine.case.holder_unit, day_of(moment.occurred or moment.instant))
    level = mine.case.holder_level
    clocks = [
        clock_told(clock) | {"left": time_left(clock, level, moment.instant, policy)} for clock in mine.clocks
    ]
    return item | {"deadlines": clocks}
