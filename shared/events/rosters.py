"""Events of a roster: the households of a unit on a day, against which coverage is measured."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.events.base import Event


class RosterEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "roster"


class RosterFiled(RosterEvent, frozen=True, kw_only=True):
    unit: UUID
    as_of_on: date
    households: tuple[str, ...]
