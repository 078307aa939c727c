"""What the statistics make of hotline orders, and of when their complainants were contacted."""

from datetime import date
from typing import Any

from services.projections.cases.projector import CaseProjector, CaseState
from services.projections.figures.facts import FACTS
from tests.unit.casework import GROUP, VILLAGE_OFFICER
from tests.unit.clockwork import Affair

MEASURE, ON_DAY, BECAUSE = (list(FACTS.columns).index(column) for column in ("measure", "on_day", "because"))
CONTACT: dict[str, Any] = {"reached": True, "means": "PHONE"}
INFORMED: dict[str, Any] = {"reason": "热线转来", "parties_informed": True}


def facts(affair: Affair) -> dict[str, tuple[date, list[str]]]:
    """Of an order its day, and because of which events it counts as one and as contacted."""
    state: CaseState | None = None
    for recorded, event in affair.docket.streams[affair.case_id]:
        state = CaseProjector().evolve(state, recorded, event)
    assert state is not None
    rows = [row.values for row in state.facts if str(row.values[MEASURE]).startswith("hotline")]
    assert len({values[MEASURE] for values in rows}) == len(rows), "an order counts once"
    return {values[MEASURE]: (values[ON_DAY], [topic for topic, _ in values[BECAUSE]]) for values in rows}


def order(accepted: str = "2025-05-06 10:00") -> Affair:
    """A hotline order that was received on the fifth of May."""
    affair = Affair("2025-05-05", VILLAGE_OFFICER, channel="HOTLINE", procedure="HOTLINE")
    affair.handled(accepted, VILLAGE_OFFICER)
    return affair


def answered(affair: Affair) -> bool:
    return "hotline_contacted" in facts(affair)


def test_an_order_counts_on_the_day_it_was_accepted() -> None:
    assert facts(Affair("2025-05-05", VILLAGE_OFFICER, channel="HOTLINE", procedure="HOTLINE")) == {}
    assert facts(order()) == {"hotline_order": (date(2025, 5, 6), ["case.deadline_started"])}


def test_a_contact_at_the_very_limit_is_in_time_whether_they_were_reached_or_not() -> None:
    affair = order()
    affair.on("2025-05-07 10:00", "record-contact", VILLAGE_OFFICER, reached=False, means="PHONE")
    because = ["case.deadline_started", "case.contact_recorded"]
    assert facts(affair)["hotline_contacted"] == (date(2025, 5, 6), because)


def test_a_contact_before_the_start_or_after_the_limit_is_none() -> None:
    affair = Affair("2025-05-05", VILLAGE_OFFICER, channel="HOTLINE", procedure="HOTLINE")
    affair.then("record-contact", VILLAGE_OFFICER, **CONTACT)
    affair.handled("2025-05-06 10:00", VILLAGE_OFFICER)
    affair.on("2025-05-07 10:01", "record-contact", VILLAGE_OFFICER, **CONTACT)
    assert not answered(affair)


def test_it_is_judged_by_when_it_happened_whatever_was_recorded_first() -> None:
    affair = order()
    affair.wait("2025-05-09")
    affair.late("2025-05-06 15:00", "record-contact", VILLAGE_OFFICER, **CONTACT)
    assert answered(affair), "recorded late"
    affair = Affair("2025-05-05", VILLAGE_OFFICER, channel="HOTLINE", procedure="HOTLINE")
    affair.on("2025-05-06 11:00", "record-contact", VILLAGE_OFFICER, **CONTACT)
    affair.late("2025-05-06 10:00", "accept-case", VILLAGE_OFFICER)
    assert answered(affair), "the acceptance recorded late"


def test_neither_a_delegation_nor_a_reopening_makes_another_order_of_it() -> None:
    affair = order()
    affair.on("2025-05-06 12:00", "record-contact", VILLAGE_OFFICER, **CONTACT)
    affair.then("record-reply", VILLAGE_OFFICER, text="答复", delivered_on="2025-05-06")
    affair.on("2025-05-08", "delegate-case", VILLAGE_OFFICER, to_unit=GROUP, reason="下派")
    assert affair.states("T14") == ["STOPPED", "RUNNING"]
    assert facts(affair)["hotline_order"][0] == date(2025, 5, 6)
    assert answered(affair)


def test_what_stops_being_an_order_has_been_one() -> None:
    affair = order()
    affair.on("2025-05-06 12:00", "change-procedure", VILLAGE_OFFICER, procedure="GRID", **INFORMED)
    assert affair.states("T14") == ["CANCELLED"]
    assert facts(affair).keys() == {"hotline_order"}
