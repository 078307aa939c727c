"""Events of an import: while one is open, commands under it may be of any past age."""

from typing import ClassVar
from uuid import UUID

from shared.events.base import Event


class ImportEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "import"


class ImportOpened(ImportEvent, frozen=True, kw_only=True):
    unit: UUID


class ImportClosed(ImportEvent, frozen=True, kw_only=True):
    pass
