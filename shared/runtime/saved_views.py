"""Saved views: named filters of the list of cases, each somebody's own."""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.vocabulary import Procedure, State
from shared.runtime.database import Pool

VIEWS_MAX: Final = 50
"""That somebody may have."""

_ALL: Final = "SELECT view_id, name, filters FROM runtime.saved_views WHERE sub = %s ORDER BY name"
# A view that there is already may always be changed; the limit counts what would be new.
_SAVE: Final = """
    INSERT INTO runtime.saved_views AS v (sub, name, filters)
    SELECT %(sub)s, %(name)s, %(filters)s
    WHERE (SELECT count(*) FROM runtime.saved_views WHERE sub = %(sub)s AND name <> %(name)s) < %(most)s
    ON CONFLICT (sub, name) DO UPDATE SET filters = EXCLUDED.filters
    RETURNING view_id, name, filters
"""
_FORGET: Final = "DELETE FROM runtime.saved_views WHERE sub = %s AND view_id = %s"


class CaseFilters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Filters of `GET /v1/cases`, by the same names; no texts that somebody may have written of somebody."""

    unit: UUID | None = None
    holder: UUID | None = None
    origin: UUID | None = None
    handler: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    assigned: bool | None = None
    state: list[State] | None = None
    urgent: bool | None = None
    overdue: bool | None = None
    category: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    procedure: Procedure | None = None
    opened_from: date | None = None
    opened_to: date | None = None


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    view_id: UUID
    name: str
    filters: CaseFilters


class TooManyViews(Exception):
    """Somebody has as many views as one may have."""


class SavedViews:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self, sub: str) -> list[SavedView]:
        """Theirs, in order of names."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_ALL, (sub,))).fetchall()
        return [_view(row) for row in rows]

    async def save(self, sub: str, name: str, filters: CaseFilters) -> SavedView:
        """Theirs of this name, which has these filters from now on. Raises: TooManyViews."""
        kept = msgspec.json.encode(filters).decode()
        values = {"sub": sub, "name": name, "filters": kept, "most": VIEWS_MAX}
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_SAVE, values)).fetchone()
        if row is None:
            raise TooManyViews
        return _view(row)

    async def forget(self, sub: str, view_id: UUID) -> bool:
        """Whether there was one of theirs to forget."""
        async with self._pool.connection() as connection:
            return (await connection.execute(_FORGET, (sub, view_id))).rowcount == 1


def _view(row: tuple[Any, ...]) -> SavedView:
    view_id, name, filters = row
    return SavedView(view_id=view_id, name=name, filters=msgspec.convert(filters, CaseFilters))
