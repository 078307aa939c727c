"""The spans of tallies that make up a period: each of its days exactly once, and no other."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.projections.figures.queries import Period
from services.projections.figures.tallies import Span, spans_of

DAYS = st.dates(date(2023, 12, 1), date(2026, 3, 31))


def covers(span: Span, day: date) -> bool:
    if span.kind == "ALL":
        return True
    counted = day.replace(day=1) if span.kind == "MONTH" else day
    since = date.min if span.since == "-infinity" else date.fromisoformat(span.since)
    until = date.max if span.until == "infinity" else date.fromisoformat(span.until)
    return since <= counted <= until


@given(first=st.none() | DAYS, length=st.integers(0, 500) | st.none(), day=DAYS)
def test_every_day_of_a_period_is_in_one_span_and_no_other_day_in_any(
    first: date | None, length: int | None, day: date
) -> None:
    last = None if length is None else (first or date(2024, 6, 1)) + timedelta(days=length)
    within = (first is None or first <= day) and (last is None or day <= last)
    assert sum(covers(span, day) for span in spans_of(Period(first=first, last=last))) == within


def test_the_first_and_the_last_day_that_there_are_can_be_asked_for() -> None:
    whole = spans_of(Period(first=date.min, last=date.max))
    assert [span.kind for span in whole] == ["MONTH"]
    assert spans_of(Period(last=date(1, 1, 5))) == [Span("DAY", "0001-01-01", "0001-01-05")]


def test_a_year_is_its_months_alone() -> None:
    assert spans_of(Period(first=date(2025, 1, 1), last=date(2025, 12, 31))) == [
        Span("MONTH", "2025-01-01", "2025-12-31")
    ]
