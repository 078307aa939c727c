"""Commands over HTTP, each under a key of its own and sent until it has an answer, which is kept."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec

from services.batch_client import Answer, BatchClient
from shared.events.vocabulary import Role
from shared.runtime.identifiers import new_id
from shared.runtime.identity import issue_token

Json = dict[str, Any]

_CLIENTS: Final = 6
_ANSWERED_S: Final = 120
"""How long a command may go without an answer, over all that is killed meanwhile."""
_TIMEOUT_S: Final = 10
_AGAIN_S: Final = 0.2
_DONE: Final = (200, 201)
_AGAIN: Final = (429, 503)


@dataclass
class Sent:
    """A command, under a key of its own, and the answer that it got."""

    path: str
    role: Role
    unit: str | None
    body: Json
    version: int | None = None
    key: str = field(default_factory=lambda: str(new_id()))
    answer: Json = field(default_factory=dict)


class Load:
    """Clients that take cases through their lives, and send again whatever got no answer.

    `address` says anew for each attempt where the product is. Each client pauses for `pause_s` on average
    between two commands. Cases are told to have begun days or weeks ago, so that much of what is due is due
    at once.
    """

    def __init__(
        self, address: Callable[[], str], secret: bytes, draw: Random, *, pause_s: float = 0.0
    ) -> None:
        self._address = address
        self._secret = secret
        self._draw = draw
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._clients: list[threading.Thread] = []
        self._bursts: list[threading.Thread] = []
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)
        self.acknowledged: list[Sent] = []
        self.repeated: Counter[str] = Counter()
        """Attempts that brought no answer or were refused for the time being, so that they were repeated."""
        self.failed: list[str] = []
        self._town = self._unit("TOWNSHIP", "惠南镇", None)
        self._village = self._unit("VILLAGE", "新河村", self._town)
        self._group = self._unit("GROUP", "37组", self._village)

    def start(self) -> None:
        self._stop.clear()
        for number in range(_CLIENTS):
            draw = Random(f"{self._draw.random()}/{number}")
            self._clients.append(_begun(self._live, draw))

    def stop(self) -> None:
        """Lets everything that was sent be answered. It may be started again."""
        self._stop.set()
        self.await_bursts()
        while self._clients:
            self._clients.pop().join()

    def burst(self, openings: int) -> None:
        """Begins to open so many cases at once, in a batch."""
        self._bursts.append(_begun(self._open_at_once, openings))

    def await_bursts(self) -> None:
        """Waits until all that was sent in batches is answered."""
        while self._bursts:
            self._bursts.pop().join()

    @property
    def cases(self) -> set[UUID]:
        return {UUID(sent.answer["case_id"]) for sent in self.acknowledged}

    def send(self, sent: Sent) -> Json:
        """The answer to a command, which is sent until there is one."""
        headers = self._headers(sent)
        ends = time.monotonic() + _ANSWERED_S
        while time.monotonic() < ends:
            try:
                answer = self._http.post(self._address() + sent.path, json=sent.body, headers=headers)
            except httpx.TransportError:
                self.repeated["unanswered"] += 1
            else:
                if answer.status_code not in _AGAIN:
                    assert answer.status_code in _DONE, f"{sent.path}: {answer.status_code} {answer.text}"
                    told: Json = answer.json()
                    return told
                self.repeated["refused"] += 1
            time.sleep(_AGAIN_S)
        raise AssertionError(f"no answer to {sent.path} in {_ANSWERED_S} s")

    def _headers(self, sent: Sent) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._token(sent.role, sent.unit)}",
            "Idempotency-Key": sent.key,
        }
        return headers if sent.version is None else headers | {"If-Match": f'"{sent.version}"'}

    def _token(self, role: Role, unit: str | None) -> str:
        return issue_token(self._secret, sub=role, role=role, unit=UUID(unit) if unit else None)

    def _unit(self, kind: str, name: str, parent: str | None) -> str:
        body = {"kind": kind, "name": name} | ({} if parent is None else {"parent_id": parent})
        return str(self.send(Sent("/v1/units", "operator", None, body))["unit_id"])

    def _live(self, draw: Random) -> None:
        try:
            while not self._stop.is_set():
                self._case(draw)
        except Exception as error:
            self.failed.append(repr(error))

    def _case(self, draw: Random) -> None:
        """One case: opened at the group, and as far as it comes; each act some hours after the last."""
        at = datetime.now(UTC) - timedelta(days=draw.uniform(0, 25))
        opening = self._opening(at)
        acts: list[tuple[str, Role, str, Json]] = [
            ("accept-case", "group_leader", self._group, {}),
            ("assign-handler", "group_leader", self._group, {"handler_ref": "leader"}),
            ("escalate-case", "group_leader", self._group, {"to_level": "VILLAGE", "reason": "超出能力"}),
            ("accept-escalation", "village_officer", self._village, {}),
            ("resolve-case", "village_officer", self._village,
             {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已答复"}),
        ]  # fmt: skip
        version = self._act(draw, opening)
        for name, role, unit, body in acts[: draw.randint(0, len(acts))]:
            at = min(at + timedelta(hours=draw.choice((0.5, 3, 20, 60))), datetime.now(UTC))
            path = f"/v1/cases/{opening.body['case_id']}/{name}"
            version = self._act(draw, Sent(path, role, unit, body | _on(at), version))

    def _act(self, draw: Random, sent: Sent) -> int:
        if self._pause_s:
            time.sleep(draw.expovariate(1 / self._pause_s))
        sent.answer = self.send(sent)
        self.acknowledged.append(sent)
        return int(sent.answer["version"])

    def _open_at_once(self, openings: int) -> None:
        commands = [self._opening(datetime.now(UTC)) for _ in range(openings)]
        lines = [
            {"method": "POST", "path": sent.path, "headers": self._headers(sent), "body": sent.body}
            for sent in commands
        ]

        def answered(number: int, answer: Answer) -> None:
            assert answer.status in _DONE, f"a line of a batch: {answer}"
            commands[number].answer = msgspec.json.decode(answer.body)
            self.acknowledged.append(commands[number])

        try:
            client = BatchClient(self._address(), self._token("group_leader", self._group))
            client.send([msgspec.json.encode(line) for line in lines], answered)
        except Exception as error:
            self.failed.append(repr(error))

    def _opening(self, at: datetime) -> Sent:
        body = {
            "case_id": str(new_id()), "channel": "VISIT", "category": "NEIGHBOUR",
            "origin_unit": self._group, "title": "宅基地边界纠纷", "description": "两户因宅基地边界发生争执",
        }  # fmt: skip
        return Sent("/v1/cases", "group_leader", self._group, body | _on(at))


def _on(at: datetime) -> Json:
    return {"occurred_at": at.isoformat()}


def _begun(work: Callable[[Any], None], given: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=(given,), daemon=True)
    thread.start()
    return thread
