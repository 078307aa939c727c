"""Events of a case: one stream from `CaseRegistered` to its end.

Units and levels are written into the events, so folding a case needs no other stream.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from shared.events.base import Event, Person, Private
from shared.events.vocabulary import (
    AgreementForm,
    Awaited,
    BehalfMeans,
    Channel,
    Degree,
    DemandOutcome,
    DocumentKind,
    ExternalBodyKind,
    ExternalOutcome,
    Facet,
    Level,
    Means,
    MediationEnd,
    Notice,
    Outcome,
    ParticipantKind,
    Procedure,
    ReopenGround,
    Risk,
    Role,
    SignatureKind,
    SubjectKind,
    SuspensionGround,
    Timer,
    UrgencyStatus,
    VisitKind,
    WarningLevel,
)


class CaseEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "case"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The root of what stands inside events."""


class OnBehalfOf(Part, frozen=True, kw_only=True):
    """Whose act a mediator or holder records for them, and how they made it known."""

    person_ref: UUID
    means: BehalfMeans


class Source(Part, frozen=True, kw_only=True):
    kind: str
    id: str


class Accused(Part, frozen=True, kw_only=True):
    actor_ref: str | None = None
    role: Role
    unit_id: UUID


class ExternalBody(Part, frozen=True, kw_only=True):
    kind: ExternalBodyKind
    name: Private


class Participant(Part, frozen=True, kw_only=True):
    kind: ParticipantKind
    name: Private | None = None


class Term(Part, frozen=True, kw_only=True):
    """One undertaking of an agreement, numbered from 1."""

    term_no: int
    text: Private
    due_on: date | None = None


class Signature(Part, frozen=True, kw_only=True):
    """That somebody signed; of what was recorded before the file was named, neither it nor paper is told."""

    person_ref: UUID
    kind: SignatureKind
    digest: str | None = None
    """Of the attached file in which it is."""
    on_paper: bool = False
    """Whether it is on paper alone, whatever was drawn before."""


class Subject(Part, frozen=True, kw_only=True):
    """Whom an outside body's decision struck: a person on the case, or a kind of body."""

    person_ref: UUID | None = None
    kind: SubjectKind | None = None


class RunningClock(Part, frozen=True, kw_only=True):
    """A clock that ran on a duplicate when it was merged."""

    timer: Timer
    started_at: datetime
    started_on: date
    due_at: datetime
    original_due_at: datetime


class AbsorbedCase(Part, frozen=True, kw_only=True):
    """What a primary keeps of a duplicate, so that its figures need no other stream."""

    case_id: UUID
    docket_unit: UUID
    registered_at: datetime
    registered_position: int
    procedure: Procedure | None = None
    category: str
    urgent: bool | None = None
    urgency_status: UrgencyStatus | None = None
    facets: tuple[Facet, ...] = ()
    clocks: tuple[RunningClock, ...] = ()


# --- arrival -----------------------------------------------------------------------------------


class CaseRegistered(CaseEvent, frozen=True, kw_only=True):
    channel: Channel
    category: str
    origin_unit: UUID
    origin_level: Level
    holder_unit: UUID
    """The first holder: the origin, or for an accusation the unit that hears it."""
    holder_level: Level
    title: Private
    description: Private
    procedure: Procedure | None = None
    people: tuple[Person, ...] = ()
    collective: bool = False
    source: Source | None = None
    item: str | None = None
    accused: Accused | None = None


class CaseAccepted(CaseEvent, frozen=True, kw_only=True):
    procedure: Procedure


class CaseRejected(CaseEvent, frozen=True, kw_only=True):
    reason: Private
    alternative_route: Private


class CaseTransferred(CaseEvent, frozen=True, kw_only=True):
    """To another unit of the same level, or out of the system to an external body."""

    reason: Private
    to_unit: UUID | None = None
    to_level: Level | None = None
    external_body: ExternalBody | None = None


class CaseMerged(CaseEvent, frozen=True, kw_only=True):
    into_case_id: UUID
    reason: Private | None = None


class CaseAbsorbed(CaseEvent, frozen=True, kw_only=True):
    """On the primary: the duplicate first, then all that it had absorbed itself."""

    absorbed: tuple[AbsorbedCase, ...]


# --- added to a case ---------------------------------------------------------------------------


class PersonAdded(CaseEvent, frozen=True, kw_only=True):
    person: Person


class VisitRecorded(CaseEvent, frozen=True, kw_only=True):
    visit_kind: VisitKind
    household_ref: str | None = None
    findings: Private


class RiskFlagged(CaseEvent, frozen=True, kw_only=True):
    risk: Risk
    detail: Private


class WarningLevelConfirmed(CaseEvent, frozen=True, kw_only=True):
    level: WarningLevel
    reason: Private


class SituationStabilised(CaseEvent, frozen=True, kw_only=True):
    detail: Private


class PolicyRevised(CaseEvent, frozen=True, kw_only=True):
    detail: Private


class HomeServiceDecided(CaseEvent, frozen=True, kw_only=True):
    detail: Private


