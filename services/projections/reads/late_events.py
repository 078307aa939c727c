"""The events after a position that make a figure another one."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.figures.queries import Connection
from services.projections.reads.case_items import known_cases
from services.projections.reads.compare import Comparison, Place, fetch_because, list_changed
from services.projections.reads.shown import hidden
from services.projections.reads.sources import Sources
from shared.events.ledger.reader import Mark
from shared.policy.actor import Actor

_SUBJECTS_AT_ONCE: Final = 5_000


class LateEvents(NamedTuple):
    items: list[dict[str, Any]]
    place: int | None
    """The position after which the list goes on; None where it ends."""
    cases: frozenset[UUID]
    """The cases that the reader was told of."""


async def read_late_events(
    sources: Sources, asked: Comparison, actor: Actor, *, after: int, limit: int
) -> LateEvents:
    """A page of what `read_comparison` gives as reasons, each event once, by position."""
    later, tree = asked.later, asked.snapshots[1].tree
    async with sources.pool.connection() as connection:
        marks = await _marks(connection, asked)
        page = sorted(mark for mark in marks if mark.position > after)[: limit + 1]
        more = len(page) > limit
        page = page[:limit]
        cases = {mark.stream_id for mark in page if _on_a_case(mark)}
        known = await known_cases(connection, cases, actor, tree, later, sources.trees.current)
    items = [_item(mark, known, actor) for mark in page]
    return LateEvents(items, page[-1].position if more else None, frozenset(known))


async def _marks(connection: Connection, asked: Comparison) -> set[Mark]:
    """The events of all changes, which are looked for by subject and so are not in order."""
    marks: set[Mark] = set()
    after: Place | None = None
    while True:
        changed = await list_changed(connection, asked, after=after, limit=_SUBJECTS_AT_ONCE)
        for because in await fetch_because(connection, changed, asked.snapshots):
            marks.update(because)
        if len(changed) < _SUBJECTS_AT_ONCE:
            return marks
        after = changed[-1].place


def _on_a_case(mark: Mark) -> bool:
    return mark.topic.startswith("case.")


def _item(mark: Mark, known: set[UUID], actor: Actor) -> dict[str, Any]:
    on_a_case = _on_a_case(mark)
    if not (mark.stream_id in known if on_a_case else actor.role != "resident"):
        return hidden(mark.position)
    case_id = mark.stream_id if on_a_case else None
    return {"case_id": case_id, "topic": mark.topic, "position": mark.position}
