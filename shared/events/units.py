"""Events of a unit (township, village, neighbourhood, group): the tree of jurisdiction is their sum."""

from typing import ClassVar
from uuid import UUID

from shared.events.base import Event
from shared.events.vocabulary import UnitKind


class UnitEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "unit"


class UnitRegistered(UnitEvent, frozen=True, kw_only=True):
    kind: UnitKind
    name: str
    parent_id: UUID | None = None


class UnitRenamed(UnitEvent, frozen=True, kw_only=True):
    name: str


class UnitMoved(UnitEvent, frozen=True, kw_only=True):
    parent_id: UUID


class UnitClosed(UnitEvent, frozen=True, kw_only=True):
    pass
