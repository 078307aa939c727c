"""Visits and coverage of a unit: its latest roster against the visits made within it.

A visit counts for a roster when it was made by the roster's unit or a unit beneath it, so
household references need to be unique only among neighbours. Each unit's own row stands by
itself; a subtree is the sum of its units.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Placeholder

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


class Visited(NamedTuple):
    """Of a unit's own roster."""

    households: int
    visited: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One of two moments that are compared: units that are asked for, and the tree they stand in."""

    as_of: AsOf
    tree: UnitTree
    units: Sequence[UUID]


HouseholdKey = tuple[UUID, str]
"""The unit on whose roster a household stands, and its reference."""


class HouseholdChange(msgspec.Struct, frozen=True, kw_only=True):
    """A household that is rostered or visited at one of two moments only."""

    unit_id: UUID
    subject_ref: str
    was: bool
    """On the roster of the unit at the earlier moment."""
    holds: bool
    """The same at the later one."""
    filed: int | None
    """Where the roster was filed that brought or left out the household."""
    visits: list[int]
    """Where it was visited in between."""


async def fetch_coverage(
    connection: Connection, tree: UnitTree, units: Sequence[UUID], as_of: AsOf, period: Period = ALWAYS
) -> dict[UUID, Coverage]:
    """Coverage of each of the units that has a roster or a visit; `tree` is as of the same moment."""
    counted = await count_facts(connection, ["visit"], units, as_of, period)
    visits = {unit: n for (_, _, unit), n in counted.items()}
    rosters = await fetch_visited(connection, tree, units, as_of, period)
    return {
        unit: Coverage(
            households=rosters[unit].households if unit in rosters else None,
            visited=rosters[unit].visited if unit in rosters else 0,
            visits=visits.get(unit, 0),
        )
        for unit in units
        if unit in rosters or unit in visits
    }


async def fetch_visited(
    connection: Connection, tree: UnitTree, units: Sequence[UUID], as_of: AsOf, period: Period = ALWAYS
) -> dict[UUID, Visited]:
    """How much of its roster was visited, for each of the units that has one."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_WITH_ROSTER)
        rostered = list({unit for (unit,) in await cursor.fetchall()}.intersection(units))
        if not rostered:
            return {}
        households, parameters = _households(tree, rostered, as_of, "")
        query = SQL(
            "SELECT unit_id, count(*), count(*) FILTER (WHERE visited) FROM ({}) AS households GROUP BY 1"
        ).format(households)
        await cursor.execute(query, parameters | _days(period))
        return {unit: Visited(*counted) for unit, *counted in await cursor.fetchall()}


# From one unit with a roster to the next by index, since hardly any of the units of a county have one.
_WITH_ROSTER: Final = """
    WITH RECURSIVE rostered (unit_id) AS (
        (SELECT unit_id FROM views.facts WHERE measure = 'roster' ORDER BY unit_id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT facts.unit_id FROM views.facts
            WHERE measure = 'roster' AND facts.unit_id > rostered.unit_id ORDER BY facts.unit_id LIMIT 1
        ) FROM rostered WHERE unit_id IS NOT NULL
    )
    SELECT unit_id FROM rostered WHERE unit_id IS NOT NULL
"""


def _households(
    tree: UnitTree, units: Sequence[UUID], as_of: AsOf, name: str
) -> tuple[Composed, dict[str, Any]]:
    """The households of the units' rosters, and whether each was visited."""
    rostered, parameters = _rostered(units, as_of, name)
    # One pass over both sets: to ask for each household by itself takes twice as long for a town.
    query = SQL(
        "SELECT unit_id, subject_ref, bool_or(visited) AS visited FROM ("
        " SELECT unit_id, subject_ref, false AS visited FROM ({rostered}) AS roster UNION ALL"
        " SELECT outer_id, subject_ref, true FROM views.facts"
        " JOIN unnest({outer}::uuid[], {inner}::uuid[]) AS within (outer_id, inner_id)"
        " ON unit_id = inner_id WHERE {made}"
        ") AS seen GROUP BY unit_id, subject_ref HAVING NOT bool_and(visited)"
    ).format(
        rostered=rostered,
        outer=Placeholder(f"{name}outer"),
        inner=Placeholder(f"{name}inner"),
        made=_made(as_of, name),
    )
    return query, parameters | _within(tree, units, name)


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


