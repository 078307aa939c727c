"""Deadlines end when the rules say, to the day, and wait for a calendar rather than guess one."""

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.calendars import GivenYear, calendar_with
from shared.policy.moments import SHANGHAI
from shared.policy.policy import Span, SpanUnit
from shared.policy.spans import days_left, due_at, extended_due, in_time, last_day_of, paused_due

CALENDAR = calendar_with({})
NEW_YEAR_2027: GivenYear = {"holidays": [date(2027, 1, 1)], "workdays": [date(2027, 1, 3)]}
"""A notice made up for these tests: Friday off, Sunday worked."""
LONGER_CALENDAR = calendar_with({2027: NEW_YEAR_2027})


def day(text: str) -> date:
    return date.fromisoformat(text)


def end_of(text: str) -> datetime:
    """24:00 of the day in Shanghai."""
    return datetime.fromisoformat(f"{text}T16:00:00+00:00")


def calendar_days(amount: int) -> Span:
    return Span(amount, "CALENDAR_DAYS")


def working_days(amount: int) -> Span:
    return Span(amount, "WORKING_DAYS")


def months(amount: int) -> Span:
    return Span(amount, "MONTHS")


def duty(started_on: str, span: Span) -> datetime | None:
    return due_at(day(started_on), span, right=False, calendar=CALENDAR)


def right(started_on: str, span: Span) -> datetime | None:
    return due_at(day(started_on), span, right=True, calendar=CALENDAR)


def test_a_deadline_ends_at_midnight_in_shanghai_and_the_start_day_is_not_counted() -> None:
    assert duty("2026-03-02", calendar_days(15)) == datetime(2026, 3, 17, 16, tzinfo=UTC)


def test_the_last_day_ends_at_the_due_instant() -> None:
    assert last_day_of(datetime(2026, 3, 17, 16, tzinfo=UTC)) == date(2026, 3, 17)


def test_an_act_at_exactly_the_due_instant_is_in_time() -> None:
    due = end_of("2026-03-17")
    assert in_time(due, due)
    assert in_time(due - timedelta(microseconds=1), due)
    assert not in_time(due + timedelta(microseconds=1), due)


@pytest.mark.parametrize(
    ("started_on", "amount", "last_day"),
    [
        ("2026-03-04", 1, "2026-03-05"),  # in the middle of a week
        ("2026-03-06", 1, "2026-03-09"),  # over a weekend
        ("2026-03-07", 1, "2026-03-09"),  # from within it
        # 2024: New Year
        ("2023-12-29", 1, "2024-01-02"),
        # Spring Festival, 10–17 February, with the Sundays before and after worked
        ("2024-02-02", 1, "2024-02-04"),
        ("2024-02-08", 1, "2024-02-09"),
        ("2024-02-08", 2, "2024-02-18"),
        ("2024-02-08", 4, "2024-02-20"),
        ("2024-02-12", 1, "2024-02-18"),
        # Qingming, 4–6 April, with Sunday 7 worked
        ("2024-04-03", 1, "2024-04-07"),
        ("2024-04-03", 2, "2024-04-08"),
        # Labour Day, 1–5 May, with Sunday 28 April and Saturday 11 May worked
        ("2024-04-26", 1, "2024-04-28"),
        ("2024-04-26", 4, "2024-05-06"),
        ("2024-05-10", 1, "2024-05-11"),
        ("2024-05-10", 2, "2024-05-13"),
        # National Day, 1–7 October, with Sunday 29 September and Saturday 12 October worked
        ("2024-09-27", 1, "2024-09-29"),
        ("2024-09-27", 2, "2024-09-30"),
        ("2024-09-27", 3, "2024-10-08"),
        ("2024-09-27", 7, "2024-10-12"),
        # 2025: New Year, a single Wednesday
        ("2024-12-31", 1, "2025-01-02"),
        # Spring Festival, 28 January – 4 February, with Sunday 26 and Saturday 8 worked
        ("2025-01-24", 1, "2025-01-26"),
        ("2025-01-24", 3, "2025-02-05"),
        ("2025-01-24", 6, "2025-02-08"),
        # Qingming, Friday to Sunday, with nothing made up
        ("2025-04-03", 1, "2025-04-07"),
        # Labour Day, 1–5 May, with Sunday 27 April worked
        ("2025-04-25", 1, "2025-04-27"),
        ("2025-04-25", 5, "2025-05-06"),
        # National Day with Mid-Autumn, 1–8 October, with Sunday 28 and Saturday 11 worked
        ("2025-09-26", 1, "2025-09-28"),
        ("2025-09-26", 4, "2025-10-09"),
        ("2025-09-26", 6, "2025-10-11"),
        # 2026: New Year, 1–3 January, with Sunday 4 worked
        ("2025-12-31", 1, "2026-01-04"),
        # Spring Festival, 15–23 February, with the Saturdays 14 and 28 worked
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-02-13", 6, "2026-02-28"),
        # Qingming, Saturday to Monday
        ("2026-04-03", 1, "2026-04-07"),
        # Labour Day, 1–5 May, with Saturday 9 worked
        ("2026-04-30", 1, "2026-05-06"),
        ("2026-04-30", 4, "2026-05-09"),
        # National Day, 1–7 October, with Sunday 20 September and Saturday 10 October worked
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
    ],
)
def test_working_days_are_the_state_councils(started_on: str, amount: int, last_day: str) -> None:
    assert duty(started_on, working_days(amount)) == end_of(last_day)
    assert right(started_on, working_days(amount)) == end_of(last_day)


