"""How soon a command is seen on a live stream where relay, Kafka and a worker fed by it lie between."""

import asyncio
import os
import sys

from infra.kafka.broker import BrokerUnavailable
from services.projections.schema import create_views
from shared.runtime.migrations import migrate
from tests.benchmarks.reads import ack_to_delta, registered, serving
from tests.benchmarks.relay import servers
from tests.benchmarks.table import BenchRow

GOAL_MS = 400.0


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """Nothing where no broker can be had."""
    await asyncio.to_thread(migrate, owner_url, steps=[create_views])
    try:
        with servers() as address:
            kafka = {"KAFKA_BOOTSTRAP_SERVERS": address, "ANJIE_KAFKA_PREFIX": f"bench-{os.getpid()}"}
            async with serving(owner_url, kafka, ("relay", "projector")) as port:
                return [await ack_to_delta(port, await registered(port), GOAL_MS, " through Kafka")]
    except BrokerUnavailable as error:
        print(f"kafka_delta: not measured ({error})", file=sys.stderr)
        return []
