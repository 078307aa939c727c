"""Commands a second over HTTP: on the stock framework, with nothing stored, by more processes than one."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import psutil

from services.projections.schema import create_views
from shared.runtime.identifiers import new_id
from shared.runtime.identity import issue_token
from shared.runtime.migrations import migrate
from tests.benchmarks.command_server import JWT_SECRET
from tests.benchmarks.command_stages import stages
from tests.benchmarks.table import BenchRow

CONNECTIONS = 64
SECONDS = 5.0
ROUNDS = 3
PROCESSES = (1, 2, 4)
"""Of the application, on one database; the connections are divided among them."""
ROUNDS_OF_SEVERAL = 2


@dataclass(frozen=True, kw_only=True)
class Measured:
    accepted_per_s: float
    p99_ms: float
    cpu_us: float
    """Of the server's process, for each command."""


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """HTTP commands a second: ours, on the stock application, with nothing stored, by 1, 2, 4 processes."""
    migrate(owner_url, steps=[create_views])
    told = ", ".join(f"{stage} {cpu_us:.0f}" for stage, cpu_us in stages().items())
    print(f"commands: CPU of each stage in a tight loop, µs: {told}", file=sys.stderr, flush=True)
    unit = await _registered(owner_url)
    measured: dict[str, list[Measured]] = {"ours": [], "nothing": [], "stock": []}
    # Taken in turns, so that what else the machine does falls on all of them.
    for _ in range(ROUNDS):
        for kind, results in measured.items():
            results.append(await _measure(kind, owner_url, unit))
    ours, nothing, stock = (_middle(measured[kind]) for kind in ("ours", "nothing", "stock"))
    return [
        BenchRow(
            name="HTTP commands, 64 connections",
            ours=ours.accepted_per_s,
            reference=stock.accepted_per_s,
            reference_name=f"on the stock Application (p99 {ours.p99_ms:.0f} / {stock.p99_ms:.0f} ms)",
            unit="commands/s",
            goal=8.0,
        ),
        BenchRow(
            name="HTTP commands, 64 connections",
            ours=ours.accepted_per_s,
            reference=nothing.accepted_per_s,
            reference_name=f"nothing stored (CPU {ours.cpu_us:.0f} / {nothing.cpu_us:.0f} µs each)",
            unit="commands/s",
            goal=0.5,
        ),
        *await _several(owner_url, unit),
    ]


async def _several(owner_url: str, unit: UUID) -> list[BenchRow]:
    """Whether processes that write into one ledger stand in each other's way."""
    rates: dict[int, list[float]] = {count: [] for count in PROCESSES}
    for _ in range(ROUNDS_OF_SEVERAL):
        for count, measured in rates.items():
            measured.append(await _accepted_by(count, owner_url, unit))
    one, two, four = (median(measured) for measured in rates.values())
    return [
        BenchRow(
            name=f"HTTP commands by {count} processes on one ledger",
            ours=rate,
            reference=one,
            reference_name="by one",
            unit="commands/s",
            goal=goal,
        )
        for count, rate, goal in ((2, two, 1.0), (4, four, 0.8))
    ]


async def _accepted_by(count: int, owner_url: str, unit: UUID) -> float:
    async with AsyncExitStack() as stack:
        serving = [await stack.enter_async_context(_serving("ours", owner_url, unit)) for _ in range(count)]
        loads = [await _load(port, unit, CONNECTIONS // count) for _, port in serving]
        rates: list[float] = [(await _told(load, "ours"))["accepted_per_s"] for load in loads]
    return sum(rates)


def _middle(results: list[Measured]) -> Measured:
    return sorted(results, key=lambda measured: measured.accepted_per_s)[len(results) // 2]


async def _measure(kind: str, owner_url: str, unit: UUID) -> Measured:
    async with _serving(kind, owner_url, unit) as (server, port):
        process = psutil.Process(server.pid)
        before = process.cpu_times()
        told = await _told(await _load(port, unit, CONNECTIONS), kind)
        after = process.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    return Measured(
        accepted_per_s=told["accepted_per_s"], p99_ms=told["p99_ms"], cpu_us=cpu_s / told["answered"] * 1e6
    )


async def _load(port: int, unit: UUID, connections: int) -> Process:
    token = issue_token(JWT_SECRET, sub="leader-37", role="group_leader", unit=unit)
    return await _python(
        "tests.benchmarks.http_load", "--port", str(port), "--token", token, "--unit", str(unit),
        "--connections", str(connections), "--seconds", str(SECONDS),
    )  # fmt: skip


async def _told(load: Process, kind: str) -> dict[str, Any]:
    assert load.stdout is not None
    told: dict[str, Any] = json.loads(await load.stdout.read())
    if told["refused"] or not told["accepted_per_s"]:
        raise RuntimeError(f"{kind}: commands were refused: {told}")
    return told


@contextlib.asynccontextmanager
async def _serving(kind: str, owner_url: str, unit: UUID) -> AsyncIterator[tuple[Process, int]]:
    """The server in a process of its own, and its port."""
    server = await _python(
        "tests.benchmarks.command_server", kind, "--database-url", owner_url, "--unit", str(unit)
    )
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(200):
                with contextlib.suppress(httpx.TransportError):
                    await client.get("/healthz")
                    break
                await asyncio.sleep(0.05)
        yield server, port
    finally:
        server.terminate()
        await server.wait()


async def _python(module: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE
    )


async def _registered(owner_url: str) -> UUID:
    """A group in a village in a township."""
    unit_id = None
    operator = issue_token(JWT_SECRET, sub="operator", role="operator", unit=None)
    async with (
        _serving("ours", owner_url, new_id()) as (_, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        for kind in ("TOWNSHIP", "VILLAGE", "GROUP"):
            body = {"kind": kind, "name": str(new_id()), "parent_id": unit_id}
            headers = {"Authorization": f"Bearer {operator}", "Idempotency-Key": str(new_id())}
            answer = await client.post("/v1/units", json=body, headers=headers)
            unit_id = answer.raise_for_status().json()["unit_id"]
    return UUID(unit_id)
