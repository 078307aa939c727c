"""The rows of cases, told without a database."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.projections.actors.sightings import Sightings, earliest
from services.projections.cases.projector import CaseProjector, CaseState
from services.projections.cases.rows import CASES
from services.projections.figures.facts import case_facts
from services.projections.temporal import Row, history
from shared.events.base import Event, Person
from shared.events.cases import CaseRegistered, CaseWithdrawn, ConflictDeclared
from shared.events.recorded import Recorded
from shared.events.registry import encode, event_of
from tests.histories import SEALED, County, Move, moves, play, recorded

PROJECTOR = CaseProjector()
EXAMPLES = settings(max_examples=40)


def streams_of(drawn: list[Move]) -> dict[UUID, list[Recorded]]:
    """The streams of the cases of a history."""
    county = County()
    county.settle()
    play(county, drawn)
    streams = defaultdict(list)
    for event in recorded(county.appends):
        if event.topic.startswith("case."):
            streams[event.stream_id].append(event)
    return streams


@EXAMPLES
@given(moves(120))
def test_facts_that_are_carried_along_are_those_that_hold(drawn: list[Move]) -> None:
    for stream in streams_of(drawn).values():
        state: CaseState | None = None
        for event in stream:
            state = PROJECTOR.evolve(state, event, event_of(event))
            if state.case is not None:
                assert state.facts == case_facts(state.case, state.clocks)


@EXAMPLES
@given(moves(120), st.data())
def test_the_rows_of_a_case_at_any_moment_are_those_of_its_fold(
    drawn: list[Move], data: st.DataObject
) -> None:
    for stream in streams_of(drawn).values():
        known = data.draw(st.sampled_from(stream)).position
        happened = data.draw(st.sampled_from(stream)).occurred_at
        told = [(event, event_of(event)) for event in stream]
        assert rows_at(told, known, happened) == folded(stream, known, happened)
        assert rows_at(told, known, None) == folded(stream, known, None)


def rows_at(
    stream: list[tuple[Recorded, Event]],
    position: int,
    occurred: datetime | None,
    projector: CaseProjector = PROJECTOR,
) -> set[Row]:
    """What the tables hold of a case as known at a position, and as it was on an instant."""
    return {
        row.row
        for row in history(projector, stream)
        if row.known_from <= position < row.known_until
        and (occurred is None or row.occurred_from <= occurred)
        and (
            position < row.closed_at
            or (occurred is not None and row.occurred_until is not None and occurred < row.occurred_until)
        )
    }


def folded(stream: list[Recorded], position: int, occurred: datetime | None) -> set[Row]:
    state: CaseState | None = None
    rows: list[Row] = []
    for event in stream:
        if event.position <= position and (occurred is None or event.occurred_at <= occurred):
            state = PROJECTOR.evolve(state, event, event_of(event))
            rows += PROJECTOR.alone(event, event_of(event))
    rows += () if state is None else PROJECTOR.rows(state)
    assert len(set(rows)) == len(rows)
    return set(rows)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=30, unique=True))
def test_sightings_are_known_at_the_moments_at_which_somebody_was_seen(seen: list[tuple[int, int]]) -> None:
    start = datetime(2026, 1, 1)  # noqa: DTZ001
    moments = [(position, start + timedelta(days=day)) for position, day in seen]
    kept = earliest(moments)
    assert len(kept) <= len(moments)
    for position, occurred in moments:
        for at_position, at_occurred in ((position, occurred), (position - 1, occurred)):

            def holds(
                known: list[tuple[int, datetime]], p: int = at_position, t: datetime = at_occurred
            ) -> bool:
                return any(position <= p and occurred <= t for position, occurred in known)

            assert holds(kept) == holds(moments)


def test_an_actor_is_news_once() -> None:
    county = County()
    county.settle()
    play(county, [("open", 0, 1, 0)] * 4)
    sightings = Sightings()
    events = recorded(county.appends)
    told = [seen for event in events if (seen := sightings.notice(event)) is not None]
    assert len({seen[:3] for seen in told}) == len(told)
    assert {seen[:3] for seen in told} == {(e.actor_ref, e.actor_role, e.unit) for e in events}
    assert all(sightings.notice(event) is None for event in events)


def test_whoever_accuses_is_not_seen_by_it() -> None:
    county = County()
    county.settle()
    play(county, [("open", 0, 1, 0)])
    opened = recorded(county.appends)[-1]
    registered = event_of(opened)
    assert isinstance(registered, CaseRegistered)

    def seen(event: Event, role: str = "resident") -> bool:
        told = replace(opened, topic=event.topic, data=encode(event), actor_role=role)
        return Sightings().notice(told) is not None

    assert seen(registered)
    accusation = replace(registered, procedure="ACCUSATION")
    assert not seen(accusation)
    assert not seen(CaseWithdrawn(statement=SEALED))
    assert not seen(ConflictDeclared(reason=SEALED))
    assert seen(accusation, "grid_worker")
    broken = replace(opened, data=b"not JSON", actor_role="resident")
    assert Sightings().notice(broken) is None, "what can't be read is for the teller to park"


def test_an_accusation_is_in_no_list_below_the_unit_that_hears_it() -> None:
    county = County()
    county.settle()
    play(county, [("open", 0, 1, 0)])
    opened = recorded(county.appends)[-1]
    registered = event_of(opened)
    assert isinstance(registered, CaseRegistered)
    people = (
        Person(person_ref=UUID(int=1), role="COMPLAINANT", actor_ref="complainant"),
        Person(person_ref=UUID(int=2), role="ACCUSED", actor_ref="accused"),
    )
    told = {"holder_unit": county.township, "holder_level": "TOWNSHIP", "people": people}
    listed = {}
    for procedure in ("PETITION", "ACCUSATION"):
        state = PROJECTOR.evolve(None, opened, replace(registered, procedure=procedure, **told))
        values = dict(zip(CASES.columns, PROJECTOR.rows(state)[0].values, strict=True))
        listed[procedure] = (values["reach"], values["known_to"])
    opener = opened.actor_ref
    assert listed == {
        "PETITION": (
            (registered.origin_unit, county.township),
            (opener, "complainant", "accused"),
        ),
        "ACCUSATION": ((county.township,), (opener, "complainant")),
    }
