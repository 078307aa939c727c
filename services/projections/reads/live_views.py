"""What the live views are made of: each unit's own figures, or single cases and services."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.sql import SQL

from services.projections.cases.rows import decode_row
from services.projections.figures.coverage import fetch_coverage
from services.projections.figures.queries import AsOf, Connection, fetch_backlog, valid
from services.projections.reads.rollups import backlog_row, coverage_row
from services.projections.services_ledger.rows import decode_service
from shared.events.vocabulary import OPEN_STATES
from shared.policy.jurisdiction import UnitTree

Own = dict[UUID, Any]
"""By unit its own figures, by id a listed case or service."""

_CHANGES: Final = (
    "SELECT view, array_agg(DISTINCT key) FROM views.changes"
    " WHERE position > %s AND position <= %s AND view = ANY(%s) GROUP BY view"
)
_UNITS_CHANGED: Final = (
    "SELECT EXISTS (SELECT FROM ledger.events"
    " WHERE position > %s AND position <= %s AND topic LIKE 'unit.%%')"
)


class UnitView(msgspec.Struct, frozen=True, kw_only=True):
    """A view with a row for each unit, summed from the own figures of those beneath it."""

    fetch: Callable[[Connection, UnitTree, Collection[UUID], AsOf], Awaitable[Own]]
    row: Callable[[UnitTree, UUID, Iterable[UUID], Own], dict[str, Any]]
    looks_beneath: bool = False
    """A unit's own figures depend on what happens in the units beneath it."""

    def touched(self, tree: UnitTree, units: Iterable[UUID]) -> set[UUID]:
        """The units whose own figures may be others once something changed in these."""
        if not self.looks_beneath:
            return set(units)
        return {above for unit in units for above in tree.path(unit) or [unit]}


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A case or a service with the unit it is found under."""

    unit: UUID
    position: int
    """From which it stands as it does."""
    row: Any


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which items to fetch: those of some units, or some by their ids."""

    units: Collection[UUID] = ()
    keys: Collection[UUID] = ()


Fetch = Callable[[Connection, AsOf, Chosen], Awaitable[Own]]


async def _backlog_by_holder(
    connection: Connection, tree: UnitTree, units: Collection[UUID], as_of: AsOf
) -> Own:
    return dict(await fetch_backlog(connection, "holder", list(units), as_of))


async def _backlog_by_origin(
    connection: Connection, tree: UnitTree, units: Collection[UUID], as_of: AsOf
) -> Own:
    return dict(await fetch_backlog(connection, "origin", list(units), as_of))


async def _coverage(connection: Connection, tree: UnitTree, units: Collection[UUID], as_of: AsOf) -> Own:
    return dict(await fetch_coverage(connection, tree, list(units), as_of))


async def _urgent_cases(connection: Connection, as_of: AsOf, chosen: Chosen) -> Own:
    held, parameters = valid(as_of)
    query = SQL(
        "SELECT case_id, origin_unit, known_from, row FROM views.cases WHERE urgent AND {}"
        " AND state = ANY(%(open)s) AND (case_id = ANY(%(keys)s) OR origin_unit = ANY(%(units)s))"
        " ORDER BY case_id"
    ).format(held)
    parameters |= {"open": list(OPEN_STATES), "keys": list(chosen.keys), "units": list(chosen.units)}
    rows = await (await connection.execute(query, parameters)).fetchall()
    return {
        case_id: Listed(unit=unit, position=known_from, row=decode_row(row))
        for case_id, unit, known_from, row in rows
    }


async def _services(connection: Connection, as_of: AsOf, chosen: Chosen) -> Own:
    held, parameters = valid(as_of)
    query = SQL(
        "SELECT service_id, unit_id, known_from, row FROM views.services WHERE {}"
        " AND (service_id = ANY(%(keys)s) OR unit_id = ANY(%(units)s)) ORDER BY service_id"
    ).format(held)
    parameters |= {"keys": list(chosen.keys), "units": list(chosen.units)}
    rows = await (await connection.execute(query, parameters)).fetchall()
    return {
        service_id: Listed(unit=unit, position=known_from, row=decode_service(row))
        for service_id, unit, known_from, row in rows
    }


UNIT_VIEWS: Final = {
    "backlog_by_holder": UnitView(fetch=_backlog_by_holder, row=backlog_row),
    "backlog_by_origin": UnitView(fetch=_backlog_by_origin, row=backlog_row),
    "visit_coverage": UnitView(fetch=_coverage, row=coverage_row, looks_beneath=True),
}
ITEM_VIEWS: Final[dict[str, Fetch]] = {"urgent_board": _urgent_cases, "service_ledger": _services}
"""Views with a row for each case or service."""
CASE_TIMELINE: Final = "case_timeline"
VIEWS: Final = (*UNIT_VIEWS, *ITEM_VIEWS, CASE_TIMELINE)


async def fetch_changes(
    connection: Connection, views: Iterable[str], after: int, until: int
) -> dict[str, set[UUID]]:
    """The keys of each view that changed after one position, up to another."""
    rows = await (await connection.execute(_CHANGES, (after, until, list(views)))).fetchall()
    return {view: set(keys) for view, keys in rows}


async def units_changed(connection: Connection, after: int, until: int) -> bool:
    """Whether the tree of units is another one than it was."""
    row = await (await connection.execute(_UNITS_CHANGED, (after, until))).fetchone()
    return row is not None and bool(row[0])