class ConsultationHeld(CaseEvent, frozen=True, kw_only=True):
    participants: tuple[Participant, ...]
    summary: Private


class DialogueHeld(CaseEvent, frozen=True, kw_only=True):
    participants: tuple[Participant, ...]
    summary: Private


class JointMeetingHeld(CaseEvent, frozen=True, kw_only=True):
    participants: tuple[Participant, ...]
    summary: Private


class ReferredToPolice(CaseEvent, frozen=True, kw_only=True):
    to_unit: UUID
    reason: Private


class LevelNotified(CaseEvent, frozen=True, kw_only=True):
    level: Level
    unit: UUID


class ServicePerformed(CaseEvent, frozen=True, kw_only=True):
    item: str
    beneficiary: UUID | None = None


class ExternalOutcomeRecorded(CaseEvent, frozen=True, kw_only=True):
    kind: ExternalOutcome
    body: Private
    subject: Subject | None = None
    detail: Private


class DocumentAttached(CaseEvent, frozen=True, kw_only=True):
    document_kind: DocumentKind
    file_id: UUID | None = None
    digest: str | None = None
    paper_location: Private | None = None
    person_ref: UUID | None = None
    """Of whom it is, where it is somebody's: their identity proof, their signature."""


class ContactRecorded(CaseEvent, frozen=True, kw_only=True):
    reached: bool
    means: Means


class ComplainantNotified(CaseEvent, frozen=True, kw_only=True):
    notice: Notice
    delivered_on: date
    means: Means


class ReplyRecorded(CaseEvent, frozen=True, kw_only=True):
    text: Private
    delivered_on: date


# --- handling ----------------------------------------------------------------------------------


class HandlerAssigned(CaseEvent, frozen=True, kw_only=True):
    handler_ref: str


class ProcedureChanged(CaseEvent, frozen=True, kw_only=True):
    procedure: Procedure
    reason: Private


class UrgencyClassified(CaseEvent, frozen=True, kw_only=True):
    urgent: bool
    status: UrgencyStatus
    facets: tuple[Facet, ...] = ()
    reason: Private


class MediationOffered(CaseEvent, frozen=True, kw_only=True):
    parties: tuple[UUID, ...]
    mediator_ref: str | None = None
    requested_by: tuple[UUID, ...] = ()


class MediationConsented(CaseEvent, frozen=True, kw_only=True):
    person_ref: UUID
    on_behalf_of: OnBehalfOf | None = None
    reason: Private | None = None


class MediationRefused(CaseEvent, frozen=True, kw_only=True):
    person_ref: UUID
    on_behalf_of: OnBehalfOf | None = None
    reason: Private | None = None


class AgreementReached(CaseEvent, frozen=True, kw_only=True):
    form: AgreementForm
    facts: Private
    responsibilities: Private
    terms: tuple[Term, ...]
    signatures: tuple[Signature, ...] = ()
    mediator_signed: bool = False
    committee_sealed: bool = False


class AgreementEffective(CaseEvent, frozen=True, kw_only=True):
    pass


class MediationTerminated(CaseEvent, frozen=True, kw_only=True):
    ground: MediationEnd
    on_behalf_of: OnBehalfOf | None = None


class CaseEscalated(CaseEvent, frozen=True, kw_only=True):
    to_level: Level
    to_unit: UUID
    reason: Private
    emergency: bool = False


class EscalationAccepted(CaseEvent, frozen=True, kw_only=True):
    unit: UUID
    level: Level


class EscalationReturned(CaseEvent, frozen=True, kw_only=True):
    reason: Private


class CaseDelegated(CaseEvent, frozen=True, kw_only=True):
    to_unit: UUID
    to_level: Level
    reason: Private


class CaseTakenOver(CaseEvent, frozen=True, kw_only=True):
    unit: UUID
    level: Level
    reason: Private


class JurisdictionObjected(CaseEvent, frozen=True, kw_only=True):
    """A petition goes back to who delegated it."""

    to_unit: UUID
    to_level: Level
    reason: Private


class CaseSuspended(CaseEvent, frozen=True, kw_only=True):
    ground: SuspensionGround
    reason: Private
    approved_by: str | None = None
    pauses: tuple[Timer, ...] = ()
    """The clocks that the rules let stand still on this ground."""


class CaseResumed(CaseEvent, frozen=True, kw_only=True):
    pass


class CaseResolved(CaseEvent, frozen=True, kw_only=True):
    outcome: Outcome
    degree: Degree | None = None
    detail: Private
    evidence: tuple[UUID, ...] = ()
    rule: Private | None = None
    partial_counts: bool = False
    """Whether the rules it was resolved under count a PARTIAL one as disposed of."""


class CaseWithdrawn(CaseEvent, frozen=True, kw_only=True):
    statement: Private
    on_behalf_of: OnBehalfOf | None = None


# --- afterwards --------------------------------------------------------------------------------


class FollowUpRecorded(CaseEvent, frozen=True, kw_only=True):
    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None


