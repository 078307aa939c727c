"""Figures as of any moment: backlogs, the urgent board, the statistics, the service ledger's totals."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.projections.figures.coverage import Visited, fetch_visited
from services.projections.figures.measures import BOARD, DUTIES, EXPLAINED, MEASURES, ON_TIME, Measure
from services.projections.figures.queries import (
    ALL_CASES,
    ALWAYS,
    AsOf,
    Connection,
    Only,
    Period,
    count_facts,
    fetch_backlog,
)
from services.projections.figures.tallies import Counts, count_tallied
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import backlog_row, rows_under, units_of
from services.projections.reads.selection import Selection
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import SmallBelow, covered, gathered, hidden_cells, told
from services.projections.reads.values import measure_value, ratio, urgent_value
from shared.events.units import WHOLE
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of


async def read_backlog(
    sources: Sources, by: str, unit: UUID | None, moment: Moment, small_below: SmallBelow | None = None
) -> dict[str, Any]:
    """`small_below`, here and in the following: given for a dashboard, from which small cells are kept."""
    tree = sources.trees.at(moment.position, moment.occurred)
    async with sources.pool.connection() as connection:
        own = await fetch_backlog(connection, by, gathered(tree, unit, small_below), moment.as_of)
    rows = {row: backlog_row(tree, row, units, own) for row, units in rows_under(tree, unit).items()}
    total: Any = sum(row["open"] for row in rows.values())
    if unit is not None and small_below is not None:
        hidden = hidden_cells(tree, unit, lambda units: backlog_row(tree, unit, units, own), small_below)
        rows = {row: covered(figures, hidden.rows[row]) for row, figures in rows.items()}
        total = covered({"open": total}, hidden.total)["open"]
    return {"total": total, "rows": list(rows.values())}


async def read_urgent(
    sources: Sources, unit: UUID | None, moment: Moment, small_below: SmallBelow | None = None
) -> dict[str, Any]:
    """The figures of the urgent board, which count every case."""
    names = {fact for known, missing in BOARD.values() for fact in (*known, *missing)}
    periods = dict.fromkeys(sorted(names), ALWAYS)

    def board(counts: Counts) -> dict[str, Any]:
        return {figure: urgent_value(counts, *facts) for figure, facts in BOARD.items()}

    async with sources.pool.connection() as connection:
        if small_below is None:
            return board(await _counts(connection, sources, Selection(unit=unit), moment, periods))
        tree = sources.trees.at(moment.position, moment.occurred)
        units = gathered(tree, unit, small_below)
        own = await _own_counts(connection, periods, units, moment.as_of)
    return told(tree, unit, lambda units: board(_summed(own, units)), small_below)


async def read_kpi(
    sources: Sources, selection: Selection, moment: Moment, small_below: SmallBelow | None = None
) -> dict[str, Any]:
    """Every measure of the statistics by name, and the on-time rates by timer."""
    values = await _values(sources, selection, moment, list(EXPLAINED.values()), small_below)
    return {"measures": {name: values[name] for name in MEASURES}, "on_time_rate": _by_timer(values)}


async def own_kpi(
    connection: Connection, tree: UnitTree, units: Sequence[UUID], as_of: AsOf, today: date
) -> dict[UUID, dict[str, Any]]:
    """Of each unit by itself that has any facts: every measure by name, and the on-time rates by timer."""
    measures = EXPLAINED.values()
    counts = await _own_counts(connection, _periods(measures, ALWAYS, today), units, as_of)
    rosters = await fetch_visited(connection, tree, units, as_of)
    own: dict[UUID, dict[str, Any]] = {}
    for unit in counts.keys() | rosters.keys():
        values = {m.name: _value(m, counts.get(unit, Counter()), rosters, [unit]) for m in measures}
        own[unit] = {name: values[name] for name in MEASURES} | {"on_time_rate": _by_timer(values)}
    return own


def _by_timer(values: Mapping[str, Any]) -> dict[str, Any]:
    """The on-time rates, which are a value for each due instant, by timer."""
    rates = {due: values[measure.name] for due, measure in ON_TIME.items()}
    return {timer: {due: rates[due][timer] for due in rates} for timer in DUTIES}


async def read_measure(
    sources: Sources,
    measure: Measure,
    selection: Selection,
    moment: Moment,
    small_below: SmallBelow | None = None,
) -> Any:
    values = await _values(sources, selection, moment, [measure], small_below)
    return values[measure.name]


async def _values(
    sources: Sources,
    selection: Selection,
    moment: Moment,
    measures: Sequence[Measure],
    small_below: SmallBelow | None,
) -> dict[str, Any]:
    periods = _periods(measures, selection.period, day_of(moment.instant))
    tree, unit = sources.trees.at(moment.position, moment.occurred), selection.unit
    units = gathered(tree, unit, small_below)
    rosters: Mapping[UUID, Visited] | None = None
    own: Mapping[UUID, Counts] = {}
    total: Counts = Counter()
    async with sources.pool.connection() as connection:
        if small_below is None:
            total = await _counts(connection, sources, selection, moment, periods)
        else:
            own = await _own_counts(connection, periods, units, moment.as_of, selection.only(tree))
        if selection.of_all_cases and any(measure.kind == "COVERAGE" for measure in measures):
            rosters = await sources.visited.fetch(connection, tree, units, moment, selection.period)

    def values(units: Iterable[UUID]) -> dict[str, Any]:
        units = list(units)
        counts = total if small_below is None else _summed(own, units)
        return {measure.name: _value(measure, counts, rosters, units) for measure in measures}

    return told(tree, unit, values, small_below)


def _periods(measures: Iterable[Measure], period: Period, today: date) -> dict[str, Period]:
    """The days whose facts count, by fact."""
    return {
        fact: measure.counted_in(period, today)
        for measure in measures
        if measure.kind != "COVERAGE"
        for fact in (*measure.facts, *measure.over, *measure.unclassified)
    }


def _value(
    measure: Measure, counts: Counts, rosters: Mapping[UUID, Visited] | None, units: Iterable[UUID]
) -> Any:
    return _coverage(rosters, units) if measure.kind == "COVERAGE" else measure_value(measure, counts)


def _coverage(rosters: Mapping[UUID, Visited] | None, units: Iterable[UUID]) -> dict[str, Any] | None:
    """None where only some cases are asked for, of which a roster knows nothing."""
    if rosters is None:
        return None
    found = [rosters[unit] for unit in units if unit in rosters]
    return ratio(sum(roster.visited for roster in found), sum(roster.households for roster in found))


async def _counts(
    connection: Connection,
    sources: Sources,
    selection: Selection,
    moment: Moment,
    periods: Mapping[str, Period],
) -> Counts:
    """Facts within the unit: by tallies where there are, else one by one."""
    tree, unit = sources.trees.at(moment.position, moment.occurred), selection.unit
    units = units_of(tree, unit)
    bloc = WHOLE if unit is None else tree.ancestor_at(unit, "TOWNSHIP")
    if moment.occurred is None and selection.of_all_cases and bloc == (unit or WHOLE):
        return await count_tallied(connection, periods, bloc, units, moment.position)
    own = await _own_counts(connection, periods, units, moment.as_of, selection.only(tree))
    return _summed(own, units)


async def _own_counts(
    connection: Connection,
    periods: Mapping[str, Period],
    units: Sequence[UUID],
    as_of: AsOf,
    only: Only = ALL_CASES,
) -> dict[UUID, Counts]:
    """Facts of each unit by itself, where it has any."""
    asked: dict[Period, list[str]] = {}
    for fact, period in periods.items():
        asked.setdefault(period, []).append(fact)
    own: dict[UUID, Counts] = {}
    for period, facts in asked.items():
        counted = await count_facts(connection, facts, units, as_of, period, only)
        for (fact, level, unit), n in counted.items():
            own.setdefault(unit, Counter())[fact, level] = n
    return own


def _summed(own: Mapping[UUID, Counts], units: Iterable[UUID]) -> Counts:
    total: Counts = Counter()
    for unit in units:
        total.update(own.get(unit, ()))
    return total
