"""People at work in a simulated county: commands go the product's own way, at a time that is made up."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final, cast
from uuid import UUID

from services.intake.domain.commands import BODIES as INTAKE
from services.intake.domain.decide import decide as decide_intake
from services.resolution.domain.decide import decide as decide_resolution
from shared.events.base import Event
from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.imports import ImportClosed, ImportOpened
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.events.recorded import Recorded
from shared.events.units import UnitRegistered
from shared.policy.actor import Actor
from shared.policy.deciding import allowed_commands
from shared.policy.moments import day_of
from shared.policy.refusal import Refused
from shared.runtime.case_commands import CaseWork, Decide
from shared.runtime.command_handling import Desk, Sent
from shared.runtime.database import service_pool
from shared.runtime.identifiers import new_id
from shared.runtime.imports import Imports
from shared.runtime.problems import Problem
from shared.runtime.sealing import MasterKey
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault
from tests.histories import Occurrence, append_of
from tests.unit.casework import (
    GROUP,
    LEADER,
    NEIGHBOUR,
    OTHER_VILLAGE,
    RESIDENT,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE_OFFICER,
    actor,
    body_of,
)
from tests.unit.clockwork import RESOLVED
from tests.unit.rulebook import EVENT
from tests.unit.sending import DEMAND, FIRST, OTHER_CASE, PROCEDURES, QUERY, SECOND, anything

OFFICER_OF_THE_OTHER_VILLAGE: Final = actor("other-officer", "village_officer", OTHER_VILLAGE)
OUT: Final = {"external_body": {"kind": "COURT", "name": "法院"}, "reason": "诉讼"}
_SAMPLE_DAY: Final = "2024-05-01"
"""The day on which the bodies of the rule book say that something was delivered."""
_ON_TIME: Final = 0.7
"""The share of acts that are recorded when they happen."""
_LATE_H_MAX: Final = 96
_TRIES: Final = 4


class People:
    """What happens to cases, one thing after the other; most of it is random, and may be refused."""

    def __init__(
        self, desk: Desk, appender: Appender, loader: StreamLoader, imports: Imports, draw: Random
    ) -> None:
        self._desk = desk
        self._appender = appender
        self._loader = loader
        self._imports = imports
        self._draw = draw
        self._keys = count(1)
        self.cases: list[UUID] = []
        self._parts: dict[UUID, dict[UUID, UUID]] = {}
        """Who and what of a case is meant where a body speaks of the sample."""

    async def settle(self, at: datetime) -> None:
        """Registers the units."""
        for unit in TREE:
            registered = UnitRegistered(kind=unit.kind, name=unit.name, parent_id=unit.parent_id)
            await self._store(unit.unit_id, 1, registered, at)
        await self._desk.trees.refresh()

    async def open(self, now: datetime) -> UUID:
        """A case of any procedure, at the group, the village or the township."""
        case_id, draw = new_id(), self._draw
        parts = dict(zip((FIRST, SECOND, QUERY, DEMAND), (new_id() for _ in range(4)), strict=True))
        procedure = draw.choice(PROCEDURES)
        by = draw.choice((LEADER, LEADER, RESIDENT, VILLAGE_OFFICER, TOWNSHIP_OFFICER))
        fields: dict[str, Any] = {"origin_unit": by.unit, "procedure": procedure}
        if procedure == "ACCUSATION":
            accused = {"actor_ref": "accused", "role": "group_leader", "unit_id": GROUP}
            by, fields = RESIDENT, fields | {"origin_unit": GROUP, "accused": accused}
        if not await self._send(case_id, "open-case", by, now, opening(case_id, parts) | fields):
            raise AssertionError("an opening was refused")
        self.cases.append(case_id)
        self._parts[case_id] = parts
        return case_id

    async def act(self, case_id: UUID, now: datetime) -> None:
        """Somebody does something about the case and may record it days later; refusals are tried again."""
        stream = (await self._loader.load([case_id])).streams[case_id]
        for _ in range(_TRIES):
            if await self._try(case_id, stream, now):
                return

    async def _try(self, case_id: UUID, stream: Sequence[Recorded], now: datetime) -> bool:
        case = fold(stream)
        assert case is not None
        name, by, fields = anything(self._draw, lambda sender: self._allowed(case, sender, now))
        parts = self._parts[case_id] | {EVENT: stream[0].event_id, OTHER_CASE: self._draw.choice(self.cases)}
        fields = suited(fields, parts, day_of(now - timedelta(days=self._draw.randrange(4))).isoformat())
        if self._draw.random() > _ON_TIME:
            fields["occurred_at"] = now - timedelta(hours=self._draw.uniform(0, _LATE_H_MAX))
        return await self._send(case_id, name, by, now, fields)

    async def begin_import(self, now: datetime) -> UUID:
        """Opens an import for the other village."""
        import_id = new_id()
        await self._store(import_id, 1, ImportOpened(unit=OTHER_VILLAGE), now)
        return import_id

    async def bring(self, import_id: UUID, now: datetime) -> UUID:
        """An old case of the other village: settled or given up in time, too late, or not to this day."""
        case_id, by = new_id(), OFFICER_OF_THE_OTHER_VILLAGE
        parts = {FIRST: new_id(), SECOND: new_id()}
        at = now - timedelta(days=self._draw.uniform(40, 60))
        lines: list[tuple[str, dict[str, Any]]] = [
            ("open-case", opening(case_id, parts) | {"origin_unit": OTHER_VILLAGE}),
            ("accept-case", {}),
            ("assign-handler", {"handler_ref": by.ref}),
            self._draw.choice((("resolve-case", RESOLVED), ("transfer-case", OUT))),
        ]
        for name, fields in lines[: self._draw.choice((1, 3, 4, 4))]:
            done = await self._send(case_id, name, by, now, fields | {"occurred_at": at}, import_id)
            assert done, f"{name} was refused under an import"
            at += timedelta(hours=self._draw.choice((1, 8, 30, 200)))
        return case_id

    async def end_import(self, import_id: UUID, now: datetime) -> None:
        await self._store(import_id, 2, ImportClosed(), now)
        self._imports.forget(import_id)

    def _allowed(self, case: Case, by: Actor, now: datetime) -> list[str]:
        tree = self._desk.trees.current
        return allowed_commands(case, by, tree, tree.policy(case.holder_unit, day_of(now)))

    async def _send(
        self,
        case_id: UUID,
        name: str,
        by: Actor,
        now: datetime,
        fields: dict[str, Any],
        import_id: UUID | None = None,
    ) -> bool:
        """Whether the command was accepted."""
        body = body_of(name, {field: value for field, value in fields.items() if value is not None})
        route = f"POST {name}"
        sent = Sent(route, body, by, by, f"key {next(self._keys)}", None, import_id, now, "")
        decide = decide_intake if name in INTAKE else decide_resolution
        try:
            await self._desk.take(sent, CaseWork(self._desk, sent, name, case_id, body, cast(Decide, decide)))
        except (Refused, Problem):
            return False
        return True

    async def _store(self, stream_id: UUID, version: int, event: Event, at: datetime) -> None:
        occurrence = Occurrence(0, stream_id, version, event, at, None, "operator")
        await self._appender.append(append_of([occurrence]))


def opening(case_id: UUID, parts: Mapping[UUID, UUID]) -> dict[str, Any]:
    """The body that opens a case between two neighbours."""
    people = [
        {"person_ref": parts[FIRST], "role": "COMPLAINANT", "actor_ref": RESIDENT.ref, "name": "甲"},
        {"person_ref": parts[SECOND], "role": "RESPONDENT", "actor_ref": NEIGHBOUR.ref, "name": "乙"},
    ]
    return {
        "case_id": case_id,
        "channel": "VISIT",
        "category": "NEIGHBOUR",
        "title": "邻里纠纷",
        "description": "排水沟堵塞",
        "people": people,
    }


def suited(value: Any, parts: Mapping[UUID, UUID], day: str) -> Any:
    """A body of the sample, about these people, queries and cases, and of this day."""
    match value:
        case dict():
            return {name: suited(each, parts, day) for name, each in value.items()}
        case list():
            return [suited(each, parts, day) for each in value]
        case UUID():
            return parts.get(value, value)
    return day if value == _SAMPLE_DAY else value


@asynccontextmanager
async def people(url: str, master: MasterKey, draw: Random) -> AsyncIterator[People]:
    async with service_pool(url, name="people", connections_max=4) as pool:
        trees = Trees(pool)
        async with Appender(pool) as appender, StreamLoader(pool) as loader:
            imports = Imports(loader)
            desk = Desk(pool, appender, loader, Vault(pool, master), trees, imports)
            yield People(desk, appender, loader, imports, draw)
