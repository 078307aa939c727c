"""Reads: a long case as of any version, and how soon a command is seen on a live stream."""

import asyncio
import contextlib
import os
import sys
import time
import uuid
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple
from uuid import UUID

import httpx
import msgspec

from services.projections.schema import create_views
from shared.runtime.identifiers import new_id
from shared.runtime.identity import issue_token
from shared.runtime.migrations import migrate
from tests.benchmarks.command_server import JWT_SECRET, MASTER_KEY
from tests.benchmarks.http_load import life_of_a_case
from tests.benchmarks.table import BenchRow

CASE_EVENTS: Final = 1_000
READS: Final = 300
COMMANDS_PER_S: Final = 500
SECONDS: Final = 8.0
WARM_UP_S: Final = 3.0
CONNECTIONS: Final = 48
GOAL_MS: Final = 100.0
LISTENERS: Final = {"backlog_by_holder": 20, "backlog_by_origin": 15, "urgent_board": 15}
"""Clients of live streams; a third of them each watch the township, a village and a group."""
SHOWN_BY: Final = {
    "backlog_by_origin": "/v1/cases",
    "backlog_by_holder": "/v1/cases",
    "urgent_board": "/classify-urgency",
}
"""Which commands change a row of each view, by the end of their paths."""


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """A case of 1,000 events as of its versions, and command → delta at 500 commands a second."""
    migrate(owner_url, steps=[create_views])
    async with serving(owner_url) as port:
        units = await registered(port)
        return [await _reads_of_a_long_case(port, units), await ack_to_delta(port, units, GOAL_MS)]


class LongCase(NamedTuple):
    path: str
    """Where the interface tells of it."""
    positions: list[int]
    """Of its commands, in order."""


