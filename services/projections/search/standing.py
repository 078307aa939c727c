"""Up to where the index of texts knows the ledger."""

from typing import Any

import msgspec
from prometheus_client.core import GaugeMetricFamily
from psycopg import AsyncConnection

from services.projections.search.grams import VERSION
from shared.events.ledger.reader import fetch_head

Connection = AsyncConnection[Any]


class SearchStatus(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    """Every text up to it is in the index."""
    lag: int
    """Events of the ledger after that."""


async def fetch_indexed(connection: Connection) -> int:
    """The position up to which every text is in the index; 0 while one that was made otherwise stands."""
    cursor = await connection.execute("SELECT version, position FROM search.standing", prepare=True)
    [(version, position)] = await cursor.fetchall()
    return position if version == VERSION else 0


async def fetch_search(connection: Connection) -> SearchStatus:
    # Before the head: a lag is then at worst too large by what came in between, never negative.
    position = await fetch_indexed(connection)
    return SearchStatus(position=position, lag=(await fetch_head(connection)).position - position)


async def search_gauges(connection: Connection) -> list[GaugeMetricFamily]:
    found = await fetch_search(connection)
    return [
        GaugeMetricFamily("anjie_search_position", "Up to where texts are indexed.", value=found.position),
        GaugeMetricFamily("anjie_search_lag", "Events whose texts aren't indexed yet.", value=found.lag),
    ]
