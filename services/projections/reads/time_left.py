"""What is left of a clock, as people count it: in working days or in days, by the rules it runs under."""

from datetime import datetime
from typing import Any, Protocol

from shared.events.vocabulary import Level, Timer
from shared.policy.clock_starts import calendar_of
from shared.policy.policy import Policy
from shared.policy.spans import days_left


class Clock(Protocol):
    @property
    def timer(self) -> Timer: ...
    @property
    def state(self) -> str: ...
    @property
    def due_at(self) -> datetime | None: ...


def time_left(clock: Clock, level: Level, instant: datetime, policy: Policy) -> dict[str, Any] | None:
    """`{days, working}`: how many days follow that of the instant until the clock is due, 0 on its last day.

    `level` holds the case. None of a clock that doesn't run, is due already, or whose calendar ends before.
    """
    if clock.state != "RUNNING" or clock.due_at is None or clock.timer not in policy.timers:
        return None
    unit = policy.length(clock.timer, level).unit
    days = days_left(clock.due_at, instant, unit, calendar_of(policy))
    return None if days is None else {"days": days, "working": unit == "WORKING_DAYS"}
