"""The shapes of the registers: services done, units, actors, who read what."""

from datetime import datetime
from uuid import UUID

from services.projections.api.answers.cases import PersonShown
from services.projections.api.answers.parts import Answer, Count, Page, Part, Shown
from shared.events.vocabulary import Role, UnitKind


class ServiceItem(Part, frozen=True, kw_only=True):
    """A service done; only `sealed` and `position` where the caller may not know it."""

    service_id: UUID | None = None
    unit_id: UUID | None = None
    item: str | None = None
    occurred_at: datetime | None = None
    case_id: UUID | None = None
    actor_ref: str | None = None
    beneficiary: PersonShown | None = None
    """Of a service recorded by itself."""
    beneficiary_ref: UUID | None = None
    """Of one performed in a case: a person of that case."""
    detail: Shown | None = None
    sealed: bool = False
    position: int | None = None


class ServicesAnswer(Page, frozen=True, kw_only=True):
    total: Count
    by_item: dict[str, Count]
    items: list[ServiceItem]


class UnitShown(Part, frozen=True, kw_only=True):
    unit_id: UUID
    kind: UnitKind
    name: str
    parent_id: UUID | None
    closed: bool
    version: int


class PathStep(Part, frozen=True, kw_only=True):
    unit_id: UUID
    kind: UnitKind
    name: str


class MeAnswer(Answer, frozen=True, kw_only=True):
    sub: str
    role: Role
    unit: UUID | None
    clearances: list[str]
    unit_name: str | None
    unit_path: list[PathStep]
    """From the top down to the unit."""


class UnitsAnswer(Page, frozen=True, kw_only=True):
    items: list[UnitShown]


class ActorShown(Part, frozen=True, kw_only=True):
    actor_ref: str
    role: Role
    unit: UUID | None


class ActorsAnswer(Page, frozen=True, kw_only=True):
    items: list[ActorShown]


class ReadShown(Part, frozen=True, kw_only=True):
    """A read of one case, and which answer it was given."""

    read_at: datetime
    actor_ref: str
    actor_role: Role
    unit: UUID | None
    read: str
    as_of_position: int
    at_occurred: datetime | None
    reason: Shown | None
    """Why the case was unmasked; sealed to those who may not unmask it themselves."""


class AuditAnswer(Page, frozen=True, kw_only=True):
    items: list[ReadShown]
