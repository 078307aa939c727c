"""Adopting rule packs: the content is kept first, under its hash, then the adoption names it."""

from datetime import UTC, date, datetime
from typing import Final

import structlog

from services.intake.application.beside import TREE, BesideWork
from services.intake.domain.rule_packs import AdoptRulePack, adopt_rule_pack, adoption
from shared.events.ledger.appender import Appender
from shared.events.recorded import Metadata, StreamConflict
from shared.events.units import WHOLE
from shared.policy.packs import DEFAULT_POLICY, Pack, read_pack, shipped
from shared.runtime.command_handling import Desk, Outcome, Sent
from shared.runtime.database import Pool
from shared.runtime.drafts import Placed, draft
from shared.runtime.sealing import MasterKey, Sealing
from shared.runtime.trees import Trees

DEFAULT_PACK: Final = "cn-default"
_SYSTEM: Final = "anjie"
"""Who adopts the default: nobody but the program itself."""
_BEGINNING: Final = date(1900, 1, 1)
_KEEP: Final = "INSERT INTO ledger.rule_packs (hash, content) VALUES (%s, %s) ON CONFLICT DO NOTHING"

log = structlog.stdlib.get_logger("anjie.rules")


async def adopt(desk: Desk, pool: Pool, sent: Sent, body: AdoptRulePack, pack: Pack | None) -> Outcome:
    """Raises: Refused, Problem."""
    if pack is not None:
        await _keep(pool, pack)
    work = BesideWork(
        desk,
        sent,
        body.unit,
        body,
        lambda basis: adopt_rule_pack(body, pack, basis.actor, basis.tree),
        begins=None,
        turns=(TREE,),
    )
    return await desk.take(sent, work)


async def ensure_default(pool: Pool, appender: Appender, trees: Trees, master: MasterKey) -> None:
    """Adopts the shipped default for all units, where the ledger has no rules for the whole yet.

    So the rules of the first day stay those of the first day, whatever a later version ships.
    """
    if trees.current.has_rules(WHOLE):
        return
    text = shipped(DEFAULT_PACK)
    assert text is not None
    pack = read_pack(text, file=f"{DEFAULT_PACK}.yaml")
    await _keep(pool, pack)
    metadata = Metadata(
        occurred_at=datetime.now(UTC),
        actor_ref=_SYSTEM,
        actor_role="operator",
        unit=None,
        correlation_id=WHOLE,
        policy=DEFAULT_POLICY.id,
    )
    placed = [Placed(WHOLE, 1, adoption(pack, _BEGINNING))]
    try:
        await appender.append(draft(placed, metadata, Sealing(master, ()), None).append)
        log.info("default_rules_adopted", pack=pack.name, hash=pack.hash)
    except StreamConflict:
        log.info("default_rules_adopted_elsewhere")
    await trees.refresh()


async def _keep(pool: Pool, pack: Pack) -> None:
    async with pool.connection() as connection:
        await connection.execute(_KEEP, (pack.hash, pack.content))
