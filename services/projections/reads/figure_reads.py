"""Figures as of any moment: backlogs, the urgent board, the statistics, the service ledger's totals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.projections.figures.measures import BOARD, DUTIES, EXPLAINED, MEASURES, ON_TIME, Measure
from services.projections.figures.queries import (
    ALWAYS,
    Connection,
    Period,
    count_facts,
    fetch_backlog,
)
from services.projections.figures.tallies import Counts, count_tallied
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import backlog_row, rows_under, units_of
from services.projections.reads.selection import Selection
from services.projections.reads.sources import Sources
from services.projections.reads.values import measure_value, ratio, urgent_value
from shared.events.units import WHOLE
from shared.policy.moments import day_of


async def read_backlog(sources: Sources, by: str, unit: UUID | None, moment: Moment) -> dict[str, Any]:
    tree = sources.trees.at(moment.position, moment.occurred)
    async with sources.pool.connection() as connection:
        own = await fetch_backlog(connection, by, units_of(tree, unit), moment.as_of)
    rows = [backlog_row(tree, row, summed, own) for row, summed in rows_under(tree, unit).items()]
    return {"total": sum(row["open"] for row in rows), "rows": rows}


async def read_urgent(sources: Sources, unit: UUID | None, moment: Moment) -> dict[str, Any]:
    """The figures of the urgent board, which count every case."""
    names = {fact for known, missing in BOARD.values() for fact in (*known, *missing)}
    async with sources.pool.connection() as connection:
        periods = dict.fromkeys(sorted(names), ALWAYS)
        counts = await _counts(connection, sources, Selection(unit=unit), moment, periods)
    return {
        figure: urgent_value(counts, known, unclassified) for figure, (known, unclassified) in BOARD.items()
    }


async def read_kpi(sources: Sources, selection: Selection, moment: Moment) -> dict[str, Any]:
    """Every measure of the statistics by name, and the on-time rates by timer."""
    values = await _values(sources, selection, moment, list(EXPLAINED.values()))
    rates = {due: values[measure.name] for due, measure in ON_TIME.items()}
    return {
        "measures": {name: values[name] for name in MEASURES},
        "on_time_rate": {timer: {due: rates[due][timer] for due in rates} for timer in DUTIES},
    }


async def read_measure(sources: Sources, measure: Measure, selection: Selection, moment: Moment) -> Any:
    values = await _values(sources, selection, moment, [measure])
    return values[measure.name]


async def _values(
    sources: Sources, selection: Selection, moment: Moment, measures: Sequence[Measure]
) -> dict[str, Any]:
    today = day_of(moment.instant)
    periods = {
        fact: measure.counted_in(selection.period, today)
        for measure in measures
        if measure.kind != "COVERAGE"
        for fact in (*measure.facts, *measure.over, *measure.unclassified)
    }
    values: dict[str, Any] = {}
    async with sources.pool.connection() as connection:
        counts = await _counts(connection, sources, selection, moment, periods)
        for measure in measures:
            if measure.kind == "COVERAGE":
                values[measure.name] = await _coverage(connection, sources, selection, moment)
            else:
                values[measure.name] = measure_value(measure, counts)
    return values


async def _coverage(
    connection: Connection, sources: Sources, selection: Selection, moment: Moment
) -> dict[str, Any] | None:
    """None where cases are asked for, of which a roster knows nothing."""
    if not selection.of_all_cases:
        return None
    tree = sources.trees.at(moment.position, moment.occurred)
    units = units_of(tree, selection.unit)
    rosters = await sources.visited.fetch(connection, tree, units, moment, selection.period)
    visited = sum(roster.visited for roster in rosters.values())
    return ratio(visited, sum(roster.households for roster in rosters.values()))


async def _counts(
    connection: Connection,
    sources: Sources,
    selection: Selection,
    moment: Moment,
    periods: Mapping[str, Period],
) -> Counts:
    """Facts within the unit: by tallies where there are, else one by one."""
    tree = sources.trees.at(moment.position, moment.occurred)
    unit = selection.unit
    units = units_of(tree, unit)
    bloc = WHOLE if unit is None else tree.ancestor_at(unit, "TOWNSHIP")
    if moment.occurred is None and selection.of_all_cases and bloc == (unit or WHOLE):
        return await count_tallied(connection, periods, bloc, units, moment.position)
    counts: Counts = Counter()
    asked: dict[Period, list[str]] = {}
    for fact, period in periods.items():
        asked.setdefault(period, []).append(fact)
    for period, facts in asked.items():
        only = selection.only(tree)
        counted = await count_facts(connection, facts, units, moment.as_of, period, only)
        for (fact, level, _), n in counted.items():
            counts[fact, level] += n
    return counts
