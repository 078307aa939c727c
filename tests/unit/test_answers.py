"""The pure pieces of answers: private values shown or sealed, cursors, roll-ups, small cells."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.figures.measures import percent
from services.projections.figures.queries import Backlog
from services.projections.reads.cursors import Cursor, CursorInvalid, read_cursor, write_cursor
from services.projections.reads.rollups import backlog_row, coverage_row, rows_under
from services.projections.reads.shown import SEALED, cover, data_of, leaves, opened, sealed_data
from shared.events.base import Person, Private
from shared.events.cases import CaseRegistered
from shared.events.registry import encode
from shared.policy.jurisdiction import Unit, UnitTree


def sealed(number: int) -> Private:
    return Private(key=UUID(int=number), event=UUID(int=99), field=f"f{number}", sealed=b"cipher")


REGISTERED = CaseRegistered(
    channel="VISIT",
    category="ROADS",
    origin_unit=UUID(int=1),
    origin_level="GROUP",
    holder_unit=UUID(int=1),
    holder_level="GROUP",
    title=sealed(1),
    description=sealed(2),
    people=(Person(person_ref=UUID(int=3), role="PARTY", name=sealed(3), phone=sealed(3)),),
)


def test_stored_data_shows_nothing_private_and_all_else() -> None:
    data = sealed_data(encode(REGISTERED))
    assert data["title"] == data["people"][0]["name"] == SEALED
    stored = msgspec.json.decode(encode(REGISTERED))
    assert {name for name in stored if data[name] != stored[name]} == {"title", "description", "people"}
    assert b"cipher" not in msgspec.json.encode(data)
    assert "Y2lwaGVy" not in msgspec.json.encode(data).decode()


def test_a_person_sees_what_is_theirs() -> None:
    own = cover(data_of(encode(REGISTERED)), lambda value: value.key == UUID(int=3))
    assert {leaf.key for leaf in leaves(own)} == {UUID(int=3)}
    shown = opened(own, dict.fromkeys(leaves(own), "张三"))
    assert shown["people"][0]["name"] == "张三"
    assert shown["title"] == SEALED


def test_a_value_whose_key_is_gone_stays_sealed() -> None:
    assert opened({"title": sealed(1)}, {sealed(1): None}) == {"title": SEALED}


def test_a_cursor_comes_back_as_it_was_and_only_for_its_list() -> None:
    cursor = Cursor(path="/v1/cases", question={"state": ["CLOSED"]}, position=7, after=["x", 1])
    assert read_cursor(write_cursor(cursor), "/v1/cases") == cursor
    with pytest.raises(CursorInvalid):
        read_cursor(write_cursor(cursor), "/v1/units")


@given(st.text(max_size=60))
def test_no_text_but_a_cursor_is_one(text: str) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(text, "/v1/cases")


TOWN, VILLAGE, GROUP, OTHER = (UUID(int=n) for n in range(1, 5))
TREE = UnitTree(
    {
        TOWN: Unit(unit_id=TOWN, kind="TOWNSHIP", name="镇", parent_id=None),
        VILLAGE: Unit(unit_id=VILLAGE, kind="VILLAGE", name="村", parent_id=TOWN),
        GROUP: Unit(unit_id=GROUP, kind="GROUP", name="组", parent_id=VILLAGE),
        OTHER: Unit(unit_id=OTHER, kind="VILLAGE", name="他村", parent_id=TOWN),
    }
)


def test_rows_are_those_directly_beneath_and_the_units_own() -> None:
    assert rows_under(TREE, TOWN) == {VILLAGE: [VILLAGE, GROUP], OTHER: [OTHER], TOWN: [TOWN]}
    assert rows_under(TREE, None) == {TOWN: [TOWN, VILLAGE, OTHER, GROUP]}
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    own = {
        GROUP: Backlog(open=2, urgent_open=1, unclassified_open=0, overdue=1, oldest_opened_at=early),
        VILLAGE: Backlog(open=3, urgent_open=0, unclassified_open=2, overdue=1, oldest_opened_at=late),
    }
    row = backlog_row(TREE, VILLAGE, [VILLAGE, GROUP], own)
    urgent = {"value": None, "at_least": 1, "unclassified": 2}
    assert (row["open"], row["urgent_open"], row["oldest_opened_at"]) == (5, urgent, early)
    assert coverage_row(TREE, TOWN, [TOWN], {})["households"] is None


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_percent_is_half_up(numerator: int, denominator: int) -> None:
    told = percent(numerator, denominator)
    if denominator == 0:
        assert told is None
    else:
        assert told is not None
        error = 2 * (int(told.replace(".", "")) * denominator - numerator * 10_000)
        assert -denominator < error <= denominator
