"""Where the read models stand, for `/metrics`."""

from typing import Any

from prometheus_client.core import GaugeMetricFamily
from psycopg import AsyncConnection

from services.projections.schema import PROJECTION
from services.projections.standing import fetch_standing
from shared.events.ledger.reader import fetch_head


async def fetch_gauges(connection: AsyncConnection[Any], clients: int) -> list[GaugeMetricFamily]:
    """Head, position and lag of every shard, streams that stand still; `clients` are those of streams."""
    # The shards first: a lag is then at worst too large by what came in between, never negative.
    standing = await fetch_standing(connection)
    head = (await fetch_head(connection)).position
    labels = ("projection", "shard")
    position = GaugeMetricFamily("anjie_projection_position", "Up to where rows are told.", labels=labels)
    lag = GaugeMetricFamily("anjie_projection_lag", "Events that rows don't tell of yet.", labels=labels)
    for shard, reached in sorted(standing.positions.items()):
        position.add_metric((PROJECTION, str(shard)), reached)
        lag.add_metric((PROJECTION, str(shard)), head - reached)
    return [
        GaugeMetricFamily("anjie_ledger_head", "Position of the last event.", value=head),
        position,
        lag,
        GaugeMetricFamily(
            "anjie_parked_records", "What stands still and is parked.", value=len(standing.parked)
        ),
        GaugeMetricFamily("anjie_sse_clients", "Clients that follow a stream here.", value=clients),
    ]
