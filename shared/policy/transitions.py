"""The one table of what may happen to a case: who may do what, from where, under which guards.

Deciding, the list of allowed commands, staleness, the documentation and the exhaustive test all read it.
"""

from typing import Literal

import msgspec

from shared.events import cases
from shared.events.base import Event
from shared.events.vocabulary import OPEN_STATES, Procedure, State
from shared.policy.relations import Relation

Service = Literal["intake", "resolution"]
ALL_STATES: tuple[State, ...] = (
    "REGISTERED", "ACCEPTED", "IN_PROGRESS", "IN_MEDIATION", "PENDING_ESCALATION", "SUSPENDED",
    "RESOLVED", "CLOSED", "REJECTED", "TRANSFERRED", "MERGED", "WITHDRAWN",
)  # fmt: skip
ANY = frozenset(ALL_STATES)
AT_WORK: frozenset[State] = frozenset(("ACCEPTED", "IN_PROGRESS"))
SETTLED: frozenset[State] = frozenset(("RESOLVED", "CLOSED"))
UNMEDIABLE: frozenset[Procedure] = frozenset(("SERVICE", "SAFETY_LEAD", "ACCUSATION"))
"""Procedures in which nothing is mediated."""
SAME = "–"
"""In `to`: the state stays as it is."""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    command: str
    service: Service
    states: frozenset[State]
    """From which it may be sent; none: it opens a case."""
    who: frozenset[Relation]
    """Any one of these relations is enough."""
    on_behalf: bool = False
    """Whether holder and mediator may send it too, `on_behalf_of` a party or complainant."""
    adds: bool = False
    """Whether it only adds to the case, so that nobody's `If-Match` goes stale and none is needed."""
    events: tuple[type[Event], ...]
    to: str = SAME
    procedures: frozenset[Procedure] | None = None
    """Limited to these."""
    not_in: frozenset[Procedure] = frozenset()
    """Not in these procedures."""
    guards: tuple[str, ...] = ()
    """Codes of `shared.policy.rules.GUARDS`, in the order in which they are looked at."""

    @property
    def creates(self) -> bool:
        return not self.states

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(event.topic for event in self.events)

    def in_procedure(self, procedure: Procedure | None) -> bool:
        return procedure not in self.not_in and (self.procedures is None or procedure in self.procedures)


R = Relation
_HOLDER = frozenset((R.HOLDER,))
_UPPER = frozenset((R.UPPER_HOLDER,))
_VILLAGE_OR_HIGHER = frozenset((R.OFFICER, R.OFFICER_ABOVE))
_ADDERS = frozenset((R.HOLDER, R.NOTIFIED))
_ADDERS_AND_POLICE = _ADDERS | {R.REFERRED_POLICE}
_MEDIATOR = frozenset((R.MEDIATOR,))
_PARTY = frozenset((R.PARTY,))
_MEDIATOR_OR_PARTY = _MEDIATOR | _PARTY
_COMPLAINANT = frozenset((R.COMPLAINANT,))
_SUPERVISOR = frozenset((R.SUPERVISOR,))
_ANSWERER = frozenset((R.ANSWERER,))
_NONE: frozenset[State] = frozenset()
_NEW: frozenset[State] = frozenset(("REGISTERED",))
_PETITION: frozenset[Procedure] = frozenset(("PETITION",))


def _row(
    command: str,
    states: frozenset[State],
    who: frozenset[Relation],
    events: tuple[type[Event], ...],
    to: str,
    *guards: str,
    service: Service = "resolution",
    on_behalf: bool = False,
    adds: bool = False,
    procedures: frozenset[Procedure] | None = None,
    not_in: frozenset[Procedure] = frozenset(),
) -> Transition:
    return Transition(
        command=command,
        service=service,
        states=states,
        who=who,
        on_behalf=on_behalf,
        adds=adds,
        events=events,
        to=to,
        procedures=procedures,
        not_in=not_in,
        guards=guards,
    )


