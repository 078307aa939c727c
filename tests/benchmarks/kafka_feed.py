"""One worker that follows a long history through Kafka, beside the same worker following the ledger."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from typing import Final

import psycopg

from infra.kafka.broker import BrokerUnavailable
from services.projections.schema import create_views
from shared.runtime.migrations import migrate
from shared.runtime.settings import KafkaSettings
from tests.benchmarks.made_history import fill
from tests.benchmarks.relay import servers
from tests.benchmarks.table import BenchRow
from tests.kafka.feeding import forget_rows, publish, town_at

EVENTS: Final = 100_000
GOAL: Final = 15_000
_TRANSACTION: Final = 2_000


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """Nothing where no broker can be had."""
    await asyncio.to_thread(_with_history, owner_url)
    try:
        with servers() as address:
            town = await asyncio.to_thread(town_at, address)
            await publish(owner_url, town, batch=_TRANSACTION)
            by_ledger = await asyncio.to_thread(_told_per_second, owner_url, None)
            await forget_rows(owner_url)
            by_kafka = await asyncio.to_thread(_told_per_second, owner_url, town)
    except BrokerUnavailable as error:
        print(f"kafka_feed: not measured ({error})", file=sys.stderr)
        return []
    return [
        BenchRow(name="projection through Kafka, one worker", ours=by_kafka, unit="events/s", goal=GOAL),
        BenchRow(
            name="the same, beside the ledger",
            ours=by_kafka,
            reference=by_ledger,
            reference_name="the same worker fed by the ledger",
            unit="events/s",
            goal=0.8,
        ),
    ]


def _with_history(url: str) -> None:
    migrate(url, steps=[create_views])
    fill(url, EVENTS)


def _told_per_second(url: str, town: KafkaSettings | None) -> float:
    """Of a worker in a process of its own, from when its rows begin to move."""
    kafka = (
        {"KAFKA_BOOTSTRAP_SERVERS": ""}
        if town is None
        else {"KAFKA_BOOTSTRAP_SERVERS": town.servers, "ANJIE_KAFKA_PREFIX": town.prefix}
    )
    with tempfile.TemporaryDirectory() as directory, psycopg.connect(url, autocommit=True) as connection:
        worker = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "serve", "--only", "projector"],
            env=os.environ | {"DATABASE_URL": url, "ANJIE_DATA_DIR": directory} | kafka,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            first = _reached(connection, worker, 1)
            started = time.perf_counter()
            _reached(connection, worker, EVENTS)
            return (EVENTS - first) / (time.perf_counter() - started)
        finally:
            worker.terminate()
            worker.wait()


def _reached(
    connection: "psycopg.Connection[tuple[int]]", worker: "subprocess.Popen[bytes]", position: int
) -> int:
    """The lowest position of the shards, once it is at least so far."""
    while True:
        [(lowest,)] = connection.execute("SELECT min(position) FROM views.positions").fetchall()
        if lowest >= position:
            return lowest
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with {worker.returncode}")
        time.sleep(0.02)
