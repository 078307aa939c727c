"""Extending a deadline: which, by how much, how often, with whose word, and until when."""

from typing import Any

import pytest

from shared.policy.refusal import Forbidden, GuardFailed
from tests.unit.casework import LEADER, TOWNSHIP_OFFICER, VILLAGE_OFFICER
from tests.unit.clockwork import Affair, moment, petition_in_hand
from tests.unit.test_stories import refused


def extension(timer: str, days: int, **fields: Any) -> dict[str, Any]:
    return {"timer": timer, "days": days, "reason": "情况复杂", "complainant_informed": True} | fields


def handling(days: int, **fields: Any) -> dict[str, Any]:
    return extension("T4", days, **({"approved_by": "township-chief"} | fields))


def ladder(days: int, **fields: Any) -> dict[str, Any]:
    return extension("T13", days, **({"approved_by": "township-officer"} | fields))


class TestHandlingOfAPetition:
    @pytest.mark.parametrize(("days", "last_day"), [(1, "2025-07-06"), (30, "2025-08-04")])
    def test_once_by_up_to_thirty_days(self, days: int, last_day: str) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        assert affair.last_day("T4") == "2025-07-05"
        affair.on("2025-06-20", "extend-deadline", TOWNSHIP_OFFICER, **handling(days))
        assert affair.last_day("T4") == last_day
        assert affair.clock("T4").original_due_at == moment("2025-07-06 00:00")
        with refused(GuardFailed, "extended-before"):
            affair.then("extend-deadline", TOWNSHIP_OFFICER, **handling(1))

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            (handling(31), "extension-too-long"),
            (handling(10, approved_by=None), "extension-approval"),
            (handling(10, complainant_informed=False), "complainant-not-informed"),
        ],
    )
    def test_what_it_needs(self, fields: dict[str, Any], code: str) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        with refused(GuardFailed, code):
            affair.then("extend-deadline", TOWNSHIP_OFFICER, **fields)

    def test_on_the_last_day_but_not_after_it(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.on("2025-07-06 00:00", "extend-deadline", TOWNSHIP_OFFICER, **handling(10))
        late = petition_in_hand("2025-05-06", "2025-05-06")
        with refused(GuardFailed, "extended-too-late"):
            late.on("2025-07-06 00:01", "extend-deadline", TOWNSHIP_OFFICER, **handling(10))

    def test_one_given_in_time_and_recorded_after_the_breach_clears_it(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.wait("2025-07-10")
        assert affair.clock("T4").overdue
        affair.late("2025-07-05 16:00", "extend-deadline", TOWNSHIP_OFFICER, **handling(10))
        assert (affair.state("T4"), affair.last_day("T4")) == ("RUNNING", "2025-07-15")
        affair.wait("2025-07-20")
        assert affair.clock("T4").overdue, "the new due day counts as the old one did"

    def test_it_is_for_the_head_of_the_handling_body(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        with refused(Forbidden, "no-relation"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **handling(10))


class TestMediation:
    def mediated(self, consented: str = "2025-05-06") -> Affair:
        affair = Affair(consented)
        affair.then("accept-case", LEADER)
        affair.mediated(consented)
        return affair

    def test_with_every_party_s_consent_up_to_a_month_as_often_as_they_like(self) -> None:
        affair = self.mediated()
        both = {"consenting": [affair.first, affair.second]}
        affair.on("2025-06-05", "extend-deadline", VILLAGE_OFFICER, **extension("T9", 30, **both))
        assert affair.last_day("T9") == "2025-07-06"
        affair.on("2025-07-06", "extend-deadline", VILLAGE_OFFICER, **extension("T9", 31, **both))
        assert affair.last_day("T9") == "2025-08-06"
        with refused(GuardFailed, "extension-too-long"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **extension("T9", 32, **both))

    def test_one_party_s_consent_is_not_enough(self) -> None:
        affair = self.mediated()
        for consenting in ([], [affair.first]):
            with refused(GuardFailed, "extension-consent"):
                affair.then("extend-deadline", VILLAGE_OFFICER, **extension("T9", 10, consenting=consenting))

    def test_a_month_from_the_end_of_january_is_february(self) -> None:
        affair = self.mediated("2024-12-31")
        both = {"consenting": [affair.first, affair.second]}
        with refused(GuardFailed, "extension-too-long"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **extension("T9", 29, **both))
        affair.then("extend-deadline", VILLAGE_OFFICER, **extension("T9", 28, **both))
        assert affair.last_day("T9") == "2025-02-28"


class TestLevelLadder:
    def test_once_by_up_to_its_own_length_in_working_days(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        with refused(GuardFailed, "extension-too-long"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(3))
        affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(2))
        assert affair.last_day("T13") == "2025-05-12", "a weekend lies between"
        with refused(GuardFailed, "extended-before"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(1))

    def test_the_next_level_approves_it_not_the_level_itself(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        for approved_by in (None, VILLAGE_OFFICER.ref):
            with refused(GuardFailed, "extension-approval"):
                affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(1, approved_by=approved_by))

    def test_for_a_group_its_village_asks_and_is_the_next_level_too(self) -> None:
        affair = Affair("2025-05-06")
        with refused(Forbidden, "no-relation"):
            affair.then("extend-deadline", LEADER, **ladder(1))
        affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(1, approved_by=VILLAGE_OFFICER.ref))
        assert affair.last_day("T13") == "2025-05-08"

    def test_beyond_the_calendar_no_day_is_guessed(self) -> None:
        affair = Affair("2026-12-29", VILLAGE_OFFICER)
        assert affair.last_day("T13") == "2026-12-31"
        with refused(GuardFailed, "calendar-unknown"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(1))


class TestNoOther:
    def test_the_notice_to_the_petitioner_can_t_be_extended(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        with refused(GuardFailed, "not-extensible"):
            affair.then(
                "extend-deadline", TOWNSHIP_OFFICER, **extension("T1", 1, approved_by="township-chief")
            )

    def test_nor_can_the_receipt_of_an_escalation(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.then("escalate-case", VILLAGE_OFFICER, to_level="TOWNSHIP", reason="办不了")
        with refused(GuardFailed, "not-extensible"):
            affair.then(
                "extend-deadline", VILLAGE_OFFICER, **extension("T16", 1, approved_by="township-officer")
            )

    def test_nor_one_that_never_ran_or_has_ended(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        with refused(GuardFailed, "clock-not-running"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **handling(1))
        affair.then("escalate-case", VILLAGE_OFFICER, to_level="TOWNSHIP", reason="办不了")
        with refused(GuardFailed, "clock-not-running"):
            affair.then("extend-deadline", VILLAGE_OFFICER, **ladder(1))
