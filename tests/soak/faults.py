"""What goes wrong in a simulated time: spells that last for hours, and blows while the clocks look."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final, Literal, NamedTuple

_WEEK: Final = timedelta(days=7)
_BLOWS: Final = 0.12
"""How often something strikes while the clocks look."""
SKEW_H_MAX: Final = 20
"""By how much the time that a clock is told may be wrong, either way."""

Blow = Literal["CUT_OFF", "DISCONNECTED"]


class Spell(NamedTuple):
    """From when until when somebody is away, or told the wrong time."""

    begins: datetime
    ends: datetime
    skew: timedelta = timedelta()

    def holds(self, now: datetime) -> bool:
        return self.begins <= now < self.ends


class Weather(NamedTuple):
    """What is wrong in one hour."""

    projector_away: bool
    skews: Sequence[timedelta | None]
    """Of each clock that looks, by how much its time is wrong; None of one that is away."""
    blow: Blow | None


class Faults:
    """Each week the projector is away for a day, all clocks for two, and each clock is told a wrong time."""

    def __init__(self, draw: Random, start: datetime, end: datetime, clocks: int) -> None:
        self._draw = draw
        weeks = list(_weeks(start, end))
        self._projector_away = [self._spell(week, 24) for week in weeks]
        self._clocks_away = [self._spell(week, 48) for week in weeks]
        self._skewed = [[self._skewed_spell(week) for week in weeks] for _ in range(clocks)]

    def at(self, now: datetime) -> Weather:
        away = any(spell.holds(now) for spell in self._clocks_away)
        skews = [
            None if away else sum((spell.skew for spell in spells if spell.holds(now)), timedelta())
            for spells in self._skewed
        ]
        blow: Blow | None = None
        if self._draw.random() < _BLOWS:
            blow = self._draw.choice(("CUT_OFF", "DISCONNECTED"))
        return Weather(any(spell.holds(now) for spell in self._projector_away), skews, blow)

    def _spell(self, week: datetime, hours: int) -> Spell:
        begins = week + self._draw.random() * (_WEEK - timedelta(hours=hours))
        return Spell(begins, begins + timedelta(hours=hours))

    def _skewed_spell(self, week: datetime) -> Spell:
        hours = self._draw.choice((-1, 1)) * self._draw.uniform(1, SKEW_H_MAX)
        return self._spell(week, self._draw.randint(3, 18))._replace(skew=timedelta(hours=hours))


def _weeks(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += _WEEK
