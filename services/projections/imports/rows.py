"""Imports that are open, and for which unit."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.imports import ImportClosed, ImportOpened
from shared.events.recorded import Recorded

IMPORTS: Final = Table(name="imports", columns={"import_id": "uuid", "unit_id": "uuid"})

_OPEN: Final = "SELECT DISTINCT unit_id FROM views.imports WHERE gone_at = 9223372036854775807"


class OpenImport(NamedTuple):
    import_id: UUID
    unit_id: UUID


class ImportProjector:
    """Tells imports: a row from when one is opened until it is closed."""

    lasting = True

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        return ()

    def evolve(self, state: OpenImport | None, recorded: Recorded, event: Event) -> OpenImport | None:
        if isinstance(event, ImportOpened):
            return OpenImport(recorded.stream_id, event.unit)
        return None if isinstance(event, ImportClosed) else state

    def rows(self, state: OpenImport) -> tuple[Row, ...]:
        return (Row(IMPORTS.name, tuple(state)),)


async def fetch_open_imports(connection: AsyncConnection[Any]) -> set[UUID]:
    """The units for which an import is open, as known now."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_OPEN, prepare=True)
        return {unit_id for (unit_id,) in await cursor.fetchall()}
