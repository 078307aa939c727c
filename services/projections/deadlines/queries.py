"""What the clock asks: which cases it has something to record of, by what is known now.

Each is a range of an index over the rows that hold, so asking costs what is found and not
what there is. The rows may be behind the ledger, so the case itself decides.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from shared.events.vocabulary import OPEN_STATES

Connection = AsyncConnection[Any]


class Due(NamedTuple):
    """A clock that has something to record, and from when."""

    wake_at: datetime
    case_id: UUID


DUE: Final = """
    SELECT wake_at, case_id FROM views.deadlines
    WHERE wake_at <= %(until)s AND gone_at = 9223372036854775807 AND holder_unit <> ALL(%(held)s)
        AND (wake_at, case_id) > (%(after_at)s, %(after_case)s)
    ORDER BY wake_at, case_id LIMIT %(limit)s
"""
AWAITING: Final = """
    SELECT DISTINCT case_id FROM views.deadlines
    WHERE state = 'AWAITING' AND gone_at = 9223372036854775807 AND case_id > %(after)s
    ORDER BY case_id LIMIT %(limit)s
"""
UNCLOCKED: Final = """
    SELECT case_id FROM views.cases
    WHERE gone_at = 9223372036854775807 AND state = ANY(%(open)s) AND case_id > %(after)s
        AND NOT EXISTS (
            SELECT FROM views.deadlines AS clocks
            WHERE clocks.stream_id = cases.case_id AND clocks.gone_at = 9223372036854775807
                AND clocks.state NOT IN ('STOPPED', 'CANCELLED')
        )
    ORDER BY case_id LIMIT %(limit)s
"""
ALARMS: Final = """
    SELECT
        (SELECT count(*) FROM views.deadlines WHERE state = 'BREACHED' AND gone_at = 9223372036854775807),
        (SELECT count(*) FROM views.deadlines WHERE state = 'AWAITING' AND gone_at = 9223372036854775807)
"""


BEFORE_ALL: Final = Due(datetime(1, 1, 2, tzinfo=UTC), UUID(int=0))


async def fetch_due(
    connection: Connection,
    until: datetime,
    limit: int,
    *,
    held: Collection[UUID] = (),
    after: Due = BEFORE_ALL,
) -> list[Due]:
    """The first `limit` clocks behind `after` that have something to record by an instant, in order.

    `held`: units whose cases wait; every unit beneath them has to be named, too.
    """
    asked = {"until": until, "limit": limit, "held": list(held)}
    asked |= {"after_at": after.wake_at, "after_case": after.case_id}
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(DUE.encode(), asked)
        return [Due(*row) for row in await cursor.fetchall()]


async def fetch_awaiting(connection: Connection, limit: int, after: UUID) -> list[UUID]:
    """The cases with a clock that awaits a calendar, by their ids from the one after `after`."""
    return await _ids(connection, AWAITING, {"limit": limit, "after": after})


async def fetch_unclocked(connection: Connection, limit: int, after: UUID) -> list[UUID]:
    """The open cases without any clock, by their ids from the one after `after`."""
    return await _ids(connection, UNCLOCKED, {"limit": limit, "after": after, "open": list(OPEN_STATES)})


class Alarms(NamedTuple):
    """What an operator should know of."""

    overdue: int
    """Clocks whose breach stands."""
    awaiting: int
    """Clocks that await a calendar."""


async def fetch_alarms(connection: Connection) -> Alarms | None:
    """None while an upgraded database still makes the read model."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute("SELECT to_regclass('views.deadlines') IS NOT NULL")
        if await cursor.fetchone() == (False,):
            return None
        await cursor.execute(ALARMS)
        [(overdue, awaiting)] = await cursor.fetchall()
    return Alarms(overdue, awaiting)


async def _ids(connection: Connection, query: str, asked: dict[str, Any]) -> list[UUID]:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query.encode(), asked)
        return [case_id for (case_id,) in await cursor.fetchall()]
