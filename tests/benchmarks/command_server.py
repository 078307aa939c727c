"""The application in a process of its own, in three kinds that differ in what they store and how.

`ours` is the product. `nothing` has the same sign-in, parsing, validation (the rules' included)
and answers, and stores nothing. `stock` decides and seals the same on the stock `Application`
of the framework, in the thread pool that its blocking recorder needs.
"""

import argparse
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import uvicorn
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from fastapi import FastAPI
from psycopg.conninfo import conninfo_to_dict
from starlette.concurrency import run_in_threadpool

from services.application import HttpApplication, create_app
from services.intake.domain import commands as intake_bodies
from services.intake.domain import decide as intake
from services.resolution.domain import commands as resolution_bodies
from services.resolution.domain import decide as resolution
from shared.events.base import Event
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.events.registry import decode, encode
from shared.events.vocabulary import UnitKind
from shared.policy.bodies import Body, with_ids
from shared.policy.command import Command
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.transitions import TRANSITIONS
from shared.runtime.case_commands import CaseAnswer, Decide, case_answer
from shared.runtime.case_memory import CaseMemory, after
from shared.runtime.command_handling import Outcome, Sent
from shared.runtime.command_http import created, read_sent
from shared.runtime.garbage import rarely_collected
from shared.runtime.identifiers import new_id
from shared.runtime.identity import TokenVerifier
from shared.runtime.logs import configure_logs
from shared.runtime.sealing import MasterKey, Sealing, people_in
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings
from shared.runtime.sign_in import TokenSignIn
from shared.runtime.web import Answer, Operation, Operations, Request

_STOCK_SCHEMA = "bench_stock"
JWT_SECRET = b"a secret of the bench, long enough for HS256"
MASTER_KEY = b"m" * 32
COMMANDS: dict[str, tuple[type[Body], Decide]] = {
    **{name: (body, intake.decide) for name, body in intake_bodies.BODIES.items()},
    **{name: (body, resolution.decide) for name, body in resolution_bodies.BODIES.items()},
}


Told = list[list[str]]
"""Events of ours inside of the framework's: topic, data, actor and role of each."""


def decided(
    sent: Sent, name: str, case_id: UUID | None, case: Case | None, decide: Decide, tree: UnitTree
) -> tuple[UUID, tuple[Event, ...]]:
    """The case that a command is for, and the events that it comes to."""
    body: Any = with_ids(sent.body, new_id)
    target: UUID = body.case_id if case_id is None else case_id
    command = Command(
        name=name, case_id=target, body=body, actor=sent.actor, occurred_at=sent.now, now=sent.now, tree=tree
    )
    return target, decide(case, command, DEFAULT_POLICY).events


def _recorded(case_id: UUID, version: int, topic: str, data: bytes, actor_ref: str, role: str) -> Recorded:
    now = datetime.now(UTC)
    return Recorded(
        position=version, stream_id=case_id, version=version, event_id=case_id, topic=topic, schema_version=1,
        occurred_at=now, recorded_at=now, actor_ref=actor_ref, actor_role=role, unit=None,
        correlation_id=case_id, causation_id=None, traceparent=None, policy="", import_id=None,
        imported_by=None, data=data,
    )  # fmt: skip


class StockCase(Aggregate):
    """A case as an aggregate of the framework."""

    @staticmethod
    def create_id(*_: Any, case_id: UUID | None = None, **__: Any) -> UUID:
        return case_id or new_id()

    def __init__(self, case_id: UUID, told: Told) -> None:
        self.case: Case | None = None
        self._take(told)

    @event("Happened")
    def happen(self, told: Told) -> None:
        self._take(told)

    def _take(self, told: Told) -> None:
        for topic, data, actor_ref, role in told:
            version = 1 if self.case is None else self.case.version + 1
            recorded = _recorded(self.id, version, topic, data.encode(), actor_ref, role)
            self.case = evolve(self.case, recorded, decode(topic, 1, recorded.data))


