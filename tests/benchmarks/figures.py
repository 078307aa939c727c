"""The statistics of a county with a million cases, now and as of any position."""

import random
import time
from datetime import date, timedelta
from typing import Any, Final

import httpx
from psycopg import AsyncConnection

from services.projections.figures.tallies import tally
from services.projections.schema import create_views
from shared.runtime.identity import issue_token
from shared.runtime.migrations import migrate
from tests.benchmarks.command_server import JWT_SECRET
from tests.benchmarks.made_facts import DAYS, TOWNSHIPS, VILLAGES, fill, unit_id
from tests.benchmarks.reads import serving
from tests.benchmarks.table import BenchRow

CASES: Final = 1_000_000
READS: Final = 400
_WARM_UP: Final = 20
_FIRST: Final = date(2025, 1, 1)


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """`GET /v1/kpi` of the whole, of townships and villages, with and without a period."""
    migrate(owner_url, steps=[create_views])
    last = fill(owner_url, CASES)
    started = time.perf_counter()
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        while await tally(connection):
            pass
        await connection.execute("VACUUM ANALYZE views.tallies")
    tallied_s = time.perf_counter() - started
    async with serving(owner_url) as port:
        token = issue_token(JWT_SECRET, sub="operator", role="operator", unit=None)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30
        ) as client:
            live = await _seconds(client, None)
            past = await _seconds(client, last)
    return [
        BenchRow(
            name=f"statistics of {CASES:,} cases, live, p99", ours=_p99(live) * 1000, unit="ms",
            goal=50, at_most=True,
            reference_name=f"median {_median(live) * 1000:.0f} ms; tallied in {tallied_s:.0f} s",
        ),
        BenchRow(
            name="the same as of any position, p99", ours=_p99(past) * 1000, unit="ms",
            goal=1_000, at_most=True, reference_name=f"median {_median(past) * 1000:.0f} ms",
        ),
    ]  # fmt: skip


async def _seconds(client: httpx.AsyncClient, last: int | None) -> list[float]:
    """What each read took; `last`: as of positions up to that one, else live."""
    drawn = random.Random(9)
    found = []
    for number in range(READS + _WARM_UP):
        asked: dict[str, Any] = {} if last is None else {"at_position": drawn.randrange(last // 10, last)}
        match number % 4:
            case 1 | 2:
                asked["unit"] = unit_id("TOWNSHIP", drawn.randrange(TOWNSHIPS))
            case 3:
                asked["unit"] = unit_id("VILLAGE", drawn.randrange(VILLAGES))
        if drawn.random() < 0.7:
            first = _FIRST + timedelta(days=drawn.randrange(DAYS))
            asked["from"] = first
            asked["to"] = first + timedelta(days=drawn.randrange(400))
        started = time.perf_counter()
        answer = await client.get("/v1/kpi", params=asked)
        found.append(time.perf_counter() - started)
        answer.raise_for_status()
    return sorted(found[_WARM_UP:])


def _median(seconds: list[float]) -> float:
    return seconds[len(seconds) // 2]


def _p99(seconds: list[float]) -> float:
    return seconds[len(seconds) * 99 // 100]
