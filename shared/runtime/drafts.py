"""From decided events to an append: ids given, private values sealed, everything encoded."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.events.base import Event
from shared.events.recorded import Append, Appended, IdempotencyKey, Metadata, NewEvent, Recorded
from shared.events.registry import encode
from shared.policy.provisional import CLOCK
from shared.runtime.identifiers import new_id
from shared.runtime.sealing import Sealing


class Placed(NamedTuple):
    """A decided event and where it goes; `version` is its stream's after it."""

    stream_id: UUID
    version: int
    event: Event
    clock_at: datetime | None = None
    """The instant at which the clock lets it happen; None where it is the command's own."""


class Draft(NamedTuple):
    """An append ready to go, and its events as they will read once stored."""

    append: Append
    placed: tuple[Placed, ...]


class AppendedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a command's own append, as an answer names it."""

    topic: str
    event_id: UUID
    position: int
    stream_id: UUID
    version: int


def draft(
    placed: Sequence[Placed], metadata: Metadata, sealing: Sealing, idempotency: IdempotencyKey | None
) -> Draft:
    """Seals and encodes the events of one command, in the order in which they will be stored."""
    sealed: list[Placed] = []
    encoded: list[NewEvent] = []
    for stream_id, version, clear, clock_at in placed:
        event_id = new_id()
        event = sealing.seal(clear, event_id)
        sealed.append(Placed(stream_id, version, event, clock_at))
        encoded.append(
            NewEvent(
                originator_id=stream_id,
                originator_version=version,
                topic=event.topic,
                state=encode(event),
                event_id=event_id,
                schema_version=event.class_version,
                metadata=None if clock_at is None else _of_clock(metadata, clock_at),
            )
        )
    append = Append(events=encoded, metadata=metadata, idempotency=idempotency, keys=sealing.keys)
    return Draft(append, tuple(sealed))


def recorded(draft: Draft, appended: Appended) -> list[Recorded]:
    """The events of an accepted append, as a reader of the ledger sees them."""
    return [
        Recorded(
            position=position,
            stream_id=place.stream_id,
            version=place.version,
            event_id=new.event_id,
            topic=new.topic,
            schema_version=new.schema_version,
            occurred_at=metadata.occurred_at,
            recorded_at=appended.recorded_at,
            actor_ref=metadata.actor_ref,
            actor_role=metadata.actor_role,
            unit=metadata.unit,
            correlation_id=metadata.correlation_id,
            causation_id=metadata.causation_id,
            traceparent=metadata.traceparent,
            policy=metadata.policy,
            import_id=metadata.import_id,
            imported_by=metadata.imported_by,
            data=new.state,
        )
        for position, (place, new, metadata) in enumerate(
            zip(draft.placed, draft.append.events, _metadata_of(draft.append), strict=True),
            start=appended.first_position,
        )
    ]


def _of_clock(metadata: Metadata, at: datetime) -> Metadata:
    """What is true of an event that nobody but the clock brings about, in the append of a command."""
    return replace(
        metadata,
        occurred_at=at,
        actor_ref=CLOCK.ref,
        actor_role=CLOCK.role,
        unit=CLOCK.unit,
        import_id=None,
        imported_by=None,
    )


def _metadata_of(append: Append) -> Iterator[Metadata]:
    return (event.metadata or append.metadata for event in append.events)


def appended_events(events: Sequence[Recorded]) -> tuple[AppendedEvent, ...]:
    return tuple(
        AppendedEvent(
            topic=event.topic,
            event_id=event.event_id,
            position=event.position,
            stream_id=event.stream_id,
            version=event.version,
        )
        for event in events
    )
