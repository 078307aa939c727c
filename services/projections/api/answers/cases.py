"""The shapes of a case, its timeline, and lists of cases."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.projections.api.answers.parts import Answer, Hidden, Page, Part, Shown
from shared.events.vocabulary import (
    AgreementForm,
    Awaited,
    Channel,
    DeadlineState,
    Degree,
    DemandOutcome,
    DocumentKind,
    ExternalBodyKind,
    Facet,
    Level,
    Outcome,
    PersonRole,
    Procedure,
    QueryState,
    State,
    TermState,
    Timer,
    UrgencyStatus,
    WarningLevel,
)


class PersonShown(Part, frozen=True, kw_only=True):
    person_ref: UUID
    role: PersonRole
    name: Shown | None = None
    phone: Shown | None = None
    address: Shown | None = None
    id_number: Shown | None = None
    actor_ref: str | None = None


class MediationShown(Part, frozen=True, kw_only=True):
    state: str
    parties: list[UUID]
    consented: list[UUID]
    mediator_ref: str | None


class TermShown(Part, frozen=True, kw_only=True):
    term_no: int
    text: Shown
    due_on: date | None
    state: TermState


class AgreementShown(Part, frozen=True, kw_only=True):
    form: AgreementForm
    effective: bool
    confirmation: str | None
    terms: list[TermShown]


class DossierShown(Part, frozen=True, kw_only=True):
    complete: bool
    missing: list[str]


class DocumentShown(Part, frozen=True, kw_only=True):
    document_kind: DocumentKind
    event_id: UUID
    file_id: UUID | None
    paper_location: Shown | None
    person_ref: UUID | None
    attached_at: datetime


class QueryShown(Part, frozen=True, kw_only=True):
    query_id: UUID
    state: QueryState
    asked_at: datetime
    due_at: datetime | None


class DemandShown(Part, frozen=True, kw_only=True):
    demand_id: UUID
    outcome: DemandOutcome | None
    """None as long as it waits for an answer."""
    asked_at: datetime
    due_at: datetime | None


class TimeLeft(Part, frozen=True, kw_only=True):
    days: int
    """That follow the day of the answer until it is due: 0 on the last one."""
    working: bool
    """Whether working days alone are counted."""


class DeadlineShown(Part, frozen=True, kw_only=True):
    timer: Timer
    version: int
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    state: DeadlineState
    awaiting: Awaited | None
    left: TimeLeft | None
    """Of a clock that runs and isn't due."""


class ExternalBodyShown(Part, frozen=True, kw_only=True):
    kind: ExternalBodyKind
    name: Shown


class CaseSummary(Part, frozen=True, kw_only=True):
    case_id: UUID
    version: int
    state: State
    procedure: Procedure | None
    category: str
    channel: Channel
    title: Shown
    item: str | None
    origin_unit: UUID
    holder_unit: UUID
    holder_level: Level
    pending_unit: UUID | None
    pending_level: Level | None
    handler_ref: str | None
    mediator_ref: str | None
    collective: bool
    urgent: bool | None
    urgency_status: UrgencyStatus | None
    facets: list[Facet]
    warning_level: WarningLevel | None
    opened_at: datetime
    closed_at: datetime | None
    cycle: int
    final: bool
    merged_into: UUID | None


class CaseListed(CaseSummary, frozen=True, kw_only=True):
    position: int
    overdue: bool
    """Whether a breach stands."""


class CaseAnswer(CaseSummary, frozen=True, kw_only=True):
    as_of_position: int
    as_of_instant: datetime
    description: Shown
    outcome: Outcome | None
    degree: Degree | None
    people: list[PersonShown]
    mediation: MediationShown | None
    agreement: AgreementShown | None
    dossier: DossierShown
    documents: list[DocumentShown]
    queries: list[QueryShown]
    demands: list[DemandShown]
    deadlines: list[DeadlineShown]
    archived_at: datetime | None
    external_body: ExternalBodyShown | None
    allowed_commands: list[str]


class TimelineItem(Part, frozen=True, kw_only=True):
    event_id: UUID
    position: int
    version: int
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    actor_ref: str
    actor_role: str
    unit: UUID | None
    summary: str
    data: dict[str, Any]


class TimelineAnswer(Page, frozen=True, kw_only=True):
    items: list[TimelineItem]


class UnmaskedAnswer(Answer, frozen=True, kw_only=True):
    case: CaseAnswer
    items: list[TimelineItem]
    """Its timeline."""
    more: bool
    """Whether there are later events than these."""
    before: int
    """How many come before these."""
    total: int
    """How many there are as of the moment."""


class CaseToAct(CaseListed, frozen=True, kw_only=True):
    allowed_commands: list[str] | None = None
    """Where `allowed` names commands: those of them that the caller may send now. None of the past, which
    every page after the first is of."""


class CasesAnswer(Page, frozen=True, kw_only=True):
    items: list[CaseToAct | Hidden]


class SearchAnswer(Page, frozen=True, kw_only=True):
    items: list[CaseListed]
    indexed_position: int
    """Up to which the texts of every case can be found."""
