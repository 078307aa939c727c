"""`anjie serve` with a load over HTTP, and its processes killed at random: what was acknowledged is kept.

The product runs on a directory of its own and listens on 127.0.0.1. Cases are told to have begun days or
weeks ago, so that much of what is due is due at once.
"""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx
import psutil
import psycopg

from shared.events.evolve import fold
from shared.events.ledger.reader import COLUMNS, recorded_of
from shared.events.recorded import Recorded
from shared.events.vocabulary import Role
from shared.policy.clocks import told_by_clock
from shared.policy.jurisdiction import UnitTree, tree_of
from shared.policy.packs import pack_of
from shared.runtime.identifiers import new_id
from shared.runtime.identity import issue_token
from shared.runtime.postgres import EmbeddedPostgres
from tests.product import Product, anjie, serving
from tests.soak.judgement import judge_outcomes, streams_of

Json = dict[str, Any]

_CLIENTS: Final = 6
_KILLED: Final = {"clock": "--only clock", "projector": "--only projector", "database": "postgres -D"}
"""What is killed beside the product itself, which serves the API, and words in its command."""
_PAUSE_S: Final = (1.0, 6.0)
_TOLD_S: Final = 90
"""How long the clock may take to come back and tell everything: a killed one is started anew ever later."""
_ANSWERED_S: Final = 120
"""How long a command may go without an answer, over all that is killed meanwhile."""
_ENDED_S: Final = 30
_REPEATED: Final = 50
_DONE: Final = (200, 201)
_AGAIN: Final = (429, 503)


