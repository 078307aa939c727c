"""Finding the rules that a period is to be replayed under: by their hash, or by their name."""

import re
from typing import Final

from psycopg.rows import tuple_row

from services.projections.figures.queries import Connection
from shared.events.ledger.reader import COLUMNS, recorded_row
from shared.events.registry import event_of
from shared.events.units import RulePackAdopted
from shared.policy.packs import Pack, pack_of, read_pack, shipped

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_KEPT: Final = "SELECT content FROM ledger.rule_packs WHERE hash = %s"
_ADOPTIONS: Final = f"""
    SELECT {COLUMNS} FROM ledger.events
    WHERE topic LIKE 'unit.%%' AND topic = %s AND position <= %s ORDER BY position DESC
"""


async def find_pack(connection: Connection, named: str, position: int) -> Pack | None:
    """The pack of a hash that was ever kept; of a name the one adopted last by then, else the shipped one."""
    if _HASH.fullmatch(named):
        return await _kept(connection, named)
    async with connection.cursor(binary=True, row_factory=recorded_row) as cursor:
        await cursor.execute(_ADOPTIONS, (RulePackAdopted.topic, position))
        for recorded in await cursor.fetchall():
            event = event_of(recorded)
            if isinstance(event, RulePackAdopted) and event.pack == named:
                return await _kept(connection, event.hash)
    text = shipped(named)
    return None if text is None else read_pack(text, file=f"{named}.yaml")


async def _kept(connection: Connection, digest: str) -> Pack | None:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_KEPT, (digest,))
        row = await cursor.fetchone()
    return None if row is None else pack_of(row[0])
