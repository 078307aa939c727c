"""What the desk says of filters and of merging is what the interface asks for and does."""

from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.pages.desk.case_list import fields_of, filters_of
from services.pages.desk.inheriting import inherited
from services.pages.timelines import holders_of
from services.projections.reads.shown import sealed_data
from shared.events.evolve import fold
from shared.events.recorded import Recorded
from shared.events.vocabulary import OPEN_STATES
from tests.histories import County, Move, moves, play, recorded

Json = dict[str, Any]
NOW = "2026-03-10T10:00:00+08:00"
_settings = settings(max_examples=40)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from([sorted(OPEN_STATES), ["RESOLVED"], ["CLOSED"]]),
        "category": st.sampled_from(["NEIGHBOUR", "ROADS"]),
        "overdue": st.just("true"),
        "assigned": st.sampled_from(["true", "false"]),
        "opened_from": st.just("2026-03-01"),
    },
)
"""Of the form: all that isn't a list is text."""


@given(FILTERS)
def test_filters_come_back_from_the_fields_that_ask_for_them(filters: Json) -> None:
    assert filters_of(fields_of(filters)) == filters


@_settings
@given(moves(120))
def test_the_units_that_held_a_case_are_those_of_its_fold(drawn: list[Move]) -> None:
    county = County()
    county.settle()
    play(county, drawn)
    streams: dict[UUID, list[Recorded]] = {case.case_id: [] for case in county.cases}
    for event in recorded(county.appends):
        if event.stream_id in streams:
            streams[event.stream_id].append(event)
    for stream in streams.values():
        folds = [
            (event.occurred_at.isoformat(), fold(stream[: place + 1])) for place, event in enumerate(stream)
        ]
        held = [(at, str(case.holder_unit)) for at, case in folds if case is not None]
        came = [held[0], *(now for before, now in pairwise(held) if before[1] != now[1])]
        timeline = [
            {
                "topic": event.topic,
                "data": sealed_data(event.data),
                "occurred_at": event.occurred_at.isoformat(),
            }
            for event in stream
        ]
        assert [(each.since, each.unit) for each in holders_of(timeline)] == came


def clock(timer: str, started: str, due: str | None, state: str = "RUNNING") -> Json:
    left = None if state != "RUNNING" else {"days": 1, "working": True}
    at = {"started_at": f"{started}T09:00:00+08:00", "due_at": due and f"{due}T00:00:00+08:00"}
    return {"timer": timer, "state": state, "left": left, "original_due_at": at["due_at"], **at}


def case(*clocks: Json, urgent: bool | None = None) -> Json:
    return {"as_of_instant": NOW, "urgent": urgent, "deadlines": list(clocks)}


def test_the_case_that_stays_inherits_the_earlier_start_of_a_clock_of_the_same_kind() -> None:
    early, late = clock("T13", "2026-03-09", "2026-03-12"), clock("T13", "2026-03-10", "2026-03-13")
    petition = clock("T4", "2026-03-01", "2026-05-01")
    assert inherited(case(early, petition), case(late))["deadlines"] == [early]
    assert inherited(case(late), case(early))["deadlines"] == [early]
    paused = late | {"state": "SUSPENDED", "left": None}
    [still] = inherited(case(early), case(paused))["deadlines"]
    assert (still["state"], still["due_at"]) == ("SUSPENDED", early["due_at"])


def test_a_clock_that_is_late_or_overseen_stays_where_it_is() -> None:
    running = clock("T13", "2026-03-10", "2026-03-13")
    past = clock("T13", "2026-03-01", "2026-03-05")
    breached = clock("T13", "2026-03-01", "2026-03-05", "BREACHED")
    queried, other = clock("T11", "2026-03-01", "2026-03-16"), clock("T11", "2026-03-02", "2026-03-17")
    assert inherited(case(past, queried), case(running, other))["deadlines"] == [running, other]
    assert inherited(case(running), case(breached))["deadlines"] == [breached]


def test_it_is_urgent_as_soon_as_either_is() -> None:
    for duplicate, primary, expected in (
        (True, None, True),
        (True, False, True),
        (False, True, True),
        (None, False, False),
        (False, None, None),
    ):
        assert inherited(case(urgent=duplicate), case(urgent=primary))["urgent"] is expected
