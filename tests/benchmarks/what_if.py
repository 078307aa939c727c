"""A year of a county replayed under other rules by the operator's command: how fast, in how much memory."""

import asyncio
import os
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import psutil

from services.projections.rebuild import rebuild
from services.projections.schema import create_views
from shared.runtime.migrations import migrate
from tests.benchmarks import made_year
from tests.benchmarks.table import BenchRow

CASES: Final = 100_000
_SAMPLED_S: Final = 0.1
_PACK: Final = """
name: tried
version: 1
title: {zh: 试行, en: Tried}
extends: cn-default
ladder:
  value:
    GROUP: {amount: 2, unit: WORKING_DAYS}
    VILLAGE: {amount: 1, unit: WORKING_DAYS}
"""
_YEAR: Final = ("2025-01-01", "2025-12-31")
_MONTH: Final = ("2025-01-01", "2025-01-31")


class Run(NamedTuple):
    cases: int
    seconds: float
    peak_mb: float
    """Of the command and its processes together."""


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """All breaches and figures of 100,000 cases, recorded and replayed."""
    migrate(owner_url, steps=[create_views])
    made_year.fill(owner_url, CASES)
    await rebuild(owner_url)
    with tempfile.TemporaryDirectory() as directory:
        pack = Path(directory) / "tried.yaml"
        pack.write_text(_PACK, encoding="utf-8")
        month, year = [await _run(owner_url, pack, *period) for period in (_MONTH, _YEAR)]
    if year.cases != CASES:
        raise RuntimeError(f"{year.cases} cases were replayed")
    return [
        BenchRow(
            name=f"what-if of {CASES:,} cases", ours=year.seconds, unit="s", goal=60, at_most=True
        ),
        BenchRow(
            name=f"its memory at the peak, of {CASES:,} cases", ours=year.peak_mb, unit="MB", goal=1.2,
            reference=month.peak_mb, reference_name=f"of {month.cases:,}", at_most=True,
        ),
    ]  # fmt: skip


async def _run(url: str, pack: Path, first: str, last: str) -> Run:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "what-if", "--pack", str(pack), "--from", first, "--to", last,
        "--json", env={**os.environ, "DATABASE_URL": url, "ANJIE_LOG": "json"}, stdout=PIPE, stderr=DEVNULL,
    )  # fmt: skip
    sampling = asyncio.create_task(_peak_mb(process))
    told, _ = await process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"anjie what-if ended with {process.returncode}")
    return Run(msgspec.json.decode(told)["cases"], seconds, await sampling)


async def _peak_mb(process: Process) -> float:
    peak = 0
    while process.returncode is None:
        try:
            command = psutil.Process(process.pid)
            tree = [command, *command.children(recursive=True)]
            peak = max(peak, sum(each.memory_info().rss for each in tree))
        except psutil.NoSuchProcess:
            pass  # one that ended meanwhile; the next sample is without it
        await asyncio.sleep(_SAMPLED_S)
    return peak / 1e6
