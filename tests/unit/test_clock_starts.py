"""When each clock starts, and until when it runs, by the rules for the whole country."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.policy.jurisdiction import Adoption, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from tests.unit.casework import (
    GROUP,
    LEADER,
    OTHER_VILLAGE,
    RESIDENT,
    SUPERVISOR,
    TOWNSHIP,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
    actor,
    new_id,
)
from tests.unit.clockwork import AGREED, RESOLVED, Affair, moment, petition, petition_in_hand

OTHER_OFFICER = actor("other-officer", "village_officer", OTHER_VILLAGE)
HOTLINE: dict[str, Any] = {"channel": "HOTLINE", "procedure": "HOTLINE"}


class TestLevelLadder:
    @pytest.mark.parametrize(
        ("opened", "last_day"),
        [
            ("2025-05-06", "2025-05-07"),
            ("2025-09-27", "2025-09-28"),  # a Saturday, and the Sunday after it is worked
            ("2025-09-30", "2025-10-09"),  # National Day lies between
            ("2026-02-13", "2026-02-14"),  # a Saturday that is worked before the Spring Festival
            ("2026-02-14", "2026-02-24"),
            ("2025-12-31", "2026-01-04"),  # a Sunday that is worked after New Year
        ],
    )
    def test_a_group_has_one_working_day_from_registration(self, opened: str, last_day: str) -> None:
        affair = Affair(opened)
        assert affair.timers == ["T13"]
        assert affair.last_day("T13") == last_day

    @pytest.mark.parametrize(
        ("by", "unit", "last_day"),
        [
            (LEADER, GROUP, "2025-05-07"),
            (VILLAGE_OFFICER, VILLAGE, "2025-05-08"),
            (TOWNSHIP_OFFICER, TOWNSHIP, "2025-05-12"),
        ],
    )
    def test_each_level_has_its_own_length(self, by: Any, unit: Any, last_day: str) -> None:
        assert Affair("2025-05-06", by, origin_unit=unit).last_day("T13") == last_day

    @pytest.mark.parametrize(
        "procedure", ["SELF_GOVERNANCE", "MEDIATION", "PETITION", "HOTLINE", "GRID", "SAFETY_LEAD"]
    )
    def test_it_runs_in_every_procedure(self, procedure: str) -> None:
        assert Affair("2025-05-06", procedure=procedure).live == {"T13"}

    def test_the_day_of_the_start_is_shanghai_s_and_its_hour_means_nothing(self) -> None:
        for opened in ("2025-05-06 00:00", "2025-05-06 23:59"):
            assert Affair(opened).clock("T13").due_at == moment("2025-05-08 00:00")

    def test_a_transfer_begins_it_anew_at_the_new_unit(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-07", "transfer-case", VILLAGE_OFFICER, to_unit=OTHER_VILLAGE, reason="属地")
        assert affair.states("T13") == ["STOPPED", "RUNNING"]
        assert affair.last_day("T13") == "2025-05-09"

    def test_while_an_escalation_waits_only_its_receipt_is_due(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.on("2025-05-07", "escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        assert affair.live == {"T16"}
        assert affair.last_day("T16") == "2025-05-08"
        affair.on("2025-05-08", "accept-escalation", VILLAGE_OFFICER)
        assert affair.live == {"T13"}
        assert affair.states("T16") == ["STOPPED"]
        assert affair.last_day("T13") == "2025-05-12"

    def test_a_return_begins_it_anew_below(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.on("2025-05-07", "escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        affair.on("2025-05-08", "return-escalation", VILLAGE_OFFICER, reason="先做工作")
        assert affair.states("T13") == ["STOPPED", "RUNNING"]
        assert affair.states("T16") == ["STOPPED"]
        assert affair.last_day("T13") == "2025-05-09"

    def test_a_delegation_begins_it_anew_below(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER, origin_unit=GROUP)
        affair.handled("2025-05-06", LEADER)
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        affair.on("2025-05-07", "accept-escalation", VILLAGE_OFFICER)
        affair.on("2025-05-08", "delegate-case", VILLAGE_OFFICER, reason="下派")
        assert affair.states("T13") == ["STOPPED", "STOPPED", "RUNNING"]
        assert affair.last_day("T13") == "2025-05-09"

    def test_reopening_begins_it_anew_and_the_old_result_stays(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-12", "resolve-case", VILLAGE_OFFICER, **RESOLVED)
        assert affair.live == set()
        affair.on("2025-06-03", "reopen-case", VILLAGE_OFFICER, ground="NEW_FACT", reason="新情况")
        assert affair.states("T13") == ["BREACHED", "RUNNING"]
        assert affair.last_day("T13") == "2025-06-05"

    def test_nothing_is_started_for_a_case_that_leaves(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        body = {"kind": "COURT", "name": "海门法院"}
        affair.then("transfer-case", VILLAGE_OFFICER, external_body=body, reason="诉讼")
        assert affair.timers == ["T13"]


class TestPetitions:
    def test_notice_and_routing_begin_where_the_township_receives_it(self) -> None:
        affair = petition("2025-09-20")
        assert affair.timers == ["T13", "T1", "T2"]
        # An office's duty doesn't wait for the end of the National Day holidays.
        assert affair.last_day("T1") == affair.last_day("T2") == "2025-10-05"

    def test_below_the_township_there_is_no_clock_of_petitions(self) -> None:
        affair = Affair("2025-05-06", procedure="PETITION")
        affair.handled("2025-05-06", LEADER)
        assert affair.live == {"T13"}

    def test_handling_begins_with_the_township_s_acceptance(self) -> None:
        affair = petition("2025-05-06")
        affair.on("2025-05-08", "accept-case", TOWNSHIP_OFFICER)
        assert affair.state("T2") == "STOPPED"
        assert affair.last_day("T4") == "2025-07-07"

    def test_handling_and_notice_begin_with_an_escalation_that_the_township_accepts(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER, procedure="PETITION")
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.then("escalate-case", VILLAGE_OFFICER, to_level="TOWNSHIP", reason="超出职权")
        assert affair.live == {"T16"}
        affair.on("2025-05-07", "accept-escalation", TOWNSHIP_OFFICER)
        assert affair.live == {"T13", "T1", "T4"}
        assert (affair.last_day("T1"), affair.last_day("T4")) == ("2025-05-22", "2025-07-06")

    def test_they_begin_when_a_case_becomes_a_petition_at_the_township(self) -> None:
        affair = Affair("2025-05-06", TOWNSHIP_OFFICER)
        affair.handled("2025-05-07", TOWNSHIP_OFFICER)
        change = {"reason": "信访人要求", "parties_informed": True}
        affair.on("2025-05-09", "change-procedure", TOWNSHIP_OFFICER, procedure="PETITION", **change)
        assert affair.live == {"T13", "T1", "T4"}
        assert affair.last_day("T4") == "2025-07-08"
        affair.then("change-procedure", TOWNSHIP_OFFICER, procedure="GRID", **change)
        assert affair.live == {"T13"}
        assert affair.states("T1") == affair.states("T4") == ["CANCELLED"]
        affair.on("2025-05-12", "change-procedure", TOWNSHIP_OFFICER, procedure="PETITION", **change)
        assert affair.live == {"T13", "T1", "T4"}
        assert affair.last_day("T1") == "2025-05-27"

    def test_one_that_was_known_for_a_petition_on_acceptance_was_received_before(self) -> None:
        affair = Affair("2025-05-06", TOWNSHIP_OFFICER)
        affair.on("2025-05-09", "accept-case", TOWNSHIP_OFFICER, procedure="PETITION")
        assert (affair.last_day("T1"), affair.last_day("T4")) == ("2025-05-21", "2025-07-08")

    def test_who_it_is_delegated_to_may_object_for_five_working_days(self) -> None:
        affair = petition_in_hand("2025-09-24", "2025-09-24")
        affair.on("2025-09-26", "delegate-case", TOWNSHIP_OFFICER, to_unit=OTHER_VILLAGE, reason="属地办理")
        assert affair.last_day("T3") == "2025-10-10"
        assert affair.states("T4") == ["RUNNING"], "statutory clocks run on"

    @pytest.mark.parametrize(
        ("delivered", "last_day"),
        [("2025-05-20", "2025-06-19"), ("2025-05-22", "2025-06-23"), ("2025-09-01", "2025-10-09")],
    )
    def test_a_review_may_be_asked_for_from_the_delivery_of_the_reply(
        self, delivered: str, last_day: str
    ) -> None:
        """A right ends on the next working day when its last is none."""
        day = moment(delivered)
        received = (day - timedelta(days=14)).date().isoformat()
        affair = petition_in_hand(received, received)
        recorded = (day + timedelta(days=1)).date().isoformat()
        affair.on(recorded, "record-reply", TOWNSHIP_OFFICER, text="答复", delivered_on=delivered)
        assert affair.last_day("T5") == last_day

    def test_opinions_on_review_and_re_review(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-07")
        affair.replied("2025-06-03", TOWNSHIP_OFFICER)
        affair.on("2025-06-10", "request-review", RESIDENT, grounds="不服")
        assert affair.state("T5") == "STOPPED"
        assert affair.last_day("T6") == "2025-07-10"
        affair.on("2025-06-20", "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=False)
        assert affair.state("T6") == "STOPPED"
        assert affair.last_day("T7") == "2025-07-21", "the thirtieth day is a Sunday"
        affair.on("2025-07-01", "request-re-review", RESIDENT, grounds="不服")
        assert affair.state("T7") == "STOPPED"
        assert affair.last_day("T8") == "2025-07-31"
        affair.on("2025-07-20", "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=True)
        assert affair.state("T8") == "STOPPED"
        assert affair.states("T7") == ["STOPPED"], "nothing beyond the last word"


class TestMediation:
    @pytest.mark.parametrize(
        ("consented", "last_day"),
        [
            ("2025-05-06", "2025-06-06"),
            ("2025-01-31", "2025-02-28"),
            ("2025-08-31", "2025-09-30"),
            ("2025-12-31", "2026-01-31"),  # a Saturday: the mediator's duty doesn't wait
        ],
    )
    def test_it_has_a_month_from_the_last_consent(self, consented: str, last_day: str) -> None:
        affair = Affair(consented)
        affair.then("accept-case", LEADER)
        affair.then("offer-mediation", LEADER, parties=[affair.first, affair.second])
        affair.then("consent-to-mediation", RESIDENT, person_ref=affair.first)
        assert "T9" not in affair.timers
        affair.mediated(consented)
        assert affair.last_day("T9") == last_day
        assert affair.state("T13") == "SUSPENDED"

    def test_an_agreement_may_be_confirmed_for_thirty_days(self) -> None:
        affair = Affair("2025-09-01")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-09-01")
        affair.on("2025-09-05", "record-agreement", LEADER, **AGREED)
        assert affair.state("T9") == affair.state("T13") == "STOPPED"
        assert affair.last_day("T10") == "2025-10-09", "rolled over the National Day"
        assert affair.live == {"T10"}


class TestHotline:
    def test_a_reply_is_due_from_the_acceptance_where_it_was_received(self) -> None:
        affair = Affair("2025-04-25", VILLAGE_OFFICER, **HOTLINE)
        assert affair.live == {"T13"}
        affair.then("accept-case", VILLAGE_OFFICER)
        assert affair.last_day("T14") == "2025-05-06", "a Sunday is worked before Labour Day"

    def test_the_complainant_is_to_be_contacted_within_a_day(self) -> None:
        affair = Affair("2025-04-30 09:30", VILLAGE_OFFICER, **HOTLINE)
        affair.on("2025-04-30 16:05", "accept-case", VILLAGE_OFFICER)
        assert affair.clock("T14").contact_by == moment("2025-05-01 16:05"), "hours know no holiday"
        assert affair.clock("T13").contact_by is None

    def test_an_acceptance_recorded_late_sets_the_limit_from_when_it_was(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER, **HOTLINE)
        affair.wait("2025-05-07")
        affair.late("2025-05-06 11:00", "accept-case", VILLAGE_OFFICER)
        assert affair.clock("T14").contact_by == moment("2025-05-07 11:00")

    @pytest.mark.parametrize(("hours", "limit"), [(2, moment("2025-05-06 12:30")), (None, None)])
    def test_the_rules_may_set_another_limit_or_none(self, hours: int | None, limit: datetime | None) -> None:
        rules = Adoption(date(2025, 1, 1), replace(DEFAULT_POLICY, contact_hours=hours))
        tree = UnitTree({unit.unit_id: unit for unit in TREE}, {TOWNSHIP: (rules,)})
        affair = Affair("2025-05-06", VILLAGE_OFFICER, tree=tree, **HOTLINE)
        affair.on("2025-05-06 10:30", "accept-case", VILLAGE_OFFICER)
        assert (affair.state("T14"), affair.clock("T14").contact_by) == ("RUNNING", limit)

    def test_a_delegation_leaves_a_running_one_and_begins_one_where_none_runs(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER, **HOTLINE)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-07", "delegate-case", VILLAGE_OFFICER, to_unit=GROUP, reason="下派")
        assert affair.states("T14") == ["RUNNING"]
        affair.then("record-reply", LEADER, text="答复", delivered_on="2025-05-07")
        assert affair.states("T14") == ["STOPPED"]

    def test_a_reply_is_due_when_a_case_becomes_a_hotline_order(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        change = {"reason": "热线转来", "parties_informed": True}
        affair.on("2025-05-07", "change-procedure", VILLAGE_OFFICER, procedure="HOTLINE", **change)
        assert affair.last_day("T14") == "2025-05-14"
        affair.then("change-procedure", VILLAGE_OFFICER, procedure="GRID", **change)
        assert affair.states("T14") == ["CANCELLED"]

    def test_reopened_it_owes_another_reply(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER, **HOTLINE)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.replied("2025-05-07", VILLAGE_OFFICER)
        affair.on("2025-06-03", "reopen-case", VILLAGE_OFFICER, ground="NEW_FACT", reason="又有来电")
        assert affair.states("T14") == ["STOPPED", "RUNNING"]
        assert affair.last_day("T14") == "2025-06-10"

    def test_nobody_accepted_it_but_whoever_takes_it_over_owes_the_reply(self) -> None:
        affair = Affair("2025-05-06", **HOTLINE)
        affair.on("2025-05-08", "take-over-case", VILLAGE_OFFICER, reason="逾期未受理")
        assert affair.live == {"T13", "T14"}


class TestOversight:
    def test_each_query_and_each_demand_has_its_own_clock(self) -> None:
        affair = Affair("2025-05-06")
        queries = [str(new_id()), str(new_id())]
        affair.on("2025-05-07", "raise-query", SUPERVISOR, query_id=queries[0], question="为何?")
        affair.on("2025-05-09", "raise-query", SUPERVISOR, query_id=queries[1], question="何时?")
        demand = str(new_id())
        affair.then("demand-correction", SUPERVISOR, demand_id=demand, demand="更正")
        days = {str(each.subject): each.due_at for each in affair.case.deadlines if each.subject}
        assert days == {
            queries[0]: moment("2025-05-23 00:00"),
            queries[1]: moment("2025-05-25 00:00"),
            demand: moment("2025-05-25 00:00"),
        }
        affair.then("answer-query", VILLAGE_OFFICER, query_id=queries[1], answer="明日")
        assert affair.states("T11") == ["RUNNING", "STOPPED"]
        affair.then("answer-demand", VILLAGE_OFFICER, demand_id=demand, outcome="CORRECTED", detail="已改")
        assert affair.states("T12") == ["STOPPED"]


class TestBeyondTheCalendar:
    def test_working_days_that_nobody_published_are_awaited(self) -> None:
        affair = Affair("2026-12-31")
        clock = affair.clock("T13")
        assert (clock.state, clock.due_at, clock.original_due_at) == ("AWAITING", None, None)
        started = affair.docket.streams[affair.case_id][-1][1]
        assert (started.due_at, started.awaiting) == (None, "CALENDAR")  # type: ignore[attr-defined]

    def test_people_go_on_working_and_nothing_is_breached(self) -> None:
        affair = Affair("2026-12-31", VILLAGE_OFFICER)
        affair.handled("2027-01-20", VILLAGE_OFFICER)
        assert affair.state("T13") == "AWAITING"
        affair.on("2027-02-03", "resolve-case", VILLAGE_OFFICER, **RESOLVED)
        assert affair.state("T13") == "STOPPED"
        assert affair.recorded("case.deadline_breached") == []

    def test_a_duty_in_calendar_days_needs_no_calendar(self) -> None:
        affair = petition("2026-12-25")
        assert affair.last_day("T1") == "2027-01-09"
        assert affair.state("T13") == "RUNNING"

    def test_a_right_needs_it_for_its_last_day_alone(self) -> None:
        affair = petition_in_hand("2026-11-27", "2026-11-27")
        affair.replied("2026-12-01", TOWNSHIP_OFFICER)
        assert affair.last_day("T5") == "2026-12-31"
        other = petition_in_hand("2026-11-27", "2026-11-27")
        other.replied("2026-12-02", TOWNSHIP_OFFICER)
        assert other.state("T5") == "AWAITING"
        other.on("2027-03-01", "request-review", RESIDENT, grounds="不服")
        assert other.state("T5") == "STOPPED", "a right is not refused for want of a calendar"
