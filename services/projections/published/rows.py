"""The rows of the views as other systems are told them: bare, whole, and each unit's own.

Whoever reads them is trusted with the whole ledger: hidden cases are among them, and private
values are ciphertext. A row is of a position: what was known then, on the day on which that was recorded.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final, LiteralString, NamedTuple, Protocol
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Identifier

from services.projections.figures.queries import AsOf, Connection, valid
from services.projections.reads.figure_reads import own_kpi
from services.projections.reads.frames import encode
from services.projections.reads.kpi_board import kpi_rows
from services.projections.reads.live_views import (
    CAMPAIGN_KPI,
    ITEM_VIEWS,
    UNIT_VIEWS,
    Chosen,
    Fetch,
    UnitView,
)
from services.projections.reads.rollups import units_of
from shared.policy.jurisdiction import UnitTree

_SUBJECTS_AT_ONCE: Final = 500


class At(msgspec.Struct, frozen=True, kw_only=True):
    """A position, and all that a row as of it depends on."""

    connection: Connection
    position: int
    tree: UnitTree
    today: date
    """In Asia/Shanghai, when the position was recorded."""

    @property
    def as_of(self) -> AsOf:
        return AsOf(position=self.position)


class Row(NamedTuple):
    subject: UUID
    """The unit, case, clock or service that it is about."""
    content: bytes
    """As JSON."""


Rows = dict[str, Row]
"""By key."""


class PublishedView(Protocol):
    async def rows(self, at: At, subjects: Collection[UUID]) -> Rows:
        """The rows that these subjects have, none, one or several each."""

    def pages(self, at: At) -> AsyncIterator[Sequence[UUID]]:
        """All subjects that have rows, and maybe more, some at a time."""

    async def subjects_of(self, at: At, keys: Collection[str]) -> Collection[UUID]:
        """Whose rows these keys are, if they are any."""


class _OfUnits:
    """Views whose subjects are units."""

    async def pages(self, at: At) -> AsyncIterator[Sequence[UUID]]:
        units = units_of(at.tree, None)
        for first in range(0, len(units), _SUBJECTS_AT_ONCE):
            yield units[first : first + _SUBJECTS_AT_ONCE]

    async def subjects_of(self, at: At, keys: Collection[str]) -> Collection[UUID]:
        return _ids(keys)


class _OwnFigures(_OfUnits):
    """A row for each unit that has anything to count."""

    def __init__(self, view: UnitView) -> None:
        self._view = view

    async def rows(self, at: At, subjects: Collection[UUID]) -> Rows:
        own = await self._view.fetch(at.connection, at.tree, _known(at.tree, subjects), at.as_of)
        return {str(unit): Row(unit, encode(self._view.row(at.tree, unit, [unit], own))) for unit in own}


class _OwnKpi(_OfUnits):
    """A row for each unit and measure that has anything to count."""

    async def rows(self, at: At, subjects: Collection[UUID]) -> Rows:
        own = await own_kpi(at.connection, at.tree, _known(at.tree, subjects), at.as_of, at.today)
        rows: Rows = {}
        for unit, values in own.items():
            counted = {name: value for name, value in values.items() if _counts(value)}
            rows |= {key: Row(unit, content) for key, content in kpi_rows(unit, counted).items()}
        return rows


class _Items:
    """A row for each case, clock or service."""

    def __init__(self, fetch: Fetch, table: str, subject: str, among: LiteralString = "true") -> None:
        self._fetch = fetch
        self._names = {"table": Identifier(table), "subject": Identifier(subject), "among": SQL(among)}

    async def rows(self, at: At, subjects: Collection[UUID]) -> Rows:
        items = await self._fetch(at.connection, at.as_of, Chosen(ids=subjects))
        return {item.key: Row(subject, encode(item.told)) for subject, item in items.items()}

    async def pages(self, at: At) -> AsyncIterator[Sequence[UUID]]:
        held, parameters = valid(at.as_of)
        # Page by page by key, since whoever exchanges the tables waits for no long transaction.
        query = SQL(
            "SELECT {subject} FROM views.{table} WHERE {among} AND {held} AND {subject} > %(after)s"
            " ORDER BY {subject} LIMIT %(limit)s"
        ).format(held=held, **self._names)
        page = [UUID(int=0)]
        while page:
            parameters |= {"after": page[-1], "limit": _SUBJECTS_AT_ONCE}
            page = [
                subject for (subject,) in await (await at.connection.execute(query, parameters)).fetchall()
            ]
            if page:
                yield page

    async def subjects_of(self, at: At, keys: Collection[str]) -> Collection[UUID]:
        return _ids(keys)


class _Clocks(_Items):
    """A row for each clock. Its key names the case, whereas it is found by the event that started it."""

    async def subjects_of(self, at: At, keys: Collection[str]) -> Collection[UUID]:
        found = await at.connection.execute(
            "SELECT DISTINCT clock_id FROM views.deadlines WHERE stream_id = ANY(%s)", [list(_ids(keys))]
        )
        return [clock for (clock,) in await found.fetchall()]


READ_FROM_ROWS: Final[Mapping[str, PublishedView]] = {
    **{view: _OwnFigures(figures) for view, figures in UNIT_VIEWS.items()},
    CAMPAIGN_KPI: _OwnKpi(),
    "urgent_board": _Items(ITEM_VIEWS["urgent_board"], "cases", "case_id", "urgent"),
    "deadline_board": _Clocks(ITEM_VIEWS["deadline_board"], "deadlines", "clock_id"),
    "service_ledger": _Items(ITEM_VIEWS["service_ledger"], "services", "service_id"),
}
"""The published views that are read from read models: all but the timelines, which are the ledger itself."""


async def lacking(view: PublishedView, at: At, keys: Collection[str]) -> set[str]:
    """The keys among these that have no row."""
    rows = await view.rows(at, await view.subjects_of(at, keys))
    return {key for key in keys if key not in rows}


def _ids(keys: Collection[str]) -> set[UUID]:
    """What the keys begin with; a key that isn't ours may begin with anything."""
    ids = set()
    for key in keys:
        try:
            ids.add(UUID(key.partition("/")[0]))
        except ValueError:
            continue
    return ids


def _known(tree: UnitTree, units: Collection[UUID]) -> list[UUID]:
    return [unit for unit in units if tree.get(unit) is not None]


def _counts(value: Any) -> bool:
    """Whether any number in the value of a measure is other than 0."""
    if isinstance(value, Mapping):
        return any(map(_counts, value.values()))
    return isinstance(value, int) and value != 0
