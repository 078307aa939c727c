"""Events of a visit made outside a case; a case it opens or belongs to is its correlation."""

from typing import ClassVar
from uuid import UUID

from shared.events.base import Event, Person, Private
from shared.events.vocabulary import VisitKind


class VisitEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "visit"


class VisitRecorded(VisitEvent, frozen=True, kw_only=True):
    unit: UUID
    visit_kind: VisitKind
    household_ref: str | None = None
    people: tuple[Person, ...] = ()
    findings: Private
    case_id: UUID | None = None
