"""When a deadline is due. Days are dates in Asia/Shanghai, what is due is due at a UTC instant.

A clock that needs a day its calendar doesn't know has no due instant (None): it awaits the calendar.

Source: 民法典 arts 201–203 for the start day, months and 24:00; working days are the State Council's.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from shared.policy.calendars import Calendar, DayUnknown
from shared.policy.moments import SHANGHAI, day_of
from shared.policy.policy import Span, SpanUnit

_DAY = timedelta(days=1)


def due_at(started_on: date, span: Span, *, right: bool, calendar: Calendar) -> datetime | None:
    """The midnight that ends the last day; the day of the start isn't counted.

    A citizen's right whose last day is not a working day ends with the next that is, an office's
    duty doesn't wait. Source: 民事诉讼法 (2023) art. 85, which speaks of rights before a court;
    for others, and that duties don't roll, a choice of ours.
    """
    try:
        last = _moved(started_on, span, calendar)
        while right and not calendar.is_working_day(last):
            last += _DAY
    except DayUnknown:
        return None
    return _end_of(last)


def extended_due(due: datetime, extension: Span, calendar: Calendar) -> datetime | None:
    """The extension is added to the last day as it stands, months to its day number."""
    try:
        return _end_of(_moved(last_day_of(due), extension, calendar))
    except DayUnknown:
        return None


def paused_due(
    due: datetime, paused_on: date, resumed_on: date, unit: SpanUnit, calendar: Calendar
) -> datetime | None:
    """As many days later as the clock stood still: those after `paused_on` up to and with `resumed_on`.

    A clock in working days counts working days and moves by working days, any other by calendar days.
    """
    stood = [paused_on + n * _DAY for n in range(1, (resumed_on - paused_on).days + 1)]
    if unit != "WORKING_DAYS":
        return extended_due(due, Span(len(stood), "CALENDAR_DAYS"), calendar)
    try:
        return extended_due(due, Span(sum(map(calendar.is_working_day, stood)), unit), calendar)
    except DayUnknown:
        return None


def warned_at(due: datetime, lead: Span, calendar: Calendar) -> datetime | None:
    """The midnight that begins the warning: so many days or months before the due instant.

    None where that needs a day the calendar doesn't know.
    """
    day = day_of(due)
    try:
        match lead.unit:
            case "CALENDAR_DAYS":
                day -= lead.amount * _DAY
            case "MONTHS":
                day = _moved(day, Span(-lead.amount, "MONTHS"), calendar)
            case "WORKING_DAYS":
                left = lead.amount
                while left:
                    day -= _DAY
                    left -= calendar.is_working_day(day)
    except DayUnknown:
        return None
    return _end_of(day - _DAY)


def days_left(due: datetime, instant: datetime, unit: SpanUnit, calendar: Calendar) -> int | None:
    """How many days are left after that of the instant: 0 on the last one, working days for a clock of those.

    None where the clock is due already, or the calendar doesn't know one of the days.
    """
    if instant >= due:
        return None
    today, last = day_of(instant), last_day_of(due)
    following = [today + n * _DAY for n in range(1, (last - today).days + 1)]
    if unit != "WORKING_DAYS":
        return len(following)
    try:
        return sum(map(calendar.is_working_day, following))
    except DayUnknown:
        return None


def in_time(occurred_at: datetime, due: datetime) -> bool:
    """An act at exactly the due instant is in time."""
    return occurred_at <= due


def last_day_of(due: datetime) -> date:
    """The day that ends at the due instant."""
    return day_of(due) - _DAY


def _moved(day: date, span: Span, calendar: Calendar) -> date:
    """The last day of a span that begins after the day; raises `DayUnknown` for working days only."""
    match span.unit:
        case "CALENDAR_DAYS":
            return day + span.amount * _DAY
        case "MONTHS":
            years, month = divmod(day.month - 1 + span.amount, 12)
            year, month = day.year + years, month + 1
            return date(year, month, min(day.day, monthrange(year, month)[1]))
        case "WORKING_DAYS":
            left = span.amount
            while left:
                day += _DAY
                if calendar.is_working_day(day):
                    left -= 1
            return day


def _end_of(day: date) -> datetime:
    """24:00 of the day."""
    return datetime.combine(day + _DAY, time.min, SHANGHAI).astimezone(UTC)
