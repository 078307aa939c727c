"""The alarm that the calendar in force ends: told from today on, so no row stands for it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from shared.policy.actor import Actor
from shared.policy.clock_starts import calendar_of
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import SHANGHAI, day_of
from shared.policy.waiting import keeps_calendars

AHEAD: Final = timedelta(days=60)
"""So long before its last day the alarm begins."""
_DAY: Final = timedelta(days=1)
_ALARMS: Final = UUID("0199c0f2-6b1e-7c35-9d0a-5b1f9a6e1c60")
"""The namespace of alarms, so that the same end has the same id for everybody and for good."""


class CalendarEnd(NamedTuple):
    item_id: UUID
    since: datetime
    due_at: datetime
    """The midnight, told in UTC, with which the last day that the calendar knows ends."""


def calendar_end(actor: Actor, tree: UnitTree, instant: datetime) -> CalendarEnd | None:
    """The alarm as of an instant, for whoever keeps calendars; none while the end is far."""
    if not keeps_calendars(actor, tree):
        return None
    today = day_of(instant)
    last = calendar_of(tree.policy(actor.unit, today)).known_until
    if today < last - AHEAD:
        return None
    item_id = uuid5(_ALARMS, last.isoformat())
    return CalendarEnd(item_id, _midnight(last - AHEAD), _midnight(last + _DAY))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
