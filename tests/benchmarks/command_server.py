"""The application in a process of its own, in three kinds that differ in what they store and how.

`ours` is the product. `nothing` has the same sign-in, parsing, validation and answers and
stores nothing. `stock` decides and seals the same on the stock `Application` of the
framework, in the thread pool that its blocking recorder needs.
"""

import argparse
import os
import socket
import time
from collections.abc import Sequence
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

from services.application import create_app
from services.intake.domain import commands as intake_bodies
from services.intake.domain import decide as intake
from services.resolution.domain import commands as resolution_bodies
from services.resolution.domain import decide as resolution
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.events.registry import decode, encode
from shared.events.vocabulary import UnitKind
from shared.policy.bodies import Body, with_ids
from shared.policy.command import Command
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.policy import DEFAULT_POLICY
from shared.policy.transitions import TRANSITIONS
from shared.runtime.case_commands import CaseAnswer, Decide, PersonLine
from shared.runtime.command_handling import Sent
from shared.runtime.command_http import created, read_sent
from shared.runtime.drafts import AppendedEvent
from shared.runtime.identifiers import new_id
from shared.runtime.identity import TokenVerifier
from shared.runtime.logs import configure_logs
from shared.runtime.sealing import MasterKey, Sealing, people_in
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings
from shared.runtime.sign_in import bearer_sign_in
from shared.runtime.web import Answer, Operation, Operations, Request

_STOCK_SCHEMA = "bench_stock"
JWT_SECRET = b"a secret of the bench, long enough for HS256"
_COMMANDS: dict[str, tuple[type[Body], Decide]] = {
    **{name: (body, intake.decide) for name, body in intake_bodies.BODIES.items()},
    **{name: (body, resolution.decide) for name, body in resolution_bodies.BODIES.items()},
}


Told = list[list[str]]
"""Events of ours inside of the framework's: topic, data, actor and role of each."""


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
        for topic, data, actor_ref, actor_role in told:
            version = 1 if self.case is None else self.case.version + 1
            now = datetime.now(UTC)
            recorded = Recorded(
                position=version, stream_id=self.id, version=version, event_id=self.id, topic=topic,
                schema_version=1, occurred_at=now, recorded_at=now, actor_ref=actor_ref,
                actor_role=actor_role, unit=None, correlation_id=self.id, causation_id=None,
                traceparent=None, policy="", import_id=None, imported_by=None, data=data.encode(),
            )  # fmt: skip
            self.case = evolve(self.case, recorded, decode(topic, 1, recorded.data))


class StockCases(Application[UUID]):
    """The commands of cases on the framework's own application."""

    def __init__(self, env: dict[str, str], master: MasterKey, tree: UnitTree) -> None:
        super().__init__(env)
        self._master = master
        self._tree = tree

    def take(self, sent: Sent, name: str, case_id: UUID | None, decide: Decide) -> CaseAnswer:
        body: Any = with_ids(sent.body, new_id)
        aggregate: StockCase | None = None if case_id is None else self.repository.get(case_id)
        case = None if aggregate is None else aggregate.case
        target: UUID = body.case_id if case_id is None else case_id
        command = Command(
            name=name, case_id=target, body=body, actor=sent.actor, occurred_at=sent.now, now=sent.now,
            tree=self._tree,
        )  # fmt: skip
        decision = decide(case, command, DEFAULT_POLICY)
        people = [] if case is None else [person.person_ref for person in case.people]
        sealing = Sealing(
            self._master, [*people, *(ref for each in decision.events for ref in people_in(each))]
        )
        told = [
            [each.topic, encode(sealing.seal(each, new_id())).decode(), sent.actor.ref, sent.actor.role]
            for each in decision.events
        ]
        if aggregate is None:
            aggregate = StockCase(case_id=target, told=told)
        else:
            aggregate.happen(told)
        self.save(aggregate)
        assert aggregate.case is not None
        return _answer(aggregate.case, [each.topic for each in decision.events])


def _answer(case: Case, topics: Sequence[str]) -> CaseAnswer:
    return CaseAnswer(
        case_id=case.case_id,
        version=case.version,
        position=case.version,
        state=case.state,
        procedure=case.procedure,
        holder_level=case.holder_level,
        holder_unit=case.holder_unit,
        pending_unit=case.pending_unit,
        people=tuple(PersonLine(person_ref=p.person_ref, role=p.role) for p in case.people),
        events=tuple(
            AppendedEvent(
                topic=topic, event_id=case.case_id, position=1, stream_id=case.case_id, version=case.version
            )
            for topic in topics
        ),
    )


def _stock_handler(stock: StockCases, name: str, body: type[Body], decide: Decide) -> Any:
    async def handle(request: Request) -> Answer:
        case_id = None if TRANSITIONS[name].creates else request.id("case_id")
        sent = read_sent(request, body)
        answer = await run_in_threadpool(stock.take, sent, name, case_id, decide)
        return created(answer, answer.version)

    return handle


def _nothing_handler(name: str, body: type[Body]) -> Any:
    topics = TRANSITIONS[name].topics[:1]

    async def handle(request: Request) -> Answer:
        sent = read_sent(request, body)
        case_id: Any = getattr(sent.body, "case_id", None) or request.id("case_id")
        answer = CaseAnswer(
            case_id=case_id,
            version=1,
            position=1,
            state="REGISTERED",
            procedure=None,
            holder_level="GROUP",
            holder_unit=case_id,
            pending_unit=None,
            people=(PersonLine(person_ref=case_id, role="COMPLAINANT"),) * 2,
            events=tuple(
                AppendedEvent(topic=topic, event_id=case_id, position=1, stream_id=case_id, version=1)
                for topic in topics
            ),
        )
        return created(answer, answer.version)

    return handle


def _app(kind: str, url: str, unit: Unit) -> FastAPI:
    secrets = Secrets(master_key=b"m" * 32, jwt_secret=JWT_SECRET)
    if kind == "ours":
        return create_app(Settings(database_url=url, data_dir=Path(os.devnull)), secrets)
    operations: list[Operation] = []
    stock = None
    if kind == "stock":
        tree = UnitTree({unit.unit_id: unit})
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_STOCK_SCHEMA}".encode())
        stock = StockCases(_stock_environment(url), MasterKey(secrets.master_key), tree)
    for name, (body, decide) in _COMMANDS.items():
        opens = TRANSITIONS[name].creates
        handler = _nothing_handler(name, body) if stock is None else _stock_handler(stock, name, body, decide)
        operations.append(
            Operation(
                method="POST", path="/v1/cases" if opens else f"/v1/cases/{{case_id}}/{name}", name=name,
                summary=name, tag=kind, handler=handler, headers=("Idempotency-Key",), body=body,
            )
        )  # fmt: skip
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.append(Operations(operations, bearer_sign_in(TokenVerifier(secrets))))
    return app


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
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        print(listener.getsockname()[1], flush=True)
        started = time.process_time()
        server.run([listener])
        print(time.process_time() - started, flush=True)


if __name__ == "__main__":
    main()
