"""What the desk says of filters, and of who held a case, is what the interface tells."""

from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.pages.desk.case_list import fields_of, filters_of
from services.pages.timelines import holders_of
from services.projections.reads.shown import sealed_data
from shared.events.evolve import fold
from shared.events.recorded import Recorded
from shared.events.vocabulary import OPEN_STATES
from shared.policy.transitions import ALL_STATES
from tests.histories import County, Move, moves, play, recorded

Json = dict[str, Any]
_settings = settings(max_examples=40)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.lists(st.sampled_from(ALL_STATES), min_size=1, unique=True).map(sorted)
        | st.just(sorted(OPEN_STATES)),
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
