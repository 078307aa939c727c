"""The routes beside cases: units, visits, services, rosters, imports."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from services.intake.application.beside import TREE, Basis, BesideWork
from services.intake.application.visits import VisitWork
from services.intake.domain import beside, records, units
from shared.events.base import Event
from shared.policy.bodies import Body, with_ids
from shared.policy.imports import fold_import
from shared.runtime.case_commands import CaseAnswer, case_answer
from shared.runtime.command_handling import Desk, Outcome
from shared.runtime.command_http import COMMAND_PROBLEMS, created, read_sent
from shared.runtime.drafts import AppendedEvent, appended_events
from shared.runtime.identifiers import new_id
from shared.runtime.web import Answer, Operation, Request


class BesideAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command beside cases is answered with, with the id of what it is about."""

    version: int
    position: int
    events: tuple[AppendedEvent, ...]


class UnitAnswer(BesideAnswer, frozen=True, kw_only=True):
    unit_id: UUID


class ServiceAnswer(BesideAnswer, frozen=True, kw_only=True):
    service_id: UUID


class RosterAnswer(BesideAnswer, frozen=True, kw_only=True):
    roster_id: UUID


class ImportAnswer(BesideAnswer, frozen=True, kw_only=True):
    import_id: UUID


class VisitAnswer(BesideAnswer, frozen=True, kw_only=True, omit_defaults=True):
    visit_id: UUID
    case: CaseAnswer | None = None
    """Of the case that it opened."""


_HEADERS: Final = ("Idempotency-Key", "?Anjie-Import", "?Accept-Language")
_UNIT: Final = "01932f4a-8a00-7000-8000-000000000037"
_EXAMPLES: Final[dict[str, Any]] = {
    "register-unit": {"kind": "TOWNSHIP", "name": "余东镇"},
    "register-visit": {
        "unit": _UNIT,
        "visit_kind": "HOUSEHOLD",
        "household_ref": "37-012",
        "findings": "一切安好。",
    },
    "record-service": {"unit": _UNIT, "item": "ATTESTATION"},
    "file-roster": {"unit": _UNIT, "as_of_on": "2024-01-01", "households": ["37-001", "37-002"]},
    "open-import": {"unit": _UNIT, "note": "历史台账"},
}


def operations(desk: Desk) -> Sequence[Operation]:
    """The operations; what decides each of them is in `services.intake.domain`."""
    return [
        _beginning(
            desk, "/v1/units", beside.RegisterUnit, UnitAnswer, "unit_id",
            lambda body, basis: units.register_unit(body, basis.actor, basis.tree),
        ),
        _changing(
            desk, "/v1/units/{unit_id}/rename-unit", beside.RenameUnit, UnitAnswer, "unit_id",
            lambda unit_id, body, basis: units.rename_unit(unit_id, body, basis.actor, basis.tree),
        ),
        _changing(
            desk, "/v1/units/{unit_id}/move-unit", beside.MoveUnit, UnitAnswer, "unit_id",
            lambda unit_id, body, basis: units.move_unit(unit_id, body, basis.actor, basis.tree),
        ),
        _changing(
            desk, "/v1/units/{unit_id}/close-unit", beside.CloseUnit, UnitAnswer, "unit_id",
            lambda unit_id, body, basis: units.close_unit(unit_id, body, basis.actor, basis.tree),
        ),
        _visits(desk),
        _beginning(
            desk, "/v1/services", beside.RecordService, ServiceAnswer, "service_id",
            lambda body, basis: records.record_service(body, basis.actor, basis.tree, basis.policy),
        ),
        _beginning(
            desk, "/v1/rosters", beside.FileRoster, RosterAnswer, "roster_id",
            lambda body, basis: records.file_roster(body, basis.actor, basis.tree),
        ),
        _beginning(
            desk, "/v1/imports", beside.OpenImport, ImportAnswer, "import_id",
            lambda body, basis: records.open_import(body, basis.actor, basis.tree),
        ),
        _changing(
            desk, "/v1/imports/{import_id}/close", beside.CloseImport, ImportAnswer, "import_id",
            lambda import_id, body, basis: records.close_import(
                fold_import(basis.streams.events(import_id)), basis.actor
            ),
            needs_version=False,
        ),
    ]  # fmt: skip


def _beginning(
    desk: Desk,
    path: str,
    cls: type[Body],
    answer: type[BesideAnswer],
    id_name: str,
    decide: Callable[[Any, Basis], Event],
) -> Operation:
    """A command that begins a stream of its own."""

    async def handle(request: Request) -> Answer:
        sent = read_sent(request, cls)
        body = with_ids(sent.body, new_id)
        stream_id: UUID = getattr(body, id_name)
        work = BesideWork(
            desk,
            sent,
            stream_id,
            body,
            lambda basis: decide(body, basis),
            begins=id_name,
            turns=_turns(id_name),
        )
        return _answered(await desk.take(sent, work), answer, id_name, status=201)

    return _operation(path, cls, answer, handle, status=201, headers=_HEADERS)


def _changing(
    desk: Desk,
    path: str,
    cls: type[Body],
    answer: type[BesideAnswer],
    id_name: str,
    decide: Callable[[UUID, Any, Basis], Event],
    *,
    needs_version: bool = True,
) -> Operation:
    """A command on a stream that is there."""

    async def handle(request: Request) -> Answer:
        stream_id = request.id(id_name)
        sent = read_sent(request, cls)
        work = BesideWork(
            desk,
            sent,
            stream_id,
            sent.body,
            lambda basis: decide(stream_id, sent.body, basis),
            begins=None,
            turns=_turns(id_name),
        )
        return _answered(await desk.take(sent, work), answer, id_name, status=200)

    headers = (*_HEADERS, "If-Match") if needs_version else _HEADERS
    return _operation(path, cls, answer, handle, status=200, headers=headers)


def _turns(id_name: str) -> Sequence[UUID]:
    return (TREE,) if id_name == "unit_id" else ()


def _visits(desk: Desk) -> Operation:
    async def handle(request: Request) -> Answer:
        sent = read_sent(request, beside.RegisterVisit)
        work = VisitWork(desk, sent)
        outcome = await desk.take(sent, work)
        first = outcome.events[0]
        answer = VisitAnswer(
            visit_id=first.stream_id,
            version=first.version,
            position=outcome.events[-1].position,
            events=appended_events(outcome.events),
            case=case_answer(outcome) if outcome.cases else None,
        )
        return created(answer, answer.version)

    return _operation("/v1/visits", beside.RegisterVisit, VisitAnswer, handle, status=201, headers=_HEADERS)


def _operation(
    path: str,
    cls: type[Body],
    answer: type[BesideAnswer],
    handler: Any,
    *,
    status: int,
    headers: tuple[str, ...],
) -> Operation:
    return Operation(
        method="POST",
        path=path,
        name=cls.command,
        summary=cls.command.replace("-", " ").capitalize() + ".",
        tag="beside cases",
        handler=handler,
        body=cls,
        example=_EXAMPLES.get(cls.command),
        answers={status: answer},
        problems=COMMAND_PROBLEMS,
        headers=headers,
        batchable=True,
    )


def _answered(outcome: Outcome, answer: type[BesideAnswer], id_name: str, *, status: int) -> Answer:
    last = outcome.events[-1]
    fields: dict[str, Any] = {id_name: last.stream_id}
    told = answer(
        version=last.version, position=last.position, events=appended_events(outcome.events), **fields
    )
    return created(told, told.version, status=status)
