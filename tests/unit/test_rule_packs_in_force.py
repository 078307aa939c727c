"""Which rules hold for a case: the nearest unit's that adopted any, by the day, kept by each clock."""

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.intake.domain.rule_packs import AdoptRulePack, adopt_rule_pack
from shared.events.registry import encode
from shared.events.units import WHOLE, RulePackAdopted, UnitRegistered
from shared.policy.actor import Actor
from shared.policy.jurisdiction import Adoption, UnitTree, tree_of
from shared.policy.packs import DEFAULT_POLICY, Pack, read_pack
from shared.policy.refusal import Forbidden, GuardFailed
from tests.unit.casework import (
    GROUP,
    LEADER,
    OTHER_VILLAGE,
    TOWNSHIP,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
    actor,
    recorded_of,
    unit_id,
)
from tests.unit.clockwork import Affair
from tests.unit.test_stories import refused

OPERATOR: Final = Actor(ref="operator", role="operator", unit=None)
OTHER_OFFICER: Final = actor("other-officer", "village_officer", OTHER_VILLAGE)
SPRING, SUMMER = date(2025, 3, 1), date(2025, 6, 1)


def pack(name: str, *, village_days: int, group_days: int = 1) -> Pack:
    ladder = f"""
ladder:
  value:
    GROUP: {{amount: {group_days}, unit: WORKING_DAYS}}
    VILLAGE: {{amount: {village_days}, unit: WORKING_DAYS}}
"""
    head = f"name: {name}\nversion: 1\ntitle: {{zh: 规则, en: Rules}}\nextends: cn-default\n"
    return read_pack(head + ladder, file=f"{name}.yaml")


THREE, FIVE, SEVEN = (pack(f"ladder-{n}", village_days=n, group_days=n - 1) for n in (3, 5, 7))


def ruled(*adoptions: tuple[UUID, date, Pack]) -> UnitTree:
    """The county where these packs were adopted, in this order."""
    held: dict[UUID, tuple[Adoption, ...]] = {}
    for unit, from_on, adopted in adoptions:
        held[unit] = (*held.get(unit, ()), Adoption(from_on, adopted.policy))
    return UnitTree({unit.unit_id: unit for unit in TREE}, held)


def rules_of(tree: UnitTree, unit: UUID | None, on: date) -> str:
    return tree.policy(unit, on).id.split("@")[0]


class TestWhoseRulesHold:
    def test_the_built_in_ones_where_nobody_adopted_any(self) -> None:
        assert TREE.policy(GROUP, SPRING) is TREE.policy(None, SPRING) is DEFAULT_POLICY

    def test_the_nearest_unit_on_the_way_up_decides(self) -> None:
        tree = ruled((WHOLE, SPRING, SEVEN), (TOWNSHIP, SPRING, FIVE), (VILLAGE, SPRING, THREE))
        assert [rules_of(tree, unit, SUMMER) for unit in (GROUP, VILLAGE, OTHER_VILLAGE, TOWNSHIP)] == [
            "ladder-3", "ladder-3", "ladder-5", "ladder-5",
        ]  # fmt: skip
        assert rules_of(tree, unit_id(2), SUMMER) == rules_of(tree, None, SUMMER) == "ladder-7"

    def test_from_the_day_that_the_adoption_names(self) -> None:
        tree = ruled((TOWNSHIP, SUMMER, FIVE), (WHOLE, SPRING, SEVEN))
        assert rules_of(tree, GROUP, date(2025, 2, 28)) == "cn-default"
        assert rules_of(tree, GROUP, date(2025, 5, 31)) == "ladder-7"
        assert rules_of(tree, GROUP, SUMMER) == "ladder-5"

    def test_of_two_the_one_that_came_into_force_last_of_two_of_a_day_the_one_adopted_last(self) -> None:
        tree = ruled((TOWNSHIP, SUMMER, FIVE), (TOWNSHIP, SPRING, SEVEN), (TOWNSHIP, SUMMER, THREE))
        assert rules_of(tree, GROUP, date(2025, 5, 31)) == "ladder-7"
        assert rules_of(tree, GROUP, SUMMER) == "ladder-3"

    def test_rules_are_found_again_by_their_id(self) -> None:
        tree = ruled((TOWNSHIP, SUMMER, FIVE))
        assert tree.rules(FIVE.policy.id) == FIVE.policy
        assert tree.rules("forgotten@1+0") is DEFAULT_POLICY


