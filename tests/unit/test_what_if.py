"""What a clerk asks before adopting a rule: what would have been late, what wouldn't, and the figures."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from services.projections.figures.measures import MEASURES, ON_TIME
from services.projections.figures.queries import Period
from services.projections.reads.values import measure_value
from services.projections.what_if.judged import OVERDUE, Judged
from services.projections.what_if.replay import Replays
from services.projections.what_if.rules import Rules
from shared.events.units import WHOLE
from shared.policy.clock_starts import first_starts
from shared.policy.jurisdiction import UnitTree
from shared.policy.packs import DEFAULT_POLICY, read_pack
from shared.policy.policy import Policy
from shared.policy.provisional import CLOCK
from tests.unit.casework import (
    GROUP,
    LEADER,
    OTHER_VILLAGE,
    TOWNSHIP,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
    new_id,
)
from tests.unit.clockwork import AGREED, RESOLVED, Affair, moment, petition_in_hand
from tests.unit.test_what_if_properties import changes_nothing, judged

EXTENSION: Final = {"reason": "情况复杂", "complainant_informed": True, "approved_by": "township-officer"}
SURVEY: Final = {"ground": "SURVEY", "reason": "测绘", "approved_by": "township-officer"}


def rules(sections: str) -> Policy:
    head = "name: tried\nversion: 1\ntitle: {zh: 试行, en: Tried}\nextends: cn-default\n"
    return read_pack(head + sections, file="tried.yaml").policy


def ladder(village: str) -> Policy:
    return rules(f"ladder: {{value: {{VILLAGE: {village}}}}}")


SHORTER: Final = ladder("{amount: 1, unit: WORKING_DAYS}")
LONGER: Final = ladder("{amount: 5, unit: WORKING_DAYS}")


def tried(
    policy: Policy, *affairs: Affair, tree: UnitTree = TREE, unit: UUID | None = TOWNSHIP, **changes: Any
) -> Judged:
    """What comes of the affairs if the unit had those rules, as of when the last thing happened."""
    streams = {case: stream for affair in affairs for case, stream in affair.docket.streams.items()}
    now = max(affair.docket.now for affair in affairs)
    return judged(streams, now, tree, Rules([(0, tree)]).ruled_by(policy, unit), **changes)


def village_case(resolved: str) -> Affair:
    """One that the village takes up on Tuesday 6 May 2025 and resolves on a later day."""
    affair = Affair("2025-05-06", VILLAGE_OFFICER)
    affair.handled("2025-05-06", VILLAGE_OFFICER)
    affair.on(resolved, "resolve-case", VILLAGE_OFFICER, **RESOLVED)
    return affair


class TestBreaches:
    def test_a_shorter_ladder_makes_one_appear(self) -> None:
        affair = village_case("2025-05-08")
        found = tried(SHORTER, affair)
        [breach] = found.appear
        assert (breach.case_id, breach.timer, breach.due_at) == (
            affair.case_id,
            "T13",
            moment("2025-05-08 00:00"),
        )
        assert breach.holder_unit == VILLAGE
        assert not found.vanish
        assert found.breaches == {("T13", "replayed"): 1, ("T13", "appear"): 1}

    def test_a_longer_one_makes_it_vanish(self) -> None:
        found = tried(LONGER, village_case("2025-05-12"))
        [breach] = found.vanish
        assert (breach.timer, breach.due_at) == ("T13", moment("2025-05-09 00:00"))
        assert not found.appear
        assert found.breaches == {("T13", "recorded"): 1, ("T13", "vanish"): 1}

    def test_one_that_stays_is_neither_though_it_was_due_on_another_day(self) -> None:
        found = tried(SHORTER, village_case("2025-06-12"))
        assert not found.appear
        assert not found.vanish
        assert found.breaches == {("T13", "recorded"): 1, ("T13", "replayed"): 1}

    def test_calendar_days_run_on_over_a_weekend_where_working_days_rest(self) -> None:
        affair = Affair("2025-05-09", VILLAGE_OFFICER)
        affair.handled("2025-05-09", VILLAGE_OFFICER)
        affair.on("2025-05-12", "resolve-case", VILLAGE_OFFICER, **RESOLVED)
        [breach] = tried(ladder("{amount: 2, unit: CALENDAR_DAYS}"), affair).appear
        assert breach.due_at == moment("2025-05-12 00:00")
        assert changes_nothing(tried(ladder("{amount: 3, unit: CALENDAR_DAYS}"), affair))

    def test_what_a_suspension_no_longer_pauses_runs_out(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-07", "suspend-case", VILLAGE_OFFICER, **SURVEY)
        affair.on("2025-05-20", "resume-case", VILLAGE_OFFICER)
        affair.then("resolve-case", VILLAGE_OFFICER, **RESOLVED)
        [breach] = tried(rules("suspensions: {SURVEY: {shifts: []}}"), affair).appear
        assert breach.due_at == moment("2025-05-09 00:00")

    def test_what_a_suspension_pauses_now_stands_still(self) -> None:
        tree = TREE.ruled_by(rules("suspensions: {SURVEY: {shifts: []}}"), WHOLE)
        affair = Affair("2025-05-06", VILLAGE_OFFICER, tree=tree)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-07", "suspend-case", VILLAGE_OFFICER, **SURVEY)
        affair.on("2025-05-20", "resume-case", VILLAGE_OFFICER)
        affair.then("resolve-case", VILLAGE_OFFICER, **RESOLVED)
        [breach] = tried(DEFAULT_POLICY, affair, tree=tree).vanish
        assert breach.due_at == moment("2025-05-09 00:00")

    def test_an_extension_stays_and_one_that_the_rules_do_not_allow_has_no_effect(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-07", "extend-deadline", VILLAGE_OFFICER, timer="T13", days=2, **EXTENSION)
        affair.on("2025-05-12", "resolve-case", VILLAGE_OFFICER, **RESOLVED)
        assert not tried(LONGER, affair).appear
        days = "{amount: 1, unit: WORKING_DAYS}"
        [breach] = tried(rules(f"extensions: {{T13: {{at_most: {days}}}}}"), affair).appear
        assert breach.due_at == moment("2025-05-09 00:00")

    def test_a_mediation_may_last_less_long(self) -> None:
        affair = Affair("2025-05-06", LEADER)
        affair.handled("2025-05-06", LEADER)
        affair.mediated("2025-05-06")
        affair.on("2025-05-30", "record-agreement", LEADER, **AGREED)
        ten_days = rules(
            "timers: {T9: {length: {amount: 10, unit: CALENDAR_DAYS}}}\n"
            "extensions: {T9: {at_most: {amount: 5, unit: CALENDAR_DAYS}}}"
        )
        found = tried(ten_days, affair)
        assert [(breach.timer, breach.due_at) for breach in found.appear] == [
            ("T9", moment("2025-05-17 00:00"))
        ]

    def test_a_right_that_lapses_is_no_breach(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        affair.replied("2025-05-07", TOWNSHIP_OFFICER)
        affair.wait("2025-07-30")
        found = tried(rules("timers: {T5: {length: {amount: 10, unit: CALENDAR_DAYS}}}"), affair)
        assert affair.state("T5") == "LAPSED"
        assert changes_nothing(found)

    def test_what_is_due_after_the_moment_asked_is_none(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        assert not tried(SHORTER, affair).appear
        affair.wait("2025-05-08 00:00")
        assert not tried(SHORTER, affair).appear
        affair.wait("2025-05-08 00:01")
        assert len(tried(SHORTER, affair).appear) == 1

    def test_it_counts_to_the_period_of_its_last_day(self) -> None:
        affair = village_case("2025-05-08")
        for first, last, counted in (
            ("2025-05-07", "2025-05-07", 1),
            ("2025-05-01", "2025-05-06", 0),
            ("2025-05-08", "2025-05-31", 0),
        ):
            period = Period(first=date.fromisoformat(first), last=date.fromisoformat(last))
            assert len(tried(SHORTER, affair, period=period).appear) == counted

    def test_a_take_over_stays_though_the_breach_that_allowed_it_is_none_any_more(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-12", "take-over-case", TOWNSHIP_OFFICER, reason="逾期未办")
        affair.then("resolve-case", TOWNSHIP_OFFICER, **RESOLVED)
        found = tried(LONGER, affair)
        assert len(found.vanish) == 1
        assert found.replayed["contained", "TOWNSHIP"] == 1


class TestWhoseRules:
    def test_other_units_keep_theirs(self) -> None:
        affair = village_case("2025-05-08")
        assert changes_nothing(tried(SHORTER, affair, unit=OTHER_VILLAGE))
        assert tried(SHORTER, affair, unit=VILLAGE).appear

    def test_a_unit_beneath_that_adopted_its_own_keeps_them(self) -> None:
        tree = TREE.ruled_by(LONGER, VILLAGE)
        affair = Affair("2025-05-06", VILLAGE_OFFICER, tree=tree)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.on("2025-05-12", "resolve-case", VILLAGE_OFFICER, **RESOLVED)
        assert changes_nothing(tried(SHORTER, affair, tree=tree, unit=TOWNSHIP))
        assert tried(SHORTER, affair, tree=tree, unit=VILLAGE).appear

    def test_the_clocks_of_whoever_takes_it_over_are_theirs(self) -> None:
        affair = Affair("2025-05-06", LEADER)
        affair.handled("2025-05-06", LEADER)
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        affair.then("accept-escalation", VILLAGE_OFFICER)
        affair.on("2025-05-08", "resolve-case", VILLAGE_OFFICER, **RESOLVED)
        assert changes_nothing(tried(SHORTER, affair, unit=GROUP))
        [breach] = tried(SHORTER, affair, unit=VILLAGE).appear
        assert breach.holder_unit == VILLAGE

    def test_a_case_of_another_unit_is_not_counted(self) -> None:
        affair = village_case("2025-05-08")
        found = tried(SHORTER, affair, units=frozenset((OTHER_VILLAGE,)))
        assert (found.appear, found.recorded, found.breaches) == ([], {}, {})


class TestDuplicates:
    def test_a_primary_takes_over_the_clock_that_the_duplicate_would_have_had(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.wait("2025-05-07")
        primary = affair.docket.open(VILLAGE_OFFICER, case_id=new_id())
        affair.docket.send(affair.case_id, "merge-case", VILLAGE_OFFICER, into_case_id=primary)
        affair.docket.wait_until(moment("2025-05-15"))
        replays = Replays(affair.docket.streams, Rules([(0, TREE)]).ruled_by(LONGER, TOWNSHIP))
        case = replays.of(primary).case
        assert case is not None
        [inherited] = case.deadlines
        assert inherited.due_at == moment("2025-05-14 00:00")
        # Five working days from the duplicate's own day, and breached by the 15th under either rules.
        found = tried(LONGER, affair)
        assert found.breaches == {("T13", "recorded"): 1, ("T13", "replayed"): 1}


class TestBeforeThereWereRules:
    def test_what_was_recorded_then_started_no_clock(self) -> None:
        affair = village_case("2025-05-12")
        [stream] = affair.docket.streams.values()
        before = [
            pair for pair in stream if pair[0].actor_ref != CLOCK.ref and ".deadline" not in pair[0].topic
        ]
        eras = Rules([(0, TREE), (1_000, TREE.ruled_by(DEFAULT_POLICY, WHOLE))])
        assert changes_nothing(judged({affair.case_id: before}, affair.docket.now, TREE, eras))
        always = Rules([(0, TREE)])
        assert judged({affair.case_id: before}, affair.docket.now, TREE, always).appear

    def test_clocks_begin_on_the_day_on_which_the_clock_started_them(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        docket = affair.docket
        for stream in docket.streams.values():
            del stream[1:]
        docket.cases[affair.case_id] = replace(affair.case, deadlines=())
        docket.now = moment("2025-06-02")
        [started] = first_starts(affair.case, docket.now, TREE)
        docket.apply(affair.case_id, (started,), CLOCK, docket.now)
        affair.wait("2025-06-20")
        ruled = TREE.ruled_by(DEFAULT_POLICY, WHOLE)
        known = Rules([(0, TREE), (2, ruled)])
        assert changes_nothing(judged(docket.streams, docket.now, ruled, known))
        later = judged(docket.streams, docket.now, ruled, known.ruled_by(LONGER, TOWNSHIP))
        assert later.breaches == {("T13", "recorded"): 1, ("T13", "replayed"): 1}


class TestFigures:
    def test_on_time_rates_and_the_overdue_follow_the_clocks(self) -> None:
        open_one = Affair("2025-05-06", VILLAGE_OFFICER)
        open_one.wait("2025-05-12")
        found = tried(LONGER, village_case("2025-05-12"), open_one)
        rate = ON_TIME["extended"]
        sides = [measure_value(rate, counts)["T13"] for counts in (found.recorded, found.replayed)]
        assert [(side["numerator"], side["denominator"]) for side in sides] == [(0, 2), (1, 1)]
        assert (found.recorded[OVERDUE, None], found.replayed[OVERDUE, None]) == (1, 0)

    def test_a_resolution_in_part_counts_where_the_rules_say_so(self) -> None:
        affair = Affair("2025-05-06", VILLAGE_OFFICER)
        affair.handled("2025-05-06", VILLAGE_OFFICER)
        affair.then("resolve-case", VILLAGE_OFFICER, **(RESOLVED | {"degree": "PARTIAL"}))
        found = tried(rules("partial_counts: {value: true}"), affair)
        rate = MEASURES["disposition_rate"]
        sides = [measure_value(rate, counts) for counts in (found.recorded, found.replayed)]
        assert [side["percent"] for side in sides] == ["0.00", "100.00"]

    def test_lists_are_as_long_as_asked_and_counts_are_whole(self) -> None:
        affairs = [village_case("2025-05-08") for _ in range(5)]
        found = tried(SHORTER, *affairs, limit=2)
        assert len(found.appear) == 2
        assert found.appear == sorted(found.appear)
        assert found.breaches["T13", "appear"] == 5

    def test_batches_add_up(self) -> None:
        affairs = [village_case(day) for day in ("2025-05-08", "2025-05-12", "2025-05-07")]
        whole = tried(SHORTER, *affairs)
        first, *others = (tried(SHORTER, affair) for affair in affairs)
        for other in others:
            first = first.plus(other, 100)
        assert first == whole
