"""The shapes of the answers, as the OpenAPI document tells them."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from shared.events.vocabulary import (
    AgreementForm,
    Awaited,
    Channel,
    DeadlineState,
    Degree,
    DocumentKind,
    ExternalBodyKind,
    Facet,
    InboxKind,
    Level,
    Outcome,
    PersonRole,
    Procedure,
    QueryState,
    Role,
    State,
    TermState,
    Timer,
    UnitKind,
    UrgencyStatus,
    WarningLevel,
)


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of everything in an answer."""


class Hidden(Part, frozen=True, kw_only=True):
    """A private value that the caller may not see or, with a position, something they may not know."""

    sealed: bool
    position: int | None = None


class Suppressed(Part, frozen=True, kw_only=True):
    """A count below five, or something made of one, to a dashboard."""

    suppressed: bool


Shown = str | Hidden
Count = int | Suppressed


class Answer(Part, frozen=True, kw_only=True):
    as_of_position: int
    as_of_instant: datetime


class Page(Answer, frozen=True, kw_only=True):
    next: str | None
    """The cursor of the next page, pinned to the same moment."""


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
    attached_at: datetime


class QueryShown(Part, frozen=True, kw_only=True):
    query_id: UUID
    state: QueryState
    asked_at: datetime
    due_at: datetime | None


class DeadlineShown(Part, frozen=True, kw_only=True):
    timer: Timer
    version: int
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    state: DeadlineState
    awaiting: Awaited | None


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


class CasesAnswer(Page, frozen=True, kw_only=True):
    items: list[CaseListed | Hidden]


class UrgentCount(Part, frozen=True, kw_only=True):
    """`value`, or where some cases are unclassified `at_least`; to a dashboard perhaps `suppressed`."""

    value: Count | None = None
    at_least: Count | None = None
    unclassified: Count | None = None
    suppressed: bool = False


class BacklogRow(Part, frozen=True, kw_only=True):
    unit_id: UUID
    name: str | None
    kind: UnitKind | None
    open: Count
    urgent_open: UrgentCount
    overdue: Count
    """Open cases on which a breach stands."""
    oldest_opened_at: datetime | None


class BacklogAnswer(Answer, frozen=True, kw_only=True):
    total: Count
    rows: list[BacklogRow]


class UrgentAnswer(Page, frozen=True, kw_only=True):
    registered: UrgentCount
    open: UrgentCount
    resolved: UrgentCount
    unconfirmed: UrgentCount
    items: list[CaseListed | Hidden]


class DeadlineItem(Part, frozen=True, kw_only=True):
    """A clock whose act is still to come."""

    case_id: UUID
    timer: Timer
    version: int
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    state: DeadlineState
    holder_unit: UUID


class DeadlinesAnswer(Page, frozen=True, kw_only=True):
    """Clocks of cases held within the unit.

    `due_today`: running ones that end with the day of `as_of_instant`; `due_soon`: with one of the
    three days after it. A clock that is past due counts as overdue once its breach is recorded.
    """

    overdue: Count
    due_today: Count
    due_soon: Count
    items: list[DeadlineItem | Hidden]


class InboxItem(Part, frozen=True, kw_only=True):
    """Something that waits for the caller; without a case it is that the calendar ends."""

    item_id: UUID
    kind: InboxKind
    case_id: UUID | None = None
    timer: Timer | None = None
    since: datetime
    due_at: datetime | None
    seen: bool


class InboxAnswer(Page, frozen=True, kw_only=True):
    items: list[InboxItem]


class Ratio(Part, frozen=True, kw_only=True):
    """`unclassified`: how many more the numerator may turn out to be; `suppressed` to a dashboard."""

    numerator: int | None = None
    denominator: int | None = None
    percent: str | None = None
    unclassified: int | None = None
    suppressed: bool = False


class Levels(Part, frozen=True, kw_only=True):
    GROUP: Ratio
    VILLAGE: Ratio
    TOWNSHIP: Ratio


class Measures(Part, frozen=True, kw_only=True):
    registered: Count
    backlog: Count
    disposition_rate: Ratio
    disposition_rate_net: Ratio
    urgent_registered: UrgentCount
    urgent_open: UrgentCount
    urgent_resolved: UrgentCount
    urgent_share_of_resolved: Ratio
    visits: Count
    visit_coverage: Ratio | None
    """None where only some cases are asked for."""
    containment_rate: Levels
    reopen_rate: Ratio
    mediation_success_rate: Ratio
    fulfilment_rate: Ratio
    response_rate: Ratio
    resolution_rate: Ratio
    satisfaction_rate: Ratio
    satisfaction_answered: Ratio


class OnTime(Part, frozen=True, kw_only=True):
    """Of the duties due in the period: those done in time, without and with extensions."""

    original: Ratio
    extended: Ratio


class KpiAnswer(Answer, frozen=True, kw_only=True):
    measures: Measures
    on_time_rate: dict[str, OnTime]
    """By timer."""


class Because(Part, frozen=True, kw_only=True):
    topic: str
    position: int


class ExplainedItem(Part, frozen=True, kw_only=True):
    """Something counted; only `sealed` and `position` where the caller may not know it."""

    subject_kind: str | None = None
    subject_id: UUID | None = None
    subject_ref: str | None = None
    unit_id: UUID | None = None
    level: Level | None = None
    timer: Timer | None = None
    because: list[Because] | None = None
    sealed: bool = False
    position: int | None = None