@pytest.mark.parametrize(
    ("started_on", "span", "last_day"),
    [
        ("2024-02-14", calendar_days(15), "2024-02-29"),
        ("2024-01-30", calendar_days(30), "2024-02-29"),
        ("2025-01-30", calendar_days(30), "2025-03-01"),
        ("2024-02-29", calendar_days(1), "2024-03-01"),
        ("2024-12-15", calendar_days(60), "2025-02-13"),
        ("2025-12-31", calendar_days(15), "2026-01-15"),
        ("2026-03-15", months(1), "2026-04-15"),
        ("2024-01-31", months(1), "2024-02-29"),
        ("2025-01-31", months(1), "2025-02-28"),
        ("2026-03-31", months(1), "2026-04-30"),
        ("2026-04-30", months(1), "2026-05-30"),
        ("2024-02-29", months(1), "2024-03-29"),
        ("2024-02-29", months(12), "2025-02-28"),
        ("2024-12-31", months(1), "2025-01-31"),
        ("2025-12-15", months(1), "2026-01-15"),
        ("2024-11-30", months(3), "2025-02-28"),
    ],
)
def test_calendar_days_and_months_cross_ends_of_months_and_years(
    started_on: str, span: Span, last_day: str
) -> None:
    assert duty(started_on, span) == end_of(last_day)


@pytest.mark.parametrize(
    ("started_on", "would_end_on", "ends_on"),
    [
        ("2025-05-15", "2025-06-14", "2025-06-16"),  # Saturday to Monday
        ("2024-03-29", "2024-04-28", "2024-04-28"),  # a Sunday that is worked
        ("2024-09-01", "2024-10-01", "2024-10-08"),  # National Day
        ("2025-09-01", "2025-10-01", "2025-10-09"),  # with Mid-Autumn
        ("2024-01-11", "2024-02-10", "2024-02-18"),  # Spring Festival, to a Sunday that is worked
        ("2026-01-16", "2026-02-15", "2026-02-24"),  # Spring Festival
        ("2024-03-05", "2024-04-04", "2024-04-07"),  # Qingming, to a Sunday that is worked
        ("2026-04-01", "2026-05-01", "2026-05-06"),  # Labour Day
        ("2024-12-02", "2025-01-01", "2025-01-02"),  # New Year
        ("2025-12-02", "2026-01-01", "2026-01-04"),  # New Year, to a Sunday that is worked
    ],
)
def test_a_right_waits_for_a_working_day_and_a_duty_does_not(
    started_on: str, would_end_on: str, ends_on: str
) -> None:
    assert right(started_on, calendar_days(30)) == end_of(ends_on)
    assert duty(started_on, calendar_days(30)) == end_of(would_end_on)