class StockCases(Application[UUID]):
    """The commands of cases on the framework's own application."""

    def __init__(self, env: dict[str, str], master: MasterKey, tree: UnitTree) -> None:
        super().__init__(env)
        self._master = master
        self._tree = tree

    def take(self, sent: Sent, name: str, case_id: UUID | None, decide: Decide) -> CaseAnswer:
        aggregate: StockCase | None = None if case_id is None else self.repository.get(case_id)
        case = None if aggregate is None else aggregate.case
        target, events = decided(sent, name, case_id, case, decide, self._tree)
        people = [] if case is None else [person.person_ref for person in case.people]
        people += [person_ref for each in events for person_ref in people_in(each)]
        sealing = Sealing(self._master, people)
        told = [
            [each.topic, encode(sealing.seal(each, new_id())).decode(), sent.actor.ref, sent.actor.role]
            for each in events
        ]
        if aggregate is None:
            aggregate = StockCase(case_id=target, told=told)
        else:
            aggregate.happen(told)
        self.save(aggregate)
        assert aggregate.case is not None
        stored = [
            _recorded(target, aggregate.case.version, topic, b"", sent.actor.ref, sent.actor.role)
            for topic, *_ in told
        ]
        return case_answer(Outcome(stored, {target: aggregate.case}, repeated=False))


class RememberedCases:
    """The commands of cases on a memory alone: decided and answered the same, not sealed, not stored."""

    def __init__(self, tree: UnitTree) -> None:
        self._tree = tree
        self._memory = CaseMemory()

    def take(self, sent: Sent, name: str, case_id: UUID | None, decide: Decide) -> CaseAnswer:
        before = None if case_id is None else self._memory.get(case_id)
        case = None if before is None else before.case
        target, events = decided(sent, name, case_id, case, decide, self._tree)
        version = 0 if case is None else case.version
        pairs = [
            (_recorded(target, number, each.topic, b"", sent.actor.ref, sent.actor.role), each)
            for number, each in enumerate(events, start=version + 1)
        ]
        seen = after(before, pairs)
        assert seen is not None
        self._memory.put(seen)
        return case_answer(Outcome([recorded for recorded, _ in pairs], {target: seen.case}, repeated=False))


def _operation(
    name: str, body: type[Body], decide: Decide, take: Callable[..., CaseAnswer], *, blocks: bool
) -> Operation:
    opens = TRANSITIONS[name].creates

    async def handle(request: Request) -> Answer:
        case_id = None if opens else request.id("case_id")
        sent = read_sent(request, body)
        if blocks:
            answer = await run_in_threadpool(take, sent, name, case_id, decide)
        else:
            answer = take(sent, name, case_id, decide)
        return created(answer, answer.version)

    return Operation(
        method="POST",
        path="/v1/cases" if opens else f"/v1/cases/{{case_id}}/{name}",
        name=name,
        summary=name,
        tag="bench",
        handler=handle,
        headers=("Idempotency-Key",),
        body=body,
    )


def _app(kind: str, url: str, unit: Unit) -> FastAPI:
    secrets = Secrets(master_key=MASTER_KEY, jwt_secret=JWT_SECRET)
    if kind == "ours":
        return create_app(Settings(database_url=url, data_dir=Path(os.devnull)), secrets)
    tree = UnitTree({unit.unit_id: unit})
    take: Callable[..., CaseAnswer]
    if kind == "stock":
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_STOCK_SCHEMA}".encode())
        take = StockCases(_stock_environment(url), MasterKey(secrets.master_key), tree).take
    else:
        take = RememberedCases(tree).take
    operations = [
        _operation(name, body, decide, take, blocks=kind == "stock")
        for name, (body, decide) in COMMANDS.items()
    ]
    app = HttpApplication(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_rarely_collected)
    app.router.routes.append(Operations(operations, TokenSignIn(TokenVerifier(secrets))))
    return app


@asynccontextmanager
async def _rarely_collected(app: FastAPI) -> AsyncIterator[None]:
    with rarely_collected():
        yield


def _stock_environment(url: str) -> dict[str, str]:
    given = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given.get("host", "")),
        "POSTGRES_PORT": str(given.get("port", "5432")),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given.get("password", "")),
        "POSTGRES_SCHEMA": _STOCK_SCHEMA,
        "POSTGRES_POOL_SIZE": "16",
        "POSTGRES_MAX_OVERFLOW": "32",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("ours", "nothing", "stock"))
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--unit", type=UUID, required=True)
    options = parser.parse_args()
    kind: UnitKind = "GROUP"
    unit = Unit(unit_id=options.unit, kind=kind, name="37", parent_id=None)
    app = _app(options.kind, options.database_url, unit)
    listener = socket.create_server(("127.0.0.1", 0))
    with Path(os.devnull).open("w") as nowhere:
        configure_logs("json", nowhere)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False))
        print(listener.getsockname()[1], flush=True)
        started = time.process_time()
        server.run([listener])
        print(time.process_time() - started, flush=True)


if __name__ == "__main__":
    main()
