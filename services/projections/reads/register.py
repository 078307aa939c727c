"""Units and actors: who and what there is, as of any moment."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.reads.sources import Sources
from shared.events.vocabulary import Role, UnitKind

_ACTORS = """
    SELECT DISTINCT actor_ref, role, unit FROM views.actors
    WHERE known_from <= %(position)s AND (%(occurred)s::timestamptz IS NULL OR occurred_from <= %(occurred)s)
        AND (%(units)s::uuid[] IS NULL OR unit = ANY(%(units)s))
        AND (%(role)s::text IS NULL OR role = %(role)s)
        AND (%(after_ref)s::text IS NULL OR (actor_ref, role, coalesce(unit::text, '')) >
            (%(after_ref)s, %(after_role)s, %(after_unit)s))
    ORDER BY actor_ref, role, unit NULLS FIRST LIMIT %(limit)s
"""


def list_units(
    sources: Sources,
    moment: Moment,
    *,
    only: Collection[UUID] | None = None,
    name: str | None = None,
    kind: UnitKind | None = None,
    parent: UUID | None = None,
) -> list[dict[str, Any]]:
    """The units, in order of registration; None doesn't restrict, `name` may be a part of one."""
    tree = sources.trees.at(moment.position, moment.occurred)
    return [
        {
            "unit_id": unit.unit_id,
            "kind": unit.kind,
            "name": unit.name,
            "parent_id": unit.parent_id,
            "closed": unit.closed,
            "version": unit.version,
        }
        for unit in tree
        if (only is None or unit.unit_id in only)
        and (name is None or name.casefold() in unit.name.casefold())
        and (kind is None or unit.kind == kind)
        and (parent is None or unit.parent_id == parent)
    ]


ActorAfter = tuple[str, str, str]
"""The last actor of the page before: ref, role and unit."""


async def list_actors(
    sources: Sources,
    moment: Moment,
    *,
    unit: UUID | None,
    role: Role | None,
    after: ActorAfter | None,
    limit: int,
) -> tuple[list[dict[str, Any]], ActorAfter | None]:
    """A page of those who were seen acting within a unit (None: anywhere), and where the next one begins."""
    tree = sources.trees.at(moment.position, moment.occurred)
    after_ref, after_role, after_unit = after or (None, None, None)
    parameters = {
        "position": moment.position,
        "occurred": moment.occurred,
        "units": None if unit is None else units_of(tree, unit),
        "role": role,
        "after_ref": after_ref,
        "after_role": after_role,
        "after_unit": after_unit,
        "limit": limit + 1,
    }
    async with sources.pool.connection() as connection:
        rows = await (await connection.execute(_ACTORS, parameters)).fetchall()
    items = [{"actor_ref": ref, "role": seen, "unit": where} for ref, seen, where in rows[:limit]]
    if len(rows) <= limit:
        return items, None
    ref, seen, where = rows[limit - 1]
    return items, (ref, seen, "" if where is None else str(where))
