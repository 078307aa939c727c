"""Reading the ledger for an answer: one stream, and where positions and instants meet."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.projections.figures.queries import Connection
from shared.events.recorded import Recorded

_FIELDS: Final = Recorded.__struct_fields__
_STREAM: Final = (
    f"SELECT {', '.join(_FIELDS)} FROM ledger.events"
    " WHERE stream_id = %s AND version > %s AND position <= %s ORDER BY version"
)
_HEAD: Final = "SELECT position, recorded_at, ledger_id FROM ledger.head"
_RECORDED_AT: Final = "SELECT recorded_at FROM ledger.events WHERE position = %s"


class Head(NamedTuple):
    position: int
    recorded_at: datetime | None
    """None of an empty ledger."""
    ledger_id: UUID


async def fetch_stream(
    connection: Connection, stream_id: UUID, *, after_version: int = 0, until: int
) -> list[Recorded]:
    """The events of a stream after a version, at positions up to and with `until`."""
    arguments = (stream_id, after_version, until)
    rows = await (await connection.execute(_STREAM, arguments, prepare=True)).fetchall()
    return [Recorded(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


async def fetch_head(connection: Connection) -> Head:
    row = await (await connection.execute(_HEAD, prepare=True)).fetchone()
    assert row is not None
    return Head(*row)


async def fetch_recorded_at(connection: Connection, position: int) -> datetime | None:
    """When a position was recorded; None where there is none."""
    row = await (await connection.execute(_RECORDED_AT, (position,), prepare=True)).fetchone()
    return None if row is None else row[0]


async def fetch_position_at(connection: Connection, recorded_at: datetime) -> tuple[int, datetime] | None:
    """The last position recorded at or before an instant, and when it was; None when there is none.

    `recorded_at` never falls as positions rise, so the place is found by halving.
    """
    head = await fetch_head(connection)
    low, high, found = 1, head.position, None
    while low <= high:
        middle = (low + high) // 2
        at = await fetch_recorded_at(connection, middle)
        assert at is not None
        if at <= recorded_at:
            found, low = (middle, at), middle + 1
        else:
            high = middle - 1
    return found
