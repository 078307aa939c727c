"""Figures as of any moment: backlogs, the urgent board, the statistics, the service ledger's totals."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from services.projections.figures.coverage import fetch_coverage
from services.projections.figures.measures import BOARD, DUTIES, EXPLAINED, MEASURES, ON_TIME, Measure
from services.projections.figures.queries import Connection, Period, count_facts, fetch_backlog
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import backlog_row, coverage_row, rows_under, units_of
from services.projections.reads.sources import Sources
from services.projections.reads.values import Counts, measure_value, ratio, urgent_value
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of


async def read_backlog(sources: Sources, by: str, unit: UUID | None, moment: Moment) -> dict[str, Any]:
    tree = sources.trees.at(moment.position, moment.occurred)
    async with sources.pool.connection() as connection:
        own = await fetch_backlog(connection, by, units_of(tree, unit), moment.as_of)
    rows = [backlog_row(tree, row, summed, own) for row, summed in rows_under(tree, unit).items()]
    return {"total": sum(row["open"] for row in rows), "rows": rows}


async def read_urgent(sources: Sources, unit: UUID | None, moment: Moment) -> dict[str, Any]:
    """The figures of the urgent board, which count every case."""
    tree = sources.trees.at(moment.position, moment.occurred)
    names = {fact for known, missing in BOARD.values() for fact in (*known, *missing)}
    async with sources.pool.connection() as connection:
        counted = await count_facts(connection, sorted(names), units_of(tree, unit), moment.as_of)
    counts = _summed(counted)
    return {
        figure: urgent_value(counts, known, unclassified) for figure, (known, unclassified) in BOARD.items()
    }


async def read_kpi(sources: Sources, unit: UUID | None, period: Period, moment: Moment) -> dict[str, Any]:
    """Every measure of the statistics by name, and the on-time rates by timer."""
    tree = sources.trees.at(moment.position, moment.occurred)
    async with sources.pool.connection() as connection:
        values = await _values(connection, tree, unit, period, moment, EXPLAINED.values())
    rates = {due: values[measure.name] for due, measure in ON_TIME.items()}
    return {
        "measures": {name: values[name] for name in MEASURES},
        "on_time_rate": {timer: {due: rates[due][timer] for due in rates} for timer in DUTIES},
    }


async def read_measure(
    sources: Sources, measure: Measure, unit: UUID | None, period: Period, moment: Moment
) -> Any:
    tree = sources.trees.at(moment.position, moment.occurred)
    async with sources.pool.connection() as connection:
        values = await _values(connection, tree, unit, period, moment, [measure])
    return values[measure.name]


async def _values(
    connection: Connection,
    tree: UnitTree,
    unit: UUID | None,
    period: Period,
    moment: Moment,
    measures: Iterable[Measure],
) -> dict[str, Any]:
    units = units_of(tree, unit)
    measures = list(measures)
    counts: Counter[tuple[str, str | None]] = Counter()
    # Facts that count in days of their own need a question of their own.
    today = day_of(moment.instant)
    questions: dict[Period, set[str]] = {}
    for measure in measures:
        if measure.kind != "COVERAGE":
            names = questions.setdefault(measure.counted_in(period, today), set())
            names.update(measure.facts, measure.over, measure.unclassified)
    for asked, names in questions.items():
        counts += _summed(await count_facts(connection, sorted(names), units, moment.as_of, asked))
    values: dict[str, Any] = {}
    for measure in measures:
        if measure.kind == "COVERAGE":
            own = await fetch_coverage(connection, tree, units, moment.as_of, period)
            row = coverage_row(tree, unit or UUID(int=0), units, own)
            values[measure.name] = ratio(row["visited"], row["households"] or 0)
        else:
            values[measure.name] = measure_value(measure, counts)
    return values


def _summed(counted: Counter[tuple[str, str | None, UUID]]) -> Counts:
    counts: Counts = Counter()
    for (fact, level, _), n in counted.items():
        counts[fact, level] += n
    return counts
