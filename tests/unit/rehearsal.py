"""Playing lines of a demo set through the rules, in memory: no server, no database, nothing sealed."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from services.demo.lines import Line
from services.intake.domain import beside, commands, records, units
from services.intake.domain.decide import decide as decide_intake
from services.resolution.domain.commands import BODIES as RESOLUTION
from services.resolution.domain.decide import decide as decide_resolution
from shared.events.base import Event
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.bodies import Body, check_text
from shared.policy.command import Command
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.transitions import TRANSITIONS

OPERATOR = Actor(ref="operator", role="operator", unit=None)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
T = TypeVar("T", bound=Body)

_encoder = msgspec.json.Encoder()
_CASE_BODIES: dict[str, type[Body]] = commands.BODIES | RESOLUTION


class Rehearsal:
    """The state that the lines played so far have come to; a line that is refused raises."""

    def __init__(self) -> None:
        self.cases: dict[UUID, Case] = {}
        self.tree = UnitTree({})
        self.visits: list[beside.RegisterVisit] = []
        self.services: list[beside.RecordService] = []
        self.rosters: dict[UUID, beside.FileRoster] = {}
        self.open_imports: dict[UUID, UUID] = {}
        self.topics: Counter[str] = Counter()
        self.late = 0
        """Events of a case that happened before one already recorded."""
        self._units: dict[UUID, Unit] = {}
        self._position = 0
        self._latest: dict[UUID, datetime] = {}

    def play(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.line(line)

    def line(self, line: Line) -> None:
        request = line.request
        actor = OPERATOR
        if request.actor is not None:
            sent = msgspec.convert(msgspec.to_builtins(request.actor), dict)
            actor = msgspec.convert(
                {"ref": sent["sub"], "role": sent["role"], "unit": sent["unit"], "clearances": []}, Actor
            )
        if request.actor is not None or line.request.path.startswith("/v1/cases"):
            import_id = UUID(request.headers["Anjie-Import"])
            assert self.tree.within(actor.unit, self.open_imports[import_id])
        content = _encoder.encode(request.body)
        match request.path.split("/")[2:]:
            case ["units"]:
                self._unit(_read(content, beside.RegisterUnit))
            case ["imports"]:
                opened = _read(content, beside.OpenImport)
                records.open_import(opened, actor, self.tree)
                assert opened.import_id is not None
                self.open_imports[opened.import_id] = opened.unit
            case ["imports", import_text, "close"]:
                del self.open_imports[UUID(import_text)]
            case ["rosters"]:
                roster = _read(content, beside.FileRoster)
                records.file_roster(roster, actor, self.tree)
                self.rosters[roster.unit] = roster
            case ["visits"]:
                self._visit(_read(content, beside.RegisterVisit), actor)
            case ["services"]:
                service = _read(content, beside.RecordService)
                records.record_service(service, actor, self.tree, DEFAULT_POLICY)
                self.services.append(service)
            case ["cases"]:
                opening = _read(content, commands.OpenCase)
                assert opening.case_id is not None
                self._command("open-case", opening.case_id, opening, actor)
            case ["cases", case_text, command]:
                assert ("If-Match" in request.headers) is not TRANSITIONS[command].adds
                body = _read(content, _CASE_BODIES[command])
                self._command(command, UUID(case_text), body, actor)
            case _:
                raise AssertionError(request.path)

    def _unit(self, body: beside.RegisterUnit) -> None:
        units.register_unit(body, OPERATOR, self.tree)
        assert body.unit_id is not None
        self._units[body.unit_id] = Unit(
            unit_id=body.unit_id, kind=body.kind, name=body.name, parent_id=body.parent_id
        )
        self.tree = UnitTree(self._units)

    def _visit(self, body: beside.RegisterVisit, actor: Actor) -> None:
        records.record_visit(body, actor, self.tree, None)
        self.visits.append(body)
        opening = body.opens_case
        if opening is not None:
            assert opening.case_id is not None
            at = opening.occurred_at or body.occurred_at
            self._command("open-case", opening.case_id, opening, actor, at)

    def _command(
        self, name: str, case_id: UUID, body: Body, actor: Actor, at: datetime | None = None
    ) -> None:
        at = at or body.occurred_at
        assert at is not None
        assert at < _NOW
        case = self.cases.get(case_id)
        into = self.cases.get(body.into_case_id) if isinstance(body, commands.MergeCase) else None
        command = Command(
            name=name, case_id=case_id, body=body, actor=actor, occurred_at=at, now=_NOW, tree=self.tree,
            imported=True, into=into,
        )  # fmt: skip
        decide = decide_resolution if name in RESOLUTION else decide_intake
        decision = decide(case, command, DEFAULT_POLICY)
        self._evolve(case_id, decision.events, actor, at)
        if into is not None:
            self._evolve(into.case_id, decision.primary_events, actor, at)

    def _evolve(self, case_id: UUID, events: tuple[Event, ...], actor: Actor, at: datetime) -> None:
        if at < self._latest.get(case_id, at):
            self.late += 1
        self._latest[case_id] = max(at, self._latest.get(case_id, at))
        case = self.cases.get(case_id)
        for event in events:
            self._position += 1
            self.topics[event.topic] += 1
            recorded = Recorded(
                position=self._position, stream_id=case_id, version=1 if case is None else case.version + 1,
                event_id=UUID(int=self._position), topic=event.topic, schema_version=1, occurred_at=at,
                recorded_at=_NOW, actor_ref=actor.ref, actor_role=actor.role, unit=actor.unit,
                correlation_id=case_id, causation_id=None, traceparent=None, policy=DEFAULT_POLICY.id,
                import_id=None, imported_by=None, data=b"",
            )  # fmt: skip
            case = evolve(case, recorded, event)
        assert case is not None
        self.cases[case_id] = case


def _read(content: bytes, cls: type[T]) -> T:
    body = msgspec.json.decode(content, type=cls)
    assert check_text(body) == []
    return body
