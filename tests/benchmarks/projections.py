"""Rebuilds against the framework's own runner, their memory, and folding against raw COPY.

python -m tests.benchmarks.projections URL: one rebuild, in a process of its own.
"""

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import psycopg
import uvloop
from psycopg.conninfo import make_conninfo

from services.projections.rebuild import rebuild
from services.projections.schema import create_views
from services.projections.shards import shard_of
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.ledger.reader import COLUMNS, recorded_row
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.runtime.migrations import migrate
from tests.benchmarks.made_history import fill
from tests.benchmarks.stock_projection import stock_events_per_second
from tests.benchmarks.table import BenchRow

SHORT: Final = 100_000
LONG: Final = 1_000_000
LONGEST: Final = 10_000_000
STOCK_SHARDS: Final = 40
"""The framework's runner is given the streams of one of so many shards, so the mix is the same."""
ROUNDS: Final = 3
_IN_STREAM_ORDER: Final = f"SELECT {COLUMNS} FROM ledger.events ORDER BY stream_id, version"

Connection = psycopg.Connection[Any]


class Rebuilt(msgspec.Struct):
    """What one rebuild took."""

    seconds: float
    memory_mib_max: float


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """A rebuild beside the stock runner, its memory after two histories, a fold beside a raw COPY."""
    return await asyncio.to_thread(_rows, owner_url, LONGEST if full else LONG)


def _rows(owner_url: str, events: int) -> list[BenchRow]:
    short, long = (_with_history(owner_url, size) for size in (SHORT, events))
    stock, ours = [], []
    for number in range(ROUNDS):
        stock.append(stock_events_per_second(short, _part(short), schema=f"stock_{number}"))
        ours.append(_rebuild_apart(short))
    grown = _rebuild_apart(long)
    return [
        BenchRow(
            name="rebuild of all read models",
            ours=SHORT / median(rebuilt.seconds for rebuilt in ours),
            reference=median(stock),
            reference_name=f"stock ProjectionRunner; after {events:,}: {events / grown.seconds:,.0f}",
            unit="events/s",
            goal=20,
        ),
        BenchRow(
            name=f"memory of a rebuild of {events:,} events",
            ours=grown.memory_mib_max,
            reference=median(rebuilt.memory_mib_max for rebuilt in ours),
            reference_name=f"of {SHORT:,}",
            unit="MiB",
            goal=1.2,
            at_most=True,
        ),
        _fold(short),
    ]


def _with_history(owner_url: str, events: int) -> str:
    name = f"made_{events}"
    url = make_conninfo(owner_url, dbname=name)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    migrate(url, steps=[create_views])
    fill(url, events)
    return url


def _part(url: str) -> list[Recorded]:
    """Some streams, whole, in the order of the ledger."""
    with psycopg.connect(url, row_factory=recorded_row, options="-c timezone=UTC") as connection:
        events = connection.execute(f"SELECT {COLUMNS} FROM ledger.events ORDER BY position".encode())
        return [event for event in events if shard_of(event.stream_id, STOCK_SHARDS) == 0]


def _rebuild_apart(url: str) -> Rebuilt:
    """A rebuild in a process of its own, whose memory is nobody else's."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.projections", url], check=True, capture_output=True
    )
    return msgspec.json.decode(told.stdout.splitlines()[-1], type=Rebuilt)


def _fold(url: str) -> BenchRow:
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        copied, folded, read = [], [], []
        for _ in range(ROUNDS):
            copied.append(_per_second(lambda: _copy(connection)))
            folded.append(_per_second(partial(_replay, _read(connection))))
            read.append(_per_second(lambda: _replay(_read(connection))))
    return BenchRow(
        name="in-memory replay fold",
        ours=median(folded),
        reference=median(copied),
        reference_name=f"raw COPY of the same rows; read and folded: {median(read):,.0f}",
        unit="events/s",
        goal=0.5,
    )


def _per_second(work: Callable[[], int]) -> float:
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    return work() / (time.perf_counter() - started)


def _copy(connection: Connection) -> int:
    """The rows as bytes, none of them looked at."""
    statement = f"COPY ({_IN_STREAM_ORDER}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        return sum(1 for _ in copy)


def _read(connection: Connection) -> list[Recorded]:
    with connection.cursor(row_factory=recorded_row, binary=True) as cursor:
        return cursor.execute(_IN_STREAM_ORDER.encode()).fetchall()


def _replay(events: Sequence[Recorded]) -> int:
    """Every event decoded and every case folded."""
    case: Case | None = None
    stream_id = None
    for recorded in events:
        if recorded.stream_id != stream_id:
            case, stream_id = None, recorded.stream_id
        case = evolve(case, recorded, event_of(recorded))
    return len(events)


def main(url: str) -> None:
    started = time.perf_counter()
    uvloop.run(rebuild(url))
    seconds = time.perf_counter() - started
    print(msgspec.json.encode(Rebuilt(seconds, _memory_mib_max())).decode())


def _memory_mib_max() -> float:
    """The most that this program has held; what getrusage says counts the process it was forked from."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main(sys.argv[1])
