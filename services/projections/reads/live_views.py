"""What the live views are made of: each unit's own figures, or single cases, services and clocks."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Composed, Identifier

from services.projections.cases.rows import decode_row
from services.projections.figures.coverage import fetch_coverage
from services.projections.figures.queries import AsOf, Connection, fetch_backlog, valid
from services.projections.reads.deadline_items import DEADLINE_COLUMNS, DeadlineRow
from services.projections.reads.listed import Listed, ListedCase, ListedDeadline, ListedService
from services.projections.reads.progress import Stand
from services.projections.reads.rollups import backlog_row, coverage_row
from services.projections.services_ledger.rows import decode_service
from shared.events.vocabulary import OPEN_STATES
from shared.policy.jurisdiction import UnitTree

Own = dict[UUID, Any]
"""By unit its own figures."""

# One answer for where the read models stand and what changed until there, since each more is a round trip.
_CHANGES: Final = """
    WITH stand AS MATERIALIZED (
        SELECT meta.generation, coalesce((SELECT min(position) FROM views.positions), 0) AS position
        FROM views.meta
    )
    SELECT NULL AS view, NULL::uuid[] AS keys, generation, position FROM stand
    UNION ALL
    SELECT changes.view, array_agg(DISTINCT changes.key), NULL, NULL FROM views.changes
    WHERE changes.position > %(after)s AND changes.position <= (SELECT position FROM stand)
        AND changes.view = ANY(%(views)s)
    GROUP BY changes.view
    UNION ALL
    SELECT CASE WHEN topic LIKE 'unit.%%' THEN 'units' ELSE 'case_timeline' END,
        array_agg(DISTINCT stream_id), NULL, NULL
    FROM ledger.events
    WHERE position > %(after)s AND position <= (SELECT position FROM stand)
        AND (topic LIKE 'unit.%%' OR stream_id = ANY(%(cases)s))
    GROUP BY 1
"""


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


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which items to fetch: those of some units, or some by their ids."""

    ids: Collection[UUID]
    of_units: bool = False

    def clause(self, key: LiteralString, unit: LiteralString) -> Composed:
        return SQL("{} = ANY(%(chosen)s)").format(Identifier(unit if self.of_units else key))


Fetch = Callable[[Connection, AsOf, Chosen], Awaitable[dict[UUID, Listed]]]


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


async def _urgent_cases(connection: Connection, as_of: AsOf, chosen: Chosen) -> dict[UUID, Listed]:
    held, parameters = valid(as_of)
    query = SQL(
        "SELECT case_id, origin_unit, known_from, row FROM views.cases WHERE urgent AND {}"
        " AND state = ANY(%(open)s) AND {} ORDER BY case_id"
    ).format(held, chosen.clause("case_id", "origin_unit"))
    parameters |= {"open": list(OPEN_STATES), "chosen": list(chosen.ids)}
    rows = await (await connection.execute(query, parameters)).fetchall()
    return {case_id: ListedCase(unit, known_from, decode_row(row)) for case_id, unit, known_from, row in rows}


async def _services(connection: Connection, as_of: AsOf, chosen: Chosen) -> dict[UUID, Listed]:
    held, parameters = valid(as_of)
    query = SQL(
        "SELECT service_id, unit_id, known_from, row FROM views.services WHERE {} AND {} ORDER BY service_id"
    ).format(held, chosen.clause("service_id", "unit_id"))
    parameters |= {"chosen": list(chosen.ids)}
    rows = await (await connection.execute(query, parameters)).fetchall()
    return {
        service_id: ListedService(unit, known_from, decode_service(row))
        for service_id, unit, known_from, row in rows
    }


async def _deadlines(connection: Connection, as_of: AsOf, chosen: Chosen) -> dict[UUID, Listed]:
    held, parameters = valid(as_of)
    query = SQL(
        "SELECT {} FROM views.deadlines WHERE {} AND {} AND state NOT IN ('STOPPED', 'CANCELLED')"
        " ORDER BY due_at, case_id, version"
    ).format(DEADLINE_COLUMNS, held, chosen.clause("clock_id", "holder_unit"))
    parameters |= {"chosen": list(chosen.ids)}
    rows = await (await connection.execute(query, parameters)).fetchall()
    return {row[0]: ListedDeadline(DeadlineRow(*row)) for row in rows}


UNIT_VIEWS: Final = {
    "backlog_by_holder": UnitView(fetch=_backlog_by_holder, row=backlog_row),
    "backlog_by_origin": UnitView(fetch=_backlog_by_origin, row=backlog_row),
    "visit_coverage": UnitView(fetch=_coverage, row=coverage_row, looks_beneath=True),
}
ITEM_VIEWS: Final[dict[str, Fetch]] = {
    "urgent_board": _urgent_cases,
    "deadline_board": _deadlines,
    "service_ledger": _services,
}
"""Views with a row for each case, clock or service."""
CAMPAIGN_KPI: Final = "campaign_kpi"
INBOX: Final = "inbox"
CASE_TIMELINE: Final = "case_timeline"
VIEWS: Final = (*UNIT_VIEWS, *ITEM_VIEWS, CAMPAIGN_KPI, INBOX, CASE_TIMELINE)


UNITS: Final = "units"
"""Beside the views: the units that were registered, renamed, moved or closed."""


async def fetch_changes(
    connection: Connection, views: Iterable[str], cases: Iterable[UUID], after: int
) -> tuple[Stand, dict[str, set[UUID]]]:
    """Where the read models stand, and what changed after a position: keys of views, cases, units."""
    parameters = {"after": after, "views": list(views), "cases": list(cases)}
    rows = await (await connection.execute(_CHANGES, parameters, prepare=True)).fetchall()
    [stand] = [Stand(generation, position) for view, _, generation, position in rows if view is None]
    return stand, {view: set(keys) for view, keys, _, _ in rows if view is not None}
