"""Clocks whose act is still to come, as of any moment: how many press, and one by one, soonest first."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.sql import SQL, Composable

from services.projections.figures.facts import SHANGHAI, day_of
from services.projections.figures.queries import valid
from services.projections.reads.case_items import fetch_shown
from services.projections.reads.deadline_items import DEADLINE_COLUMNS, DeadlineRow, deadline_item
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import SmallBelow, gathered, told
from shared.policy.actor import Actor

After = tuple[datetime | None, UUID, int]
"""The last clock of the page before: when it is due, its case and its version."""

SOON: Final = timedelta(days=3)
"""So many days after the day of the answer are soon."""

_PRESSING: Final = ("overdue", "due_today", "due_soon")
_SOONEST: Final = SQL("coalesce(due_at, 'infinity'), case_id, version")


async def count_deadlines(
    sources: Sources, unit: UUID | None, moment: Moment, small_below: SmallBelow | None = None
) -> dict[str, Any]:
    """How many are overdue, end with the day of the answer, or with one of the three days after it.

    A clock ends at the midnight after its last day. One that is past due without a recorded
    breach is in none of the three, so no figure but the last two depends on the reader's clock,
    and in a past answer these depend on when its position was recorded.
    """
    tree = sources.trees.at(moment.position, moment.occurred)
    held, parameters = valid(moment.as_of)
    today = datetime.combine(day_of(moment.instant), time(), SHANGHAI)
    tomorrow = today + timedelta(days=1)
    parameters |= {
        "units": gathered(tree, unit, small_below),
        "today": today,
        "tomorrow": tomorrow,
        "soon": tomorrow + SOON,
    }
    # Each is a range of an index of its own.
    query = SQL(
        "SELECT holder_unit, count(*), 0, 0 FROM views.deadlines"
        " WHERE holder_unit = ANY(%(units)s) AND {held} AND state = 'BREACHED' GROUP BY 1"
        " UNION ALL SELECT holder_unit, 0, count(*) FILTER (WHERE due_at <= %(tomorrow)s),"
        " count(*) FILTER (WHERE due_at > %(tomorrow)s)"
        " FROM views.deadlines WHERE holder_unit = ANY(%(units)s) AND {held} AND state = 'RUNNING'"
        " AND coalesce(due_at, 'infinity') > %(today)s AND coalesce(due_at, 'infinity') <= %(soon)s"
        " GROUP BY 1"
    ).format(held=held)
    own: dict[UUID, Counter[str]] = {}
    async with sources.pool.connection() as connection:
        for holder, *counted in await (await connection.execute(query, parameters)).fetchall():
            own.setdefault(holder, Counter()).update(dict(zip(_PRESSING, counted, strict=True)))

    def figures(units: Iterable[UUID]) -> dict[str, Any]:
        total = sum((own[holder] for holder in units if holder in own), Counter[str]())
        return {name: total[name] for name in _PRESSING}

    return told(tree, unit, figures, small_below)


async def list_deadlines(
    sources: Sources,
    unit: UUID | None,
    actor: Actor,
    moment: Moment,
    *,
    after: After | None,
    limit: int,
) -> tuple[list[dict[str, Any]], After | None]:
    """A page of clocks, the soonest first and those without a day last, and where the next one begins."""
    tree = sources.trees.at(moment.position, moment.occurred)
    held, parameters = valid(moment.as_of)
    clauses: list[Composable] = [
        SQL("holder_unit = ANY(%(units)s) AND state NOT IN ('STOPPED', 'CANCELLED')"),
        held,
    ]
    parameters |= {"units": units_of(tree, unit), "limit": limit + 1}
    if after is not None:
        place = "(coalesce(%(after_due)s::timestamptz, 'infinity'), %(after_case)s::uuid, %(after_version)s)"
        clauses.append(SQL("({}) > {}").format(_SOONEST, SQL(place)))
        parameters |= {"after_due": after[0], "after_case": after[1], "after_version": after[2]}
    query = SQL("SELECT {} FROM views.deadlines WHERE {} ORDER BY {} LIMIT %(limit)s").format(
        DEADLINE_COLUMNS, SQL(" AND ").join(clauses), _SOONEST
    )
    async with sources.pool.connection() as connection:
        found = await (await connection.execute(query, parameters)).fetchall()
        rows = [DeadlineRow(*row) for row in found]
        page = rows[:limit]
        ids = {row.case_id for row in page}
        cases = await fetch_shown(connection, ids, moment, actor, sources.trees.current)
    items = [deadline_item(row, actor, tree, cases) for row in page]
    last = page[-1] if len(rows) > limit else None
    return items, None if last is None else (last.due_at, last.case_id, last.version)