async def list_coverage_changes(
    connection: Connection,
    earlier: Snapshot,
    later: Snapshot,
    period: Period = ALWAYS,
    *,
    after: HouseholdKey | None = None,
    limit: int = 100,
) -> list[HouseholdChange]:
    """The households that came onto the rosters, left them or were visited, by unit and reference."""
    was, parameters = _households(earlier.tree, earlier.units, earlier.as_of, "a_")
    now, more = _households(later.tree, later.units, later.as_of, "b_")
    parameters |= more | _days(period)
    parameters |= {"after": after and after[0], "after_ref": after and after[1], "limit": limit}
    query = SQL(
        "SELECT unit_id, subject_ref, was.visited, now.visited"
        " FROM ({}) AS was FULL JOIN ({}) AS now USING (unit_id, subject_ref)"
        " WHERE was.visited IS DISTINCT FROM now.visited"
        " AND (%(after)s::uuid IS NULL OR (unit_id, subject_ref) > (%(after)s, %(after_ref)s::text))"
        " ORDER BY unit_id, subject_ref LIMIT %(limit)s"
    ).format(was, now)
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        changed = await cursor.fetchall()
    if not changed:
        return []
    units = list(dict.fromkeys(unit for unit, *_ in changed))
    filed = await _filed(connection, units, earlier.as_of.position, later.as_of)
    refs = [ref for _, ref, *_ in changed]
    visits = await _visits_between(connection, units, refs, earlier.as_of.position, later, period)
    return [
        HouseholdChange(
            unit_id=unit,
            subject_ref=ref,
            was=before is not None,
            holds=since is not None,
            filed=filed.get(unit) if before is None or since is None else None,
            visits=visits.get((unit, ref), []) if since else [],
        )
        for unit, ref, before, since in changed
    ]


async def _filed(connection: Connection, units: Sequence[UUID], after: int, as_of: AsOf) -> dict[UUID, int]:
    """At which position the roster of a unit was filed, where it is a new one."""
    rostered, parameters = _rostered(units, as_of)
    query = SQL("SELECT DISTINCT unit_id, known_from FROM ({}) AS roster WHERE known_from > %(after)s")
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query.format(rostered), parameters | {"after": after})
        return dict(await cursor.fetchall())


async def _visits_between(
    connection: Connection,
    units: Sequence[UUID],
    refs: Sequence[str],
    after: int,
    later: Snapshot,
    period: Period,
) -> dict[HouseholdKey, list[int]]:
    """The positions after `after` at which households were visited."""
    query = SQL(
        "SELECT outer_id, subject_ref, known_from FROM views.facts"
        " JOIN unnest(%(outer)s::uuid[], %(inner)s::uuid[]) AS within (outer_id, inner_id)"
        " ON unit_id = inner_id WHERE subject_ref = ANY(%(refs)s) AND known_from > %(after)s AND {}"
        " ORDER BY known_from"
    ).format(_made(later.as_of))
    parameters = valid(later.as_of)[1] | _within(later.tree, units) | _days(period)
    found: dict[HouseholdKey, list[int]] = {}
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters | {"refs": list(refs), "after": after})
        for unit, ref, position in await cursor.fetchall():
            found.setdefault((unit, ref), []).append(position)
    return found


def _rostered(units: Sequence[UUID], as_of: AsOf, name: str = "") -> tuple[Composed, dict[str, Any]]:
    """The households of each unit's latest roster: the latest day, of that day the last filed."""
    held, parameters = valid(as_of, name)
    # `known_from` of a roster's households is the position at which it was filed.
    query = SQL(
        "SELECT * FROM (SELECT facts.*, rank() OVER"
        " (PARTITION BY unit_id ORDER BY on_day DESC, known_from DESC) AS age"
        " FROM views.facts WHERE measure = 'roster' AND unit_id = ANY({}) AND {}) AS rosters"
        " WHERE age = 1"
    ).format(Placeholder(f"{name}units"), held)
    return query, parameters | {f"{name}units": list(units)}


def _visits(as_of: AsOf) -> Composed:
    """Visits to the household of the roster's row at hand, made within its unit."""
    return SQL(
        "SELECT because, known_from, row_key FROM views.facts WHERE subject_ref = roster.subject_ref"
        " AND (roster.unit_id, unit_id) IN (SELECT * FROM unnest(%(outer)s::uuid[], %(inner)s::uuid[]))"
        " AND {}"
    ).format(_made(as_of))


def _made(as_of: AsOf, name: str = "") -> Composed:
    """The visits of the period."""
    return SQL(
        "measure = 'visit' AND (%(first)s::date IS NULL OR on_day >= %(first)s)"
        " AND (%(last)s::date IS NULL OR on_day <= %(last)s) AND {}"
    ).format(valid(as_of, name)[0])


def _within(tree: UnitTree, units: Sequence[UUID], name: str = "") -> dict[str, list[UUID]]:
    pairs = [(unit, beneath) for unit in units for beneath in tree.subtree(unit)]
    return {
        f"{name}outer": [unit for unit, _ in pairs],
        f"{name}inner": [beneath for _, beneath in pairs],
    }


def _days(period: Period) -> dict[str, Any]:
    return {"first": period.first, "last": period.last}
