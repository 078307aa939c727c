"""The way of every command: read what it needs, decide, seal, append, once whatever happens.

What a command needs and what it comes to is its `Work`; the `Desk` does the rest: repeated
keys, conflicts with others, keys of personal data, and the state afterwards.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.events.base import Event
from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import (
    Appended,
    IdempotencyKey,
    KeyReused,
    Metadata,
    PersonTaken,
    Recorded,
    StreamConflict,
    WrappedKey,
)
from shared.policy.actor import Actor
from shared.policy.bodies import Body
from shared.policy.imports import Import, check_import
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of, moment
from shared.policy.policy import Policy
from shared.policy.refusal import Forbidden, GuardFailed, Refused, Taken, Unknown, WrongState
from shared.policy.rules import failed, refusal
from shared.runtime.bodies import canonical
from shared.runtime.case_memory import CaseMemory, Known, after, known
from shared.runtime.database import Pool
from shared.runtime.drafts import Draft, Placed, appended_events, draft, recorded
from shared.runtime.imports import Imports
from shared.runtime.problems import Problem, Text
from shared.runtime.sealing import MasterKey, Sealing
from shared.runtime.trees import Trees
from shared.runtime.turns import Turns
from shared.runtime.vault import Vault

T = TypeVar("T")

ATTEMPTS_MAX: Final = 8
"""How often a command is decided anew because other processes changed its case meanwhile."""


class Sent(NamedTuple):
    """A command as it was sent: who, what, under which key."""

    route: str
    """Method and path."""
    body: Body
    """As the client gave it, ids that it left to the server still absent."""
    sender: Actor
    """Whose token it came with; owns the key."""
    actor: Actor
    """Whose act it is: the sender's, but for an import in others' names."""
    key: str
    if_match: int | None
    """The version that the sender has read; None where any will do."""
    import_id: UUID | None
    now: datetime
    traceparent: str

    def idempotency(self, master: MasterKey) -> IdempotencyKey:
        route = self.route if self.actor is self.sender else f"{self.route} {self.actor}"
        return master.idempotency(self.sender.ref, self.key, route, canonical(self.body))


class Streams:
    """What a decision is based on: cases as they are remembered, or streams as they were read."""

    def __init__(
        self,
        *,
        remembered: Mapping[UUID, Known] | None = None,
        read: Mapping[UUID, Sequence[Recorded]] | None = None,
    ) -> None:
        self._cases: dict[UUID, Known | None] = dict(remembered or {})
        self._read = read or {}

    def case(self, case_id: UUID) -> Known | None:
        if case_id not in self._cases:
            self._cases[case_id] = known(self._read.get(case_id, ()))
        return self._cases[case_id]

    def events(self, stream_id: UUID) -> Sequence[Recorded]:
        """The events of a stream, in order; none if there is no such stream or it was not read."""
        return self._read.get(stream_id, ())


class Decided(NamedTuple):
    """What a command comes to."""

    placed: Sequence[Placed]
    occurred_at: datetime
    correlation_id: UUID
    about: Sequence[UUID]
    """Whom its free texts concern."""
    policy: str
    """Id of the rules that it was decided under."""
    known_persons: Sequence[UUID] = ()
    """People met in its events who have a key already."""
    keys: Sequence[WrappedKey] = ()
    """Keys that it brings itself."""


class Work(Protocol):
    """One command: what it must know, and what it decides."""

    @property
    def cases(self) -> Sequence[UUID]:
        """The cases whose state it needs."""

    @property
    def turns(self) -> Sequence[UUID]:
        """What it shares with other commands, so that they are taken one after the other."""

    @property
    def new(self) -> Sequence[UUID]:
        """Streams that it begins, so that they are expected not to be there."""

    @property
    def others(self) -> Sequence[UUID]:
        """Streams of which it needs the events themselves."""

    def decide(self, streams: Streams, found: Import | None) -> Decided:
        """Raises: Refused, Problem."""


class Outcome(NamedTuple):
    """A command that was accepted, now or before."""

    events: Sequence[Recorded]
    """Of its append, in order of position."""
    cases: Mapping[UUID, Case]
    """Every case it touched, as of its last event there."""
    repeated: bool


def under_import(sent: Sent, found: Import | None, tree: UnitTree) -> bool:
    """Whether the command comes under an import. Raises: Refused where it may not."""
    if sent.import_id is None:
        return False
    check_import(found, sent.sender, tree)
    if sent.actor is not sent.sender:
        check_import(found, sent.actor, tree)
    return True


def happened_at(
    sent: Sent, body: Body, unit: UUID | None, tree: UnitTree, *, imported: bool
) -> tuple[datetime, Policy, GuardFailed | None]:
    """When a command happened, under which rules of the unit, and the refusal for that.

    How late it may be recorded is for the rules of today to say, all else for those of the day it happened.
    The refusal comes after those of rights and state.
    """
    today = tree.policy(unit, day_of(sent.now))
    try:
        occurred_at = moment(body.occurred_at, sent.now, today, imported=imported)
    except GuardFailed as refusal:
        return sent.now, today, refusal
    then = today if occurred_at is sent.now else tree.policy(unit, day_of(occurred_at))
    return occurred_at, then, None


def concerned(body: Body, people: Collection[UUID]) -> list[UUID]:
    """Whom the free texts of a command beside cases concern: as said, else all of these people.

    Raises:
        GuardFailed: somebody else is named.
    """
    for index, person_ref in enumerate(body.about or ()):
        if person_ref not in people:
            raise failed("person-unknown", f"/about/{index}")
    return list(people if body.about is None else body.about)


def deciding(decide: Callable[[], T]) -> tuple[T | None, Refused | None]:
    """What was decided, or a refusal of state or guards, which comes after that of a stale version.

    Raises: Unknown, Forbidden, which come before it.
    """
    try:
        return decide(), None
    except (Unknown, Forbidden):
        raise
    except Refused as refused:
        return None, refused


def first_refusal(refused: Refused | None, late: GuardFailed | None) -> Refused:
    """Which of two comes first: state and taken ids (409) before any guard (422)."""
    if refused is not None and (late is None or isinstance(refused, WrongState | Taken)):
        return refused
    assert late is not None
    return late


def stale(current: int, version: int, stream: Sequence[Recorded]) -> Problem:
    """412: what a command was based on has moved on, by these events."""
    return Problem(
        "stale",
        Text(f"it is at version {current}, not {version}", f"现为第 {current} 版，而非第 {version} 版"),
        current_version=current,
        events=appended_events([event for event in stream if event.version > version]),
    )


class Desk:
    """Where commands are taken."""

    def __init__(
        self,
        pool: Pool,
        appender: Appender,
        loader: StreamLoader,
        vault: Vault,
        trees: Trees,
        imports: Imports,
    ) -> None:
        self._pool = pool
        self._appender = appender
        self._loader = loader
        self._vault = vault
        self.trees = trees
        self._imports = imports
        self._memory = CaseMemory()
        self._turns = Turns()

    async def take(self, sent: Sent, work: Work) -> Outcome:
        """Stores what a command comes to, or finds what it came to before.

        Raises: Refused; Problem; QueueFull; LedgerUnavailable.
        """
        async with self._turns.of(work.turns):
            return await self._take(sent, work)

    async def _take(self, sent: Sent, work: Work) -> Outcome:
        key = sent.idempotency(self._vault.master)
        found = None if sent.import_id is None else await self._imports.find(sent.import_id)
        streams = self._recalled(work)
        last_word = False
        for _ in range(ATTEMPTS_MAX):
            if streams is None:
                needed = [*work.cases, *work.new, *work.others]
                loaded = await self._loader.load(needed, key.key_hash)
                if loaded.used is not None:
                    if loaded.used.body_hash != key.body_hash:
                        raise Problem("key-reused")
                    return await self._repeated(loaded.used.first_position, loaded.used.last_position)
                streams = Streams(read=loaded.streams)
            try:
                decided = work.decide(streams, found)
            except (Refused, Problem):
                if last_word:
                    raise
                # Memory may be behind, of cases and of units, and a repeated key comes before any refusal.
                await self.trees.refresh()
                streams, last_word = None, True
                continue
            ready = await self._draft(sent, decided, key)
            try:
                appended = await self._appender.append(ready.append)
            except StreamConflict:
                for case_id in work.cases:
                    self._memory.forget(case_id)
                streams, last_word = None, False
                continue
            except KeyReused:
                raise Problem("key-reused") from None
            except PersonTaken:
                raise refusal(Taken, "id-taken", "/people") from None
            if appended.repeated:
                return await self._repeated(appended.first_position, appended.last_position)
            return await self._accepted(ready, appended, streams)
        raise Problem("too-many", headers={"Retry-After": "1"})

    def _recalled(self, work: Work) -> Streams | None:
        """What the command needs, from memory; None where the ledger has to be read."""
        if work.others:
            return None
        remembered: dict[UUID, Known] = {}
        for case_id in work.cases:
            seen = self._memory.get(case_id)
            if seen is None:
                return None
            remembered[case_id] = seen
        return Streams(remembered=remembered)

    async def _draft(self, sent: Sent, decided: Decided, key: IdempotencyKey) -> Draft:
        keys = await self._vault.keys(decided.known_persons) if decided.known_persons else {}
        metadata = Metadata(
            occurred_at=decided.occurred_at,
            actor_ref=sent.actor.ref,
            actor_role=sent.actor.role,
            unit=sent.actor.unit,
            correlation_id=decided.correlation_id,
            traceparent=sent.traceparent,
            policy=decided.policy,
            import_id=sent.import_id,
            imported_by=None if sent.actor is sent.sender else sent.sender.ref,
        )
        sealing = Sealing(self._vault.master, decided.about, keys)
        sealing.keys.extend(decided.keys)
        return draft(decided.placed, metadata, sealing, key)

    async def _accepted(self, ready: Draft, appended: Appended, streams: Streams) -> Outcome:
        events = recorded(ready, appended)
        own: dict[UUID, list[tuple[Recorded, Event]]] = {}
        for event, place in zip(events, ready.placed, strict=True):
            own.setdefault(place.stream_id, []).append((event, place.event))
        cases: dict[UUID, Case] = {}
        for stream_id, pairs in own.items():
            kind = pairs[0][1].stream_kind
            if kind == "case":
                seen = after(streams.case(stream_id), pairs)
                assert seen is not None
                cases[stream_id] = seen.case
                self._memory.put(seen)
            elif kind == "unit":
                await self.trees.refresh()
            elif kind == "import":
                self._imports.forget(stream_id)
        return Outcome(events, cases, repeated=False)

    async def _repeated(self, first_position: int, last_position: int) -> Outcome:
        """What the first sending of the command came to, from its events."""
        async with self._pool.connection() as connection:
            count = last_position - first_position + 1
            events = await fetch_range(connection, first_position - 1, count)
        last = {event.stream_id: event.version for event in events}
        loaded = await self._loader.load(list(last), None)
        cases: dict[UUID, Case] = {}
        for stream_id, version in last.items():
            case = fold(event for event in loaded.streams[stream_id] if event.version <= version)
            if case is not None:
                cases[stream_id] = case
        return Outcome(events, cases, repeated=True)
