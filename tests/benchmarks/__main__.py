"""`make bench`: runs the benchmarks on a durable PostgreSQL of their own and prints one table.

python -m tests.benchmarks [--full] [append commands …]
"""

import argparse
import importlib
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg
import structlog
import uvloop

from shared.runtime.postgres import OWNER, EmbeddedPostgres
from tests.benchmarks.table import BenchRow, print_table, write_json

MODULES: Final = (
    "append",
    "commands",
    "projections",
    "reads",
    "scrub",
    "paint",
    "clocks",
    "figures",
    "what_if",
    "relay",
    "kafka_feed",
    "kafka_delta",
)
"""Each has `async def rows(owner_url, *, full) -> list[BenchRow]` and is given an empty database."""
_BUILD: Final = Path(__file__).parents[2] / "build"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks")
    parser.add_argument("--full", action="store_true", help="also with the largest histories")
    parser.add_argument("names", nargs="*", help="only these: " + " ".join(MODULES))
    arguments = parser.parse_args()
    if unknown := set(arguments.names).difference(MODULES):
        parser.error(f"no such benchmark: {' '.join(sorted(unknown))}")
    chosen = [name for name in MODULES if name in (arguments.names or MODULES)]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    _BUILD.mkdir(exist_ok=True)
    # Beside the checkout, since a temporary directory may be memory, where nothing is durable.
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=_BUILD))
    server = EmbeddedPostgres(directory)
    rows: list[BenchRow] = []
    try:
        server.start()
        for name in chosen:
            rows += _run(name, server, full=arguments.full)
    finally:
        server.stop()
        shutil.rmtree(directory)
    print_table(rows)
    write_json(rows, _BUILD / "bench.json")
    return 0 if all(row.holds for row in rows) else 1


def _run(name: str, server: EmbeddedPostgres, *, full: bool) -> list[BenchRow]:
    print(f"{name} …", file=sys.stderr, flush=True)
    with psycopg.connect(server.url(OWNER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE bench_{name}".encode())
        started = time.monotonic()
        module = importlib.import_module(f"tests.benchmarks.{name}")
        rows: list[BenchRow] = uvloop.run(module.rows(server.url(OWNER, f"bench_{name}"), full=full))
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        connection.execute(f"DROP DATABASE bench_{name}".encode())
    return rows


if __name__ == "__main__":
    sys.exit(main())
