"""The calendar says what the State Council published, takes years that a pack gives, and never guesses."""

from datetime import date, timedelta
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.calendars import CalendarInvalid, DayUnknown, GivenYear, calendar_with

LIBRARY = calendar_with({})
PUBLISHED: dict[int, tuple[list[tuple[str, str]], list[str]]] = {
    2024: (
        [
            ("01-01", "01-01"),  # New Year
            ("02-10", "02-17"),  # Spring Festival
            ("04-04", "04-06"),  # Qingming
            ("05-01", "05-05"),  # Labour Day
            ("06-10", "06-10"),  # Dragon Boat Festival
            ("09-15", "09-17"),  # Mid-Autumn Festival
            ("10-01", "10-07"),  # National Day
        ],
        ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    ),
    2025: (
        [
            ("01-01", "01-01"),
            ("01-28", "02-04"),
            ("04-04", "04-06"),
            ("05-01", "05-05"),
            ("05-31", "06-02"),
            ("10-01", "10-08"),  # with Mid-Autumn
        ],
        ["01-26", "02-08", "04-27", "09-28", "10-11"],
    ),
    2026: (
        [
            ("01-01", "01-03"),
            ("02-15", "02-23"),
            ("04-04", "04-06"),
            ("05-01", "05-05"),
            ("06-19", "06-21"),
            ("09-25", "09-27"),
            ("10-01", "10-07"),
        ],
        ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
    ),
}
"""Of each year the holidays, first and last day, and the make-up working days.

Source: 国务院办公厅关于2024年、2025年、2026年部分节假日安排的通知.
"""


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def a_year(year: int, holidays: tuple[str, ...] = (), workdays: tuple[str, ...] = ()) -> GivenYear:
    return {
        "holidays": [date.fromisoformat(f"{year}-{day}") for day in holidays],
        "workdays": [date.fromisoformat(f"{year}-{day}") for day in workdays],
    }


@pytest.mark.parametrize("year", PUBLISHED)
def test_every_day_of_a_published_year_is_as_published(year: int) -> None:
    runs, make_up = PUBLISHED[year]
    off = {
        day
        for first, last in runs
        for day in days(date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last}"))
    }
    made_up = {date.fromisoformat(f"{year}-{day}") for day in make_up}
    for day in days(date(year, 1, 1), date(year, 12, 31)):
        worked = day in made_up or (day.isoweekday() <= 5 and day not in off)
        assert LIBRARY.is_working_day(day) == worked, day


def test_the_known_days_are_those_of_whole_years() -> None:
    assert (LIBRARY.known_from, LIBRARY.known_until) == (date(2004, 1, 1), date(2026, 12, 31))
    assert not LIBRARY.is_working_day(date(2004, 1, 1))
    assert LIBRARY.is_working_day(date(2026, 12, 31))


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2027, 1, 1), date(2027, 1, 2), date(2035, 6, 6)])
def test_no_day_outside_the_known_years_is_guessed(day: date) -> None:
    with pytest.raises(DayUnknown):
        LIBRARY.is_working_day(day)


def test_a_given_year_carries_the_calendar_on() -> None:
    calendar = calendar_with({2027: a_year(2027, ("01-01", "02-08"), ("02-06",))})
    assert calendar.known_until == date(2027, 12, 31)
    assert not calendar.is_working_day(date(2027, 1, 1))
    assert calendar.is_working_day(date(2027, 2, 6)), "a make-up Saturday"
    assert not calendar.is_working_day(date(2027, 2, 7)), "a plain Sunday"
    assert not calendar.is_working_day(date(2027, 2, 8)), "a Monday off"
    assert calendar.is_working_day(date(2027, 2, 9)), "a plain Tuesday"


def test_a_given_year_stands_wholly_in_place_of_the_librarys() -> None:
    calendar = calendar_with({2026: a_year(2026, ("03-04",))})
    assert not calendar.is_working_day(date(2026, 3, 4))
    assert calendar.is_working_day(date(2026, 10, 1)), "National Day, had it not been left out"
    assert not calendar.is_working_day(date(2026, 10, 10)), "a Saturday that makes up for nothing now"
    assert not calendar.is_working_day(date(2025, 10, 1))


@pytest.mark.parametrize(
    ("years", "said"),
    [
        ({2027: a_year(2026, ("12-31",))}, "2026-12-31 is given as a day of 2027"),
        ({2027: a_year(2028, (), ("01-01",))}, "2028-01-01 is given as a day of 2027"),
        (
            {2027: a_year(2027, ("01-01", "02-06"), ("02-06",))},
            "2027-02-06 is given both as a holiday and as a working day",
        ),
        ({2028: a_year(2028)}, "2027 is not known, but years before and after it are"),
        ({2002: a_year(2002)}, "2003 is not known, but years before and after it are"),
    ],
)
def test_years_that_make_no_calendar_are_refused(years: dict[int, GivenYear], said: str) -> None:
    with pytest.raises(CalendarInvalid, match=said):
        calendar_with(years)


def test_the_id_names_the_library_and_the_given_days() -> None:
    assert LIBRARY.id == f"chinesecalendar-{version('chinesecalendar')}"
    longer = calendar_with({2027: a_year(2027, ("01-01", "05-01"), ("05-08",))})
    assert longer.id == f"{LIBRARY.id}+90340e51e212"
    assert calendar_with({2027: a_year(2027, ("05-01", "01-01", "05-01"), ("05-08",))}).id == longer.id
    assert calendar_with({2027: a_year(2027, ("01-01", "05-01", "05-08"))}).id != longer.id


YEAR_2027 = st.dictionaries(
    st.dates(date(2027, 1, 1), date(2027, 12, 31)), st.sampled_from(["holidays", "workdays"]), max_size=40
).map(
    lambda said: GivenYear(
        holidays=[day for day, kind in said.items() if kind == "holidays"],
        workdays=[day for day, kind in said.items() if kind == "workdays"],
    )
)


@given(YEAR_2027, st.dates(date(2004, 1, 1), date(2026, 12, 31)))
def test_a_further_year_changes_no_day_that_was_known(year: GivenYear, day: date) -> None:
    assert calendar_with({2027: year}).is_working_day(day) == LIBRARY.is_working_day(day)