class CaseClosed(CaseEvent, frozen=True, kw_only=True):
    pass


class CaseArchived(CaseEvent, frozen=True, kw_only=True):
    pass


class AgreementFulfilled(CaseEvent, frozen=True, kw_only=True):
    term_no: int
    detail: Private
    on_behalf_of: OnBehalfOf | None = None


class AgreementBreached(CaseEvent, frozen=True, kw_only=True):
    term_no: int
    detail: Private
    on_behalf_of: OnBehalfOf | None = None


class BreachHandled(CaseEvent, frozen=True, kw_only=True):
    term_no: int
    detail: Private
    on_behalf_of: OnBehalfOf | None = None


class JudicialConfirmationApplied(CaseEvent, frozen=True, kw_only=True):
    applicants: tuple[UUID, ...]
    court: Private
    on_behalf_of: OnBehalfOf | None = None


class JudicialConfirmationGranted(CaseEvent, frozen=True, kw_only=True):
    court: Private
    decided_on: date
    on_behalf_of: OnBehalfOf | None = None


class JudicialConfirmationDenied(CaseEvent, frozen=True, kw_only=True):
    court: Private
    decided_on: date
    on_behalf_of: OnBehalfOf | None = None


class ReviewRequested(CaseEvent, frozen=True, kw_only=True):
    grounds: Private
    on_behalf_of: OnBehalfOf | None = None


class ReReviewRequested(CaseEvent, frozen=True, kw_only=True):
    grounds: Private
    on_behalf_of: OnBehalfOf | None = None


class ReviewOpinionRecorded(CaseEvent, frozen=True, kw_only=True):
    opinion: Private
    final: bool


class CaseReopened(CaseEvent, frozen=True, kw_only=True):
    ground: ReopenGround
    reason: Private


# --- clocks --------------------------------------------------------------------------------------


class DeadlineStarted(CaseEvent, frozen=True, kw_only=True):
    """A clock begins, in the append of its cause."""

    timer: Timer
    started_on: date
    """The day in Asia/Shanghai after which its days are counted."""
    due_at: datetime | None = None
    """Absent while a day that it needs is in no calendar."""
    awaiting: Awaited | None = None
    warn_at: datetime | None = None
    """When somebody is to be warned that it will be due."""
    contact_by: datetime | None = None
    """Until when the complainant of a hotline order is to be contacted, where the rules say so."""
    pack: str
    """Id of the rules that it runs under."""
    calendar: str
    """The version of the calendar that was asked."""
    subject: UUID | None = None
    """The query or demand that is to be answered."""


class ClockEvent(CaseEvent, frozen=True, kw_only=True):
    """What happens to a clock that was started."""

    timer: Timer
    started_version: int
    """Of the case, by the event that started the clock."""


class DeadlineShifted(ClockEvent, frozen=True, kw_only=True):
    """The clock goes on after it stood still, and is due later by as much."""

    due_at: datetime | None
    original_due_at: datetime | None
    warn_at: datetime | None = None
    calendar: str


class DeadlineExtended(ClockEvent, frozen=True, kw_only=True):
    days: int
    """Of the clock's own kind; of a clock in months, calendar days."""
    due_at: datetime
    warn_at: datetime | None = None
    calendar: str
    reason: Private
    approved_by: str | None = None
    consenting: tuple[UUID, ...] = ()


class DeadlineDated(ClockEvent, frozen=True, kw_only=True):
    """The calendar that the clock awaited is there."""

    due_at: datetime
    original_due_at: datetime
    warn_at: datetime | None = None
    calendar: str


class DeadlineApproaching(ClockEvent, frozen=True, kw_only=True):
    due_at: datetime


class DeadlineBreached(ClockEvent, frozen=True, kw_only=True):
    """What was due hadn't happened; it occurred at the due instant."""

    due_at: datetime


class DeadlineBreachVoided(ClockEvent, frozen=True, kw_only=True):
    """It had happened in time after all, and was only recorded late; the breach stays in the log."""


class RightLapsed(ClockEvent, frozen=True, kw_only=True):
    """Nobody made use of a right while it lasted; it occurred at the due instant."""

    due_at: datetime


# --- oversight ---------------------------------------------------------------------------------


class QueryRaised(CaseEvent, frozen=True, kw_only=True):
    query_id: UUID
    question: Private


class QueryAnswered(CaseEvent, frozen=True, kw_only=True):
    query_id: UUID
    answer: Private


class CorrectionDemanded(CaseEvent, frozen=True, kw_only=True):
    demand_id: UUID
    demand: Private


class DemandAnswered(CaseEvent, frozen=True, kw_only=True):
    demand_id: UUID
    outcome: DemandOutcome
    detail: Private


class AuditNoted(CaseEvent, frozen=True, kw_only=True):
    text: Private


class ConflictDeclared(CaseEvent, frozen=True, kw_only=True):
    reason: Private


class RecordCorrected(CaseEvent, frozen=True, kw_only=True):
    """A correction beside the original, which stays."""

    event_id: UUID
    field: str
    correction: Private
