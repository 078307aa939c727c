"""Which days are working days in China, for the years that somebody published."""

from collections.abc import Collection, Mapping
from datetime import date
from hashlib import sha256
from typing import TypedDict

import chinese_calendar
import msgspec

_SATURDAY = 5


class DayUnknown(Exception):
    """The calendar can't say whether that day is a working day."""


class CalendarInvalid(Exception):
    """Years were given that make no calendar; the message says which day or year."""


class GivenYear(TypedDict):
    """A year as its notice reads: the days off, and the days of weekends that are worked instead."""

    holidays: Collection[date]
    workdays: Collection[date]


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Working days, make-up days among them; dates are those of Asia/Shanghai.

    Source: 全国年节及纪念日放假办法, and the State Council's yearly notices that arrange it.
    """

    id: str
    """The version that events name: the library's, and where years were given a digest of them."""
    known_from: date
    known_until: date
    """The last day known; every day from `known_from` to it is."""
    holidays: frozenset[date]
    workdays: frozenset[date]
    """Make-up days only."""

    def is_working_day(self, day: date) -> bool:
        """Raises `DayUnknown` outside the known years."""
        if not self.known_from <= day <= self.known_until:
            raise DayUnknown(day)
        return day in self.workdays or (day.weekday() < _SATURDAY and day not in self.holidays)


def calendar_with(years: Mapping[int, GivenYear]) -> Calendar:
    """The calendar of the library `chinesecalendar`, a given year wholly in place of the library's.

    Raises:
        CalendarInvalid: a day outside its year or both off and worked, or unknown years between known ones.
    """
    holidays = {day for day in chinese_calendar.holidays if day.year not in years}
    workdays = {day for day in chinese_calendar.workdays if day.year not in years}
    for year, given in years.items():
        for day in (*given["holidays"], *given["workdays"]):
            if day.year != year:
                raise CalendarInvalid(f"{day} is given as a day of {year}")
        holidays.update(given["holidays"])
        workdays.update(given["workdays"])
    if twice := holidays & workdays:
        raise CalendarInvalid(f"{min(twice)} is given both as a holiday and as a working day")
    if missing := unknown_between(years):
        raise CalendarInvalid(f"{min(missing)} is not known, but years before and after it are")
    known = _known_with(years)
    return Calendar(
        id=_version(years),
        known_from=date(min(known), 1, 1),
        known_until=date(max(known), 12, 31),
        holidays=frozenset(holidays),
        workdays=frozenset(workdays),
    )


def unknown_between(years: Collection[int]) -> set[int]:
    """The years that would still be missing between known ones if these were given."""
    known = _known_with(years)
    return set(range(min(known), max(known))) - known


def _known_with(years: Collection[int]) -> set[int]:
    return {day.year for day in chinese_calendar.holidays}.union(years)


def _version(years: Mapping[int, GivenYear]) -> str:
    """Equal for equal days, in whatever order and however often they are given."""
    library = f"chinesecalendar-{chinese_calendar.__version__}"
    if not years:
        return library
    content = [
        (year, sorted({*days["holidays"]}), sorted({*days["workdays"]}))
        for year, days in sorted(years.items())
    ]
    return f"{library}+{sha256(msgspec.json.encode(content)).hexdigest()[:12]}"
