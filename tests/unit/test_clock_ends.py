"""What stops, cancels and pauses a clock, what falls due unmet, and what clears that again."""

from typing import Any

import pytest

from shared.events.cases import DeadlineDated
from shared.policy.actor import Actor
from shared.policy.provisional import CLOCK
from shared.policy.refusal import GuardFailed
from tests.unit.casework import (
    GROUP,
    LEADER,
    NEIGHBOUR,
    OTHER_VILLAGE,
    RESIDENT,
    SUPERVISOR,
    TOWNSHIP,
    TOWNSHIP_OFFICER,
    VILLAGE,
    VILLAGE_OFFICER,
    actor,
    new_id,
)
from tests.unit.clockwork import AGREED, RESOLVED, Affair, moment, petition, petition_in_hand
from tests.unit.test_stories import refused

OTHER_OFFICER = actor("other-officer", "village_officer", OTHER_VILLAGE)
OUT = {"external_body": {"kind": "COURT", "name": "海门法院"}, "reason": "诉讼"}
CHANGE = {"reason": "改", "parties_informed": True}


def withdraw(affair: Affair, when: str) -> None:
    affair.on(when, "withdraw-case", RESIDENT, statement="不再要求")


class TestStopping:
    def test_notice_to_the_complainant(self) -> None:
        affair = petition("2025-05-06")
        affair.on(
            "2025-05-12",
            "notify-complainant",
            TOWNSHIP_OFFICER,
            notice="ACCEPTANCE",
            delivered_on="2025-05-12",
            means="PHONE",
        )
        assert affair.state("T1") == "STOPPED"
        assert affair.clock("T1").ended_at == moment("2025-05-12")

    @pytest.mark.parametrize(
        "fields", [OUT, {"to_unit": new_id(), "reason": "属地"}], ids=["out", "to another township"]
    )
    def test_routing_ends_with_a_transfer(self, fields: dict[str, Any]) -> None:
        affair = petition("2025-05-06")
        if "to_unit" in fields:
            fields = fields | {"to_unit": _other_township(affair)}
        affair.then("transfer-case", TOWNSHIP_OFFICER, **fields)
        assert affair.state("T2") == "STOPPED"
        # What is owed to the petitioner goes on inside, and is nobody's any more outside.
        assert affair.state("T1") == ("RUNNING" if "to_unit" in fields else "CANCELLED")

    def test_resolving_ends_handling_and_ladder(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.then("resolve-case", TOWNSHIP_OFFICER, **RESOLVED)
        assert affair.state("T4") == affair.state("T13") == "STOPPED"

    def test_mediation_ends_with_its_termination_and_the_ladder_goes_on(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.on("2025-05-12", "terminate-mediation", LEADER, ground="FAILED", remedies_notified=True)
        assert affair.state("T9") == "STOPPED"
        assert affair.state("T13") == "RUNNING"

    def test_an_act_at_the_very_end_of_the_last_day_is_in_time(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.on("2025-05-08 00:00", "resolve-case", LEADER, **RESOLVED)
        assert affair.state("T13") == "STOPPED"

    def test_applying_for_confirmation(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.then("record-agreement", LEADER, **AGREED)
        both = [affair.first, affair.second]
        affair.on("2025-06-05", "apply-judicial-confirmation", RESIDENT, applicants=both, court="法院")
        assert affair.state("T10") == "STOPPED"


def _other_township(affair: Affair) -> Any:
    return next(u.unit_id for u in affair.docket.tree if u.level == "TOWNSHIP" and u.unit_id != TOWNSHIP)


class TestCancelling:
    def test_withdrawing_takes_everything_away(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        withdraw(affair, "2025-05-07")
        assert affair.states("T1") == affair.states("T4") == affair.states("T13") == ["CANCELLED"]

    def test_withdrawing_what_is_under_way_upwards_takes_the_receipt_away(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        withdraw(affair, "2025-05-07")
        assert affair.live == set()
        assert (affair.state("T13"), affair.state("T16")) == ("STOPPED", "CANCELLED")

    def test_a_supervisor_s_query_outlives_the_case(self) -> None:
        affair = Affair("2025-05-06")
        query = str(new_id())
        affair.then("raise-query", SUPERVISOR, query_id=query, question="为何?")
        withdraw(affair, "2025-05-07")
        assert affair.live == {"T11"}
        affair.wait("2025-05-30")
        assert affair.state("T11") == "BREACHED"

    def test_a_rejection_stops_the_ladder_and_cancels_the_petition(self) -> None:
        affair = petition("2025-05-06")
        affair.then("reject-case", TOWNSHIP_OFFICER, reason="不属范围", alternative_route="法院")
        assert affair.state("T13") == "STOPPED"
        assert affair.states("T1") == affair.states("T2") == ["CANCELLED"]

    def test_another_procedure_takes_the_ground_away(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.then("record-reply", TOWNSHIP_OFFICER, text="答复", delivered_on="2025-05-06")
        affair.then("change-procedure", TOWNSHIP_OFFICER, procedure="GRID", **CHANGE)
        assert affair.live == {"T13"}
        assert affair.states("T4") == affair.states("T5") == ["CANCELLED"]

    def test_out_of_the_system_nothing_more_is_due(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.on("2025-05-07", "transfer-case", TOWNSHIP_OFFICER, **OUT)
        assert affair.live == set()
        assert affair.states("T4") == affair.states("T13") == ["CANCELLED"]

    def test_reopening_ends_what_was_asked_about_the_old_result(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.replied("2025-05-07", TOWNSHIP_OFFICER)
        affair.on("2025-06-01", "reopen-case", TOWNSHIP_OFFICER, ground="NEW_FACT", reason="新情况")
        assert affair.state("T5") == "CANCELLED"
        assert affair.states("T4") == ["STOPPED", "RUNNING"]
        # Long after the old reply, the new result may be reviewed all the same.
        affair.on("2025-07-10", "resolve-case", TOWNSHIP_OFFICER, **RESOLVED)
        affair.then("request-review", RESIDENT, grounds="不服")

    def test_a_new_agreement_replaces_the_right_to_confirm_the_old_one(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.then("record-agreement", LEADER, **AGREED)
        affair.on("2025-05-12", "reopen-case", VILLAGE_OFFICER, ground="NEW_FACT", reason="新情况")
        assert affair.states("T10") == ["RUNNING"]
        affair.mediated("2025-05-13")
        affair.then("record-agreement", LEADER, **AGREED)
        assert affair.states("T10") == ["CANCELLED", "RUNNING"]
        assert affair.last_day("T10") == "2025-06-12"

    def test_a_breach_stays_after_a_late_stop_and_after_a_late_cancel(self) -> None:
        resolved, withdrawn = Affair("2025-05-06"), Affair("2025-05-06")
        resolved.handled("2025-05-06", LEADER)
        resolved.on("2025-05-12", "resolve-case", LEADER, **RESOLVED)
        withdraw(withdrawn, "2025-05-12")
        for affair in (resolved, withdrawn):
            clock = affair.clock("T13")
            assert (clock.state, clock.ended_at, clock.overdue) == ("BREACHED", moment("2025-05-12"), False)
            assert affair.recorded("case.deadline_breach_voided") == []


class TestFallingDue:
    def test_the_ladder_is_breached_at_the_due_instant_and_the_next_level_told(self) -> None:
        affair = Affair("2025-05-06")
        affair.wait("2025-05-08 00:00")
        assert affair.state("T13") == "RUNNING"
        affair.wait("2025-05-15")
        assert affair.clock("T13").overdue
        assert affair.recorded("case.deadline_breached") == [moment("2025-05-08 00:00")]
        assert affair.recorded("case.level_notified") == [moment("2025-05-08 00:00")]
        assert affair.notified() == [VILLAGE]
        assert affair.case.holder_unit == GROUP, "it doesn't move by itself"
        affair.wait("2025-06-15")
        assert len(affair.recorded("case.deadline_breached")) == 1

    def test_at_the_township_there_is_nobody_above_to_tell(self) -> None:
        affair = Affair("2025-05-06", TOWNSHIP_OFFICER)
        affair.wait("2025-06-15")
        assert affair.clock("T13").overdue
        assert affair.notified() == []

    def test_a_receipt_that_is_late_is_told_to_the_level_above_the_receiver(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        affair.wait("2025-05-15")
        assert affair.recorded("case.deadline_breached") == [moment("2025-05-08 00:00")]
        assert affair.notified() == [TOWNSHIP]
        assert affair.case.state == "PENDING_ESCALATION", "never accepted by itself"

    def test_what_was_missed_in_a_week_of_standstill_comes_in_order_of_due(self) -> None:
        affair = petition("2025-05-06")
        affair.wait("2025-06-06")
        assert affair.recorded("case.deadline_breached") == [
            moment("2025-05-13 00:00"), moment("2025-05-22 00:00"), moment("2025-05-22 00:00"),
        ]  # fmt: skip

    def test_an_unused_right_to_object_lapses(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.on("2025-05-07", "delegate-case", TOWNSHIP_OFFICER, to_unit=OTHER_VILLAGE, reason="属地")
        affair.wait("2025-05-20")
        assert affair.state("T3") == "LAPSED"
        assert affair.recorded("case.right_lapsed") == [moment("2025-05-15 00:00")]
        with refused(GuardFailed, "right-lapsed"):
            affair.then("object-jurisdiction", OTHER_OFFICER, reason="不属本村")

    def test_an_unused_right_to_review_lapses(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.replied("2025-05-08", TOWNSHIP_OFFICER)
        affair.wait("2025-06-10")
        assert affair.recorded("case.right_lapsed") == [moment("2025-06-10 00:00")]
        assert affair.last_day("T5") == "2025-06-09"
        with refused(GuardFailed, "right-lapsed"):
            affair.on("2025-06-11", "request-review", RESIDENT, grounds="不服")
        assert affair.state("T5") == "LAPSED"
        assert affair.case.final is False

    def test_an_unused_right_to_re_review_lapses(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.replied("2025-05-08", TOWNSHIP_OFFICER)
        affair.then("request-review", RESIDENT, grounds="不服")
        affair.on("2025-05-12", "record-review-opinion", TOWNSHIP_OFFICER, opinion="维持", final=False)
        with refused(GuardFailed, "right-lapsed"):
            affair.on("2025-06-13", "request-re-review", RESIDENT, grounds="不服")
        assert affair.state("T7") == "LAPSED"

    def test_an_unused_right_to_confirmation_lapses(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.then("record-agreement", LEADER, **AGREED)
        both = [affair.first, affair.second]
        with refused(GuardFailed, "right-lapsed"):
            affair.on("2025-06-06", "apply-judicial-confirmation", RESIDENT, applicants=both, court="法院")
        assert affair.state("T10") == "LAPSED"

    def test_a_mediation_that_takes_longer_than_a_month(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.on("2025-06-10", "record-agreement", LEADER, **AGREED)
        assert affair.recorded("case.deadline_breached") == [moment("2025-06-07 00:00")]
        assert (affair.state("T9"), affair.state("T13")) == ("BREACHED", "STOPPED")


class TestUnderAnImport:
    """Nobody looks at clocks while it is open."""

    @pytest.mark.parametrize(
        ("name", "by", "fields"),
        [
            ("resolve-case", LEADER, RESOLVED),
            ("withdraw-case", RESIDENT, {"statement": "不再要求"}),
            ("transfer-case", LEADER, OUT),
        ],
        ids=["resolved", "withdrawn", "transferred out"],
    )
    def test_what_ended_too_late_is_breached_afterwards(
        self, name: str, by: Actor, fields: dict[str, Any]
    ) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.docket.now = moment("2025-05-12")
        affair.then(name, by, **fields)
        assert affair.recorded("case.deadline_breached") == []
        affair.wait("2025-05-13")
        assert affair.state("T13") == "BREACHED"
        assert affair.recorded("case.deadline_breached") == [moment("2025-05-08 00:00")]
        assert affair.notified() == [], "nobody has to act any more"

    def test_what_was_late_stays_with_a_duplicate(self) -> None:
        affair = Affair("2025-05-06")
        affair.docket.now = moment("2025-05-12")
        primary = affair.docket.open(VILLAGE_OFFICER)
        affair.then("merge-case", VILLAGE_OFFICER, into_case_id=primary)
        affair.wait("2025-05-13")
        assert affair.state("T13") == "BREACHED"
        affair.case_id = primary
        assert (affair.state("T13"), affair.last_day("T13")) == ("RUNNING", "2025-05-14")


class TestRecordedLate:
    def test_what_ended_it_in_time_clears_the_breach(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.wait("2025-05-09")
        affair.late("2025-05-07 17:00", "resolve-case", LEADER, **RESOLVED)
        assert affair.state("T13") == "VOIDED"
        assert affair.recorded("case.deadline_breach_voided") == [moment("2025-05-07 17:00")]
        assert len(affair.recorded("case.deadline_breached")) == 1, "the breach stays in the log"

    def test_what_ended_it_in_time_before_anybody_recorded_a_breach_needs_no_clearing(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.docket.now = moment("2025-05-09")
        affair.late("2025-05-07 17:00", "resolve-case", LEADER, **RESOLVED)
        assert affair.state("T13") == "STOPPED"
        assert affair.recorded("case.deadline_breached") == []

    def test_a_right_used_in_time_hasn_t_lapsed(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.replied("2025-05-08", TOWNSHIP_OFFICER)
        affair.wait("2025-06-12")
        assert affair.state("T5") == "LAPSED"
        affair.late("2025-06-09 16:00", "request-review", RESIDENT, grounds="不服")
        assert affair.state("T5") == "VOIDED"
        assert affair.last_day("T6") == "2025-07-09"

    def test_a_withdrawal_in_time_clears_the_breach(self) -> None:
        affair = Affair("2025-05-06")
        affair.wait("2025-05-09")
        affair.late("2025-05-07 17:00", "withdraw-case", RESIDENT, statement="不再要求")
        assert affair.state("T13") == "VOIDED"

    def test_a_suspension_in_time_clears_the_breach_and_the_clock_stands_still(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.wait("2025-05-12")
        assert affair.clock("T13").overdue
        ground = {"ground": "SURVEY", "reason": "测绘", "approved_by": "township-officer"}
        affair.late("2025-05-08 12:00", "suspend-case", VILLAGE_OFFICER, **ground)
        assert affair.state("T13") == "SUSPENDED"
        affair.on("2025-05-13", "resume-case", VILLAGE_OFFICER)
        assert (affair.state("T13"), affair.last_day("T13")) == ("RUNNING", "2025-05-13")


class TestPauses:
    @pytest.mark.parametrize(
        ("suspended", "resumed", "last_day"),
        [
            ("2025-05-06 09:00", "2025-05-06 17:00", "2025-05-08"),
            ("2025-05-07 09:00", "2025-05-09 09:00", "2025-05-12"),  # two working days
            ("2025-05-08 09:00", "2025-05-12 09:00", "2025-05-12"),  # a Friday's weekend counts for nothing
            ("2025-05-07 09:00", "2025-06-03 09:00", "2025-06-04"),
        ],
    )
    def test_a_suspension_moves_the_ladder_by_its_own_working_days(
        self, suspended: str, resumed: str, last_day: str
    ) -> None:
        affair = Affair("2025-05-06 08:00", VILLAGE_OFFICER)
        affair.handled("2025-05-06 08:00", VILLAGE_OFFICER)
        ground = {"ground": "SURVEY", "reason": "测绘", "approved_by": "township-officer"}
        affair.on(suspended, "suspend-case", VILLAGE_OFFICER, **ground)
        assert affair.state("T13") == "SUSPENDED"
        affair.on(resumed, "resume-case", VILLAGE_OFFICER)
        assert affair.recorded("case.deadline_breached") == [], "a paused clock can't breach"
        assert (affair.state("T13"), affair.last_day("T13")) == ("RUNNING", last_day)
        assert affair.clock("T13").original_due_at == affair.clock("T13").due_at

    def test_the_handling_of_a_petition_runs_on_while_it_is_suspended(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.then("suspend-case", TOWNSHIP_OFFICER, ground="HEARING", reason="听证")
        assert affair.state("T4") == "RUNNING"
        affair.wait("2025-07-10")
        assert affair.state("T4") == "BREACHED"
        assert affair.state("T13") == "SUSPENDED"

    def test_mediation_moves_the_ladder_by_as_long_as_it_took(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.on("2025-05-20", "terminate-mediation", NEIGHBOUR, ground="REFUSED", remedies_notified=True)
        assert affair.last_day("T13") == "2025-05-21"

    def test_an_agreement_long_after_the_ladder_stood_still_is_in_time(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("accept-case", LEADER)
        affair.mediated("2025-05-06")
        affair.on("2025-05-20", "record-agreement", LEADER, **AGREED)
        affair.wait("2025-05-25")
        assert affair.state("T13") == "STOPPED"
        assert affair.recorded("case.deadline_breached") == []

    def test_a_breach_before_the_pause_stays(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        ground = {"ground": "SURVEY", "reason": "测绘", "approved_by": "township-officer"}
        affair.on("2025-05-12", "suspend-case", VILLAGE_OFFICER, **ground)
        assert affair.clock("T13").overdue
        affair.on("2025-05-14", "resume-case", VILLAGE_OFFICER)
        assert affair.clock("T13").overdue
        assert affair.last_day("T13") == "2025-05-08"

    def test_a_pause_that_ends_beyond_the_calendar_leaves_the_clock_waiting_for_it(self) -> None:
        affair = Affair("2026-12-28", VILLAGE_OFFICER)
        affair.handled("2026-12-28", VILLAGE_OFFICER)
        ground = {"ground": "SURVEY", "reason": "测绘", "approved_by": "township-officer"}
        affair.on("2026-12-29", "suspend-case", VILLAGE_OFFICER, **ground)
        affair.on("2027-01-10", "resume-case", VILLAGE_OFFICER)
        assert (affair.state("T13"), affair.clock("T13").due_at) == ("AWAITING", None)

    def test_the_calendar_that_was_awaited_dates_the_clock_and_only_then_it_can_be_late(self) -> None:
        affair = Affair("2026-12-31")
        due = moment("2027-01-05 00:00")
        dated = DeadlineDated(
            timer="T13",
            started_version=affair.clock("T13").version,
            due_at=due,
            original_due_at=due,
            calendar="2027",
        )
        affair.docket.apply(affair.case_id, (dated,), CLOCK, moment("2027-01-02"))
        assert (affair.state("T13"), affair.last_day("T13")) == ("RUNNING", "2027-01-04")
        affair.wait("2027-01-06")
        assert affair.recorded("case.deadline_breached") == [due]


class TestMerging:
    def merged(self, first: str, second: str, *, keep_first: bool) -> tuple[Affair, Any]:
        """Two cases opened on these days, and one merged into the other; the primary and the duplicate."""
        affair = Affair(first, VILLAGE_OFFICER)
        affair.docket.now = moment(second)
        other = affair.docket.open(VILLAGE_OFFICER)
        duplicate = other if keep_first else affair.case_id
        affair.case_id = affair.case_id if keep_first else other
        affair.docket.send(duplicate, "merge-case", VILLAGE_OFFICER, into_case_id=affair.case_id)
        return affair, affair.docket.cases[duplicate]

    def test_a_later_start_changes_nothing(self) -> None:
        affair, duplicate = self.merged("2025-05-06", "2025-05-07", keep_first=True)
        assert [deadline.state for deadline in duplicate.deadlines] == ["CANCELLED"]
        assert affair.last_day("T13") == "2025-05-08"
        assert affair.clock("T13").started_at == moment("2025-05-06")

    def test_each_query_keeps_its_own_clock(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        duplicate = affair.docket.open(VILLAGE_OFFICER)
        affair.docket.send(duplicate, "raise-query", SUPERVISOR, query_id=str(new_id()), question="为何?")
        affair.on("2025-05-07", "raise-query", SUPERVISOR, query_id=str(new_id()), question="何时?")
        affair.docket.send(duplicate, "merge-case", VILLAGE_OFFICER, into_case_id=affair.case_id)
        assert affair.last_day("T11") == "2025-05-22"
        assert [clock.timer for clock in affair.docket.cases[duplicate].deadlines if clock.live] == ["T11"]

    def test_what_was_late_already_stays_with_the_duplicate(self) -> None:
        affair = Affair("2025-05-06")
        affair.docket.now = moment("2025-05-08 09:00")
        primary = affair.docket.open(VILLAGE_OFFICER)
        affair.wait("2025-05-08 10:00")
        affair.then("merge-case", VILLAGE_OFFICER, into_case_id=primary)
        assert affair.state("T13") == "BREACHED"
        affair.case_id = primary
        assert affair.last_day("T13") == "2025-05-12"
