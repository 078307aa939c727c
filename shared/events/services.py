"""Events of a service done at once, with no case around it."""

from typing import ClassVar
from uuid import UUID

from shared.events.base import Event, Person, Private


class ServiceEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "service"


class ServiceRecorded(ServiceEvent, frozen=True, kw_only=True):
    unit: UUID
    item: str
    beneficiary: Person | None = None
    detail: Private | None = None
