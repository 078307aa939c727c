"""A lean load of HTTP commands from a process of its own: keep-alive connections, each living through cases.


Every connection opens a case and takes it through a few commands, then the next; one
request at a time, so the load is closed and its latencies are what a client sees.
"""

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, cast

import uvloop

from shared.runtime.identifiers import new_id

_TEXT = "邻里因宅基地边界发生争执，已上门了解情况，双方愿意坐下来谈。"


def life_of_a_case(unit: str, handler: str) -> Iterator[tuple[str, str | None, bytes]]:
    """The commands of one case as (path, If-Match, body); versions are known beforehand."""
    case_id = new_id()
    opening = {
        "case_id": str(case_id), "channel": "VISIT", "category": "NEIGHBOUR", "origin_unit": unit,
        "title": "宅基地边界纠纷", "description": _TEXT,
        "people": [
            {"person_ref": str(new_id()), "role": "COMPLAINANT", "name": "张三", "phone": "13800000000"},
            {"person_ref": str(new_id()), "role": "RESPONDENT", "name": "李四"},
        ],
    }  # fmt: skip
    visit = {"visit_kind": "HOUSEHOLD", "household_ref": "H-37", "findings": _TEXT}
    yield "/v1/cases", None, _json(opening)
    yield f"/v1/cases/{case_id}/accept-case", '"1"', b"{}"
    yield f"/v1/cases/{case_id}/assign-handler", '"3"', _json({"handler_ref": handler})
    yield f"/v1/cases/{case_id}/record-visit", None, _json(visit)
    yield f"/v1/cases/{case_id}/flag-risk", None, _json({"risk": "OTHER", "detail": _TEXT})
    urgency = {"urgent": True, "facets": ["JI"], "reason": _TEXT}
    yield f"/v1/cases/{case_id}/classify-urgency", '"6"', _json(urgency)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


class _Client(asyncio.Protocol):
    """One connection, one request under way; reads as little of an answer as it can."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._received = b""
        self._life: Iterator[tuple[str, str | None, bytes]] = iter(())
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's own classes.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        step = next(self._life, None)
        if step is None:
            self._life = self._load.life()
            step = next(self._life)
        path, if_match, body = step
        condition = f"If-Match: {if_match}\r\n" if if_match else ""
        head = (
            f"POST {self._load.prefix}{path} HTTP/1.1\r\nHost: load\r\n{self._load.authorization}"
            f"Content-Type: application/json\r\nIdempotency-Key: {uuid.uuid4().hex}\r\n{condition}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._sent_at = time.perf_counter()
        self._transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        at = head.lower().index(b"content-length: ") + 16
        length = int(head[at : at + 9].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._received = b""
        self._load.answered(int(head[9:12]), rest, time.perf_counter() - self._sent_at)
        if self._load.running:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.ended()


class Load:
    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.prefix: str = options.prefix
        self.authorization = f"Authorization: Bearer {options.token}\r\n"
        self.running = True
        self._measuring = False
        self._seconds: list[float] = []
        self._refused: dict[int, int] = {}
        self._answered = 0
        self._sample = ""
        self._open = options.connections
        self._over = asyncio.Event()

    def life(self) -> Iterator[tuple[str, str | None, bytes]]:
        return life_of_a_case(self._options.unit, self._options.handler)

    def answered(self, status: int, body: bytes, seconds: float) -> None:
        self._answered += 1
        if status >= 300:
            self._refused[status] = self._refused.get(status, 0) + 1
            self._sample = self._sample or body.decode(errors="replace")[:500]
        elif self._measuring:
            self._seconds.append(seconds)

    def ended(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._over.set()

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for _ in range(self._options.connections):
            await loop.create_connection(lambda: _Client(self), "127.0.0.1", self._options.port)
        await asyncio.sleep(self._options.warm_up_s)
        self._measuring, started = True, time.perf_counter()
        await asyncio.sleep(self._options.seconds)
        self._measuring, elapsed = False, time.perf_counter() - started
        self.running = False
        await asyncio.wait_for(self._over.wait(), 30)
        ordered = sorted(self._seconds)
        return {
            "accepted_per_s": len(ordered) / elapsed,
            "answered": self._answered,
            "p50_ms": ordered[len(ordered) // 2] * 1000 if ordered else None,
            "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000 if ordered else None,
            "refused": self._refused,
            "refusal": self._sample,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--handler", default="leader-37")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-up-s", type=float, default=1.0)
    options = parser.parse_args()

    async def run() -> dict[str, Any]:
        return await Load(options).run()

    json.dump(uvloop.run(run()), sys.stdout)


if __name__ == "__main__":
    main()
