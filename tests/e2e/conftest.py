"""The application as its clients meet it: a real server on a port of its own, and people with tokens."""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn

from services.application import create_app
from services.demo.people import Known
from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings
from tests.conftest import Database

JWT_SECRET = b"a secret of the tests, long enough for HS256"
Json = dict[str, Any]

_keys = count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with a token; every command goes under a key of its own unless one is given."""

    http: httpx.Client
    token: str
    ref: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(
        self,
        path: str,
        body: Json | None = None,
        *,
        version: int | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        given = self.credentials | {"Idempotency-Key": key or f"key {next(_keys)}"}
        if version is not None:
            given["If-Match"] = f'"{version}"'
        return self.http.post(path, json=body or {}, headers=given | (headers or {}))

    def done(self, path: str, body: Json | None = None, *, version: int | None = None, **more: Any) -> Json:
        """The answer to a command that must be accepted."""
        answer = self.post(path, body, version=version, **more)
        assert answer.status_code in (200, 201), answer.text
        told: Json = answer.json()
        return told

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(path, params=parameters, headers=self.credentials)


@dataclass
class Anjie:
    """A running application over a database of its own."""

    base_url: str
    http: httpx.Client
    database: Database
    data_dir: Path
    secrets: Secrets
    people: dict[str, Person] = field(default_factory=dict)

    def person(
        self, ref: str, role: Role, unit: str | None = None, clearances: frozenset[str] = frozenset()
    ) -> Person:
        unit_id = None if unit is None else UUID(unit)
        token = issue_token(JWT_SECRET, sub=ref, role=role, unit=unit_id, clearances=clearances)
        return Person(self.http, token, ref)


@dataclass(frozen=True)
class Town:
    """A township with two villages of a group each, and the people who work there."""

    township: str
    village: str
    group: str
    other_village: str
    other_group: str
    operator: Person
    resident: Person
    leader: Person
    mediator: Person
    grid_worker: Person
    village_officer: Person
    township_officer: Person
    supervisor: Person
    police: Person
    other_leader: Person
    auditor: Person
    dashboard: Person

    def opening(self, **changes: Any) -> Json:
        """A body that opens a case in the group."""
        return {
            "channel": "VISIT",
            "category": "NEIGHBOUR",
            "origin_unit": self.group,
            "title": "宅基地边界纠纷",
            "description": "两户因宅基地边界发生争执",
            "people": [{"role": "COMPLAINANT", "name": "张三"}, {"role": "RESPONDENT", "name": "李四"}],
        } | changes

    def open_case(self, **changes: Any) -> Json:
        return self.leader.done("/v1/cases", self.opening(**changes))


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals of the test run alone."""
        yield


@contextlib.contextmanager
def serving(
    database: Database,
    data_dir: Path,
    secrets: Secrets | None = None,
    demo_people: Mapping[str, Known] | None = None,
) -> Iterator[Anjie]:
    """The application in a thread of its own until the block ends."""
    secrets = secrets or Secrets(master_key=os.urandom(32), jwt_secret=JWT_SECRET)
    settings = Settings(database_url=database.url, data_dir=data_dir)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(settings, secrets, demo_people=demo_people)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
    server = _Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the application did not start"
        time.sleep(0.005)
    base_url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base_url, timeout=30) as http:
        try:
            yield Anjie(base_url, http, database, data_dir, secrets)
        finally:
            server.should_exit = True
            thread.join(timeout=15)
            listener.close()


@pytest.fixture
def anjie(database: Database, tmp_path: Path) -> Iterator[Anjie]:
    with serving(database, tmp_path) as running:
        yield running


def build_town(anjie: Anjie, name: str = "余东镇") -> Town:
    """Registers the units of a small town, and gives its people their tokens."""
    operator = anjie.person("operator", "operator")

    def unit(kind: str, name: str, parent: str | None = None) -> str:
        body = {"kind": kind, "name": name} | ({"parent_id": parent} if parent else {})
        unit_id: str = operator.done("/v1/units", body)["unit_id"]
        return unit_id

    township = unit("TOWNSHIP", name)
    village = unit("VILLAGE", "新河村", township)
    group = unit("GROUP", "37组", village)
    other_village = unit("VILLAGE", "富民村", township)
    other_group = unit("GROUP", "2组", other_village)
    return Town(
        township=township,
        village=village,
        group=group,
        other_village=other_village,
        other_group=other_group,
        operator=operator,
        resident=anjie.person("resident-1", "resident", group),
        leader=anjie.person("leader-37", "group_leader", group),
        mediator=anjie.person("mediator-1", "mediator", village),
        grid_worker=anjie.person("grid-1", "grid_worker", village),
        village_officer=anjie.person("village-1", "village_officer", village),
        township_officer=anjie.person("township-1", "township_officer", township),
        supervisor=anjie.person("supervisor-1", "supervisor", village),
        police=anjie.person("police-1", "community_police", village),
        other_leader=anjie.person("leader-2", "group_leader", other_group),
        auditor=anjie.person("auditor-1", "auditor", township),
        dashboard=anjie.person("wall", "dashboard", township),
    )


@pytest.fixture
def town(anjie: Anjie) -> Town:
    return build_town(anjie)
