"""What travels to the ledger and what comes back from it.

An append is one command's events for one or several streams; it is stored whole or
not at all. A recorded event is what every reader sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from eventsourcing.persistence import StoredEvent


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of every event of one append: who did it, when it happened, under which rules."""

    occurred_at: datetime
    """UTC instant at which it happened (the ledger itself adds when it was recorded)."""
    actor_ref: str
    actor_role: str
    unit: UUID | None
    """The actor's unit; absent for those who act for the whole."""
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None
    policy: str
    """Id of the rules that `decide` was given."""
    import_id: UUID | None = None
    imported_by: str | None = None
    """The `sub` that sent it under an import in the actor's name."""


@dataclass(frozen=True)
class NewEvent(StoredEvent):
    """An encoded event with its place in its stream, ready to be appended.

    `originator_id` is the stream, `originator_version` its version after this event
    (from 1), so the first event of a stream in an append states the expected version.
    """

    event_id: UUID
    schema_version: int
    metadata: Metadata | None = None
    """Its own, where it differs from that of the append."""


class IdempotencyKey(msgspec.Struct, frozen=True):
    """Keyed hashes (32 bytes each) of a client's key and of what was sent under it."""

    key_hash: bytes
    body_hash: bytes


class WrappedKey(msgspec.Struct, frozen=True):
    """A sealing key, wrapped by the master key, stored by the append that first uses it."""

    key_id: UUID
    wrapped: bytes
    persons: tuple[UUID, ...]
    """Whom it concerns: the person of a person key, the people of a text key."""
    claims: bool = False
    """True for a person's key: its id must not have been used before."""


class Append(msgspec.Struct, frozen=True, kw_only=True):
    events: Sequence[NewEvent]
    metadata: Metadata
    idempotency: IdempotencyKey | None = None
    keys: Sequence[WrappedKey] = ()


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of the ledger; `position` is global, dense and in order of commit, from 1."""

    position: int
    stream_id: UUID
    version: int
    event_id: UUID
    topic: str
    schema_version: int
    occurred_at: datetime
    recorded_at: datetime
    actor_ref: str
    actor_role: str
    unit: UUID | None
    correlation_id: UUID
    causation_id: UUID | None
    traceparent: str | None
    policy: str
    import_id: UUID | None
    imported_by: str | None
    data: bytes
    """The event as UTF-8 JSON."""


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an append: the positions `first_position … last_position`, both included."""

    first_position: int
    last_position: int
    recorded_at: datetime
    repeated: bool
    """True when the idempotency key had been used for the same thing before: these are its events."""


class AppendRefused(Exception):
    """An append was refused; none of its events were stored."""


class StreamConflict(AppendRefused):
    """A stream had moved on since it was read."""


class KeyReused(AppendRefused):
    """The idempotency key was used before for something else."""


class PersonTaken(AppendRefused):
    """A person reference of the append is already somebody's."""


class QueueFull(AppendRefused):
    """Too many appends are waiting; try again soon."""


class LedgerUnavailable(Exception):
    """The ledger could not be reached, so whether the append was stored is not confirmed.

    Sending it again under the same idempotency key settles it.
    """
