"""The edge cases of the statistics, row by row: what each does to gross, net, backlog, urgent and clocks.

Gross is the disposition rate over all registered, net that without what was removed. All are of group 37,
classified urgent by its village; the figures are those that the read models are told.
"""

from collections import Counter
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.projections.cases.projector import CaseProjector, CaseState
from services.projections.figures.facts import FACTS
from services.projections.temporal import FOREVER, Row
from shared.events.units import WHOLE
from shared.policy.jurisdiction import Adoption, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from tests.unit.casework import (
    GROUP,
    LEADER,
    OTHER_TOWNSHIP,
    RESIDENT,
    SISTER_GROUP,
    SISTER_LEADER,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
)
from tests.unit.clockwork import RESOLVED, Affair, moment, petition_in_hand
from tests.unit.test_case_rows import rows_at

OUT = {"external_body": {"kind": "COURT", "name": "海门法院"}, "reason": "诉讼"}
URGENT = {"urgent": True, "facets": ["JI"], "reason": "老人独居"}
_MEASURE, _UNIT, _ON_DAY = (list(FACTS.columns).index(name) for name in ("measure", "unit_id", "on_day"))


class FactsAlone(CaseProjector):
    """Without the rows of lists, which take no texts in the clear."""

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        return state.facts


FACTS_ALONE = FactsAlone()


class Statistics(NamedTuple):
    """The figures of a county; places without any are left out."""

    gross: tuple[int, int]
    net: tuple[int, int]
    by_holder: dict[UUID, int]
    by_origin: dict[UUID, int]
    urgent: tuple[int, int, int]
    """Registered, open, resolved."""
    urgent_by_holder: dict[UUID, int]
    on_time: tuple[int, int]
    """Of the duties that can be judged."""
    counted: Counter[str]
    days: dict[str, date]
    """The day of the last fact of each measure."""


def statistics(affair: Affair, *, known: int = FOREVER - 1, happened: datetime | None = None) -> Statistics:
    """What is told of all cases, as known at a position of what had happened by an instant."""
    facts = [
        row.values
        for stream in affair.docket.streams.values()
        for row in rows_at(stream, known, happened, FACTS_ALONE)
    ]
    counted = Counter(fact[_MEASURE] for fact in facts)

    def places(measure: str) -> dict[UUID, int]:
        return dict(Counter(fact[_UNIT] for fact in facts if fact[_MEASURE] == measure))

    return Statistics(
        gross=(counted["disposed"], counted["registered"]),
        net=(counted["disposed_net"], counted["registered_net"]),
        by_holder=places("open_by_holder"),
        by_origin=places("open_by_origin"),
        urgent=(counted["urgent_registered"], counted["urgent_open"], counted["urgent_resolved"]),
        urgent_by_holder=places("urgent_open_by_holder"),
        on_time=(counted["duty_in_time"], counted["duty"]),
        counted=counted,
        days={fact[_MEASURE]: fact[_ON_DAY] for fact in facts},
    )


def urgent_case(opened: str = "2025-05-06", tree: UnitTree = TREE) -> Affair:
    """In the leader's hands, and due by the end of the next day."""
    affair = Affair(opened, tree=tree)
    affair.handled(opened, LEADER)
    affair.then("classify-urgency", VILLAGE_OFFICER, **URGENT)
    return affair


def test_without_any_edge_an_open_case_counts_against_and_a_resolved_one_for() -> None:
    affair = urgent_case()
    told = statistics(affair)
    assert (told.gross, told.net, told.urgent) == ((0, 1), (0, 1), (1, 1, 0))
    assert told.by_holder == told.by_origin == told.urgent_by_holder == {GROUP: 1}
    affair.then("resolve-case", LEADER, **RESOLVED)
    told = statistics(affair)
    assert (told.gross, told.net, told.urgent) == ((1, 1), (1, 1), (1, 0, 1))
    assert told.by_holder == told.by_origin == told.urgent_by_holder == {}