def test_a_right_of_a_month_waits_too() -> None:
    assert right("2026-01-31", months(1)) == end_of("2026-02-28"), "a Saturday that is worked"
    assert right("2025-05-31", months(1)) == end_of("2025-06-30")
    assert right("2025-09-04", months(1)) == end_of("2025-10-09")


@pytest.mark.parametrize("started_on", ["2003-12-30", "2026-12-31", "2027-01-01", "2031-06-06"])
def test_working_days_that_are_not_known_await_a_calendar(started_on: str) -> None:
    assert duty(started_on, working_days(1)) is None
    assert right(started_on, working_days(1)) is None


def test_one_unknown_day_among_known_ones_is_enough() -> None:
    assert duty("2026-12-29", working_days(2)) == end_of("2026-12-31")
    assert duty("2026-12-29", working_days(3)) is None


def test_the_start_day_itself_need_not_be_known() -> None:
    assert duty("2003-12-31", working_days(1)) == end_of("2004-01-02")


def test_a_right_in_calendar_days_needs_its_last_days_only() -> None:
    assert right("2003-12-20", calendar_days(30)) == end_of("2004-01-19")
    assert right("2003-11-30", calendar_days(30)) is None
    assert right("2026-12-10", calendar_days(30)) is None


def test_a_right_that_would_roll_beyond_the_known_years_awaits_a_calendar() -> None:
    closed = calendar_with({2026: {"holidays": [date(2026, 12, 31)], "workdays": []}})
    assert due_at(day("2026-12-01"), calendar_days(30), right=True, calendar=closed) is None


def test_a_duty_in_calendar_days_or_months_never_needs_the_calendar() -> None:
    assert duty("2026-12-10", calendar_days(30)) == end_of("2027-01-09")
    assert duty("2031-01-31", months(1)) == end_of("2031-02-28")
    assert duty("1999-12-31", calendar_days(1)) == end_of("2000-01-01")


def test_a_given_year_dates_what_awaited_it() -> None:
    for amount, last_day in [(1, "2027-01-03"), (2, "2027-01-04")]:
        due = due_at(day("2026-12-31"), working_days(amount), right=False, calendar=LONGER_CALENDAR)
        assert due == end_of(last_day)
    rolled = due_at(day("2026-12-02"), calendar_days(30), right=True, calendar=LONGER_CALENDAR)
    assert rolled == end_of("2027-01-03")


@pytest.mark.parametrize(
    ("last_day", "extension", "extended_to"),
    [
        ("2025-02-13", calendar_days(30), "2025-03-15"),
        ("2026-12-31", calendar_days(30), "2027-01-30"),
        ("2024-09-30", working_days(1), "2024-10-08"),
        ("2026-02-13", working_days(4), "2026-02-26"),
        ("2026-03-15", months(1), "2026-04-15"),
        ("2026-01-31", months(1), "2026-02-28"),
        ("2026-02-28", months(1), "2026-03-28"),
    ],
)
def test_an_extension_follows_the_day_that_was_the_last(
    last_day: str, extension: Span, extended_to: str
) -> None:
    assert extended_due(end_of(last_day), extension, CALENDAR) == end_of(extended_to)


def test_an_extension_into_unknown_working_days_awaits_a_calendar() -> None:
    assert extended_due(end_of("2026-12-31"), working_days(1), CALENDAR) is None


