"""What the clock records when nobody acts: warnings, calendars that come, and clocks of cases from before."""

from msgspec.structs import replace

from shared.events.cases import (
    DeadlineApproaching,
    DeadlineBreached,
    DeadlineDated,
    DeadlineStarted,
    LevelNotified,
)
from shared.events.units import WHOLE
from shared.policy.clocks import told_by_clock
from shared.policy.jurisdiction import Adoption, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.policy import CalendarYear
from tests.unit.casework import LEADER, OTHER_VILLAGE, TOWNSHIP_OFFICER, TREE, VILLAGE_OFFICER
from tests.unit.clockwork import Affair, moment, petition_in_hand

NEXT_YEAR = CalendarYear(holidays=(moment("2027-01-01").date(),), workdays=(), source="国务院办公厅通知")
WITH_NEXT_YEAR = replace(DEFAULT_POLICY, id="cn-default@2+0123456789ab", calendar_years={2027: NEXT_YEAR})


def tree_with_next_year() -> UnitTree:
    adopted = Adoption(moment("2026-12-20").date(), WITH_NEXT_YEAR)
    return UnitTree({unit.unit_id: unit for unit in TREE}, {WHOLE: (adopted,)})


class TestWarnings:
    def test_somebody_is_warned_when_the_last_day_begins_and_once(self) -> None:
        affair = Affair("2025-05-12")
        assert told_by_clock(affair.case, moment("2025-05-12 23:59"), TREE) == []
        [(at, warned)] = told_by_clock(affair.case, moment("2025-05-13 09:00"), TREE)
        assert at == moment("2025-05-13 00:00")
        assert isinstance(warned, DeadlineApproaching)
        assert warned.due_at == moment("2025-05-14 00:00")

    def test_what_is_due_already_is_not_warned_of(self) -> None:
        affair = Affair("2025-05-12")
        told = [event for _, event in told_by_clock(affair.case, moment("2025-05-20"), TREE)]
        assert isinstance(told[0], DeadlineBreached)
        assert not [event for event in told if isinstance(event, DeadlineApproaching)]

    def test_after_an_absence_warnings_and_breaches_come_in_the_order_of_time(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.on("2025-05-16", "delegate-case", TOWNSHIP_OFFICER, to_unit=OTHER_VILLAGE, reason="属地")
        told = told_by_clock(affair.case, moment("2025-05-21 09:00"), TREE)
        assert [(type(event), at) for at, event in told] == [
            (DeadlineApproaching, moment("2025-05-19 00:00")),  # notice to the petitioner
            (DeadlineBreached, moment("2025-05-21 00:00")),  # the village's time
            (LevelNotified, moment("2025-05-21 00:00")),
        ]


class TestCalendarsThatCome:
    def test_a_clock_that_awaited_its_calendar_is_dated(self) -> None:
        affair = Affair("2026-12-31")
        assert told_by_clock(affair.case, moment("2027-01-20"), TREE) == []
        told = told_by_clock(affair.case, moment("2027-01-02"), tree_with_next_year())
        assert told[0][0] == moment("2027-01-02")
        dated = told[0][1]
        assert isinstance(dated, DeadlineDated)
        # New Year's Day is off and a weekend follows it: the next working day is Monday the 4th.
        assert dated.due_at == dated.original_due_at == moment("2027-01-05 00:00")

    def test_what_turns_out_to_be_due_is_breached_at_once(self) -> None:
        affair = Affair("2026-12-31")
        told = told_by_clock(affair.case, moment("2027-01-20"), tree_with_next_year())
        assert [type(event) for _, event in told][:2] == [DeadlineDated, DeadlineBreached]
        assert told[1][0] == moment("2027-01-05 00:00")

    def test_the_days_on_which_it_stood_still_are_reckoned_with(self) -> None:
        affair = Affair("2026-12-31", VILLAGE_OFFICER)
        affair.handled("2026-12-31", VILLAGE_OFFICER)
        ground = {"ground": "SURVEY", "reason": "测绘", "approved_by": "township-officer"}
        affair.on("2026-12-31", "suspend-case", VILLAGE_OFFICER, **ground)
        affair.on("2027-01-06", "resume-case", VILLAGE_OFFICER)
        [(_, dated)] = told_by_clock(affair.case, moment("2027-01-06"), tree_with_next_year())
        assert isinstance(dated, DeadlineDated)
        # Two working days, the 4th and 5th, and the three that it stood still: 4th, 5th, 6th.
        assert dated.due_at == moment("2027-01-09 00:00")


class TestCasesFromBeforeThereWereClocks:
    def test_an_open_one_gets_its_clock_from_today(self) -> None:
        affair = Affair("2025-05-12", LEADER)
        old = replace(affair.case, deadlines=())
        [(at, started)] = told_by_clock(old, moment("2025-06-10"), TREE)
        assert at == moment("2025-06-10")
        assert isinstance(started, DeadlineStarted)
        assert (started.timer, started.due_at) == ("T13", moment("2025-06-12 00:00"))

    def test_a_settled_one_gets_none(self) -> None:
        affair = Affair("2025-05-12", LEADER)
        settled = replace(affair.case, deadlines=(), state="RESOLVED")
        assert told_by_clock(settled, moment("2025-06-10"), TREE) == []
