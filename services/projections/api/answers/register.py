"""The shapes of the registers: services done, units, actors, who read what."""

from datetime import date, datetime
from uuid import UUID

from services.projections.api.answers.cases import PersonShown
from services.projections.api.answers.parts import Answer, Count, Page, Part, Shown
from shared.events.vocabulary import Level, Role, Timer, UnitKind
from shared.policy.policy import Span, Title


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


class TimerShown(Part, frozen=True, kw_only=True):
    timer: Timer
    title: Title
    source: str
    """The law or decision behind it."""
    length: Span | None
    """None: that of the ladder, by the level that holds the case."""


class Limits(Part, frozen=True, kw_only=True):
    return_limit: int
    """Escalations that may be returned in one cycle."""
    late_days: int
    """How far back `occurred_at` may lie."""
    contact_hours: int | None
    """Within how many the complainant of a hotline order is to be contacted; None: no limit."""
    follow_up_attempts: int
    """To reach a complainant; so many in vain count as unreachable."""
    small_cell_min: int
    """Counts below this are kept from dashboards."""


class RulesAnswer(Answer, frozen=True, kw_only=True):
    unit_id: UUID | None
    rules: str
    """`name@version+hash`, twelve hex digits of the hash under which the content is kept."""
    adopted_by: UUID | None
    """The unit, or None: adopted for all units, or built in."""
    from_on: date | None
    """Since when they hold there; None: from the beginning."""
    timers: list[TimerShown]
    ladder: dict[Level, Span]
    limits: Limits


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
    password_given: bool
    """Whether somebody else gave the password of this session: no more is told before another is chosen."""


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
