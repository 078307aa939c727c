"""What the clock worker asks: which clocks are due, near, or without a day, of what is known now.

Each is a range of an index over the rows that hold, so asking costs what is found and not
what there is. The rows may be behind the ledger, so the case decides; and before a database
of an earlier version has its rows made, there is no table to ask.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from shared.events.vocabulary import Timer

Connection = AsyncConnection[Any]


class Due(NamedTuple):
    """A case, and when its earliest clock among those found is due."""

    due_at: datetime
    case_id: UUID


DUE: Final = """
    SELECT min(due_at), case_id FROM (
        SELECT due_at, case_id FROM views.deadlines
        WHERE state = 'RUNNING' AND gone_at = 9223372036854775807 AND due_at <= %(until)s
            AND (due_at, case_id) > (%(after_due)s, %(after_case)s)
            AND holder_unit <> ALL(%(held)s)
        ORDER BY due_at, case_id LIMIT %(limit)s
    ) AS due GROUP BY case_id ORDER BY 1, 2
"""
UNWARNED: Final = """
    SELECT min(due_at), case_id FROM (
        SELECT due_at, case_id FROM views.deadlines
        WHERE state = 'RUNNING' AND NOT approached AND gone_at = 9223372036854775807
            AND timer = %(timer)s AND due_at <= %(until)s
            AND (due_at, case_id) > (%(after_due)s, %(after_case)s)
            AND holder_unit <> ALL(%(held)s)
        ORDER BY due_at, case_id LIMIT %(limit)s
    ) AS due GROUP BY case_id ORDER BY 1, 2
"""
AWAITING: Final = """
    SELECT DISTINCT case_id FROM views.deadlines
    WHERE state = 'AWAITING' AND gone_at = 9223372036854775807 AND case_id > %(after_case)s
    ORDER BY case_id LIMIT %(limit)s
"""
_FIRST: Final = UUID(int=0)
_EARLIEST: Final = "-infinity"


async def fetch_due(
    connection: Connection,
    until: datetime,
    limit: int,
    *,
    held: Collection[UUID] = (),
    after: Due | None = None,
) -> list[Due]:
    """The cases of the first `limit` running clocks due by an instant, that included, in due order.

    `held`: units whose cases wait; every unit beneath them has to be named, too. `after`: the
    last of the page before; a case with several clocks may come again.
    """
    return await _page(connection, DUE, after, {"until": until, "limit": limit, "held": list(held)})


async def fetch_approaching(
    connection: Connection,
    timer: Timer,
    until: datetime,
    limit: int,
    *,
    held: Collection[UUID] = (),
    after: Due | None = None,
) -> list[Due]:
    """The same, of one timer's clocks that nobody was warned of yet."""
    asked = {"timer": timer, "until": until, "limit": limit, "held": list(held)}
    return await _page(connection, UNWARNED, after, asked)


async def fetch_awaiting(connection: Connection, limit: int, *, after: UUID | None = None) -> list[UUID]:
    """The cases with a clock that awaits a calendar, by their ids."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(AWAITING, {"after_case": after or _FIRST, "limit": limit}, prepare=True)
        return [case_id for (case_id,) in await cursor.fetchall()]


async def _page(connection: Connection, query: str, after: Due | None, asked: dict[str, Any]) -> list[Due]:
    asked |= {"after_due": _EARLIEST, "after_case": _FIRST}
    if after is not None:
        asked |= {"after_due": after.due_at, "after_case": after.case_id}
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query.encode(), asked)
        return [Due(*row) for row in await cursor.fetchall()]
