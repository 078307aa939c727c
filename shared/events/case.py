"""The state of a case: what its events add up to."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.events.base import Person, Private
from shared.events.cases import AbsorbedCase, Accused, ExternalBody, Source
from shared.events.deadlines import Deadline
from shared.events.vocabulary import (
    OPEN_STATES,
    AgreementForm,
    Channel,
    Degree,
    DemandOutcome,
    DocumentKind,
    Facet,
    Level,
    Outcome,
    Procedure,
    QueryState,
    Risk,
    State,
    TermState,
    Timer,
    UrgencyStatus,
    WarningLevel,
)


class Mark(NamedTuple):
    """An event as the reason for something."""

    topic: str
    position: int
    occurred_at: datetime
    event_id: UUID


class Author(NamedTuple):
    """Somebody who recorded something on the case, in a role and for a unit."""

    ref: str
    role: str
    unit: UUID | None


class Mediation(msgspec.Struct, frozen=True, kw_only=True):
    """The offer in force, and how it went."""

    parties: tuple[UUID, ...]
    mediator_ref: str | None
    consented: tuple[UUID, ...] = ()
    state: str = "OFFERED"
    """OFFERED, STARTED, AGREED, REFUSED or ENDED."""


class AgreementTerm(msgspec.Struct, frozen=True, kw_only=True):
    term_no: int
    text: Private
    due_on: date | None
    state: TermState
    mark: Mark | None = None
    """What brought it to its state; None while it is due."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    form: AgreementForm
    terms: tuple[AgreementTerm, ...]
    signers: tuple[UUID, ...]
    parties: tuple[UUID, ...]
    reached: Mark
    effective: bool = False
    confirmation: str | None = None
    """APPLIED, GRANTED or DENIED by a court."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    document_kind: DocumentKind
    event_id: UUID
    file_id: UUID | None
    paper_location: Private | None
    person_ref: UUID | None = None
    attached_at: datetime


class Query(msgspec.Struct, frozen=True, kw_only=True):
    query_id: UUID
    event_id: UUID
    """Of the event that raised it."""
    state: QueryState
    asked_at: datetime


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    demand_id: UUID
    event_id: UUID
    """Of the event that made it."""
    asked_at: datetime
    outcome: DemandOutcome | None = None


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to reach the complainant after a resolution."""

    cycle: int
    reached: bool
    solved: bool | None
    satisfied: bool | None
    mark: Mark


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Where a petition stands after its reply: REVIEW or RE_REVIEW, asked for or answered."""

    stage: str
    answered: bool


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case as of its `version`; instants are UTC, collections in the order things happened."""

    case_id: UUID
    version: int
    position: int
    """Of the last event folded."""
    state: State
    procedure: Procedure | None
    category: str
    channel: Channel
    title: Private
    description: Private
    item: str | None
    source: Source | None
    collective: bool
    accused: Accused | None

    opener_ref: str
    opened_at: datetime
    origin_unit: UUID
    origin_level: Level
    docket_unit: UUID
    """Under which it counts and is found by origin: the origin, or who hears an accusation."""
    holder_unit: UUID
    holder_level: Level
    held_units: tuple[UUID, ...]
    """Every unit that ever held it, in order of first holding."""
    held_levels: tuple[Level, ...]
    pending_unit: UUID | None = None
    pending_level: Level | None = None
    returns: int = 0
    """Escalations returned in this cycle."""
    notified_units: tuple[UUID, ...] = ()
    notified_levels: tuple[Level, ...] = ()
    police_units: tuple[UUID, ...] = ()

    handler_ref: str | None = None
    handler_refs: tuple[str, ...] = ()
    """Everybody who ever handled, mediated or resolved it."""
    mediator_ref: str | None = None
    """Who mediates, from the offer that names them until it is refused, ends, or the case moves on."""
    authors: tuple[Author, ...] = ()
    """Everybody who ever recorded anything on it."""
    people: tuple[Person, ...]
    barred: tuple[str, ...] = ()
    """Actors who declared a conflict of interest."""
    conflict_since: int | None = None
    """Position since which somebody of the present holder has a declared conflict."""
    barred_units: tuple[UUID, ...] = ()
    """For whom the barred acted."""

    urgent: bool | None = None
    urgency_status: UrgencyStatus | None = None
    facets: tuple[Facet, ...] = ()
    warning_level: WarningLevel | None = None
    risks: tuple[Risk, ...] = ()

    mediation: Mediation | None = None
    refusals: tuple[UUID, ...] = ()
    """Persons whose refusal stands: a new offer needs their own request."""
    agreement: Agreement | None = None
    earlier_agreements: tuple[Agreement, ...] = ()
    terminations: tuple[Mark, ...] = ()
    """Of mediations that had begun."""
    suspended_from: State | None = None
    suspended_timers: tuple[Timer, ...] = ()
    """Clocks that stand still while it is suspended."""
    delegated_from: UUID | None = None
    """Who delegated it to its present holder."""

    outcome: Outcome | None = None
    degree: Degree | None = None
    partial_counts: bool = False
    """Whether a case resolved PARTIAL counts as disposed of."""
    resolver_ref: str | None = None
    resolved_level: Level | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    review: Review | None = None
    replied_on: date | None = None
    contacts: tuple[Mark, ...] = ()
    """Of the complainant, reached or not."""
    closed_at: datetime | None = None
    archived_at: datetime | None = None
    cycle: int = 1
    final: bool = False

    documents: tuple[Document, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    """In the order in which they were started, ended ones too."""
    queries: tuple[Query, ...] = ()
    demands: tuple[Demand, ...] = ()
    merged_into: UUID | None = None
    external_body: ExternalBody | None = None
    absorbed: tuple[AbsorbedCase, ...] = ()

    registered: Mark
    held: Mark
    """What brought it to its present holder."""
    stated: Mark
    """What brought it into its present state."""
    classified: Mark | None = None
    resolutions: tuple[Mark, ...] = ()
    reopenings: tuple[Mark, ...] = ()
    reached: tuple[tuple[Level, Mark], ...]
    """For each level held, the event by which the case first came there."""
    absorptions: tuple[Mark, ...] = ()
    """For each of `absorbed`, the event that brought it."""

    @property
    def agreements(self) -> tuple[Agreement, ...]:
        latest = () if self.agreement is None else (self.agreement,)
        return self.earlier_agreements + latest

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_resolved(self) -> bool:
        return self.state == "RESOLVED" or self.state == "CLOSED"

    def person(self, person_ref: UUID) -> Person | None:
        return next((person for person in self.people if person.person_ref == person_ref), None)
