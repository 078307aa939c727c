"""A projector beside the application, and clients of its streams."""

import asyncio
import contextlib
import http.client
import json
import queue
import socket
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
import psycopg

from services.projections.worker import project
from shared.runtime.migrations import SERVICE_ROLE
from shared.runtime.postgres import OWNER, SUPERUSER, EmbeddedPostgres
from shared.runtime.sealing import MasterKey
from tests.conftest import Database
from tests.e2e.conftest import Anjie, Json, Person, Town, build_town, serving

_towns = count(1)


@contextlib.contextmanager
def serving_a_module(postgres: EmbeddedPostgres, template: str, name: str, data_dir: Path) -> Iterator[Anjie]:
    """An application with a projector over a database that a whole module of tests shares."""
    with psycopg.connect(postgres.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}".encode())
    database = Database(owner_url=postgres.url(OWNER, name), url=postgres.url(SERVICE_ROLE, name))
    with serving(database, data_dir) as anjie, projecting(database):
        yield anjie


def settled(anjie: Anjie) -> Town:
    """Another town of its own, as soon as the read models know it."""
    town = build_town(anjie, f"余东镇{next(_towns)}")
    position = town.operator.get("/v1/units").json()["as_of_position"]
    assert town.leader.get("/v1/backlog", min_position=position).status_code == 200
    return town


@contextlib.contextmanager
def projecting(database: Database, master: MasterKey | None = None) -> Iterator[None]:
    """Keeps the read models up with the ledger, in a thread of its own, until the block ends.

    With the master key the index of texts as well.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(project(database.url, master=master))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=15)


Event = tuple[str, Json]
"""The name and the data of a server-sent event; of a heartbeat, its comment and nothing."""


class Client(Protocol):
    """Somebody who may listen."""

    @property
    def http(self) -> httpx.Client: ...
    @property
    def credentials(self) -> dict[str, str]: ...


class Listener:
    """A client of one stream: what it receives, in order."""

    def __init__(
        self, person: Client, path: str, headers: dict[str, str] | None = None, **query: Any
    ) -> None:
        self._received: queue.Queue[Event | None] = queue.Queue()
        url = person.http.base_url
        self._connection = http.client.HTTPConnection(url.host, url.port or 80, timeout=30)
        target = f"{path}?{urlencode(query)}" if query else path
        self._connection.request("GET", target, headers=person.credentials | (headers or {}))
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.last_id: str | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            if self._connection.sock is not None:
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        self._connection.close()

    def next(self, timeout_s: float = 10.0) -> Event:
        """The next event. Raises: queue.Empty when none comes in time; EOFError at the end of the stream."""
        received = self._received.get(timeout=timeout_s)
        if received is None:
            raise EOFError
        return received

    def until(self, position: int) -> list[Event]:
        """The events up to and with the first whose rows are as of this position or beyond."""
        events = [self.next()]
        # A reset has the position of the snapshot that follows it.
        while events[-1][0] == "reset" or events[-1][1].get("position", 0) < position:
            events.append(self.next())
        return events

    def _listen(self) -> None:
        name, data = "", ""
        try:
            while line := self._answer.readline().decode():
                field, _, value = line.rstrip("\n").partition(": ")
                if line.startswith(":"):
                    self._received.put((line.strip(), {}))
                elif field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif field == "id":
                    self.last_id = value
                elif line == "\n" and name:
                    self._received.put((name, json.loads(data)))
                    name, data = "", ""
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        self._received.put(None)


def rows_after(events: list[Event], key: str) -> dict[str, Json]:
    """What a client holds that has applied all events; `key` is the member of a row that it is known by."""
    rows: dict[str, Json] = {}
    for name, data in events:
        if name == "reset":
            rows = {}
        elif name == "snapshot":
            rows = {row[key]: row for row in data["rows"]}
        elif name == "delta":
            for change in data["changes"]:
                if change["op"] == "DELETE":
                    rows.pop(change["key"])
                else:
                    rows[change["key"]] = change["row"]
    return rows


def read(person: Person, path: str, **query: Any) -> Json:
    answer = person.get(path, **query)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def command(person: Person, case: Json, name: str, body: Json | None = None) -> Json:
    return person.done(f"/v1/cases/{case['case_id']}/{name}", body, version=case["version"])


def ask(person: Person, target: str) -> httpx.Response:
    return person.http.get(target, headers={"Authorization": f"Bearer {person.token}"})
