"""Taking over from whoever is late or has a conflict, handing a petition back, and archiving."""

import pytest

from shared.policy.refusal import Forbidden, GuardFailed, WrongState
from tests.unit.casework import (
    GROUP,
    LEADER,
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
from tests.unit.clockwork import RESOLVED, Affair, petition_in_hand
from tests.unit.test_stories import refused

OTHER_OFFICER = actor("other-officer", "village_officer", OTHER_VILLAGE)
LATE = {"reason": "逾期未办"}


class TestTakingOver:
    def test_the_level_next_above_takes_over_what_is_late(self) -> None:
        affair = Affair("2025-05-06")
        with refused(GuardFailed, "nothing-to-take-over"):
            affair.on("2025-05-07", "take-over-case", VILLAGE_OFFICER, **LATE)
        affair.on("2025-05-09", "take-over-case", VILLAGE_OFFICER, **LATE)
        case = affair.case
        assert (case.state, case.holder_unit, case.holder_level) == ("IN_PROGRESS", VILLAGE, "VILLAGE")
        assert case.procedure == "SELF_GOVERNANCE", "nobody had accepted it"
        assert affair.states("T13") == ["BREACHED", "RUNNING"]
        assert affair.last_day("T13") == "2025-05-13"
        with refused(GuardFailed, "nothing-to-take-over"):
            affair.then("take-over-case", TOWNSHIP_OFFICER, **LATE)

    def test_not_the_level_after_next_nor_those_who_are_late(self) -> None:
        affair = Affair("2025-05-06")
        affair.wait("2025-05-09")
        for by in (TOWNSHIP_OFFICER, LEADER, OTHER_OFFICER, SUPERVISOR):
            with refused(Forbidden, "no-relation"):
                affair.then("take-over-case", by, **LATE)

    def test_a_late_receipt_lets_the_level_above_the_receiver_take_over(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        affair.wait("2025-05-09")
        with refused(GuardFailed, "nothing-to-take-over"):
            affair.then("take-over-case", VILLAGE_OFFICER, **LATE)
        affair.then("take-over-case", TOWNSHIP_OFFICER, **LATE)
        case = affair.case
        assert (case.holder_unit, case.pending_unit, case.held_units) == (TOWNSHIP, None, (GROUP, TOWNSHIP))
        assert affair.live == {"T13"}
        assert affair.states("T16") == ["BREACHED"]

    def test_no_longer_once_it_was_received_after_all(self) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        affair.on("2025-05-09", "accept-escalation", VILLAGE_OFFICER)
        with refused(GuardFailed, "nothing-to-take-over"):
            affair.then("take-over-case", TOWNSHIP_OFFICER, **LATE)

    def test_never_after_the_breach_was_cleared_but_what_was_done_before_stays_right(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.wait("2025-05-12")
        assert affair.notified() == [TOWNSHIP]
        affair.then("flag-risk", TOWNSHIP_OFFICER, risk="OTHER", detail="关注")
        extension = {"timer": "T13", "days": 2, "reason": "复杂", "complainant_informed": True}
        affair.late(
            "2025-05-08", "extend-deadline", VILLAGE_OFFICER, **extension, approved_by="township-officer"
        )
        with refused(GuardFailed, "nothing-to-take-over"):
            affair.then("take-over-case", TOWNSHIP_OFFICER, **LATE)
        assert affair.case.risks == ("OTHER",)
        affair.then("flag-risk", TOWNSHIP_OFFICER, risk="VIOLENCE", detail="仍已通知")

    def test_a_conflict_of_the_holder_s_is_enough(self) -> None:
        affair = Affair("2025-05-06")
        affair.then("declare-conflict", LEADER, reason="亲属")
        affair.then("take-over-case", VILLAGE_OFFICER, reason="组长回避")
        assert affair.case.holder_unit == VILLAGE
        assert affair.states("T13") == ["STOPPED", "RUNNING"]

    @pytest.mark.parametrize("state", ["IN_MEDIATION", "RESOLVED"])
    def test_not_from_a_mediation_nor_after_the_end(self, state: str) -> None:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-09", LEADER)
        if state == "IN_MEDIATION":
            affair.mediated("2025-05-09")
        else:
            affair.then("resolve-case", LEADER, **RESOLVED)
        with refused(WrongState, "wrong-state"):
            affair.then("take-over-case", VILLAGE_OFFICER, **LATE)

    def test_above_the_township_there_is_nobody(self) -> None:
        affair = Affair("2025-05-06", TOWNSHIP_OFFICER)
        affair.wait("2025-06-06")
        with refused(Forbidden, "no-relation"):
            affair.then("take-over-case", TOWNSHIP_OFFICER, **LATE)


class TestObjecting:
    def delegated(self) -> Affair:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.on("2025-05-07", "delegate-case", TOWNSHIP_OFFICER, to_unit=OTHER_VILLAGE, reason="属地")
        return affair

    def test_a_petition_goes_back_to_who_delegated_it(self) -> None:
        affair = self.delegated()
        affair.on("2025-05-14", "object-jurisdiction", OTHER_OFFICER, reason="不属本村")
        case = affair.case
        assert (case.state, case.holder_unit, case.returns) == ("IN_PROGRESS", TOWNSHIP, 0)
        assert affair.states("T3") == ["STOPPED"]
        assert affair.live == {"T1", "T4", "T13"}
        assert affair.last_day("T13") == "2025-05-20"
        with refused(GuardFailed, "not-delegated"):
            affair.then("object-jurisdiction", TOWNSHIP_OFFICER, reason="不属本镇")

    def test_to_send_it_elsewhere_begins_the_right_anew(self) -> None:
        affair = self.delegated()
        affair.on("2025-05-08", "object-jurisdiction", OTHER_OFFICER, reason="不属本村")
        affair.then("delegate-case", TOWNSHIP_OFFICER, to_unit=VILLAGE, reason="属地")
        assert affair.states("T3") == ["STOPPED", "RUNNING"]
        affair.then("object-jurisdiction", VILLAGE_OFFICER, reason="不属本村")

    def test_passing_it_on_gives_the_right_up(self) -> None:
        affair = self.delegated()
        affair.then("transfer-case", OTHER_OFFICER, to_unit=VILLAGE, reason="属地")
        assert affair.states("T3") == ["CANCELLED"]
        affair.then("accept-case", VILLAGE_OFFICER)
        with refused(GuardFailed, "not-delegated"):
            affair.then("object-jurisdiction", VILLAGE_OFFICER, reason="不属本村")

    def test_the_right_doesn_t_come_back_with_the_procedure(self) -> None:
        affair = self.delegated()
        change = {"reason": "改", "parties_informed": True}
        affair.on("2025-05-08", "change-procedure", OTHER_OFFICER, procedure="GRID", **change)
        affair.on("2025-05-20", "change-procedure", OTHER_OFFICER, procedure="PETITION", **change)
        assert affair.states("T3") == ["CANCELLED"]
        with refused(GuardFailed, "right-lapsed"):
            affair.then("object-jurisdiction", OTHER_OFFICER, reason="不属本村")

    def test_only_petitions(self) -> None:
        affair = Affair("2025-05-06", TOWNSHIP_OFFICER)
        affair.handled("2025-05-06", TOWNSHIP_OFFICER)
        affair.then("delegate-case", TOWNSHIP_OFFICER, to_unit=OTHER_VILLAGE, reason="属地")
        assert "T3" not in affair.timers
        with refused(WrongState, "wrong-procedure"):
            affair.then("object-jurisdiction", OTHER_OFFICER, reason="不属本村")


class TestArchiving:
    def test_a_petition_when_nobody_can_ask_for_a_review_any_more(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        _notify(affair)
        affair.replied("2025-05-07", TOWNSHIP_OFFICER)
        affair.closed("2025-05-12", TOWNSHIP_OFFICER)
        with refused(GuardFailed, "rights-open"):
            affair.then("archive-case", TOWNSHIP_OFFICER)
        affair.on("2025-06-07", "archive-case", TOWNSHIP_OFFICER)
        assert affair.case.archived_at is not None
        assert affair.case.state == "CLOSED"
        with refused(GuardFailed, "archived"):
            affair.then("archive-case", TOWNSHIP_OFFICER)

    def test_a_petition_after_the_last_word(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        _notify(affair)
        affair.replied("2025-05-07", TOWNSHIP_OFFICER)
        affair.closed("2025-05-08", TOWNSHIP_OFFICER)
        opinion = {"opinion": "维持"}
        affair.then("request-review", RESIDENT, grounds="不服")
        with refused(GuardFailed, "clocks-running"):
            affair.then("archive-case", TOWNSHIP_OFFICER)
        affair.then("record-review-opinion", TOWNSHIP_OFFICER, **opinion, final=False)
        with refused(GuardFailed, "rights-open"):
            affair.then("archive-case", TOWNSHIP_OFFICER)
        affair.then("request-re-review", RESIDENT, grounds="不服")
        affair.then("record-review-opinion", TOWNSHIP_OFFICER, **opinion, final=True)
        affair.then("archive-case", TOWNSHIP_OFFICER)

    def test_any_other_case_when_no_clock_is_running(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.then("resolve-case", VILLAGE_OFFICER, **RESOLVED)
        affair.closed("2025-05-07", VILLAGE_OFFICER)
        query = str(new_id())
        affair.then("raise-query", SUPERVISOR, query_id=query, question="为何?")
        with refused(GuardFailed, "clocks-running"):
            affair.then("archive-case", VILLAGE_OFFICER)
        affair.then("answer-query", VILLAGE_OFFICER, query_id=query, answer="因为")
        affair.then("archive-case", VILLAGE_OFFICER)
        affair.on("2025-06-10", "reopen-case", VILLAGE_OFFICER, ground="NEW_FACT", reason="新情况")
        assert affair.case.archived_at is None

    def test_not_before_it_is_closed(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.then("resolve-case", VILLAGE_OFFICER, **RESOLVED)
        with refused(WrongState, "wrong-state"):
            affair.then("archive-case", VILLAGE_OFFICER)


def _notify(affair: Affair) -> None:
    notice = {"notice": "ACCEPTANCE", "delivered_on": "2025-05-06", "means": "PHONE"}
    affair.then("notify-complainant", TOWNSHIP_OFFICER, **notice)
