"""What waits for whom in the course of a case, from its rows and the audiences that people are in."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.projections.cases.projector import CaseProjector, CaseState
from services.projections.inbox.rows import INBOX, SeenProjector, inbox_rows
from services.projections.reads.calendar_end import calendar_end
from services.projections.temporal import history
from shared.events.base import Event
from shared.events.case import Case
from shared.events.inbox import ItemSeen
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.events.units import WHOLE
from shared.policy.actor import Actor
from shared.policy.clocks import told_by_clock
from shared.policy.jurisdiction import Adoption, UnitTree, tree_of
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.policy import CalendarYear
from shared.policy.provisional import CLOCK
from shared.policy.sight import sight_of
from shared.policy.waiting import Addressee, audiences_of, is_theirs
from tests import naive_inbox
from tests.histories import County, lively, play, recorded
from tests.unit.casework import (
    LEADER,
    OTHER_VILLAGE,
    RESIDENT,
    SUPERVISOR,
    TOWNSHIP,
    TOWNSHIP_MEDIATOR,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_MEDIATOR,
    VILLAGE_OFFICER,
    actor,
    recorded_of,
)
from tests.unit.clockwork import Affair, moment, petition_in_hand

PROJECTOR = CaseProjector()
TOWN_SUPERVISOR = actor("town-supervisor", "supervisor", TOWNSHIP)
AUDITOR = actor("auditor", "auditor", TOWNSHIP)
OPERATOR = actor("operator", "operator", None)
NEIGHBOUR_VILLAGE = actor("other-village-officer", "village_officer", OTHER_VILLAGE)
PEOPLE = (
    LEADER, VILLAGE_OFFICER, VILLAGE_MEDIATOR, TOWNSHIP_OFFICER, TOWNSHIP_MEDIATOR, SUPERVISOR,
    TOWN_SUPERVISOR, NEIGHBOUR_VILLAGE, RESIDENT, AUDITOR, OPERATOR,
)  # fmt: skip


def state_of(stream: Sequence[tuple[Recorded, Event]]) -> CaseState:
    state: CaseState | None = None
    for event in stream:
        state = PROJECTOR.evolve(state, *event)
    assert state is not None
    return state


def waiting_for(state: CaseState, who: Actor, tree: UnitTree = TREE) -> set[tuple[UUID, str, str]]:
    """The id, the kind and the timer of each item."""
    assert isinstance(state.case, Case)
    rows = [dict(zip(INBOX.columns, row.values, strict=True)) for row in state.inbox]
    if not is_theirs(who, sight_of(state.case), tree):
        return set()
    return {
        (row["item_id"], row["kind"], row["timer"])
        for row in rows
        if Addressee(row["audience"], row["unit_id"]) in audiences_of(who, tree)
        and who.ref not in row["left_out"]
    }


def waiting(affair: Affair, kind: str) -> dict[str, set[str]]:
    """By person the timers of what waits of a kind."""
    state = state_of(affair.docket.streams[affair.case_id])
    told = {who.ref: {timer for _, of, timer in waiting_for(state, who) if of == kind} for who in PEOPLE}
    return {ref: timers for ref, timers in told.items() if timers}


def warn(affair: Affair, when: str) -> None:
    """The clock looks, and warns of what is near."""
    affair.docket.now = moment(when)
    for at, event in told_by_clock(affair.case, moment(when), TREE):
        affair.docket.apply(affair.case_id, (event,), CLOCK, at)


def to_the_village(opened: str) -> Affair:
    affair = Affair(opened)
    affair.handled(opened, LEADER)
    affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="组内无法解决")
    return affair


class TestEscalations:
    def test_one_waits_for_the_staff_it_is_sent_to_until_they_take_or_return_it(self) -> None:
        affair = to_the_village("2025-05-12")
        expected = {"village-officer": {"T16"}, "village-mediator": {"T16"}}
        assert waiting(affair, "ESCALATION") == expected
        affair.then("return-escalation", VILLAGE_OFFICER, reason="请再调解")
        assert waiting(affair, "ESCALATION") == {}
        affair.then("escalate-case", LEADER, to_level="VILLAGE", reason="仍无法解决")
        assert waiting(affair, "ESCALATION") == expected
        affair.then("accept-escalation", VILLAGE_OFFICER)
        assert waiting(affair, "ESCALATION") == {}

    def test_one_that_nobody_receives_is_told_to_the_level_above_and_still_waits(self) -> None:
        affair = to_the_village("2025-05-12")
        affair.wait("2025-05-20")
        late = {"village-officer": {"T16"}, "village-mediator": {"T16"}}
        assert waiting(affair, "BREACH") == late | {"township-officer": {"T16"}}
        assert waiting(affair, "ESCALATION") == late
        affair.then("take-over-case", TOWNSHIP_OFFICER, reason="逾期")
        assert waiting(affair, "BREACH") == waiting(affair, "ESCALATION") == {}


class TestBreaches:
    def test_one_waits_for_whoever_is_late_and_the_level_above_until_it_is_voided(self) -> None:
        affair = Affair("2025-05-12")
        affair.wait("2025-05-20")
        assert waiting(affair, "BREACH") == {"leader": {"T13"}, "village-officer": {"T13"}}
        affair.late("2025-05-13", "withdraw-case", RESIDENT, statement="已和解")
        assert waiting(affair, "BREACH") == {}

    def test_at_the_township_its_supervisors_are_told(self) -> None:
        affair = Affair("2025-05-12", TOWNSHIP_OFFICER, origin_unit=TOWNSHIP)
        affair.wait("2025-05-30")
        staff = {"township-officer": {"T13"}, "township-mediator": {"T13"}}
        assert waiting(affair, "BREACH") == staff | {"town-supervisor": {"T13"}}

    def test_what_is_owed_by_one_office_alone_is_told_to_no_other(self) -> None:
        affair = petition_in_hand("2025-01-06", "2025-01-07")
        affair.wait("2025-04-30")
        told = waiting(affair, "BREACH")
        assert told["township-officer"] == {"T1", "T4", "T13"}
        assert told["town-supervisor"] == {"T13"}


class TestWarnings:
    def test_one_waits_for_whoever_has_to_act_until_they_have(self) -> None:
        affair = to_the_village("2025-05-12")
        assert waiting(affair, "APPROACHING") == {}
        warn(affair, "2025-05-13")
        assert waiting(affair, "APPROACHING") == {"village-officer": {"T16"}, "village-mediator": {"T16"}}
        affair.then("accept-escalation", VILLAGE_OFFICER)
        assert waiting(affair, "APPROACHING") == {}

    def test_an_extension_takes_it_away_until_the_next(self) -> None:
        affair = petition_in_hand("2025-01-06", "2025-01-07")
        warn(affair, "2025-03-02")
        assert "T4" in waiting(affair, "APPROACHING")["township-officer"]
        more = {"timer": "T4", "days": 30, "reason": "案情复杂", "complainant_informed": True}
        affair.then("extend-deadline", TOWNSHIP_OFFICER, approved_by="township-chief", **more)
        assert "T4" not in waiting(affair, "APPROACHING").get("township-officer", ())
        warn(affair, "2025-04-02")
        assert "T4" in waiting(affair, "APPROACHING")["township-officer"]

    def test_what_turns_into_a_breach_is_no_warning_any_more(self) -> None:
        affair = to_the_village("2025-05-12")
        warn(affair, "2025-05-13")
        affair.wait("2025-05-14 08:00")
        assert waiting(affair, "APPROACHING") == {}
        assert waiting(affair, "BREACH")["village-officer"] == {"T16"}

    def test_a_unit_is_warned_of_its_right_and_people_of_theirs_are_not(self) -> None:
        delegated = petition_in_hand("2025-01-06", "2025-01-07")
        delegated.then("delegate-case", TOWNSHIP_OFFICER, to_unit=str(VILLAGE), reason="属地办理")
        warn(delegated, "2025-01-14")
        assert waiting(delegated, "APPROACHING")["village-officer"] >= {"T3"}
        answered = petition_in_hand("2025-01-06", "2025-01-07")
        answered.replied("2025-01-09", TOWNSHIP_OFFICER)
        warn(answered, "2025-02-07")
        [review] = [deadline for deadline in answered.case.deadlines if deadline.timer == "T5"]
        assert (review.live, review.warn_at) == (True, None)
        assert all("T5" not in timers for timers in waiting(answered, "APPROACHING").values())


class TestQueriesAndDemands:
    def test_they_wait_for_officers_of_the_village_and_of_the_holder_until_each_is_answered(self) -> None:
        affair = to_the_village("2025-05-12")
        affair.then("accept-escalation", VILLAGE_OFFICER)
        affair.then("assign-handler", VILLAGE_OFFICER, handler_ref=VILLAGE_OFFICER.ref)
        affair.then("escalate-case", VILLAGE_OFFICER, to_level="TOWNSHIP", reason="需镇里协调")
        affair.then("accept-escalation", TOWNSHIP_OFFICER)
        query, demand = UUID(int=1), UUID(int=2)
        affair.then("raise-query", SUPERVISOR, query_id=str(query), question="为何未回访？")
        affair.then("demand-correction", SUPERVISOR, demand_id=str(demand), demand="补记走访")
        assert waiting(affair, "QUERY") == {"village-officer": {"T11"}, "township-officer": {"T11"}}
        assert waiting(affair, "DEMAND") == {"village-officer": {"T12"}, "township-officer": {"T12"}}
        affair.then("answer-query", TOWNSHIP_OFFICER, query_id=str(query), answer="已安排")
        assert waiting(affair, "QUERY") == {}
        affair.then(
            "answer-demand", VILLAGE_OFFICER, demand_id=str(demand), outcome="CORRECTED", detail="已补"
        )
        assert waiting(affair, "DEMAND") == {}


class TestCalendars:
    def test_a_clock_without_one_waits_for_the_township_and_the_operator(self) -> None:
        affair = Affair("2026-12-31")
        assert waiting(affair, "CALENDAR") == {"township-officer": {"T13"}, "operator": {"T13"}}

    def test_its_end_is_told_sixty_days_ahead_to_those_who_see_to_it(self) -> None:
        before, since = moment("2026-10-31"), moment("2026-11-01")
        assert calendar_end(TOWNSHIP_OFFICER, TREE, before) is None
        alarm = calendar_end(TOWNSHIP_OFFICER, TREE, since)
        assert alarm is not None
        assert (alarm.since, alarm.due_at) == (moment("2026-11-01 00:00"), moment("2027-01-01 00:00"))
        assert calendar_end(OPERATOR, TREE, since) == alarm
        assert calendar_end(OPERATOR, TREE, moment("2027-02-01")) == alarm
        assert calendar_end(VILLAGE_OFFICER, TREE, since) is None

    def test_a_pack_that_brings_the_year_ends_the_alarm(self) -> None:
        year = CalendarYear(holidays=(moment("2027-01-01").date(),), workdays=(), source="国务院办公厅通知")
        rules = replace(DEFAULT_POLICY, id="with-2027", calendar_years={2027: year})
        adopted = {WHOLE: (Adoption(moment("2026-11-20").date(), rules),)}
        tree = UnitTree({unit.unit_id: unit for unit in TREE}, adopted)
        assert calendar_end(TOWNSHIP_OFFICER, tree, moment("2026-11-19")) is not None
        assert calendar_end(TOWNSHIP_OFFICER, tree, moment("2026-11-20")) is None


class TestWhoIsLeftOut:
    def test_whoever_has_a_conflict_of_interest(self) -> None:
        affair = to_the_village("2025-05-12")
        affair.then("declare-conflict", VILLAGE_MEDIATOR, reason="亲属")
        assert waiting(affair, "ESCALATION") == {"village-officer": {"T16"}}

    def test_the_accused_and_their_unit(self) -> None:
        accused = {"role": "group_leader", "unit_id": str(LEADER.unit)}
        affair = Affair("2025-05-12", RESIDENT, procedure="ACCUSATION", accused=accused)
        affair.wait("2025-05-30")
        assert waiting(affair, "BREACH") == {
            "village-officer": {"T13"},
            "village-mediator": {"T13"},
            "township-officer": {"T13"},
        }

    def test_all_of_a_township_but_the_auditor_who_hears_what_it_is_accused_of(self) -> None:
        accused = {"role": "township_officer", "unit_id": str(TOWNSHIP)}
        affair = Affair("2025-05-12", RESIDENT, procedure="ACCUSATION", accused=accused)
        affair.wait("2025-05-30")
        assert waiting(affair, "BREACH") == {"auditor": {"T13"}, "town-supervisor": {"T13"}}


@settings(max_examples=40, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.randoms(use_true_random=True))
def test_what_waits_for_somebody_follows_from_their_relations_to_the_case(chance: Random) -> None:
    county = County()
    county.settle()
    play(county, lively(chance, 80))
    events = recorded(county.appends)
    tree = tree_of(event for event in events if event.topic.startswith("unit."))
    streams = defaultdict(list)
    for event in events:
        if event.topic.startswith("case."):
            streams[event.stream_id].append(event)
    for stream in streams.values():
        # As of an instant events may be missing, whatever normally goes before others.
        for seen in (stream, [event for event in stream if event.version % 3]):
            state: CaseState | None = None
            for told, event in enumerate(seen, start=1):
                state = PROJECTOR.evolve(state, event, event_of(event))
                assert state.case is not None
                assert state.inbox == inbox_rows(state.case, state.clocks, state.seen_from)
                for who in everybody(county):
                    expected = naive_inbox.waiting(seen[:told], who, tree)
                    assert waiting_for(state, who, tree) == {(i.item_id, i.kind, i.timer) for i in expected}


def everybody(county: County) -> list[Actor]:
    return [
        actor("actor-1", "group_leader", county.groups[0]),
        actor("mediator", "mediator", county.groups[0]),
        actor("actor-2", "village_officer", county.villages[0]),
        actor("cleared", "village_officer", county.villages[1], "SAFETY_LEAD"),
        actor("officer", "township_officer", county.township),
        actor("supervisor", "supervisor", county.township),
        actor("actor-0", "supervisor", county.township),
        actor("actor-0", "supervisor", county.villages[0]),
        actor("auditor", "auditor", county.township),
        actor("operator", "operator", None),
        actor("operator", "operator", county.villages[0]),
    ]


def test_an_item_is_seen_from_when_its_reader_first_says_so() -> None:
    stream_id, item_id = UUID(int=1), UUID(int=2)
    said = [
        (
            recorded_of(
                ItemSeen(item_id=item_id),
                LEADER,
                stream_id,
                version=version,
                position=version,
                at=datetime(2025, 5, 12, tzinfo=UTC) + timedelta(days=version),
            ),
            ItemSeen(item_id=item_id),
        )
        for version in (1, 2)
    ]
    [row] = history(SeenProjector(), said)
    assert row.row.values == (item_id, LEADER.ref)
    assert (row.known_from, row.holds) == (1, True)
