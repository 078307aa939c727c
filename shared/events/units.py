"""Events of a unit (township, village, neighbourhood, group): the tree of jurisdiction is their sum."""

from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from shared.events.base import Event
from shared.events.vocabulary import UnitKind

WHOLE: Final = UUID(int=0)
"""Stands for all units together, those at the top being beneath it: a stream of what holds for every one."""


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


class RulePackAdopted(UnitEvent, frozen=True, kw_only=True):
    """The rules of a pack hold for the unit and those beneath it that have none of their own."""

    pack: str
    pack_version: int
    hash: str
    """SHA-256 of the pack's content in hexadecimal; the content itself is kept under it."""
    from_on: date
    """The first day, in Asia/Shanghai, on which they hold."""