class Restarted:
    """A product that is started anew when it was killed."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._stack = ExitStack()
        self.product = self._stack.enter_context(serving(data_dir))

    def kill(self, name: str) -> bool:
        """Kills -9 a process of the product, or the product itself; whether there was such a process."""
        if name not in _KILLED:
            self._kill_product()
            return True
        for child in self.product.descendants():
            with suppress(psutil.Error):
                if _KILLED[name] in " ".join(child.cmdline()):
                    child.kill()
                    return True
        return False

    def _kill_product(self) -> None:
        """Its processes end by themselves before it is started anew."""
        children = self.product.descendants()
        self.product.process.kill()
        self.product.process.wait()
        _, alive = psutil.wait_procs(children, timeout=_ENDED_S)
        assert not alive, f"outlived the product: {alive}"
        self._stack.close()
        self.product = self._stack.enter_context(serving(self._data_dir))

    def close(self) -> None:
        self._stack.close()


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
    """Clients that take cases through their lives, and send again whatever got no answer."""

    def __init__(self, restarted: Restarted, draw: Random) -> None:
        self._restarted = restarted
        self._draw = draw
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.acknowledged: list[Sent] = []
        self.unanswered = 0
        self.failed: list[str] = []
        data_dir = restarted.product.data_dir
        self._secret = (data_dir / "jwt.secret").read_bytes().strip()
        self._town = self._unit("TOWNSHIP", "惠南镇", None)
        self._village = self._unit("VILLAGE", "新河村", self._town)
        self._group = self._unit("GROUP", "37组", self._village)

    def start(self) -> None:
        for number in range(_CLIENTS):
            draw = Random(f"{self._draw.random()}/{number}")
            thread = threading.Thread(target=self._live, args=(draw,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Lets everything that was sent be answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def cases(self) -> set[UUID]:
        return {UUID(sent.answer["case_id"]) for sent in self.acknowledged}

    def send(self, sent: Sent) -> Json:
        """The answer to a command, which is sent until there is one."""
        unit = UUID(sent.unit) if sent.unit else None
        token = issue_token(self._secret, sub=sent.role, role=sent.role, unit=unit)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": sent.key}
        if sent.version is not None:
            headers["If-Match"] = f'"{sent.version}"'
        ends = time.monotonic() + _ANSWERED_S
        while time.monotonic() < ends:
            with suppress(httpx.TransportError):
                url = self._restarted.product.url + sent.path
                answer = httpx.post(url, json=sent.body, headers=headers, timeout=10)
                if answer.status_code not in _AGAIN:
                    assert answer.status_code in _DONE, f"{sent.path}: {answer.status_code} {answer.text}"
                    told: Json = answer.json()
                    return told
            self.unanswered += 1
            time.sleep(0.2)
        raise AssertionError(f"no answer to {sent.path} in {_ANSWERED_S} s")

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
        case_id, at = str(new_id()), datetime.now(UTC) - timedelta(days=draw.uniform(0, 25))
        opening = {
            "case_id": case_id, "channel": "VISIT", "category": "NEIGHBOUR", "origin_unit": self._group,
            "title": "宅基地边界纠纷", "description": "两户因宅基地边界发生争执",
        }  # fmt: skip
        acts: list[tuple[str, Role, str, Json]] = [
            ("accept-case", "group_leader", self._group, {}),
            ("assign-handler", "group_leader", self._group, {"handler_ref": "leader"}),
            ("escalate-case", "group_leader", self._group, {"to_level": "VILLAGE", "reason": "超出能力"}),
            ("accept-escalation", "village_officer", self._village, {}),
            ("resolve-case", "village_officer", self._village,
             {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已答复"}),
        ]  # fmt: skip
        version = self._act("/v1/cases", "group_leader", self._group, None, opening | _on(at))
        for name, role, unit, body in acts[: draw.randint(0, len(acts))]:
            at = min(at + timedelta(hours=draw.choice((0.5, 3, 20, 60))), datetime.now(UTC))
            version = self._act(f"/v1/cases/{case_id}/{name}", role, unit, version, body | _on(at))

    def _act(self, path: str, role: Role, unit: str, version: int | None, body: Json) -> int:
        sent = Sent(path, role, unit, body, version)
        sent.answer = self.send(sent)
        self.acknowledged.append(sent)
        return int(sent.answer["version"])


def _on(at: datetime) -> Json:
    return {"occurred_at": at.isoformat()}


@contextmanager
def _directory() -> Iterator[Path]:
    """A short name, since a socket lies in it."""
    directory = Path(tempfile.mkdtemp(prefix="anjie-soak-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def round_of_kills(seed: int, seconds: float) -> str:
    """Loads and kills for so long, and tells what came of it; fails where anything was lost or told twice."""
    draw = Random(seed)
    killed: Counter[str] = Counter()
    with _directory() as directory:
        restarted = Restarted(directory / "data")
        try:
            load = Load(restarted, draw)
            load.start()
            ends = time.monotonic() + seconds
            while time.monotonic() < ends and not load.failed:
                time.sleep(draw.uniform(*_PAUSE_S))
                name = draw.choice((*_KILLED, "product"))
                killed[name] += restarted.kill(name)
            load.stop()
            assert not load.failed, load.failed
            told = _check(restarted.product, load, draw)
        finally:
            restarted.close()
    kills = ", ".join(f"{name} {times}" for name, times in sorted(killed.items()))
    return (
        f"{len(load.acknowledged)} commands acknowledged and kept, {load.unanswered} sent again;"
        f" killed: {kills};"
        f" breaches {told['case.deadline_breached']}, voided {told['case.deadline_breach_voided']}"
    )


def _check(product: Product, load: Load, draw: Random) -> Counter[str]:
    end = datetime.now(UTC)
    events = _told_by(product, load, end)
    kept = {str(event.event_id): event for event in events}
    for sent in load.acknowledged:
        for named in sent.answer["events"]:
            event = kept.get(named["event_id"])
            assert event is not None, f"lost: {named}"
            assert (event.position, event.version, event.topic) == (
                named["position"], named["version"], named["topic"],
            )  # fmt: skip
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    for sent in draw.sample(load.acknowledged, min(_REPEATED, len(load.acknowledged))):
        assert load.send(sent) == sent.answer, f"another answer to {sent.path}"
    verified = anjie("verify", data_dir=product.data_dir)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return judge_outcomes(streams_of(events, load.cases).values(), end, _tree(product, events))


def _told_by(product: Product, load: Load, end: datetime) -> list[Recorded]:
    """All events, as soon as the clock has nothing left to say by the end."""
    waits_until = time.monotonic() + _TOLD_S
    while True:
        events = _events(product)
        tree = _tree(product, events)
        streams = streams_of(events, load.cases)
        left = [
            case_id
            for case_id, stream in streams.items()
            if (case := fold(stream)) and told_by_clock(case, end, tree)
        ]
        if not left:
            return events
        assert time.monotonic() < waits_until, f"the clock has not told of {len(left)} cases: {left[:3]}"
        time.sleep(1)


def _events(product: Product) -> list[Recorded]:
    with psycopg.connect(EmbeddedPostgres(product.data_dir).url()) as connection:
        rows = connection.cursor(binary=True).execute(
            f"SELECT {COLUMNS} FROM ledger.events ORDER BY position".encode()
        )
        return [recorded_of(row) for row in rows.fetchall()]


def _tree(product: Product, events: list[Recorded]) -> UnitTree:
    with psycopg.connect(EmbeddedPostgres(product.data_dir).url()) as connection:
        packs = connection.execute("SELECT hash, content FROM ledger.rule_packs").fetchall()
    policies = {found: pack_of(content).policy for found, content in packs}
    return tree_of([event for event in events if event.topic.startswith("unit.")], policies=policies)