class TestReopened:
    @pytest.fixture
    def affair(self) -> Affair:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-07", "resolve-case", LEADER, **RESOLVED)
        affair.on("2025-05-12", "reopen-case", VILLAGE_OFFICER, ground="NEW_FACT", reason="新情况")
        return affair

    def test_gross_it_leaves_the_numerator_and_was_resolved_all_the_same(self, affair: Affair) -> None:
        told = statistics(affair)
        assert told.gross == (0, 1)
        assert (told.counted["resolution"], told.days["resolution"]) == (1, date(2025, 5, 7))
        affair.on("2025-05-13", "resolve-case", LEADER, **RESOLVED)
        assert statistics(affair).gross == (1, 1)

    def test_net_the_same(self, affair: Affair) -> None:
        assert statistics(affair).net == (0, 1)

    def test_backlog_it_returns(self, affair: Affair) -> None:
        told = statistics(affair)
        assert told.by_holder == told.by_origin == {GROUP: 1}

    def test_urgent_it_returns_to_open(self, affair: Affair) -> None:
        assert statistics(affair).urgent == (1, 1, 0)

    def test_timers_a_new_cycle_has_new_ones_and_old_results_stay(self, affair: Affair) -> None:
        assert affair.states("T13") == ["STOPPED", "RUNNING"]
        assert statistics(affair).on_time == (1, 1)
        affair.wait("2025-05-20")
        assert affair.states("T13") == ["STOPPED", "BREACHED"]
        assert statistics(affair).on_time == (1, 2)


class TestMerged:
    @pytest.fixture
    def duplicate(self) -> Affair:
        """Urgent for sure, and of the day before its primary, which its leader only thinks isn't."""
        return urgent_case("2025-05-06")

    @pytest.fixture
    def primary(self, duplicate: Affair) -> UUID:
        duplicate.docket.now = moment("2025-05-07")
        primary = duplicate.docket.open(LEADER)
        duplicate.docket.send(primary, "accept-case", LEADER)
        duplicate.docket.send(primary, "assign-handler", LEADER, handler_ref=LEADER.ref)
        duplicate.docket.send(primary, "classify-urgency", LEADER, urgent=False, reason="一般事项")
        duplicate.then("merge-case", VILLAGE_OFFICER, into_case_id=primary)
        return primary

    def test_gross_the_duplicate_stays_and_counts_with_its_primary(
        self, duplicate: Affair, primary: UUID
    ) -> None:
        assert statistics(duplicate).gross == (0, 2)
        duplicate.docket.send(primary, "resolve-case", LEADER, **RESOLVED)
        assert statistics(duplicate).gross == (2, 2)

    def test_net_the_duplicate_is_removed(self, duplicate: Affair, primary: UUID) -> None:
        assert statistics(duplicate).net == (0, 1)
        duplicate.docket.send(primary, "resolve-case", LEADER, **RESOLVED)
        assert statistics(duplicate).net == (1, 1)

    def test_backlog_the_duplicate_leaves_and_the_primary_stays(
        self, duplicate: Affair, primary: UUID
    ) -> None:
        told = statistics(duplicate)
        assert told.by_holder == told.by_origin == {GROUP: 1}

    def test_urgent_the_primary_inherits_the_highest(self, duplicate: Affair, primary: UUID) -> None:
        inherited = duplicate.docket.cases[primary]
        assert (inherited.urgent, inherited.urgency_status, inherited.facets) == (True, "CONFIRMED", ("JI",))
        told = statistics(duplicate)
        assert told.urgent == (2, 1, 0), "each was registered urgent, one is open"
        assert told.urgent_by_holder == {GROUP: 1}

    def test_timers_are_cancelled_and_the_primary_keeps_the_earliest_start(
        self, duplicate: Affair, primary: UUID
    ) -> None:
        assert duplicate.states("T13") == ["CANCELLED"]
        duplicate.case_id = primary
        assert duplicate.clock("T13").started_at == moment("2025-05-06")
        assert duplicate.last_day("T13") == "2025-05-07"


class TestTransferredInside:
    @pytest.fixture
    def affair(self) -> Affair:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-07", "transfer-case", LEADER, to_unit=SISTER_GROUP, reason="属地为邻组")
        return affair

    def resolve(self, affair: Affair) -> None:
        affair.handled("2025-05-08", SISTER_LEADER)
        affair.then("resolve-case", SISTER_LEADER, **RESOLVED)

    def test_gross_it_stays_with_its_origin_and_counts_once(self, affair: Affair) -> None:
        assert statistics(affair).gross == (0, 1)
        self.resolve(affair)
        assert statistics(affair).gross == (1, 1)
        assert affair.case.docket_unit == GROUP

    def test_net_the_same(self, affair: Affair) -> None:
        assert statistics(affair).net == (0, 1)
        self.resolve(affair)
        assert statistics(affair).net == (1, 1)

    def test_backlog_it_moves_to_the_receiver(self, affair: Affair) -> None:
        told = statistics(affair)
        assert (told.by_holder, told.by_origin) == ({SISTER_GROUP: 1}, {GROUP: 1})

    def test_urgent_it_moves(self, affair: Affair) -> None:
        told = statistics(affair)
        assert (told.urgent, told.urgent_by_holder) == ((1, 1, 0), {SISTER_GROUP: 1})

    def test_timers_the_ladder_starts_again(self, affair: Affair) -> None:
        assert affair.states("T13") == ["STOPPED", "RUNNING"]
        assert affair.last_day("T13") == "2025-05-08"

    def test_timers_of_the_statutes_run_on(self) -> None:
        affair = petition_in_hand("2025-05-06", "2025-05-06")
        due = affair.last_day("T1"), affair.last_day("T4")
        affair.on("2025-05-08", "transfer-case", TOWNSHIP_OFFICER, to_unit=OTHER_TOWNSHIP, reason="属地")
        assert (affair.states("T1"), affair.states("T4")) == (["RUNNING"], ["RUNNING"])
        assert (affair.last_day("T1"), affair.last_day("T4")) == due