class TestWhatClocksRunUnder:
    def test_a_clock_starts_by_the_rules_of_its_day(self) -> None:
        tree = ruled((TOWNSHIP, SUMMER, FIVE))
        assert Affair("2025-05-30", VILLAGE_OFFICER, tree=tree).last_day("T13") == "2025-06-04"
        assert Affair("2025-06-03", VILLAGE_OFFICER, tree=tree).last_day("T13") == "2025-06-10"

    def test_it_keeps_the_rules_that_it_started_under(self) -> None:
        affair = Affair("2025-05-29", VILLAGE_OFFICER, tree=ruled((TOWNSHIP, SUMMER, FIVE)))
        affair.on("2025-06-03", "accept-case", VILLAGE_OFFICER)
        assert affair.clock("T13").pack == DEFAULT_POLICY.id
        extension = {"timer": "T13", "reason": "复杂", "complainant_informed": True, "approved_by": "to"}
        with refused(GuardFailed, "extension-too-long"):
            affair.then("extend-deadline", VILLAGE_OFFICER, days=3, **extension)
        affair.then("extend-deadline", VILLAGE_OFFICER, days=2, **extension)
        assert affair.last_day("T13") == "2025-06-05"

    def test_the_new_holder_s_rules_are_for_the_clock_that_starts_there(self) -> None:
        tree = ruled((VILLAGE, SPRING, THREE), (OTHER_VILLAGE, SPRING, FIVE))
        affair = Affair("2025-05-06", VILLAGE_OFFICER, tree=tree)
        affair.on("2025-05-07", "transfer-case", VILLAGE_OFFICER, to_unit=OTHER_VILLAGE, reason="属地")
        assert [clock.pack for clock in affair.case.deadlines] == [THREE.policy.id, FIVE.policy.id]
        assert affair.last_day("T13") == "2025-05-14"

    def test_what_is_recorded_late_is_judged_by_the_rules_of_the_day_it_happened(self) -> None:
        affair = Affair("2025-05-29", LEADER, tree=ruled((TOWNSHIP, SUMMER, FIVE)))
        affair.handled("2025-05-29", LEADER)
        affair.docket.now = affair.docket.now.replace(month=6, day=3)
        affair.late("2025-05-30", "escalate-case", LEADER, to_level="VILLAGE", reason="办不了")
        assert affair.clock("T16").pack == DEFAULT_POLICY.id


class TestAdopting:
    BODY = AdoptRulePack(unit=TOWNSHIP, from_on=SUMMER, content="…")

    def test_the_operator_adopts_a_pack_by_its_hash(self) -> None:
        adopted = adopt_rule_pack(self.BODY, FIVE, OPERATOR, TREE)
        assert (adopted.pack, adopted.pack_version, adopted.hash, adopted.from_on) == (
            "ladder-5", 1, FIVE.hash, SUMMER,
        )  # fmt: skip

    def test_nobody_else_does(self) -> None:
        with refused(Forbidden, "no-relation"):
            adopt_rule_pack(self.BODY, None, VILLAGE_OFFICER, TREE)

    def test_only_for_a_unit_that_is_there(self) -> None:
        with pytest.raises(GuardFailed):
            adopt_rule_pack(replace(self.BODY, unit=unit_id(999)), FIVE, OPERATOR, TREE)

    def test_the_tree_reads_adoptions_from_the_units_events(self) -> None:
        at = datetime(2025, 5, 1, tzinfo=UTC)
        events = [
            (TOWNSHIP, UnitRegistered(kind="TOWNSHIP", name="余东镇")),
            (WHOLE, RulePackAdopted(pack="ladder-7", pack_version=1, hash=SEVEN.hash, from_on=SPRING)),
            (TOWNSHIP, RulePackAdopted(pack="ladder-5", pack_version=1, hash=FIVE.hash, from_on=SUMMER)),
        ]
        stream = [
            replace(recorded_of(event, OPERATOR, stream, version=n, position=n, at=at), data=encode(event))
            for n, (stream, event) in enumerate(events, start=1)
        ]
        tree = tree_of(stream, policies={each.hash: each.policy for each in (SEVEN, FIVE)})
        assert (rules_of(tree, TOWNSHIP, SPRING), rules_of(tree, TOWNSHIP, SUMMER)) == (
            "ladder-7",
            "ladder-5",
        )
        assert tree.has_rules(WHOLE)
        assert len(tree) == 1
