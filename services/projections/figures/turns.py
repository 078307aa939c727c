"""When cases became open and when they ceased to be, by day: what a backlog is made of."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.rows import tuple_row

from services.projections.figures.queries import Connection

# A row that ended is open still for whoever doesn't know of its end yet.
_TURNS: Final = """
    WITH held AS (
        SELECT unit_id, occurred_from AS began,
            CASE WHEN closed_at > %(position)s THEN 'infinity' ELSE occurred_until END AS ended
        FROM views.facts
        WHERE measure = 'open_by_origin' AND unit_id = ANY(%(units)s)
            AND known_from <= %(position)s AND known_until > %(position)s
    )
    SELECT unit_id, greatest((turned_at AT TIME ZONE 'Asia/Shanghai')::date, %(before)s),
        count(*) FILTER (WHERE came), count(*) FILTER (WHERE NOT came)
    FROM held CROSS JOIN LATERAL (VALUES (began, true), (ended, false)) AS turns (turned_at, came)
    WHERE began < ended AND turned_at <= %(until)s
    GROUP BY 1, 2
"""


class Turns(NamedTuple):
    """Cases by origin that became open, and that ceased to be."""

    came: int
    left: int


async def fetch_turns(
    connection: Connection, units: Sequence[UUID], position: int, first: date, until: datetime
) -> dict[UUID, dict[date, Turns]]:
    """By unit the days in Asia/Shanghai, from `first` on, on which there were any, as known at a position.

    Everything before `first` is told under the day before it.
    """
    parameters = {
        "position": position,
        "units": list(units),
        "before": first - timedelta(days=1),
        "until": until,
    }
    found: dict[UUID, dict[date, Turns]] = {}
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_TURNS, parameters)
        for unit, day, came, left in await cursor.fetchall():
            found.setdefault(unit, {})[day] = Turns(came, left)
    return found