async def long_case(port: int, units: list[UUID]) -> LongCase:
    """A case of as many commands as it is to have events, or somewhat more."""
    leader = issue_token(JWT_SECRET, sub="leader-37", role="group_leader", unit=units[-1])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {leader}"

        async def send(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = await client.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
            told: dict[str, Any] = answer.raise_for_status().json()
            return told

        path, _, body = next(life_of_a_case(str(units[-1]), "leader-37"))
        opened = await send(path, msgspec.json.decode(body))
        case = f"/v1/cases/{opened['case_id']}"
        positions = [opened["position"]]
        while len(positions) < CASE_EVENTS:
            told = await send(f"{case}/record-contact", {"reached": True, "means": "PHONE"})
            positions.append(told["position"])
    return LongCase(case, positions)


async def _reads_of_a_long_case(port: int, units: list[UUID]) -> BenchRow:
    case, positions = await long_case(port, units)
    leader = issue_token(JWT_SECRET, sub="leader-37", role="group_leader", unit=units[-1])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {leader}"

        async def seconds(**query: int) -> float:
            started = time.perf_counter()
            (await client.get(case, params=query)).raise_for_status()
            return time.perf_counter() - started

        live, past = [], []
        for number in range(READS):
            live.append(await seconds())
            past.append(await seconds(at_position=positions[number * CASE_EVENTS // READS]))
    return BenchRow(
        name=f"GET a case of {CASE_EVENTS:,} events, as of any version",
        ours=median(past) * 1000,
        reference=median(live) * 1000,
        reference_name="the live one",
        unit="ms",
        goal=3.0,
        at_most=True,
    )


async def ack_to_delta(port: int, units: list[UUID], goal_ms: float, way: str = "") -> BenchRow:
    """How long clients of live streams wait for what was acknowledged; `way` says what lies between."""
    seen: dict[str, list[list[tuple[int, float]]]] = {view: [] for view in LISTENERS}
    listening = []
    for view, count in LISTENERS.items():
        for number in range(count):
            received: list[tuple[int, float]] = []
            seen[view].append(received)
            unit = units[number % len(units)]
            token = issue_token(JWT_SECRET, sub=f"officer-{number}", role="township_officer", unit=units[0])
            listening.append(asyncio.create_task(_listen(port, view, unit, token, received)))
    acknowledged: list[tuple[str, int, float]] = []
    leader = issue_token(JWT_SECRET, sub="leader-37", role="group_leader", unit=units[-1])
    try:
        await asyncio.sleep(1.0)
        await _load(port, leader, str(units[-1]), acknowledged)
        await asyncio.sleep(2.0)
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    delays = sorted(
        max(0.0, _first_since(received, position) - at)
        for view, clients in seen.items()
        for received in clients
        for path, position, at in acknowledged
        if path.endswith(SHOWN_BY[view])
    )
    p50, p99 = (delays[int(len(delays) * part)] * 1000 for part in (0.5, 0.99))
    rate = len(acknowledged) / SECONDS
    return BenchRow(
        name=f"acknowledged → delta{way}, p99 at {rate:.0f} commands/s, {sum(LISTENERS.values())} clients"
        f" (median {p50:.0f} ms)",
        ours=p99,
        unit="ms",
        goal=goal_ms,
        at_most=True,
    )


def _first_since(received: list[tuple[int, float]], position: int) -> float:
    """When a client was told of the position; positions rise, so the place is found by halving."""
    low, high = 0, len(received)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if received[middle][0] < position else (low, middle)
    return received[low][1] if low < len(received) else float("inf")


async def _listen(port: int, view: str, unit: UUID, token: str, received: list[tuple[int, float]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    head = (
        f"GET /v1/streams/{view}?unit={unit} HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    writer.write(head.encode())
    with contextlib.closing(writer):
        while line := await reader.readline():
            if line.startswith(b"id: "):
                received.append((int(line[4:]), time.perf_counter()))


async def _load(port: int, token: str, unit: str, acknowledged: list[tuple[str, int, float]]) -> None:
    """Commands at a steady pace, whatever the answers take; those of the warm-up aren't kept."""
    started = time.perf_counter()
    total = int(COMMANDS_PER_S * (WARM_UP_S + SECONDS))
    numbers = iter(range(total))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            while True:
                for path, if_match, body in life_of_a_case(unit, "leader-37"):
                    number = next(numbers, None)
                    if number is None:
                        return
                    due = started + number / COMMANDS_PER_S
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    position = await _send(reader, writer, path, token, if_match, body)
                    if number >= COMMANDS_PER_S * WARM_UP_S:
                        acknowledged.append((path, position, time.perf_counter()))

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    late_s = time.perf_counter() - started - total / COMMANDS_PER_S
    if late_s > 1.0:
        raise RuntimeError(f"the commands came {late_s:.1f} s late: too slow to be asked at this pace")


async def _send(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    token: str,
    if_match: str | None,
    body: bytes,
) -> int:
    condition = f"If-Match: {if_match}\r\n" if if_match else ""
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer {token}\r\n{condition}"
        f"Content-Type: application/json\r\nIdempotency-Key: {uuid.uuid4().hex}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")
    )
    answer = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(f"{path}: {answer.decode()}")
    position: int = msgspec.json.decode(answer)["position"]
    return position


@contextlib.asynccontextmanager
async def serving(
    owner_url: str, settings: Mapping[str, str] | None = None, workers: Sequence[str] = ("projector",)
) -> AsyncIterator[int]:
    """The application and workers with more settings, each in a process of its own; the port of the first."""
    server = await _python(
        "tests.benchmarks.command_server", "ours", "--database-url", owner_url, "--unit", str(new_id())
    )
    environment = {
        "DATABASE_URL": owner_url,
        "ANJIE_MASTER_KEY": MASTER_KEY.hex(),
        "ANJIE_DEMO": "off",
        "ANJIE_LOG": "json",
        **(settings or {}),
    }
    beside = [
        await _python("services.cli", "serve", "--only", one, environment=environment) for one in workers
    ]
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        await _until(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").is_success)
        yield port
    finally:
        for process in (server, *beside):
            process.terminate()
            await process.wait()


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            if await asyncio.to_thread(holds):
                return
        await asyncio.sleep(0.05)
    raise RuntimeError("the application did not start")


async def _python(module: str, *arguments: str, environment: dict[str, str] | None = None) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip


async def registered(port: int) -> list[UUID]:
    """A township, a village in it and a group in that."""
    units: list[UUID] = []
    operator = issue_token(JWT_SECRET, sub="operator", role="operator", unit=None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for kind in ("TOWNSHIP", "VILLAGE", "GROUP"):
            body = {"kind": kind, "name": str(new_id()), "parent_id": str(units[-1]) if units else None}
            headers = {"Authorization": f"Bearer {operator}", "Idempotency-Key": str(new_id())}
            answer = await client.post("/v1/units", json=body, headers=headers)
            units.append(UUID(answer.raise_for_status().json()["unit_id"]))
    return units
