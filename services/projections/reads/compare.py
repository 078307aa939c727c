"""What a measure counts otherwise at the later of two positions, each with the events that made it so."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.figures.changes import Change, list_changes
from services.projections.figures.coverage import Snapshot, list_coverage_changes
from services.projections.figures.measures import Measure
from services.projections.figures.queries import Connection, Period
from services.projections.reads.case_items import known_cases
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.selection import Selection
from services.projections.reads.shown import hidden
from services.projections.reads.sources import Sources
from shared.events.ledger.reader import Mark, fetch_marks, fetch_stream_marks
from shared.events.vocabulary import Level, Timer
from shared.policy.actor import Actor
from shared.policy.moments import day_of

Place = tuple[UUID, str | None]
"""The last item of a page: its subject, or of a household the unit of its roster and its reference."""

_STANDING: Final = ("unit.registered", "unit.moved")
"""What changes under which units another one stands."""


class Compared(NamedTuple):
    items: list[dict[str, Any]]
    place: Place | None
    """Where the list goes on; None where it ends."""
    cases: frozenset[UUID]
    """The cases that the reader was told of."""


class Changed(NamedTuple):
    """A subject that is counted otherwise at the later moment."""

    kind: str
    subject_id: UUID | None
    ref: str | None
    change: Change
    positions: tuple[int, ...]
    cases: frozenset[UUID]
    units: frozenset[UUID]
    place: Place


class Comparison(NamedTuple):
    """A figure at two moments."""

    measure: Measure
    selection: Selection
    level: Level | Timer | None
    """The one part of the measure that is asked for."""
    earlier: Moment
    later: Moment
    snapshots: tuple[Snapshot, Snapshot]


def comparison_of(
    sources: Sources,
    measure: Measure,
    selection: Selection,
    level: Level | Timer | None,
    earlier: Moment,
    later: Moment,
) -> Comparison:
    was, holds = (_snapshot(sources, selection.unit, moment) for moment in (earlier, later))
    return Comparison(measure, selection, level, earlier, later, (was, holds))


async def read_comparison(
    sources: Sources, asked: Comparison, actor: Actor, *, after: Place | None, limit: int
) -> Compared:
    """A page of the subjects that came, left or changed, by their ids; shown as the later moment allows."""
    later, tree = asked.later, asked.snapshots[1].tree
    async with sources.pool.connection() as connection:
        changed = await list_changed(connection, asked, after=after, limit=limit + 1)
        more = len(changed) > limit
        changed = changed[:limit]
        marks = await fetch_because(connection, changed, asked.snapshots)
        cases = {mark.stream_id for each in marks for mark in each if mark.topic.startswith("case.")}
        cases |= {case_id for each in changed for case_id in each.cases}
        cases |= {each.subject_id for each in changed if each.kind == _CASE and each.subject_id}
        known = await known_cases(connection, cases, actor, tree, later, sources.trees.current)
    items = [_item(each, because, known, actor, later) for each, because in zip(changed, marks, strict=True)]
    told = frozenset(item["case_id"] for item in items if "case_id" in item)
    return Compared(items, changed[-1].place if more else None, told)


_CASE: Final = "case"


def _snapshot(sources: Sources, unit: UUID | None, moment: Moment) -> Snapshot:
    tree = sources.trees.at(moment.position, moment.occurred)
    return Snapshot(as_of=moment.as_of, tree=tree, units=units_of(tree, unit))


async def list_changed(
    connection: Connection, asked: Comparison, *, after: Place | None, limit: int
) -> list[Changed]:
    """The subjects of which the figure counts something else at the later moment, by their ids."""
    if asked.measure.kind != "COVERAGE":
        return await _subjects(connection, asked, after, limit)
    if not asked.selection.of_all_cases:
        return []
    return await _households(connection, asked.snapshots, asked.selection.period, after, limit)


async def _subjects(
    connection: Connection, asked: Comparison, after: Place | None, limit: int
) -> list[Changed]:
    measure, selection = asked.measure, asked.selection
    sooner, period = (
        measure.counted_in(selection.period, day_of(moment.instant))
        for moment in (asked.earlier, asked.later)
    )
    changes = await list_changes(
        connection,
        (*measure.facts, *measure.over, *measure.unclassified),
        *asked.snapshots,
        (sooner, period),
        level=asked.level,
        category=selection.category,
        after=after and after[0],
        limit=limit,
    )
    return [
        Changed(
            each.subject_kind,
            each.subject_id,
            each.subject_ref,
            each.change,
            each.positions,
            each.cases,
            each.units,
            (each.subject_id, None),
        )
        for each in changes
    ]


async def _households(
    connection: Connection,
    snapshots: tuple[Snapshot, Snapshot],
    period: Period,
    after: Place | None,
    limit: int,
) -> list[Changed]:
    last = None if after is None else (after[0], after[1] or "")
    changes = await list_coverage_changes(connection, *snapshots, period, after=last, limit=limit)
    found = []
    for each in changes:
        unit, ref = each.unit_id, each.subject_ref
        change: Change = "CHANGED" if each.was and each.holds else "CAME" if each.holds else "LEFT"
        positions = {*each.visits} | ({each.filed} if each.filed is not None else set())
        # Whose visits count may change with whatever stands beneath the unit of the roster.
        units = frozenset(beneath for snapshot in snapshots for beneath in snapshot.tree.subtree(unit))
        place = (unit, ref)
        found.append(
            Changed("household", None, ref, change, tuple(sorted(positions)), frozenset(), units, place)
        )
    return found


async def fetch_because(
    connection: Connection, changed: Sequence[Changed], snapshots: tuple[Snapshot, Snapshot]
) -> list[list[Mark]]:
    """The events that made each difference; where it is the tree's alone, those of its units."""
    positions = {position for each in changed for position in each.positions}
    by_position = {mark.position: mark for mark in await fetch_marks(connection, positions)}
    above = [_above(each.units, snapshots) if not each.positions else frozenset() for each in changed]
    standing: list[Mark] = []
    if any(above):
        standing = await fetch_stream_marks(
            connection,
            frozenset().union(*above),
            _STANDING,
            snapshots[0].as_of.position,
            snapshots[1].as_of.position,
        )
    return [
        [by_position[position] for position in each.positions]
        or [mark for mark in standing if mark.stream_id in units]
        for each, units in zip(changed, above, strict=True)
    ]


def _above(units: Collection[UUID], snapshots: tuple[Snapshot, Snapshot]) -> frozenset[UUID]:
    """The units and all above them at either moment."""
    return frozenset(step for unit in units for snapshot in snapshots for step in snapshot.tree.path(unit))


def _item(
    changed: Changed, because: Sequence[Mark], known: set[UUID], actor: Actor, later: Moment
) -> dict[str, Any]:
    cases = changed.cases | {mark.stream_id for mark in because if mark.topic.startswith("case.")}
    on_a_case = changed.kind == _CASE or cases
    if changed.kind == _CASE and changed.subject_id is not None:
        cases |= {changed.subject_id}
    if not (cases <= known if on_a_case else actor.role != "resident"):
        return hidden(because[-1].position if because else later.position)
    item: dict[str, Any] = {
        "change": changed.change,
        "because": [{"topic": mark.topic, "position": mark.position} for mark in because],
    }
    if changed.kind == _CASE:
        return {"case_id": changed.subject_id} | item
    subject: dict[str, Any] = {"subject_kind": changed.kind, "subject_id": changed.subject_id}
    if changed.ref is not None:
        subject["subject_ref"] = changed.ref
    if changed.kind == "household":
        subject["unit_id"] = changed.place[0]
    return subject | item
