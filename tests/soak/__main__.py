"""`make soak`: processes that are killed, simulated weeks with faults, days of a wall, until the time is up.

python -m tests.soak [SEED]; SOAK_MINUTES says for how long, 10 by default. Whatever fails ends it with the
seed that was told last.
"""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

import psycopg
import structlog

from infra.programs import ProgramUnavailable
from services.projections.schema import create_views
from shared.runtime.migrations import migrate
from shared.runtime.postgres import OWNER, EmbeddedPostgres
from tests.conftest import fresh_database
from tests.soak.judgement import judge
from tests.soak.processes import round_of_kills
from tests.soak.simulation import START, simulate
from tests.soak.wall import day_on_the_wall

_TEMPLATE: Final = "migrated"
_DAYS: Final = 28
_CASES: Final = 80
_KILLS_S: Final = 60.0


def main() -> None:
    ends = time.monotonic() + float(os.environ.get("SOAK_MINUTES", "10")) * 60
    first = int(sys.argv[1]) if len(sys.argv) > 1 else SystemRandom().randrange(2**32)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    with _database_server() as server:
        for seed in count(first):
            for play in (_kills, _weeks, _wall):
                if time.monotonic() > ends:
                    return
                print(f"seed {seed} …", file=sys.stderr, flush=True)
                started = time.monotonic()
                outcome = play(server, seed)
                print(f"{time.monotonic() - started:4.0f} s   {outcome}", flush=True)


def _weeks(server: EmbeddedPostgres, seed: int) -> str:
    start = START + timedelta(days=Random(seed).randrange(-200, 100))
    with fresh_database(server, _TEMPLATE) as database:
        history = asyncio.run(simulate(database, seed, start=start, days=_DAYS, cases=_CASES))
    told = judge(history)
    counts = ", ".join(f"{topic.removeprefix('case.')} {number}" for topic, number in sorted(told.items()))
    return f"{_DAYS} days, {len(history.events)} events, {history.blows} blows; {counts}"


def _kills(server: EmbeddedPostgres, seed: int) -> str:
    """The product has a database server of its own, which is killed with it."""
    return round_of_kills(seed, _KILLS_S)


def _wall(server: EmbeddedPostgres, seed: int) -> str:
    """What happens in the town is the same each time."""
    try:
        return day_on_the_wall()
    except ProgramUnavailable as error:
        return f"no day on the wall: {error}"


@contextmanager
def _database_server() -> Iterator[EmbeddedPostgres]:
    """One of its own, with a migrated database to copy."""
    directory = Path(tempfile.mkdtemp(prefix="anjie-soak-"))
    server = EmbeddedPostgres(directory, durable=False)
    try:
        server.start()
        with psycopg.connect(server.url(OWNER, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
        migrate(server.url(OWNER, _TEMPLATE), steps=[create_views])
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
