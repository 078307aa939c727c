"""The rules that a unit takes over, adopted by the operator alone."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.units import RulePackAdopted
from shared.policy.actor import Actor
from shared.policy.bodies import Body
from shared.policy.checks import standing_unit
from shared.policy.deciding import by_role, with_note
from shared.policy.jurisdiction import UnitTree
from shared.policy.packs import Pack


class AdoptRulePack(Body, frozen=True, kw_only=True):
    unit: UUID
    from_on: date = msgspec.field(name="from")
    """The first day on which it holds."""
    content: Annotated[str, Meta(min_length=1, max_length=100_000)]
    """The pack, as YAML."""


def adopt_rule_pack(body: AdoptRulePack, pack: Pack | None, actor: Actor, tree: UnitTree) -> RulePackAdopted:
    """The adoption of a pack that was read; it is not needed where the actor may adopt none."""
    by_role(actor, "operator")
    standing_unit(tree, body.unit, "/unit")
    assert pack is not None
    return with_note(adoption(pack, body.from_on), body)


def adoption(pack: Pack, from_on: date) -> RulePackAdopted:
    return RulePackAdopted(pack=pack.name, pack_version=pack.version, hash=pack.hash, from_on=from_on)
