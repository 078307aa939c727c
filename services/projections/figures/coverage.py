"""Visits and coverage of a unit: its latest roster against the visits made within it.

A visit counts for a roster when it was made by the roster's unit or a unit beneath it, so
household references need to be unique only among neighbours. Each unit's own row stands by
itself; a subtree is the sum of its units.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed

from services.projections.figures.queries import (
    ALWAYS,
    AsOf,
    Connection,
    Fact,
    Period,
    count_facts,
    fact_of,
    valid,
)
from shared.policy.jurisdiction import UnitTree


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's own visits, and how much of its own roster was visited."""

    households: int | None
    """Size of its latest roster; None without one."""
    visited: int
    visits: int


async def fetch_coverage(
    connection: Connection, tree: UnitTree, units: Sequence[UUID], as_of: AsOf, period: Period = ALWAYS
) -> dict[UUID, Coverage]:
    """Coverage of each of the units that has a roster or a visit; `tree` is as of the same moment."""
    counted = await count_facts(connection, ["visit"], units, as_of, period)
    visits = {unit: n for (_, _, unit), n in counted.items()}
    rostered, parameters = _rostered(units, as_of)
    parameters |= _within(tree, units) | _days(period)
    # One pass over both sets: to ask for each household by itself takes twice as long for a town.
    query = SQL(
        "SELECT unit_id, count(*), count(*) FILTER (WHERE visited) FROM ("
        " SELECT unit_id, bool_or(visited) AS visited FROM ("
        "  SELECT unit_id, subject_ref, false AS visited FROM ({}) AS roster UNION ALL"
        "  SELECT outer_id, subject_ref, true FROM views.facts"
        "  JOIN unnest(%(outer)s::uuid[], %(inner)s::uuid[]) AS within (outer_id, inner_id)"
        "  ON unit_id = inner_id WHERE {}"
        " ) AS seen GROUP BY unit_id, subject_ref HAVING NOT bool_and(visited)"
        ") AS households GROUP BY 1"
    ).format(rostered, _made(as_of))
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        rosters = {unit: (households, visited) for unit, households, visited in await cursor.fetchall()}
    return {
        unit: Coverage(
            households=rosters[unit][0] if unit in rosters else None,
            visited=rosters[unit][1] if unit in rosters else 0,
            visits=visits.get(unit, 0),
        )
        for unit in units
        if unit in rosters or unit in visits
    }


async def list_coverage(
    connection: Connection,
    tree: UnitTree,
    units: Sequence[UUID],
    as_of: AsOf,
    period: Period = ALWAYS,
    *,
    visited: bool,
    after: tuple[int, UUID] | None = None,
    limit: int = 100,
) -> list[Fact]:
    """The rostered households (`visited`: those with a visit, because of the first one as well)."""
    rostered, parameters = _rostered(units, as_of)
    parameters |= _within(tree, units) | _days(period)
    parameters |= {"after": after and after[0], "after_key": after and after[1], "limit": limit}
    first = SQL("LEFT JOIN LATERAL ({} ORDER BY known_from, row_key LIMIT 1) AS seen ON true").format(
        _visits(as_of)
    )
    query = SQL(
        "SELECT 'visit_coverage', stream_id, unit_id, subject_kind, NULL::uuid, subject_ref, on_day, NULL,"
        " roster.because || coalesce(seen.because, '[]'), roster.known_from, roster.row_key"
        " FROM ({}) AS roster {} WHERE ({} OR seen.because IS NOT NULL)"
        " AND (%(after)s::bigint IS NULL OR"
        " (roster.known_from, roster.row_key) > (%(after)s, %(after_key)s::uuid))"
        " ORDER BY roster.known_from, roster.row_key LIMIT %(limit)s"
    ).format(
        rostered, first if visited else SQL("CROSS JOIN (SELECT NULL::jsonb) AS seen (because)"), not visited
    )
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        return [fact_of(row) for row in await cursor.fetchall()]


def _rostered(units: Sequence[UUID], as_of: AsOf) -> tuple[Composed, dict[str, Any]]:
    """The households of each unit's latest roster: the latest day, of that day the last filed."""
    held, parameters = valid(as_of)
    # `known_from` of a roster's households is the position at which it was filed.
    query = SQL(
        "SELECT * FROM (SELECT facts.*, rank() OVER"
        " (PARTITION BY unit_id ORDER BY on_day DESC, known_from DESC) AS age"
        " FROM views.facts WHERE measure = 'roster' AND unit_id = ANY(%(units)s) AND {}) AS rosters"
        " WHERE age = 1"
    ).format(held)
    return query, parameters | {"units": list(units)}


def _visits(as_of: AsOf) -> Composed:
    """Visits to the household of the roster's row at hand, made within its unit."""
    return SQL(
        "SELECT because, known_from, row_key FROM views.facts WHERE subject_ref = roster.subject_ref"
        " AND (roster.unit_id, unit_id) IN (SELECT * FROM unnest(%(outer)s::uuid[], %(inner)s::uuid[]))"
        " AND {}"
    ).format(_made(as_of))


def _made(as_of: AsOf) -> Composed:
    """The visits of the period."""
    return SQL(
        "measure = 'visit' AND (%(first)s::date IS NULL OR on_day >= %(first)s)"
        " AND (%(last)s::date IS NULL OR on_day <= %(last)s) AND {}"
    ).format(valid(as_of)[0])


def _within(tree: UnitTree, units: Sequence[UUID]) -> dict[str, list[UUID]]:
    pairs = [(unit, beneath) for unit in units for beneath in tree.subtree(unit)]
    return {"outer": [unit for unit, _ in pairs], "inner": [beneath for _, beneath in pairs]}


def _days(period: Period) -> dict[str, Any]:
    return {"first": period.first, "last": period.last}