class TestTransferredOutside:
    @pytest.fixture
    def affair(self) -> Affair:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-07", "transfer-case", LEADER, **OUT)
        return affair

    def test_gross_it_is_registered_and_unresolved(self, affair: Affair) -> None:
        assert statistics(affair).gross == (0, 1)

    def test_net_it_is_removed(self, affair: Affair) -> None:
        assert statistics(affair).net == (0, 0)

    def test_backlog_it_leaves(self, affair: Affair) -> None:
        told = statistics(affair)
        assert told.by_holder == told.by_origin == {}

    def test_urgent_it_leaves(self, affair: Affair) -> None:
        told = statistics(affair)
        assert (told.urgent, told.urgent_by_holder) == ((1, 0, 0), {})

    def test_timers_are_cancelled(self, affair: Affair) -> None:
        assert affair.states("T13") == ["CANCELLED"]
        affair.wait("2025-05-20")
        assert statistics(affair).on_time == (0, 0)


class TestWithdrawn:
    @pytest.fixture
    def affair(self) -> Affair:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-07", "withdraw-case", RESIDENT, statement="不再要求")
        return affair

    def test_gross_it_is_registered_and_not_resolved(self, affair: Affair) -> None:
        assert statistics(affair).gross == (0, 1)

    def test_net_it_is_removed(self, affair: Affair) -> None:
        assert statistics(affair).net == (0, 0)

    def test_backlog_it_leaves(self, affair: Affair) -> None:
        told = statistics(affair)
        assert told.by_holder == told.by_origin == {}

    def test_urgent_it_leaves(self, affair: Affair) -> None:
        told = statistics(affair)
        assert (told.urgent, told.urgent_by_holder) == ((1, 0, 0), {})

    def test_timers_are_cancelled(self, affair: Affair) -> None:
        assert affair.states("T13") == ["CANCELLED"]
        assert statistics(affair).on_time == (0, 0)

    def test_timers_a_breach_that_was_recorded_remains(self) -> None:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-12", "withdraw-case", RESIDENT, statement="不再要求")
        assert affair.states("T13") == ["BREACHED"]
        assert statistics(affair).on_time == (0, 1)


class TestEscalated:
    @pytest.fixture
    def affair(self) -> Affair:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-07", "escalate-case", LEADER, to_level="VILLAGE", reason="超出能力")
        return affair

    def accept(self, affair: Affair) -> None:
        affair.on("2025-05-08", "accept-escalation", VILLAGE_OFFICER)

    def test_gross_it_stays_with_its_origin(self, affair: Affair) -> None:
        self.accept(affair)
        assert statistics(affair).gross == (0, 1)
        affair.then("resolve-case", VILLAGE_OFFICER, **RESOLVED)
        assert statistics(affair).gross == (1, 1)
        assert affair.case.docket_unit == GROUP

    def test_net_it_stays_with_its_origin(self, affair: Affair) -> None:
        self.accept(affair)
        assert statistics(affair).net == (0, 1)

    def test_backlog_the_holder_changes_once_it_is_received(self, affair: Affair) -> None:
        assert statistics(affair).by_holder == {GROUP: 1}
        self.accept(affair)
        told = statistics(affair)
        assert (told.by_holder, told.by_origin) == ({VILLAGE: 1}, {GROUP: 1})

    def test_urgent_it_is_unchanged(self, affair: Affair) -> None:
        assert statistics(affair).urgent == (1, 1, 0)
        self.accept(affair)
        assert statistics(affair).urgent == (1, 1, 0)

    def test_timers_the_ladder_has_a_new_one(self, affair: Affair) -> None:
        assert (affair.states("T13"), affair.states("T16")) == (["STOPPED"], ["RUNNING"])
        self.accept(affair)
        assert (affair.states("T13"), affair.states("T16")) == (["STOPPED", "RUNNING"], ["STOPPED"])
        assert affair.last_day("T13") == "2025-05-12", "a village has two working days"