@pytest.mark.parametrize(
    ("last_day", "paused_on", "resumed_on", "unit", "moved_to"),
    [
        ("2025-06-30", "2025-06-10", "2025-06-20", "CALENDAR_DAYS", "2025-07-10"),
        ("2025-06-30", "2025-06-10", "2025-06-11", "CALENDAR_DAYS", "2025-07-01"),
        ("2025-06-30", "2025-06-10", "2025-06-10", "CALENDAR_DAYS", "2025-06-30"),
        ("2025-06-30", "2025-06-20", "2025-06-10", "CALENDAR_DAYS", "2025-06-30"),  # told out of order
        ("2025-06-30", "2025-06-10", "2025-06-20", "MONTHS", "2025-07-10"),
        ("2026-12-31", "2026-12-30", "2027-01-05", "CALENDAR_DAYS", "2027-01-06"),
        # Started on Friday 26 September 2025, four working days
        ("2025-10-09", "2025-09-28", "2025-09-28", "WORKING_DAYS", "2025-10-09"),
        ("2025-10-09", "2025-09-26", "2025-09-28", "WORKING_DAYS", "2025-10-10"),
        ("2025-10-09", "2025-09-30", "2025-10-08", "WORKING_DAYS", "2025-10-09"),
        ("2025-10-09", "2025-09-30", "2025-10-09", "WORKING_DAYS", "2025-10-10"),
        ("2025-10-09", "2025-09-29", "2025-10-11", "WORKING_DAYS", "2025-10-14"),
        # A weekend is no time to a clock in working days
        ("2025-06-17", "2025-06-13", "2025-06-15", "WORKING_DAYS", "2025-06-17"),
    ],
)
def test_a_pause_moves_the_due_day_by_the_days_the_clock_stood_still(
    last_day: str, paused_on: str, resumed_on: str, unit: SpanUnit, moved_to: str
) -> None:
    moved = paused_due(end_of(last_day), day(paused_on), day(resumed_on), unit, CALENDAR)
    assert moved == end_of(moved_to)


@pytest.mark.parametrize(
    ("last_day", "paused_on", "resumed_on"),
    [
        ("2026-12-31", "2026-12-29", "2027-01-04"),  # what to count
        ("2026-12-31", "2026-12-29", "2026-12-30"),  # where to move
    ],
)
def test_a_pause_in_unknown_working_days_awaits_a_calendar(
    last_day: str, paused_on: str, resumed_on: str
) -> None:
    assert paused_due(end_of(last_day), day(paused_on), day(resumed_on), "WORKING_DAYS", CALENDAR) is None


DAYS = st.dates(date(2003, 1, 1), date(2027, 12, 31))
UNITS: st.SearchStrategy[SpanUnit] = st.sampled_from(["CALENDAR_DAYS", "WORKING_DAYS", "MONTHS"])
AMOUNTS = st.integers(0, 100)
SPANS = st.builds(Span, AMOUNTS, UNITS)
WORKING = [
    date(2004, 1, 1) + timedelta(days=n)
    for n in range((date(2026, 12, 31) - date(2004, 1, 1)).days + 1)
    if chinese_calendar.is_workday(date(2004, 1, 1) + timedelta(days=n))
]
"""Every working day that the library knows, counted out day by day."""


@given(DAYS, SPANS, st.booleans())
def test_nothing_is_due_before_the_midnight_that_ends_its_start(
    started_on: date, span: Span, is_right: bool
) -> None:
    due = due_at(started_on, span, right=is_right, calendar=CALENDAR)
    assert due is None or due >= end_of(started_on.isoformat())


@given(DAYS, AMOUNTS, AMOUNTS, UNITS, st.booleans())
def test_a_longer_span_is_never_due_earlier(
    started_on: date, amount: int, more: int, unit: SpanUnit, is_right: bool
) -> None:
    short = due_at(started_on, Span(amount, unit), right=is_right, calendar=CALENDAR)
    long = due_at(started_on, Span(amount + more, unit), right=is_right, calendar=CALENDAR)
    assert short is None or long is None or short <= long


@given(DAYS, SPANS)
def test_a_right_is_never_due_before_a_duty_of_its_span(started_on: date, span: Span) -> None:
    as_right = due_at(started_on, span, right=True, calendar=CALENDAR)
    as_duty = due_at(started_on, span, right=False, calendar=CALENDAR)
    assert as_right is None or (as_duty is not None and as_right >= as_duty)


