"""Bodies of the commands that settle a case: one struct each, fields as the API names them."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.events.vocabulary import (
    AgreementForm,
    Degree,
    DemandOutcome,
    ExternalOutcome,
    Facet,
    Level,
    MediationEnd,
    Outcome,
    ParticipantKind,
    Procedure,
    ReopenGround,
    Risk,
    SignatureKind,
    SubjectKind,
    SuspensionGround,
    Timer,
    WarningLevel,
)
from shared.policy.bodies import (
    Body,
    Code,
    Fault,
    Name,
    Number,
    PartyBody,
    PersonalBody,
    Ref,
    ServerMade,
    Shape,
    Text,
)

People = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=100)]


class ParticipantFields(Shape, frozen=True, kw_only=True):
    kind: ParticipantKind
    name: Name | None = None


class TermFields(Shape, frozen=True, kw_only=True):
    text: Text
    due_on: date | None = None


class SignatureFields(Shape, frozen=True, kw_only=True):
    person_ref: UUID
    kind: SignatureKind
    file_id: UUID | None = None
    """Of the agreement as they signed it, attached to the case as theirs."""
    on_paper: bool = False

    def faults(self) -> Iterator[Fault]:
        if self.on_paper and self.file_id is not None:
            yield Fault("/on_paper", "not-both")


class SubjectFields(Shape, frozen=True, kw_only=True):
    person_ref: UUID | None = None
    kind: SubjectKind | None = None

    def faults(self) -> Iterator[Fault]:
        if (self.person_ref is None) == (self.kind is None):
            yield Fault("/person_ref", "one-of-two")


# --- added to a case ---------------------------------------------------------------------------


class FlagRisk(Body, frozen=True, kw_only=True):
    risk: Risk
    detail: Text


class ConfirmWarning(Body, frozen=True, kw_only=True):
    level: WarningLevel
    reason: Text


class StabiliseSituation(Body, frozen=True, kw_only=True):
    detail: Text


class RevisePolicy(Body, frozen=True, kw_only=True):
    detail: Text


class DecideHomeService(Body, frozen=True, kw_only=True):
    detail: Text


class Meeting(Body, frozen=True, kw_only=True):
    participants: Annotated[tuple[ParticipantFields, ...], Meta(min_length=1, max_length=100)]
    summary: Text


class ConveneConsultation(Meeting, frozen=True, kw_only=True):
    pass


class HoldDialogue(Meeting, frozen=True, kw_only=True):
    pass


class HoldJointMeeting(Meeting, frozen=True, kw_only=True):
    pass


class ReferToPolice(Body, frozen=True, kw_only=True):
    to_unit: UUID | None = None
    reason: Text


class NotifyLevel(Body, frozen=True, kw_only=True):
    level: Level


class PerformService(Body, frozen=True, kw_only=True):
    item: Code
    beneficiary: UUID | None = None


class RecordExternalOutcome(Body, frozen=True, kw_only=True):
    kind: ExternalOutcome
    body: Name
    subject: SubjectFields | None = None
    detail: Text


class RecordReply(Body, frozen=True, kw_only=True):
    text: Text
    delivered_on: date


# --- handling ----------------------------------------------------------------------------------


class AssignHandler(Body, frozen=True, kw_only=True):
    handler_ref: Ref


class ChangeProcedure(Body, frozen=True, kw_only=True):
    procedure: Procedure
    reason: Text
    parties_informed: bool


class ClassifyUrgency(Body, frozen=True, kw_only=True):
    urgent: bool
    facets: Annotated[tuple[Facet, ...], Meta(max_length=4)] = ()
    reason: Text


class OfferMediation(Body, frozen=True, kw_only=True):
    parties: Annotated[tuple[UUID, ...], Meta(min_length=2, max_length=100)]
    mediator_ref: Ref | None = None
    requested_by: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()

    def faults(self) -> Iterator[Fault]:
        if len(set(self.parties)) < len(self.parties):
            yield Fault("/parties", "repeated")


class ConsentToMediation(PersonalBody, frozen=True, kw_only=True):
    reason: Text | None = None


class RefuseMediation(PersonalBody, frozen=True, kw_only=True):
    reason: Text | None = None


class RecordAgreement(Body, frozen=True, kw_only=True):
    form: AgreementForm
    facts: Text
    responsibilities: Text
    terms: Annotated[tuple[TermFields, ...], Meta(min_length=1, max_length=100)]
    signatures: Annotated[tuple[SignatureFields, ...], Meta(max_length=100)] | None = None
    mediator_signed: bool | None = None
    committee_sealed: bool | None = None

    @property
    def files(self) -> tuple[UUID, ...]:
        return tuple(each.file_id for each in self.signatures or () if each.file_id is not None)

    def faults(self) -> Iterator[Fault]:
        if self.form == "WRITTEN":
            for name in ("signatures", "mediator_signed", "committee_sealed"):
                if getattr(self, name) is None:
                    yield Fault(f"/{name}", "needed-in-writing")


class TerminateMediation(PartyBody, frozen=True, kw_only=True):
    ground: MediationEnd
    remedies_notified: bool


class EscalateCase(Body, frozen=True, kw_only=True):
    to_level: Level
    reason: Text
    emergency: bool = False
    notify_levels: Annotated[tuple[Level, ...], Meta(max_length=3)] = ()


class AcceptEscalation(Body, frozen=True, kw_only=True):
    pass


class ReturnEscalation(Body, frozen=True, kw_only=True):
    reason: Text


class DelegateCase(Body, frozen=True, kw_only=True):
    to_unit: UUID | None = None
    reason: Text


class TakeOverCase(Body, frozen=True, kw_only=True):
    reason: Text


class ObjectJurisdiction(Body, frozen=True, kw_only=True):
    reason: Text


class ExtendDeadline(Body, frozen=True, kw_only=True):
    timer: Timer
    days: Number
    """Of the clock's own kind; of one in months, calendar days."""
    reason: Text
    complainant_informed: bool
    approved_by: Ref | None = None
    consenting: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()


