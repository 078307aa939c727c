"""The service ledger as of any moment: totals, and the services one by one."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL

from services.projections.figures.queries import Period, valid
from services.projections.reads.case_items import fetch_shown
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.service_items import service_item
from services.projections.reads.shown import leaves, opened
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import SUPPRESSED, SmallBelow, gathered, told
from services.projections.services_ledger.rows import decode_service
from shared.policy.actor import Actor

After = tuple[datetime, UUID]
"""The last service of the page before: when it was done, and its id."""

_WITHIN = SQL(
    "unit_id = ANY(%(units)s) AND (%(first)s::date IS NULL OR on_day >= %(first)s)"
    " AND (%(last)s::date IS NULL OR on_day <= %(last)s)"
)


async def count_services(
    sources: Sources,
    unit: UUID | None,
    period: Period,
    moment: Moment,
    small_below: SmallBelow | None = None,
) -> dict[str, Any]:
    """How many services, in all and of each item."""
    tree = sources.trees.at(moment.position, moment.occurred)
    held, parameters = valid(moment.as_of)
    units = gathered(tree, unit, small_below)
    parameters |= {"units": units, "first": period.first, "last": period.last}
    query = SQL("SELECT unit_id, item, count(*) FROM views.services WHERE {} AND {} GROUP BY 1, 2").format(
        held, _WITHIN
    )
    own: dict[UUID, Counter[str]] = {}
    async with sources.pool.connection() as connection:
        for made_by, item, n in await (await connection.execute(query, parameters)).fetchall():
            own.setdefault(made_by, Counter())[item] = n

    def by_item(units: Iterable[UUID]) -> dict[str, Any]:
        return dict(sum((own[each] for each in units if each in own), Counter[str]()))

    items = told(tree, unit, by_item, small_below)
    total: Any = sum(by_item(units_of(tree, unit)).values())
    small = 0 if unit is None or small_below is None else small_below(unit)
    # The sum of the items is shown where all of them are, since it would tell of the one that isn't.
    if SUPPRESSED in items.values() or total < small:
        total = SUPPRESSED
    return {"total": total, "by_item": items}


async def list_services(
    sources: Sources,
    unit: UUID | None,
    period: Period,
    actor: Actor,
    moment: Moment,
    *,
    after: After | None,
    limit: int,
) -> tuple[list[dict[str, Any]], After | None]:
    """A page of services, the latest first, and where the next one begins."""
    tree = sources.trees.at(moment.position, moment.occurred)
    held, parameters = valid(moment.as_of)
    parameters |= {
        "units": units_of(tree, unit),
        "first": period.first,
        "last": period.last,
        "after_at": after and after[0],
        "after_id": after and after[1],
        "limit": limit + 1,
    }
    query = SQL(
        "SELECT known_from, row FROM views.services WHERE {} AND {} AND (%(after_at)s::timestamptz IS NULL"
        " OR (occurred_at, service_id) < (%(after_at)s, %(after_id)s::uuid))"
        " ORDER BY occurred_at DESC, service_id DESC LIMIT %(limit)s"
    ).format(held, _WITHIN)
    async with sources.pool.connection() as connection:
        found = await (await connection.execute(query, parameters)).fetchall()
        rows = [(known_from, decode_service(stored)) for known_from, stored in found]
        page = rows[:limit]
        ids = {service.case_id for _, service in page if service.case_id is not None}
        cases = await fetch_shown(connection, ids, moment, actor, sources.trees.current)
    items = [service_item(service, known_from, actor, tree, cases) for known_from, service in page]
    items = opened(items, await sources.vault.open_many(leaves(items)))
    last = page[-1][1] if len(rows) > limit else None
    return items, None if last is None else (last.occurred_at, last.service_id)