class TestPartialResolution:
    PARTLY: dict[str, Any] = RESOLVED | {"degree": "PARTIAL"}

    @pytest.fixture
    def affair(self) -> Affair:
        affair = urgent_case("2025-05-06")
        affair.on("2025-05-07", "resolve-case", LEADER, **self.PARTLY)
        return affair

    @pytest.fixture
    def where_it_counts(self) -> Affair:
        rules = replace(DEFAULT_POLICY, id="partly@1", partial_counts=True)
        adopted = Adoption(moment("2025-01-01").date(), rules)
        tree = UnitTree({unit.unit_id: unit for unit in TREE}, {WHOLE: (adopted,)})
        affair = urgent_case("2025-05-06", tree)
        affair.on("2025-05-07", "resolve-case", LEADER, **self.PARTLY)
        return affair

    def test_gross_it_counts_only_where_the_rules_say_so(
        self, affair: Affair, where_it_counts: Affair
    ) -> None:
        assert (statistics(affair).gross, statistics(where_it_counts).gross) == ((0, 1), (1, 1))

    def test_net_the_same(self, affair: Affair, where_it_counts: Affair) -> None:
        assert (statistics(affair).net, statistics(where_it_counts).net) == ((0, 1), (1, 1))

    def test_it_is_told_apart(self, affair: Affair) -> None:
        assert affair.case.degree == "PARTIAL"
        told = statistics(affair).counted
        assert (told["resolved"], told["disposed"]) == (1, 0)

    def test_backlog_it_leaves(self, affair: Affair) -> None:
        told = statistics(affair)
        assert told.by_holder == told.by_origin == {}

    def test_urgent_it_leaves_the_open_ones(self, affair: Affair) -> None:
        assert statistics(affair).urgent == (1, 0, 1)

    def test_timers_are_stopped(self, affair: Affair) -> None:
        assert affair.states("T13") == ["STOPPED"]
        assert statistics(affair).on_time == (1, 1)


class TestRecordedLate:
    """Classified and resolved on the 7th, in time, but both recorded on the 12th, long after the breach."""

    @pytest.fixture
    def affair(self) -> Affair:
        affair = Affair("2025-05-06")
        affair.handled("2025-05-06", LEADER)
        affair.wait("2025-05-12")
        return affair

    @pytest.fixture
    def published(self, affair: Affair) -> int:
        """The position that a figure was published at, before the rest was known."""
        position = affair.case.position
        affair.late("2025-05-07 16:00", "classify-urgency", VILLAGE_OFFICER, **URGENT)
        affair.late("2025-05-07 17:00", "resolve-case", LEADER, **RESOLVED)
        return position

    def test_gross_it_counts_from_when_it_happened_and_what_was_published_stands(
        self, affair: Affair, published: int
    ) -> None:
        then = moment("2025-05-08 12:00")
        assert statistics(affair, known=published).gross == (0, 1)
        assert statistics(affair, known=published, happened=then).gross == (0, 1)
        assert statistics(affair, happened=then).gross == statistics(affair).gross == (1, 1)
        assert statistics(affair, happened=moment("2025-05-07 12:00")).gross == (0, 1)
        assert statistics(affair).days["resolution"] == date(2025, 5, 7)

    def test_net_the_same(self, affair: Affair, published: int) -> None:
        then = moment("2025-05-08 12:00")
        assert statistics(affair, known=published, happened=then).net == (0, 1)
        assert statistics(affair, happened=then).net == statistics(affair).net == (1, 1)

    def test_backlog_the_same(self, affair: Affair, published: int) -> None:
        then = moment("2025-05-08 12:00")
        assert statistics(affair, known=published, happened=then).by_holder == {GROUP: 1}
        told = statistics(affair, happened=then)
        assert told.by_holder == told.by_origin == {}
        assert statistics(affair, happened=moment("2025-05-07 12:00")).by_holder == {GROUP: 1}

    def test_urgent_the_same(self, affair: Affair, published: int) -> None:
        then = moment("2025-05-08 12:00")
        assert statistics(affair, known=published, happened=then).urgent == (0, 0, 0)
        assert statistics(affair, happened=then).urgent == (1, 0, 1)
        assert statistics(affair, happened=moment("2025-05-07 16:30")).urgent == (1, 1, 0)

    def test_timers_are_judged_by_when_it_happened(self, affair: Affair, published: int) -> None:
        assert affair.states("T13") == ["VOIDED"]
        assert len(affair.recorded("case.deadline_breached")) == 1, "the breach stays in the log"
        assert statistics(affair, known=published).on_time == (0, 1)
        assert statistics(affair).on_time == (1, 1)
