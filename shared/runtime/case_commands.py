"""A command on a case, from what a client sent to the answer it gets."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from shared.events.base import Event
from shared.events.case import Case
from shared.events.files import FileStored
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.events.vocabulary import Level, PersonRole, Procedure, State
from shared.policy.bodies import Body, with_ids
from shared.policy.clocks import caught_up
from shared.policy.command import Command, Decision, EventRef
from shared.policy.imports import Import
from shared.policy.policy import Policy
from shared.policy.refusal import Taken
from shared.policy.rules import refusal
from shared.policy.transitions import TRANSITIONS
from shared.runtime.case_memory import Known
from shared.runtime.command_handling import (
    Decided,
    Desk,
    Outcome,
    Sent,
    Streams,
    deciding,
    first_refusal,
    happened_at,
    stale,
    under_import,
)
from shared.runtime.drafts import AppendedEvent, Placed, appended_events
from shared.runtime.identifiers import new_id
from shared.runtime.sealing import people_in

Decide = Callable[[Case | None, Command, Policy], Decision]


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    person_ref: UUID
    role: PersonRole


class CaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command on a case is answered with; `position` is that of its last event."""

    case_id: UUID
    version: int
    position: int
    state: State
    procedure: Procedure | None
    holder_level: Level
    holder_unit: UUID
    pending_unit: UUID | None
    people: tuple[PersonLine, ...]
    events: tuple[AppendedEvent, ...]


def case_answer(outcome: Outcome) -> CaseAnswer:
    """The answer about the case on whose stream the command's events begin, or that it opened."""
    events = outcome.events
    case = next(outcome.cases[event.stream_id] for event in events if event.stream_id in outcome.cases)
    return CaseAnswer(
        case_id=case.case_id,
        version=case.version,
        position=events[-1].position,
        state=case.state,
        procedure=case.procedure,
        holder_level=case.holder_level,
        holder_unit=case.holder_unit,
        pending_unit=case.pending_unit,
        people=tuple(PersonLine(person_ref=p.person_ref, role=p.role) for p in case.people),
        events=appended_events(events),
    )


class CaseWork:
    """What one command on one case needs to know, and what it comes to."""

    def __init__(
        self, desk: Desk, sent: Sent, name: str, case_id: UUID | None, body: Body, decide: Decide
    ) -> None:
        self._desk = desk
        self._sent = sent
        self._name = name
        self._decide = decide
        self._body = with_ids(body, new_id)
        self._into: UUID | None = getattr(body, "into_case_id", None)
        self._into_version: int | None = getattr(body, "into_version", None)
        self._event_id: UUID | None = getattr(body, "event_id", None)
        self._opens = TRANSITIONS[name].creates
        made: UUID | None = getattr(self._body, "case_id", None)
        self.case_id: UUID = case_id or made or new_id()

    @property
    def cases(self) -> Sequence[UUID]:
        if self._opens:
            return ()
        return (self.case_id,) if self._into is None else (self.case_id, self._into)

    @property
    def turns(self) -> Sequence[UUID]:
        return self.cases

    @property
    def new(self) -> Sequence[UUID]:
        return (self.case_id,) if self._opens else ()

    @property
    def others(self) -> Sequence[UUID]:
        # A correction points at an event, so the stream itself is needed and not only its sum.
        return self._body.files if self._event_id is None else (self.case_id,)

    def decide(self, streams: Streams, found: Import | None) -> Decided:
        """Refusals come in the order of the contract: 404, 403, 412, 409, 422."""
        sent = self._sent
        seen, into = streams.case(self.case_id), None if self._into is None else streams.case(self._into)
        case = None if seen is None else seen.case
        tree = self._desk.trees.current
        imported = under_import(sent, found, tree)
        unit = getattr(self._body, "origin_unit", None) if case is None else case.holder_unit
        occurred_at, policy, late = happened_at(sent, self._body, unit, tree, imported=imported)
        primary = None if into is None else into.case
        overdue: list[tuple[datetime, Event]] = []
        overdue_there: list[tuple[datetime, Event]] = []
        if case is not None and not imported:
            case, overdue = caught_up(case, occurred_at, tree)
        if primary is not None and not imported:
            primary, overdue_there = caught_up(primary, occurred_at, tree)
        command = Command(
            name=self._name,
            case_id=self.case_id,
            body=self._body,
            actor=sent.actor,
            occurred_at=occurred_at,
            now=sent.now,
            tree=tree,
            imported=imported,
            into=primary,
            event=_event(streams.events(self.case_id), self._event_id),
            digests=_digests(streams, self._body.files),
        )
        decision, refused = deciding(lambda: self._decide(case, command, policy))
        if self._opens and streams.events(self.case_id):
            refused = refusal(Taken, "id-taken", "/case_id")
        if seen is not None and not self._opens:
            check_fresh(seen, sent.if_match, streams.events(self.case_id))
        if into is not None:
            check_fresh(into, self._into_version, streams.events(into.case.case_id))
        if decision is None or refused or late:
            raise first_refusal(refused, late)
        placed = _placed(self.case_id, seen, overdue, decision.events)
        if into is not None:
            placed += _placed(into.case.case_id, into, overdue_there, decision.primary_events)
        about = self._body.about
        return Decided(
            placed=placed,
            occurred_at=occurred_at,
            correlation_id=self.case_id,
            about=_people(case, decision.events) if about is None else about,
            policy=policy.id,
        )


def check_fresh(seen: Known, version: int | None, stream: Sequence[Recorded]) -> None:
    """Raises: Problem 412 when the case was handled after that version, or never had it."""
    current = seen.case.version
    if version is not None and not seen.handled <= version <= current:
        raise stale(current, version, stream)


def _placed(
    stream_id: UUID, seen: Known | None, overdue: Sequence[tuple[datetime, Event]], own: Sequence[Event]
) -> list[Placed]:
    """Events behind those that are there: what the clock lets happen before, then the command's own."""
    version = 0 if seen is None else seen.case.version
    events = [*((event, at) for at, event in overdue), *((event, None) for event in own)]
    return [Placed(stream_id, n, event, at) for n, (event, at) in enumerate(events, start=version + 1)]


def _people(case: Case | None, events: Sequence[Event]) -> list[UUID]:
    """The people of the case, those that the events bring among them."""
    people = [] if case is None else [person.person_ref for person in case.people]
    return people + [person_ref for event in events for person_ref in people_in(event)]


def _event(stream: Sequence[Recorded], event_id: UUID | None) -> EventRef | None:
    for recorded in stream:
        if recorded.event_id == event_id:
            return EventRef(
                event_id=recorded.event_id,
                topic=recorded.topic,
                author_ref=recorded.actor_ref,
                author_unit=recorded.unit,
            )
    return None


def _digests(streams: Streams, files: Sequence[UUID]) -> dict[UUID, str]:
    digests: dict[UUID, str] = {}
    for file_id in files:
        for recorded in streams.events(file_id):
            if isinstance(event := event_of(recorded), FileStored):
                digests[file_id] = event.digest
    return digests
