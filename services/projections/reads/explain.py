"""What a measure counts, item by item, each with the events that make it so."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.figures.coverage import list_coverage
from services.projections.figures.measures import Measure
from services.projections.figures.queries import Connection, Fact, list_facts
from services.projections.reads.case_items import known_cases
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.selection import Selection
from services.projections.reads.shown import hidden
from services.projections.reads.sources import Sources
from shared.events.vocabulary import Level, Timer
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of

Place = tuple[int, UUID]
"""The last fact of a page: from when it was known, and its key."""


class Part(NamedTuple):
    """One list of an explanation, and the facts that it lists."""

    name: str
    facts: tuple[str, ...]


class Explained(NamedTuple):
    lists: dict[str, list[dict[str, Any]]]
    places: tuple[Place | None, ...]
    """Where each list goes on."""
    more: bool
    cases: frozenset[UUID]
    """The cases that the reader was told of."""


def parts_of(measure: Measure) -> tuple[Part, ...]:
    if measure.kind in ("RATIO", "LEVELS", "TIMERS", "COVERAGE"):
        parts = [Part("numerator_items", measure.facts), Part("denominator_items", measure.over)]
    else:
        parts = [Part("items", measure.facts)]
    if measure.unclassified:
        parts.append(Part("unclassified_items", measure.unclassified))
    return tuple(parts)


async def read_explanation(
    sources: Sources,
    measure: Measure,
    selection: Selection,
    moment: Moment,
    actor: Actor,
    *,
    level: Level | Timer | None,
    after: Sequence[Place | None],
    limit: int,
) -> Explained:
    """A page of each list: as many items as the figure counts, in the order in which they became known."""
    tree = sources.trees.at(moment.position, moment.occurred)
    lists: dict[str, list[dict[str, Any]]] = {}
    places: list[Place | None] = []
    told: set[UUID] = set()
    more = False
    async with sources.pool.connection() as connection:
        for part, place in zip(parts_of(measure), after, strict=True):
            page = _Page(measure, part, selection, moment, level, place, limit + 1)
            facts = await _facts(connection, tree, page)
            more = more or len(facts) > limit
            facts = facts[:limit]
            known = await known_cases(
                connection, _cases_of(facts), actor, tree, moment, sources.trees.current
            )
            lists[part.name] = [_item(fact, measure, known, actor) for fact in facts]
            places.append(facts[-1].cursor if facts else place)
            told |= {fact.subject_id for fact in facts if fact.subject_id in known}
    return Explained(lists, tuple(places), more, frozenset(told))


class _Page(NamedTuple):
    measure: Measure
    part: Part
    selection: Selection
    moment: Moment
    level: Level | Timer | None
    after: Place | None
    limit: int


async def _facts(connection: Connection, tree: UnitTree, page: _Page) -> list[Fact]:
    as_of = page.moment.as_of
    units = units_of(tree, page.selection.unit)
    if page.measure.kind == "COVERAGE":
        if not page.selection.of_all_cases:
            return []
        return await list_coverage(
            connection,
            tree,
            units,
            as_of,
            page.selection.period,
            visited=page.part.name == "numerator_items",
            after=page.after,
            limit=page.limit,
        )
    return await list_facts(
        connection,
        page.part.facts,
        units,
        as_of,
        page.measure.counted_in(page.selection.period, day_of(page.moment.instant)),
        page.selection.only(tree),
        level=page.level,
        after=page.after,
        limit=page.limit,
    )


_CASE: Final = "case"


def _cases_of(facts: Sequence[Fact]) -> set[UUID]:
    """What of the subjects and streams of facts may be cases."""
    return {fact.stream_id for fact in facts} | {
        fact.subject_id for fact in facts if fact.subject_kind == _CASE and fact.subject_id is not None
    }


def _item(fact: Fact, measure: Measure, known: set[UUID], actor: Actor) -> dict[str, Any]:
    because = sorted(fact.because, key=lambda reason: reason["position"])
    on_a_case = because[0]["topic"].startswith("case.")
    if fact.subject_kind == _CASE:
        shown = fact.subject_id in known and fact.stream_id in known
    elif on_a_case:
        shown = fact.stream_id in known
    else:
        shown = actor.role != "resident"
    if not shown:
        return hidden(because[-1]["position"])
    item: dict[str, Any] = {
        "subject_kind": fact.subject_kind,
        "subject_id": fact.subject_id,
        "unit_id": fact.unit_id,
        "because": because,
    }
    if fact.subject_ref is not None:
        item["subject_ref"] = fact.subject_ref
    if measure.kind == "LEVELS":
        item["level"] = fact.level
    if measure.kind == "TIMERS":
        item["timer"] = fact.level
    return item
