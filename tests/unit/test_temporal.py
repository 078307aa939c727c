"""At every moment the valid rows are those of the fold of what was known and had happened by then."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.temporal import (
    FOREVER,
    LateEvent,
    Row,
    Story,
    TemporalRow,
    Told,
    history,
)
from shared.events.base import Event
from shared.events.recorded import Recorded

STREAM = UUID(int=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Toggled(Event, frozen=True, kw_only=True):
    """Turns a letter on or off, or all of them off."""

    letter: str


class Letters:
    """A projector whose rows depend on the order of events, so that a wrong fold shows."""

    lasting = True

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        return (Row("events", (recorded.version,)),)

    def evolve(self, state: str | None, recorded: Recorded, event: Event) -> str | None:
        assert isinstance(event, Toggled)
        state = state or ""
        if event.letter == "*":
            return ""
        return state.replace(event.letter, "") if event.letter in state else state + event.letter

    def rows(self, state: str) -> tuple[Row, ...]:
        return (Row("words", (state,)), *(Row("letters", (letter,)) for letter in state))


def told(version: int, gap: int, day: int, letter: str) -> Told:
    recorded = Recorded(
        position=version * 10 + gap,
        stream_id=STREAM,
        version=version,
        event_id=UUID(int=version),
        topic="toy.toggled",
        schema_version=1,
        occurred_at=START + timedelta(days=day),
        recorded_at=START + timedelta(days=100),
        actor_ref="a",
        actor_role="mediator",
        unit=None,
        correlation_id=STREAM,
        causation_id=None,
        traceparent=None,
        policy="p",
        import_id=None,
        imported_by=None,
        data=b"{}",
    )
    return recorded, Toggled(letter=letter)


STREAMS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.sampled_from("ABC*")), min_size=1, max_size=12
).map(lambda parts: [told(version, *part) for version, part in enumerate(parts, start=1)])


def valid(row: TemporalRow, position: int, occurred: datetime | None) -> bool:
    if not row.known_from <= position < row.known_until:
        return False
    if occurred is None:
        return position < row.closed_at
    if row.occurred_from > occurred:
        return False
    return row.occurred_until is None or occurred < row.occurred_until or position < row.closed_at


def naive(stream: list[Told], position: int, occurred: datetime | None) -> Counter[Row]:
    state = None
    projector = Letters()
    rows: Counter[Row] = Counter()
    for recorded, event in stream:
        if recorded.position <= position and (occurred is None or recorded.occurred_at <= occurred):
            state = projector.evolve(state, recorded, event)
            rows.update(projector.alone(recorded, event))
    return rows + Counter(() if state is None else projector.rows(state))


def shape(rows: list[TemporalRow]) -> Counter[tuple[object, ...]]:
    return Counter(
        (r.row, r.known_from, r.known_until, r.occurred_from, r.occurred_until, r.closed_at) for r in rows
    )


@given(STREAMS)
def test_at_every_moment_the_valid_rows_are_those_of_the_naive_fold(stream: list[Told]) -> None:
    rows = history(Letters(), stream)
    positions = [edge for recorded, _ in stream for edge in (recorded.position - 1, recorded.position)]
    instants: list[datetime | None] = [None]
    for recorded, _ in stream:
        instants += [recorded.occurred_at - timedelta(microseconds=1), recorded.occurred_at]
    for position in [*positions, FOREVER - 1]:
        for occurred in instants:
            found = Counter(row.row for row in rows if valid(row, position, occurred))
            assert found == naive(stream, position, occurred)


@given(STREAMS, st.data())
def test_going_on_in_steps_gives_the_rows_of_the_whole_history(
    stream: list[Told], data: st.DataObject
) -> None:
    """A table that is given what each step touched ends as the whole history, wherever memory was lost."""
    table: dict[UUID, TemporalRow] = {}
    story = Story(Letters())
    for place, (recorded, event) in enumerate(stream):
        if data.draw(st.booleans(), label="shorten"):
            story.shorten()
        try:
            touched = story.tell(recorded, event)
        except LateEvent:
            story = Story(Letters())
            for earlier in stream[:place]:
                story.tell(*earlier)
            touched = story.tell(recorded, event)
        for row in touched:
            table[row.key] = row
    assert shape(list(table.values())) == shape(history(Letters(), stream))


@given(STREAMS)
def test_every_row_has_a_key_of_its_own(stream: list[Told]) -> None:
    rows = history(Letters(), stream)
    assert len({row.key for row in rows}) == len(rows)


def test_an_event_in_order_only_ends_rows_and_begins_rows() -> None:
    stream = [told(1, 0, 1, "A"), told(2, 0, 2, "B"), told(3, 0, 3, "A")]
    assert all(row.known_until == FOREVER for row in history(Letters(), stream))


def test_a_late_event_needs_the_whole_story() -> None:
    story = Story(Letters())
    story.tell(*told(1, 0, 5, "A"))
    story.shorten()
    with pytest.raises(LateEvent):
        story.tell(*told(2, 0, 4, "B"))
    assert story.version == 1
    assert [row.row for row in story.rows] == [Row("words", ("A",)), Row("letters", ("A",))]