# fmt: off
_ROWS: tuple[Transition, ...] = (
    _row(
        "open-case", _NONE, frozenset((R.OPENER_WITHIN,)), (cases.CaseRegistered,), "REGISTERED",
        "unit-unknown", "unit-closed", "category-unknown", "item-unknown", service="intake",
    ),
    _row(
        "accept-case", _NEW, _HOLDER, (cases.CaseAccepted,), "ACCEPTED", "accusation-stays",
        service="intake",
    ),
    _row("reject-case", _NEW, _VILLAGE_OR_HIGHER, (cases.CaseRejected,), "REJECTED", service="intake"),
    _row(
        "transfer-case", frozenset(("REGISTERED", "ACCEPTED", "IN_PROGRESS")), _HOLDER,
        (cases.CaseTransferred,), "REGISTERED | TRANSFERRED", "unit-unknown", "unit-closed",
        "not-the-holder", "same-level", "accused-unit", service="intake",
    ),
    _row(
        "merge-case", OPEN_STATES, _VILLAGE_OR_HIGHER, (cases.CaseMerged, cases.CaseAbsorbed), "MERGED",
        "merge-itself", "primary-unknown", "primary-outside", "handler-conflict", "primary-not-open",
        "merge-hidden", service="intake",
    ),
    _row("assign-handler", AT_WORK, _HOLDER, (cases.HandlerAssigned,), "IN_PROGRESS", "handler-conflict"),
    _row("add-person", OPEN_STATES, _ADDERS, (cases.PersonAdded,), SAME, service="intake", adds=True),
    _row(
        "record-visit", OPEN_STATES, _ADDERS_AND_POLICE, (cases.VisitRecorded,), SAME, service="intake",
        adds=True,
    ),
    _row("flag-risk", OPEN_STATES, _ADDERS, (cases.RiskFlagged,), SAME, adds=True),
    _row(
        "confirm-warning", OPEN_STATES, _ADDERS, (cases.WarningLevelConfirmed,), SAME, "ground-unknown",
        adds=True,
    ),
    _row("stabilise-situation", OPEN_STATES, _ADDERS, (cases.SituationStabilised,), SAME, adds=True),
    _row("convene-consultation", OPEN_STATES, _ADDERS, (cases.ConsultationHeld,), SAME, adds=True),
    _row("revise-policy", OPEN_STATES, _ADDERS, (cases.PolicyRevised,), SAME, adds=True),
    _row("hold-dialogue", OPEN_STATES, _ADDERS, (cases.DialogueHeld,), SAME, adds=True),
    _row("hold-joint-meeting", OPEN_STATES, _ADDERS, (cases.JointMeetingHeld,), SAME, adds=True),
    _row(
        "refer-to-police", OPEN_STATES, _ADDERS, (cases.ReferredToPolice,), SAME, "unit-unknown",
        "unit-closed", adds=True,
    ),
    _row(
        "notify-level", OPEN_STATES, _ADDERS, (cases.LevelNotified,), SAME, "no-unit-at-level",
        "already-there", "accused-unit", adds=True,
    ),
    _row("decide-home-service", OPEN_STATES, _ADDERS, (cases.HomeServiceDecided,), SAME, adds=True),
    _row(
        "perform-service", OPEN_STATES, _ADDERS, (cases.ServicePerformed,), SAME, "item-unknown",
        "person-unknown", adds=True,
    ),
    _row(
        "record-external-outcome", OPEN_STATES, _ADDERS_AND_POLICE, (cases.ExternalOutcomeRecorded,), SAME,
        "person-unknown", adds=True,
    ),
    _row(
        "attach-document", OPEN_STATES, _ADDERS, (cases.DocumentAttached,), SAME, "file-unknown",
        "person-unknown", service="intake", adds=True,
    ),
    _row(
        "record-contact", OPEN_STATES, _ADDERS, (cases.ContactRecorded,), SAME, service="intake", adds=True,
    ),
    _row(
        "notify-complainant", OPEN_STATES, _ADDERS, (cases.ComplainantNotified,), SAME, "date-ahead",
        service="intake", adds=True,
    ),
    _row("record-reply", OPEN_STATES, _ADDERS, (cases.ReplyRecorded,), SAME, "date-ahead", adds=True),
    _row(
        "change-procedure", AT_WORK, _HOLDER, (cases.ProcedureChanged,), SAME, "mediation-under-way",
        "accusation-stays", "same-procedure", "parties-not-informed",
    ),
    _row(
        "classify-urgency", OPEN_STATES, frozenset((R.HOLDER, R.OFFICER_ABOVE)), (cases.UrgencyClassified,),
        SAME,
    ),
    _row(
        "offer-mediation", AT_WORK, _MEDIATOR, (cases.MediationOffered,), SAME, "not-civil",
        "person-unknown", "not-a-party", "refused-before", "handler-conflict", not_in=UNMEDIABLE,
    ),
    _row(
        "consent-to-mediation", AT_WORK, _PARTY, (cases.MediationConsented,), "– | IN_MEDIATION",
        "no-offer", "not-a-party", "already-consented", on_behalf=True,
    ),
    _row(
        "refuse-mediation", AT_WORK, _PARTY, (cases.MediationRefused,), SAME, "not-a-party", on_behalf=True,
    ),
    _row(
        "record-agreement", frozenset(("IN_MEDIATION",)), _MEDIATOR,
        (cases.AgreementReached, cases.AgreementEffective), "RESOLVED", "not-a-party", "agreement-form",
        "file-unknown",
    ),
    _row(
        "terminate-mediation", frozenset(("IN_MEDIATION",)), _MEDIATOR_OR_PARTY,
        (cases.MediationTerminated,), "IN_PROGRESS", "not-a-party", "remedies-not-notified", on_behalf=True,
    ),
    _row(
        "escalate-case", AT_WORK, frozenset((R.HOLDER, R.NEXT_LEVEL)),
        (cases.CaseEscalated, cases.LevelNotified), "PENDING_ESCALATION", "top-level", "not-the-next-level",
        "notify-skipped", "no-unit-at-level", "unit-closed", "accused-unit",
    ),
    _row(
        "accept-escalation", frozenset(("PENDING_ESCALATION",)), frozenset((R.RECEIVER,)),
        (cases.EscalationAccepted,), "IN_PROGRESS",
    ),
    _row(
        "return-escalation", frozenset(("PENDING_ESCALATION",)), frozenset((R.RECEIVER,)),
        (cases.EscalationReturned,), "IN_PROGRESS", "return-limit",
    ),
    _row(
        "delegate-case", frozenset(("IN_PROGRESS",)), _UPPER, (cases.CaseDelegated,), "IN_PROGRESS",
        "unit-to-be-named", "unit-unknown", "unit-closed", "one-level-down", "accused-unit",
    ),
    _row(
        "take-over-case", frozenset(("REGISTERED", "ACCEPTED", "IN_PROGRESS", "PENDING_ESCALATION")),
        frozenset((R.NEXT_ABOVE,)), (cases.CaseTakenOver,), "IN_PROGRESS", "nothing-to-take-over",
    ),
    _row(
        "object-jurisdiction", AT_WORK, _HOLDER, (cases.JurisdictionObjected,), "IN_PROGRESS",
        "not-delegated", "right-lapsed", procedures=_PETITION,
    ),
    _row(
        "extend-deadline", OPEN_STATES, frozenset((R.HEAD,)), (cases.DeadlineExtended,), SAME,
        "clock-not-running", "extended-too-late", "not-extensible", "extended-before",
        "complainant-not-informed", "extension-approval", "extension-consent", "calendar-unknown",
        "extension-too-long",
    ),
    _row(
        "suspend-case", frozenset(("IN_PROGRESS", "IN_MEDIATION")), _UPPER, (cases.CaseSuspended,),
        "SUSPENDED", "ground-unknown", "approval-needed",
    ),
    _row(
        "resume-case", frozenset(("SUSPENDED",)), _UPPER, (cases.CaseResumed,),
        "IN_PROGRESS | IN_MEDIATION",
    ),
    _row(
        "resolve-case", frozenset(("IN_PROGRESS",)), _HOLDER, (cases.CaseResolved,), "RESOLVED",
        "file-unknown",
    ),
    _row(
        "withdraw-case", OPEN_STATES, _COMPLAINANT, (cases.CaseWithdrawn,), "WITHDRAWN", "public-safety",
        "not-the-complainant", on_behalf=True,
    ),
    _row(
        "record-follow-up", frozenset(("RESOLVED",)), frozenset((R.FOLLOWER_UP,)),
        (cases.FollowUpRecorded,), SAME, "follow-ups-used",
    ),
    _row(
        "close-case", frozenset(("RESOLVED",)), _VILLAGE_OR_HIGHER, (cases.CaseClosed,), "CLOSED",
        "follow-up-needed", "dossier-incomplete", "agreement-open",
    ),
    _row(
        "archive-case", frozenset(("CLOSED",)), _VILLAGE_OR_HIGHER, (cases.CaseArchived,), SAME,
        "archived", "rights-open", "clocks-running",
    ),
    _row(
        "record-fulfilment", SETTLED, _MEDIATOR_OR_PARTY, (cases.AgreementFulfilled,), SAME, "no-agreement",
        "not-a-party", "term-unknown", "term-state", on_behalf=True,
    ),
    _row(
        "record-breach", SETTLED, _MEDIATOR_OR_PARTY, (cases.AgreementBreached,), SAME, "no-agreement",
        "not-a-party", "term-unknown", "term-state", on_behalf=True,
    ),
    _row(
        "record-breach-handled", SETTLED, _MEDIATOR_OR_PARTY, (cases.BreachHandled,), SAME, "no-agreement",
        "not-a-party", "term-unknown", "term-state", on_behalf=True, adds=True,
    ),
    _row(
        "apply-judicial-confirmation", SETTLED, _MEDIATOR_OR_PARTY, (cases.JudicialConfirmationApplied,),
        SAME, "no-agreement", "already-applied", "not-a-party", "right-lapsed", "applicants",
        on_behalf=True,
    ),
    _row(
        "record-confirmation-outcome", SETTLED, _MEDIATOR_OR_PARTY,
        (cases.JudicialConfirmationGranted, cases.JudicialConfirmationDenied), SAME, "not-applied",
        "not-a-party", "date-ahead", on_behalf=True,
    ),
    _row(
        "request-review", SETTLED, _COMPLAINANT, (cases.ReviewRequested,), SAME, "final", "review-asked",
        "not-the-complainant", "right-lapsed", on_behalf=True, procedures=_PETITION,
    ),
    _row(
        "request-re-review", SETTLED, _COMPLAINANT, (cases.ReReviewRequested,), SAME, "final",
        "no-opinion-yet", "not-the-complainant", "right-lapsed", on_behalf=True, procedures=_PETITION,
    ),
    _row(
        "record-review-opinion", SETTLED, frozenset((R.REVIEWER,)), (cases.ReviewOpinionRecorded,), SAME,
        "no-review-asked", "final-on-re-review", procedures=_PETITION,
    ),
    _row(
        "reopen-case", frozenset(("RESOLVED", "CLOSED", "REJECTED", "WITHDRAWN")), _VILLAGE_OR_HIGHER,
        (cases.CaseReopened,), "IN_PROGRESS", "final", "no-breach", "not-unsatisfied",
    ),
    _row("raise-query", ANY, _SUPERVISOR, (cases.QueryRaised,), SAME, adds=True),
    _row(
        "answer-query", ANY, _ANSWERER, (cases.QueryAnswered,), SAME, "query-unknown", "query-answered",
        adds=True,
    ),
    _row("demand-correction", ANY, _SUPERVISOR, (cases.CorrectionDemanded,), SAME, adds=True),
    _row(
        "answer-demand", ANY, _ANSWERER, (cases.DemandAnswered,), SAME, "demand-unknown", "demand-answered",
        adds=True,
    ),
    _row("annotate-audit", ANY, _SUPERVISOR, (cases.AuditNoted,), SAME, adds=True),
    _row("declare-conflict", ANY, frozenset((R.ACTOR,)), (cases.ConflictDeclared,), SAME, adds=True),
    _row(
        "record-correction", ANY, frozenset((R.SUPERIOR,)), (cases.RecordCorrected,), SAME, "event-unknown",
        "field-unknown", adds=True,
    ),
)
# fmt: on

ALWAYS = ("too-late", "ahead-of-time", "person-unknown")
"""Guards of every command: `occurred_at`, and whom `about` names."""

TRANSITIONS: dict[str, Transition] = {row.command: row for row in _ROWS}
"""Command name to row, in the order of a case's life."""

HANDLING_TOPICS: frozenset[str] = frozenset(
    topic for row in _ROWS if not row.adds for topic in row.topics
) - frozenset(topic for row in _ROWS if row.adds for topic in row.topics)
"""Topics of events that make an `If-Match` stale: those that no adding command gives."""