@given(DAYS, SPANS)
def test_an_extension_never_shortens(last_day: date, extension: Span) -> None:
    due = end_of(last_day.isoformat())
    extended = extended_due(due, extension, CALENDAR)
    assert extended is None or extended >= due


@given(DAYS, DAYS, UNITS)
def test_pausing_for_no_time_changes_nothing(last_day: date, paused_on: date, unit: SpanUnit) -> None:
    due = end_of(last_day.isoformat())
    assert paused_due(due, paused_on, paused_on, unit, CALENDAR) == due


@given(DAYS, DAYS, AMOUNTS, AMOUNTS, UNITS)
def test_resuming_and_pausing_again_on_one_day_changes_nothing(
    last_day: date, paused_on: date, before: int, after: int, unit: SpanUnit
) -> None:
    due = end_of(last_day.isoformat())
    between = paused_on + timedelta(days=before)
    resumed_on = between + timedelta(days=after)
    first = paused_due(due, paused_on, between, unit, CALENDAR)
    if first is not None:
        whole = paused_due(due, paused_on, resumed_on, unit, CALENDAR)
        assert paused_due(first, between, resumed_on, unit, CALENDAR) == whole


@given(DAYS, SPANS, st.booleans())
def test_a_further_year_changes_no_due_instant_that_was_known(
    started_on: date, span: Span, is_right: bool
) -> None:
    known = due_at(started_on, span, right=is_right, calendar=CALENDAR)
    assert known is None or known == due_at(started_on, span, right=is_right, calendar=LONGER_CALENDAR)


@given(st.dates(date(2003, 12, 31), date(2026, 12, 31)), st.integers(1, 100), st.booleans())
def test_working_days_are_those_counted_out_day_by_day(started_on: date, amount: int, is_right: bool) -> None:
    following = [worked for worked in WORKING if worked > started_on]
    due = due_at(started_on, working_days(amount), right=is_right, calendar=CALENDAR)
    assert due == (end_of(following[amount - 1].isoformat()) if amount <= len(following) else None)


@given(DAYS, DAYS, st.integers(0, 60))
def test_a_pause_moves_a_clock_in_working_days_as_far_as_working_days_counted_out(
    last_day: date, paused_on: date, length: int
) -> None:
    resumed_on = paused_on + timedelta(days=length)
    moved = paused_due(end_of(last_day.isoformat()), paused_on, resumed_on, "WORKING_DAYS", CALENDAR)
    if moved is None:
        return
    stood = sum(paused_on < worked <= resumed_on for worked in WORKING)
    gone = sum(last_day < worked <= last_day_of(moved) for worked in WORKING)
    assert gone == stood


@given(
    st.dates(date(2025, 1, 1), date(2026, 11, 1)),
    st.integers(1, 30),
    st.sampled_from(["CALENDAR_DAYS", "WORKING_DAYS"]),
    st.integers(0, 23),
)
def test_what_is_left_of_a_clock_is_what_it_was_given_until_its_last_day(
    started_on: date, amount: int, unit: SpanUnit, hour: int
) -> None:
    due = due_at(started_on, Span(amount, unit), right=False, calendar=CALENDAR)
    assert due is not None
    noon = datetime(started_on.year, started_on.month, started_on.day, hour, tzinfo=SHANGHAI)
    assert days_left(due, noon, unit, CALENDAR) == amount
    last = datetime.combine(last_day_of(due), noon.time(), SHANGHAI)
    assert days_left(due, last, unit, CALENDAR) == 0
    assert days_left(due, due, unit, CALENDAR) is None


def test_nobody_counts_days_that_the_calendar_does_not_know() -> None:
    due = end_of("2027-01-05")
    now = end_of("2026-12-28")
    assert days_left(due, now, "CALENDAR_DAYS", CALENDAR) == 7
    assert days_left(due, now, "WORKING_DAYS", CALENDAR) is None
    assert days_left(due, now, "WORKING_DAYS", LONGER_CALENDAR) == 5
