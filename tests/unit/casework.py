"""A small county for domain tests: units, people, and a docket that plays commands without a database."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from services.intake.domain.commands import BODIES as INTAKE
from services.intake.domain.decide import decide as decide_intake
from services.resolution.domain.commands import BODIES as RESOLUTION
from services.resolution.domain.decide import decide as decide_resolution
from shared.events.base import Event
from shared.events.case import Author, Case
from shared.events.cases import DeadlineBreachVoided, DeadlineShifted, DeadlineStarted
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.events.vocabulary import Role, UnitKind
from shared.policy.actor import Actor
from shared.policy.bodies import Body, check_text, with_ids
from shared.policy.clocks import caught_up
from shared.policy.command import Command, Decision, EventRef
from shared.policy.deciding import allowed_commands
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.moments import day_of
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.provisional import CLOCK

NOW = datetime(2024, 5, 6, 2, 0, tzinfo=UTC)
_ids = itertools.count(1)


def unit_id(number: int) -> UUID:
    return UUID(int=0xA0000000_0000_7000_8000_000000000000 + number)


def new_id() -> UUID:
    return UUID(int=0xB0000000_0000_7000_8000_000000000000 + next(_ids))


TOWNSHIP, OTHER_TOWNSHIP = unit_id(1), unit_id(2)
VILLAGE, OTHER_VILLAGE, NEIGHBOURHOOD, FAR_VILLAGE = unit_id(11), unit_id(12), unit_id(13), unit_id(21)
GROUP, SISTER_GROUP, OTHER_GROUP = unit_id(111), unit_id(112), unit_id(121)


def _unit(ref: UUID, kind: UnitKind, name: str, parent: UUID | None) -> tuple[UUID, Unit]:
    return ref, Unit(unit_id=ref, kind=kind, name=name, parent_id=parent)


TREE = UnitTree(
    dict(
        (
            _unit(TOWNSHIP, "TOWNSHIP", "余东镇", None),
            _unit(OTHER_TOWNSHIP, "TOWNSHIP", "三星镇", None),
            _unit(VILLAGE, "VILLAGE", "新河村", TOWNSHIP),
            _unit(OTHER_VILLAGE, "VILLAGE", "启勇村", TOWNSHIP),
            _unit(NEIGHBOURHOOD, "NEIGHBOURHOOD", "西门居委", TOWNSHIP),
            _unit(FAR_VILLAGE, "VILLAGE", "召良村", OTHER_TOWNSHIP),
            _unit(GROUP, "GROUP", "37组", VILLAGE),
            _unit(SISTER_GROUP, "GROUP", "38组", VILLAGE),
            _unit(OTHER_GROUP, "GROUP", "1组", OTHER_VILLAGE),
        )
    )
)


def actor(ref: str, role: Role, unit: UUID | None, *clearances: str) -> Actor:
    return Actor(ref=ref, role=role, unit=unit, clearances=frozenset(clearances))


LEADER = actor("leader", "group_leader", GROUP)
SISTER_LEADER = actor("sister-leader", "group_leader", SISTER_GROUP)
VILLAGE_OFFICER = actor("village-officer", "village_officer", VILLAGE)
VILLAGE_MEDIATOR = actor("village-mediator", "mediator", VILLAGE)
TOWNSHIP_OFFICER = actor("township-officer", "township_officer", TOWNSHIP)
TOWNSHIP_MEDIATOR = actor("township-mediator", "mediator", TOWNSHIP)
SUPERVISOR = actor("supervisor", "supervisor", VILLAGE)
RESIDENT = actor("resident", "resident", GROUP)
NEIGHBOUR = actor("neighbour", "resident", GROUP)
POLICE = actor("police", "community_police", VILLAGE)
CLOCK_TOPICS = frozenset(event.topic for event in (DeadlineStarted, DeadlineShifted, DeadlineBreachVoided))
"""What stands behind a command's own events, about clocks."""


def body_of(name: str, fields: dict[str, Any]) -> Body:
    """The body as a client would send it, checked as the edge would check it."""
    body = msgspec.convert(fields, (INTAKE | RESOLUTION)[name], strict=False)
    faults = check_text(body)
    assert not faults, faults
    return with_ids(body, new_id)


