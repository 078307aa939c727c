"""What all answers are made of; their shapes are those of the OpenAPI document."""

from datetime import datetime

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of everything in an answer."""


class Hidden(Part, frozen=True, kw_only=True):
    """A private value that the caller may not see or, with a position, something they may not know."""

    sealed: bool
    position: int | None = None


class Suppressed(Part, frozen=True, kw_only=True):
    """A count below five, or something made of one, to a dashboard."""

    suppressed: bool


Shown = str | Hidden
Count = int | Suppressed


class Answer(Part, frozen=True, kw_only=True):
    as_of_position: int
    as_of_instant: datetime


class Page(Answer, frozen=True, kw_only=True):
    next: str | None
    """The cursor of the next page, pinned to the same moment."""