class ExplainAnswer(Page, frozen=True, kw_only=True):
    measure: str
    value: Any
    items: list[ExplainedItem] | None = None
    unclassified_items: list[ExplainedItem] | None = None
    numerator_items: list[ExplainedItem] | None = None
    denominator_items: list[ExplainedItem] | None = None


class ComparedItem(Part, frozen=True, kw_only=True):
    """Something counted otherwise at `b`; only `sealed` and `position` where the caller may not know it.

    CAME: counted at `b` alone. LEFT: at `a` alone. CHANGED: at both, under another unit or level or on
    another side of a ratio. What isn't a case has a `subject_kind` instead of a `case_id`.
    """

    case_id: UUID | None = None
    subject_kind: str | None = None
    subject_id: UUID | None = None
    subject_ref: str | None = None
    unit_id: UUID | None = None
    """On whose roster a household stands."""
    change: Literal["CAME", "LEFT", "CHANGED"] | None = None
    because: list[Because] | None = None
    """The events after `a` up to `b` that made the difference."""
    sealed: bool = False
    position: int | None = None


class CompareAnswer(Page, frozen=True, kw_only=True):
    """`a` and `b`: the values of the measure at the two positions, of which the answer is as of the later."""

    measure: str
    a: Any
    b: Any
    items: list[ComparedItem]


class PublishedParameters(Part, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    unit: UUID
    first: date | None = None
    last: date | None = None
    level: Level | None = None
    timer: Timer | None = None
    category: str | None = None


class LateEvent(Part, frozen=True, kw_only=True):
    """An event after the published position; only `sealed` and `position` where the caller may not know it.

    `case_id` is null where it isn't an event of a case: of a visit outside one, a roster, a unit.
    """

    case_id: UUID | None = None
    topic: str | None = None
    position: int
    sealed: bool = False


class PublishedFigure(Part, frozen=True, kw_only=True):
    """A figure as it was given out; `then` is its value as of `position`, in lists null to a dashboard."""

    publication_id: UUID
    measure: str
    parameters: PublishedParameters
    position: int
    then: Any
    published_at: datetime
    published_by: str


class PublicationsAnswer(Page, frozen=True, kw_only=True):
    items: list[PublishedFigure]


class PublishedAnswer(Page, frozen=True, kw_only=True):
    """A published figure beside what it is as of the answer.

    `then`: the value as it was published; with `at_occurred`, both values are of what was true on that
    instant. `late_events`: what happened to be recorded after the published position and makes the
    difference, by position; none to a dashboard, which sees no single case. Days that run out may
    make a difference without any event.
    """

    publication_id: UUID
    measure: str
    parameters: PublishedParameters
    position: int
    then: Any
    now: Any
    published_at: datetime
    published_by: str
    late_events: list[LateEvent]


class PackNamed(Part, frozen=True, kw_only=True):
    name: str
    version: int
    hash: str


class BreachItem(Part, frozen=True, kw_only=True):
    """A breach; only `sealed` and `position` where the caller may not know it.

    `holder_unit` held the case when the clock began.
    """

    case_id: UUID | None = None
    timer: Timer | None = None
    due_at: datetime | None = None
    holder_unit: UUID | None = None
    sealed: bool = False
    position: int | None = None


class BreachesOfTimer(Part, frozen=True, kw_only=True):
    recorded: int
    replayed: int
    appear: int
    vanish: int


class BreachesSideBySide(Part, frozen=True, kw_only=True):
    """Breaches that stand, by the day on which their clocks were due at first; lists are soonest due first.

    `appear`: under the other rules only. `vanish`: as recorded only. At most `limit` of each are listed,
    the counts count all.
    """

    recorded_count: int
    replayed_count: int
    appear_count: int
    vanish_count: int
    by_timer: dict[str, BreachesOfTimer]
    appear: list[BreachItem]
    vanish: list[BreachItem]


class SideBySide(Part, frozen=True, kw_only=True):
    """The value of a measure as recorded, and as replayed under the other rules."""

    recorded: Any
    replayed: Any


class OnTimeSideBySide(Part, frozen=True, kw_only=True):
    recorded: OnTime
    replayed: OnTime


class WhatIfAnswer(Answer, frozen=True, kw_only=True):
    """The period as if the unit had always had the rules of the pack and those beneath it that have none.

    What people did stays as it was.
    """

    pack: PackNamed
    cases: int
    """That were replayed: those of the period, and those that are open."""
    breaches: BreachesSideBySide
    overdue: SideBySide
    """Open cases on which a breach stands, as of the answer."""
    measures: dict[str, SideBySide]
    """By name as in the statistics, without those of visits."""
    on_time_rate: dict[str, OnTimeSideBySide]
    """By timer."""


class ServiceItem(Part, frozen=True, kw_only=True):
    """A service done; only `sealed` and `position` where the caller may not know it."""

    service_id: UUID | None = None
    unit_id: UUID | None = None
    item: str | None = None
    occurred_at: datetime | None = None
    case_id: UUID | None = None
    actor_ref: str | None = None
    beneficiary: UUID | PersonShown | None = None
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


class AuditAnswer(Page, frozen=True, kw_only=True):
    items: list[ReadShown]
