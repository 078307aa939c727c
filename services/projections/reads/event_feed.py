"""The raw feed: every position in order, sealed where the caller may not know of it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.projections.figures.queries import AsOf, Connection
from services.projections.reads.case_items import READABLE, fetch_rows, sight_of_row
from services.projections.reads.cloudevents import cloud_event
from services.projections.reads.progress import Stand
from services.projections.reads.shown import hidden
from services.projections.reads.sources import Sources
from shared.events.ledger.reader import fetch_head, fetch_range
from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import Sight, reads_unit, sight

FEED_ROLES: Final = frozenset(("auditor", "supervisor", "operator"))
_AT_ONCE: Final = 500
_NEWLINE: Final = b"\n"

_encode = msgspec.json.Encoder(order="deterministic").encode


async def catch_up(sources: Sources, position: int) -> None:
    """Lets the read models reach a position or the ledger's head, whichever comes first; for 5 s at most."""
    async with sources.pool.connection() as connection:
        head = await fetch_head(connection)
    await sources.progress.approach(min(position, head.position))


async def follow_events(
    sources: Sources, actor: Actor, *, after: int, limit: int, follow: bool, until: datetime
) -> AsyncGenerator[bytes, None]:
    """Lines of NDJSON: at most `limit` events after a position, or with `follow` all, to the token's end.

    As far as the read models are, since what the caller may know of a case is theirs to say.
    """
    left = limit
    while follow or left > 0:
        heard = sources.progress.heard
        stand = await sources.progress.stand()
        wanted = _AT_ONCE if follow else min(_AT_ONCE, left)
        lines = await _lines(sources, actor, stand, after, wanted)
        if lines:
            after += len(lines)
            left -= len(lines)
            yield b"".join(lines)
        elif not follow or sources.progress.ending or datetime.now(UTC) >= until:
            return
        else:
            await sources.progress.news(heard)


async def _lines(sources: Sources, actor: Actor, stand: Stand, after: int, limit: int) -> list[bytes]:
    async with sources.pool.connection() as connection:
        events = await fetch_range(connection, after, limit, stand.position)
        if not events:
            return []
        ledger_id = (await fetch_head(connection)).ledger_id
        tree = sources.trees.at(stand.position)
        seen = await _sights(connection, events, actor, tree, stand)
    return [_line(recorded, ledger_id, actor, tree, seen) for recorded in events]


def _line(
    recorded: Recorded, ledger_id: UUID, actor: Actor, tree: UnitTree, seen: Mapping[UUID, Sight]
) -> bytes:
    event = cloud_event(recorded, ledger_id) if _may_know(recorded, actor, tree, seen) else None
    shown: dict[str, Any] = hidden(recorded.position) if event is None else event
    return _encode(shown) + _NEWLINE


async def _sights(
    connection: Connection, events: Sequence[Recorded], actor: Actor, tree: UnitTree, stand: Stand
) -> dict[UUID, Sight]:
    """What the actor may know of the cases that events belong to or are correlated with."""
    ids = {recorded.stream_id for recorded in events} | {recorded.correlation_id for recorded in events}
    rows = await fetch_rows(connection, ids, AsOf(position=stand.position))
    return {case_id: sight(actor, sight_of_row(row), tree) for case_id, row in rows.items()}


def _may_know(recorded: Recorded, actor: Actor, tree: UnitTree, seen: Mapping[UUID, Sight]) -> bool:
    kind = recorded.topic.partition(".")[0]
    if kind == "case":
        return seen.get(recorded.stream_id) in READABLE
    if seen.get(recorded.correlation_id) is Sight.HIDDEN:
        return False
    if kind == "unit" or actor.unit is None:
        return True
    return recorded.unit is not None and reads_unit(actor, recorded.unit, tree)
