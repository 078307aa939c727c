"""What a case's verdict takes notice of."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.pages.audit.proof import checks

Json = dict[str, Any]
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


def timeline(events: int) -> list[Json]:
    return [
        {
            "version": number,
            "position": 3 * number,
            "recorded_at": (BEGAN + timedelta(hours=number)).isoformat(),
        }
        for number in range(1, events + 1)
    ]


def case(events: int) -> Json:
    return {"case_id": "c", "version": events, "state": "ACCEPTED", "title": {"sealed": True}, "people": []}


def row(events: int) -> Json:
    return {"case_id": "c", "version": events, "state": "ACCEPTED", "title": {"sealed": True},
            "position": 3 * events, "overdue": False}  # fmt: skip


def against(items: list[Json], told: Json, listed: Json | None) -> list[tuple[str, int | None]]:
    return [(check.name, check.position) for check in checks(items, told, listed) if not check.holds]


@given(st.integers(1, 30))
def test_a_whole_case_is_verified(events: int) -> None:
    assert against(timeline(events), case(events), row(events)) == []


@given(st.integers(3, 30), st.data())
def test_the_first_event_after_a_gap_is_named(events: int, data: st.DataObject) -> None:
    items = timeline(events)
    missing = data.draw(st.integers(0, events - 2))
    following = items[missing + 1]["position"]
    del items[missing]
    assert against(items, case(events), row(events)) == [("versions", following)]


@given(st.integers(2, 30), st.data())
def test_what_is_out_of_order_is_named(events: int, data: st.DataObject) -> None:
    items = timeline(events)
    moved = data.draw(st.integers(1, events - 1))
    items[moved]["recorded_at"] = BEGAN.isoformat()
    assert ("recorded", items[moved]["position"]) in against(items, case(events), row(events))
    items[moved]["position"] = 1
    assert ("positions", 1) in against(items, case(events), row(events))


def test_a_row_that_says_otherwise_is_no_proof() -> None:
    assert against(timeline(3), case(3), row(3) | {"state": "CLOSED"}) == [("listed", None)]
    assert against(timeline(3), case(3), None) == [("listed", None)]
    assert against(timeline(2), case(3), row(3)) == [("last", None)]
    assert [check.fields for check in checks(timeline(3), case(3), row(3) | {"state": "CLOSED"})][-1] == [
        "state"
    ]
