"""A command on its way to `decide`: everything that the decision depends on, gathered."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from shared.events.base import Event
from shared.events.case import Case
from shared.policy.actor import Actor
from shared.policy.bodies import Body
from shared.policy.jurisdiction import UnitTree


class EventRef(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the case's stream that a command points at."""

    event_id: UUID
    topic: str
    author_ref: str
    author_unit: UUID | None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    """Its path segment, `escalate-case`."""
    case_id: UUID
    body: Body
    """With every id filled in (`with_ids`)."""
    actor: Actor
    occurred_at: datetime
    """UTC; see `moment`."""
    now: datetime
    tree: UnitTree
    imported: bool = False
    into: Case | None = None
    """For `merge-case`: the primary; absent where there is no such case."""
    event: EventRef | None = None
    """For `record-correction`: the event named; absent where the case has none of that id."""
    digests: Mapping[UUID, str] = {}
    """For files that the body names (`body.files`): their digests; absent ones don't exist."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a command comes to: events of the case, and of the case it is merged into."""

    events: tuple[Event, ...]
    primary_events: tuple[Event, ...] = ()