class SuspendCase(Body, frozen=True, kw_only=True):
    ground: SuspensionGround
    reason: Text
    approved_by: Ref | None = None


class ResumeCase(Body, frozen=True, kw_only=True):
    pass


class ResolveCase(Body, frozen=True, kw_only=True):
    outcome: Outcome
    degree: Degree | None = None
    detail: Text
    evidence: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()
    rule: Text | None = None

    @property
    def files(self) -> tuple[UUID, ...]:
        return self.evidence

    def faults(self) -> Iterator[Fault]:
        if self.degree is None and self.outcome != "EXTERNAL":
            yield Fault("/degree", "degree-needed")
        if self.rule is None and self.outcome == "BY_RULE":
            yield Fault("/rule", "rule-needed")


class WithdrawCase(PartyBody, frozen=True, kw_only=True):
    statement: Text


# --- afterwards --------------------------------------------------------------------------------


class RecordFollowUp(Body, frozen=True, kw_only=True):
    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None

    def faults(self) -> Iterator[Fault]:
        for name, value in (("solved", self.solved), ("satisfied", self.satisfied)):
            if (value is None) == self.reached:
                yield Fault(f"/{name}", "answer-when-reached")


class CloseCase(Body, frozen=True, kw_only=True):
    pass


class ArchiveCase(Body, frozen=True, kw_only=True):
    pass


class RecordFulfilment(PartyBody, frozen=True, kw_only=True):
    term_no: Number
    detail: Text


class RecordBreach(PartyBody, frozen=True, kw_only=True):
    term_no: Number
    detail: Text


class RecordBreachHandled(PartyBody, frozen=True, kw_only=True):
    term_no: Number
    detail: Text


class ApplyJudicialConfirmation(PartyBody, frozen=True, kw_only=True):
    applicants: People
    court: Name


class RecordConfirmationOutcome(PartyBody, frozen=True, kw_only=True):
    granted: bool
    court: Name
    decided_on: date


class RequestReview(PartyBody, frozen=True, kw_only=True):
    grounds: Text


class RequestReReview(PartyBody, frozen=True, kw_only=True):
    grounds: Text


class RecordReviewOpinion(Body, frozen=True, kw_only=True):
    opinion: Text
    final: bool


class ReopenCase(Body, frozen=True, kw_only=True):
    ground: ReopenGround
    reason: Text


# --- oversight ---------------------------------------------------------------------------------


class RaiseQuery(Body, frozen=True, kw_only=True):
    query_id: ServerMade = None
    question: Text


class AnswerQuery(Body, frozen=True, kw_only=True):
    query_id: UUID
    answer: Text


class DemandCorrection(Body, frozen=True, kw_only=True):
    demand_id: ServerMade = None
    demand: Text


class AnswerDemand(Body, frozen=True, kw_only=True):
    demand_id: UUID
    outcome: DemandOutcome
    detail: Text


class AnnotateAudit(Body, frozen=True, kw_only=True):
    text: Text


class DeclareConflict(Body, frozen=True, kw_only=True):
    reason: Text


class RecordCorrection(Body, frozen=True, kw_only=True):
    event_id: UUID
    field: Annotated[str, Meta(min_length=1, max_length=200)]
    correction: Text


BODIES: dict[str, type[Body]] = {
    body.command: body
    for body in (
        FlagRisk,
        ConfirmWarning,
        StabiliseSituation,
        RevisePolicy,
        DecideHomeService,
        ConveneConsultation,
        HoldDialogue,
        HoldJointMeeting,
        ReferToPolice,
        NotifyLevel,
        PerformService,
        RecordExternalOutcome,
        RecordReply,
        AssignHandler,
        ChangeProcedure,
        ClassifyUrgency,
        OfferMediation,
        ConsentToMediation,
        RefuseMediation,
        RecordAgreement,
        TerminateMediation,
        EscalateCase,
        AcceptEscalation,
        ReturnEscalation,
        DelegateCase,
        TakeOverCase,
        ObjectJurisdiction,
        ExtendDeadline,
        SuspendCase,
        ResumeCase,
        ResolveCase,
        WithdrawCase,
        RecordFollowUp,
        CloseCase,
        ArchiveCase,
        RecordFulfilment,
        RecordBreach,
        RecordBreachHandled,
        ApplyJudicialConfirmation,
        RecordConfirmationOutcome,
        RequestReview,
        RequestReReview,
        RecordReviewOpinion,
        ReopenCase,
        RaiseQuery,
        AnswerQuery,
        DemandCorrection,
        AnswerDemand,
        AnnotateAudit,
        DeclareConflict,
        RecordCorrection,
    )
}
"""Command name to body."""
