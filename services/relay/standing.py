"""Where the relay stands, as PostgreSQL knows it: whose turn it is, and what it said last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from prometheus_client.core import GaugeMetricFamily
from psycopg import AsyncConnection

from shared.events.ledger.reader import fetch_head

LEASE_S: Final = 5.0
"""Who says nothing for so long has lost its turn: the server ends its session, and the lock with it."""

_LOOK_S: Final = 1.0
"""How often it is asked whether the turn has come."""
_ADVISORY_KEY: Final = 4_201_986_502
_CONNECT_TIMEOUT_S: Final = 5
_STATEMENT_TIMEOUT_S: Final = 5


class Reached(msgspec.Struct, kw_only=True):
    """Up to where the relay has published; None where it doesn't know yet."""

    events: int | None = None
    views: int | None = None
    """All of them."""


class RelayStatus(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    """Up to where the events are published, as the relay said last."""
    lag: int
    """Events of the ledger after that."""
    views_position: int
    """Up to where all views are published."""
    views_lag: int


@asynccontextmanager
async def session(url: str) -> AsyncIterator[AsyncConnection[Any]]:
    """A session that the server ends when nothing was heard of it for a lease's time."""
    options = f"-c idle_session_timeout={LEASE_S}s -c statement_timeout={_STATEMENT_TIMEOUT_S}s"
    async with await AsyncConnection.connect(
        url,
        autocommit=True,
        application_name="anjie relay",
        connect_timeout=_CONNECT_TIMEOUT_S,
        options=options,
    ) as connection:
        yield connection


async def await_turn(connection: AsyncConnection[Any]) -> None:
    """Waits until this session has the turn.

    Whoever had it before may go on publishing all the same, until it is fenced off.
    """
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_KEY])
        if await cursor.fetchone() == (True,):
            return
        await asyncio.sleep(_LOOK_S)


async def tell(connection: AsyncConnection[Any], reached: Reached) -> None:
    """Keeps the turn, and has the positions shown; what isn't known yet stays as it was told last."""
    await connection.execute(
        """
        INSERT INTO runtime.relay AS relay (position, views_position, told_at)
        VALUES (coalesce(%(events)s, 0), coalesce(%(views)s, 0), now())
        ON CONFLICT (single) DO UPDATE SET position = coalesce(%(events)s, relay.position),
            views_position = coalesce(%(views)s, relay.views_position), told_at = excluded.told_at
        """,
        {"events": reached.events, "views": reached.views},
    )


async def fetch_relay(connection: AsyncConnection[Any]) -> RelayStatus | None:
    """Where the relay stands; None where none has ever run."""
    # Before the head: a lag is then at worst too large by what came in between, never negative.
    cursor = await connection.execute("SELECT position, views_position FROM runtime.relay")
    row = await cursor.fetchone()
    if row is None:
        return None
    head = (await fetch_head(connection)).position
    events, views = row
    return RelayStatus(position=events, lag=head - events, views_position=views, views_lag=head - views)


async def relay_status(url: str) -> RelayStatus | None:
    """The same, of a database."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        return await fetch_relay(connection)


async def relay_gauges(connection: AsyncConnection[Any]) -> list[GaugeMetricFamily]:
    """For `/metrics`; nothing where no relay has ever run."""
    standing = await fetch_relay(connection)
    if standing is None:
        return []
    return [
        GaugeMetricFamily("anjie_relay_position", "Up to where Kafka has events.", value=standing.position),
        GaugeMetricFamily("anjie_relay_lag", "Events that Kafka hasn't yet.", value=standing.lag),
        GaugeMetricFamily(
            "anjie_relay_views_position", "Up to where Kafka has the views.", value=standing.views_position
        ),
        GaugeMetricFamily(
            "anjie_relay_views_lag", "Events that its views don't tell yet.", value=standing.views_lag
        ),
    ]