class Docket:
    """Cases as the commands played on them left them."""

    def __init__(self, tree: UnitTree = TREE) -> None:
        self.tree = tree
        self.cases: dict[UUID, Case] = {}
        self.streams: dict[UUID, list[tuple[Recorded, Event]]] = {}
        self.now = NOW
        self._position = itertools.count(1)

    def open(self, by: Actor, /, **fields: Any) -> UUID:
        case_id: UUID = fields.get("case_id") or new_id()
        given = {
            "case_id": case_id,
            "channel": "VISIT",
            "category": "NEIGHBOUR",
            "origin_unit": by.unit,
            "title": "邻里纠纷",
            "description": "排水沟堵塞",
        }
        self.send(case_id, "open-case", by, **(given | fields))
        return case_id

    def send(self, case_id: UUID, name: str, by: Actor, /, **fields: Any) -> list[str]:
        """The topics that the command came to, on the case and on a primary it went into; clocks aside."""
        command = self.command(case_id, name, by, **fields)
        decided = self.decide(command)
        self.take(command, decided)
        topics = [event.topic for event in (*decided.events, *decided.primary_events)]
        return [topic for topic in topics if topic not in CLOCK_TOPICS]

    def take(self, command: Command, decided: Decision) -> None:
        """What was decided comes to pass."""
        self.apply(command.case_id, decided.events, command.actor, command.occurred_at)
        if command.into is not None:
            self.apply(command.into.case_id, decided.primary_events, command.actor, command.occurred_at)
        self.now += timedelta(minutes=1)

    def wait_until(self, instant: datetime) -> None:
        """Time passes, and the clock records what falls due meanwhile."""
        self.now = instant
        for case_id in tuple(self.cases):
            self.catch_up(case_id, instant)

    def catch_up(self, case_id: UUID, until: datetime) -> None:
        """The clock records what has fallen due."""
        for at, event in caught_up(self.cases[case_id], until, self.tree)[1]:
            self.apply(case_id, (event,), CLOCK, at)

    def command(self, case_id: UUID, name: str, by: Actor, /, **fields: Any) -> Command:
        body = body_of(name, fields)
        stream = self.streams.get(case_id, [])
        named = [recorded for recorded, _ in stream if recorded.event_id == getattr(body, "event_id", None)]
        return Command(
            name=name,
            case_id=case_id,
            body=body,
            actor=by,
            occurred_at=body.occurred_at or self.now,
            now=self.now,
            tree=self.tree,
            into=self.cases.get(getattr(body, "into_case_id", case_id)) if name == "merge-case" else None,
            event=EventRef(
                event_id=named[0].event_id,
                topic=named[0].topic,
                author_ref=named[0].actor_ref,
                author_unit=named[0].unit,
            )
            if named
            else None,
            digests=dict.fromkeys(body.files, "digest"),
        )

    def decide(self, command: Command) -> Decision:
        decide = decide_intake if command.name in INTAKE else decide_resolution
        case = self.cases.get(command.case_id)
        unit = getattr(command.body, "origin_unit", None) if case is None else case.holder_unit
        return decide(case, command, self.tree.policy(unit, day_of(command.occurred_at)))

    def apply(self, case_id: UUID, events: tuple[Event, ...], by: Actor | Author, at: datetime) -> None:
        stream = self.streams.setdefault(case_id, [])
        for event in events:
            recorded = recorded_of(
                event, by, case_id, version=len(stream) + 1, position=next(self._position), at=at
            )
            stream.append((recorded, event))
            case = evolve(self.cases.get(case_id), recorded, event)
            assert case is not None
            self.cases[case_id] = case

    def allowed(self, case_id: UUID, by: Actor) -> list[str]:
        case = self.cases[case_id]
        policy = self.tree.policy(case.holder_unit, day_of(self.now))
        return allowed_commands(case, by, self.tree, policy)


def recorded_of(
    event: Event, by: Actor | Author, stream_id: UUID, *, version: int, position: int, at: datetime
) -> Recorded:
    """The event as the ledger would give it back, but for its data."""
    return Recorded(
        position=position,
        stream_id=stream_id,
        version=version,
        event_id=new_id(),
        topic=event.topic,
        schema_version=event.class_version,
        occurred_at=at,
        recorded_at=at,
        actor_ref=by.ref,
        actor_role=by.role,
        unit=by.unit,
        correlation_id=stream_id,
        causation_id=None,
        traceparent=None,
        policy=DEFAULT_POLICY.id,
        import_id=None,
        imported_by=None,
        data=b"",
    )
