"""Where the read models stand, for `/metrics`."""

from datetime import UTC, date, datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from psycopg import AsyncConnection

from services.projections.deadlines.queries import fetch_alarms
from services.projections.parking import fetch_parked_records
from services.projections.schema import PROJECTION
from services.projections.search.standing import search_gauges
from services.projections.standing import fetch_standing
from shared.events.ledger.reader import fetch_head
from shared.policy.moments import day_of


async def fetch_gauges(
    connection: AsyncConnection[Any], clients: int, calendar_until: date
) -> list[GaugeMetricFamily]:
    """Where the read models and the clocks stand.

    `clients` are those of streams, `calendar_until` is the last day that the calendar knows.
    """
    # The shards first: a lag is then at worst too large by what came in between, never negative.
    standing = await fetch_standing(connection)
    head = (await fetch_head(connection)).position
    labels = ("projection", "shard")
    position = GaugeMetricFamily("anjie_projection_position", "Up to where rows are told.", labels=labels)
    lag = GaugeMetricFamily("anjie_projection_lag", "Events that rows don't tell of yet.", labels=labels)
    for shard, reached in sorted(standing.positions.items()):
        position.add_metric((PROJECTION, str(shard)), reached)
        lag.add_metric((PROJECTION, str(shard)), head - reached)
    parked = len(standing.parked) + len(await fetch_parked_records(connection))
    alarms = await fetch_alarms(connection)
    days_left = (calendar_until - day_of(datetime.now(UTC))).days
    gauges = [
        GaugeMetricFamily("anjie_ledger_head", "Position of the last event.", value=head),
        position,
        lag,
        *await search_gauges(connection),
        GaugeMetricFamily("anjie_parked_records", "What stands still or was left out.", value=parked),
        GaugeMetricFamily("anjie_calendar_days_left", "Days until the calendar ends.", value=days_left),
        GaugeMetricFamily("anjie_sse_clients", "Clients that follow a stream here.", value=clients),
    ]
    if alarms is not None:
        gauges += [
            GaugeMetricFamily("anjie_deadlines_overdue", "Clocks whose breach stands.", value=alarms.overdue),
            GaugeMetricFamily(
                "anjie_deadlines_awaiting", "Clocks that await a calendar.", value=alarms.awaiting
            ),
        ]
    return gauges
