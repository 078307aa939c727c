"""Events that are decided but not yet stored, folded as if they were."""

from datetime import datetime
from typing import Final
from uuid import UUID

from shared.events.base import Event
from shared.events.case import Author, Case
from shared.events.recorded import Recorded
from shared.policy.command import Command

CLOCK: Final = Author("clock", "system", None)
"""Who records what falls due."""
_NOBODY: Final = UUID(int=0)


def provisional(command: Command, case: Case | None, event: Event) -> Recorded:
    """A command's event as the ledger will have it, but for ids, data and its position among all others."""
    actor = command.actor
    author = Author(actor.ref, actor.role, actor.unit)
    version, position = (0, 0) if case is None else (case.version, case.position)
    return _recorded(event, version + 1, position + 1, author, command.occurred_at)


def provisional_of_clock(case: Case, event: Event, at: datetime) -> Recorded:
    return provisional_of(case, event, CLOCK, at)


def provisional_of(case: Case, event: Event, author: Author, at: datetime) -> Recorded:
    """The same of an event that somebody adds to a case, by whatever command."""
    return _recorded(event, case.version + 1, case.position + 1, author, at)


def _recorded(event: Event, version: int, position: int, author: Author, at: datetime) -> Recorded:
    return Recorded(
        position=position,
        stream_id=_NOBODY,
        version=version,
        event_id=_NOBODY,
        topic=event.topic,
        schema_version=event.class_version,
        occurred_at=at,
        recorded_at=at,
        actor_ref=author.ref,
        actor_role=author.role,
        unit=author.unit,
        correlation_id=_NOBODY,
        causation_id=None,
        traceparent=None,
        policy="",
        import_id=None,
        imported_by=None,
        data=b"",
    )
