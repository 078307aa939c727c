"""Events of a publication: a figure as it was given out, which stays readable beside what it became since."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from shared.events.base import Event
from shared.events.vocabulary import Level, Timer


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A measure of a unit and a period; days are of Asia/Shanghai, both ends included."""

    measure: str
    unit: UUID
    from_on: date | None = None
    to_on: date | None = None
    level: Level | None = None
    """The one part of a measure that has a value for each level."""
    timer: Timer | None = None
    """The one part of a measure that has a value for each clock."""
    category: str | None = None
    """Where only its cases count."""


class PublicationEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "publication"


class FigurePublished(PublicationEvent, frozen=True, kw_only=True):
    figure: Figure
    as_of_position: int
    """The position that the value is as of, before the event's own."""
    value: int | dict[str, Any]
    """As the statistics answered it."""
