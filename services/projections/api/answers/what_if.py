"""The shapes of a what-if."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.projections.api.answers.figures import OnTime
from services.projections.api.answers.parts import Answer, Part
from shared.events.vocabulary import Timer


class PackNamed(Part, frozen=True, kw_only=True):
    name: str
    version: int
    hash: str


class BreachItem(Part, frozen=True, kw_only=True):
    """A breach; only `sealed` and `position` where the caller may not know it.

    `holder_unit` held the case when the clock began.
    """

    case_id: UUID | None = None
    timer: Timer | None = None
    due_at: datetime | None = None
    holder_unit: UUID | None = None
    sealed: bool = False
    position: int | None = None


class BreachesOfTimer(Part, frozen=True, kw_only=True):
    recorded: int
    replayed: int
    appear: int
    vanish: int


class BreachesSideBySide(Part, frozen=True, kw_only=True):
    """Breaches that stand, by the day on which their clocks were due at first; lists are soonest due first.

    `appear`: under the other rules only. `vanish`: as recorded only. At most `limit` of each are listed,
    the counts count all.
    """

    recorded_count: int
    replayed_count: int
    appear_count: int
    vanish_count: int
    by_timer: dict[str, BreachesOfTimer]
    appear: list[BreachItem]
    vanish: list[BreachItem]


class SideBySide(Part, frozen=True, kw_only=True):
    """The value of a measure as recorded, and as replayed under the other rules."""

    recorded: Any
    replayed: Any


class OnTimeSideBySide(Part, frozen=True, kw_only=True):
    recorded: OnTime
    replayed: OnTime


class WhatIfAnswer(Answer, frozen=True, kw_only=True):
    """The period as if the unit had always had the rules of the pack and those beneath it that have none.

    What people did stays as it was.
    """

    pack: PackNamed
    cases: int
    """That were replayed: those of the period, and those that are open."""
    breaches: BreachesSideBySide
    overdue: SideBySide
    """Open cases on which a breach stands, as of the answer."""
    measures: dict[str, SideBySide]
    """By name as in the statistics, without those of visits."""
    on_time_rate: dict[str, OnTimeSideBySide]
    """By timer."""
