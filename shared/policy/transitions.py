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
_COMPLAINANT = frozenset((R.COMPLAINANT,))
_SUPERVISOR = frozenset((R.SUPERVISOR,))
_ANSWERER = frozenset((R.ANSWERER,))
_PETITION: frozenset[Procedure] = frozenset(("PETITION",))


def _added(
    command: str,
    event: type[Event],
    *guards: str,
    who: frozenset[Relation] = _ADDERS,
    service: Service = "resolution",
) -> Transition:
    """A row that adds to an open case."""
    return Transition(
        command=command,
        service=service,
        states=OPEN_STATES,
        who=who,
        adds=True,
        events=(event,),
        guards=guards,
    )


_ROWS: tuple[Transition, ...] = (
    Transition(
        command="open-case",
        service="intake",
        states=frozenset(),
        who=frozenset((R.OPENER_WITHIN,)),
        events=(cases.CaseRegistered,),
        to="REGISTERED",
        guards=("unit-unknown", "unit-closed", "category-unknown", "item-unknown"),
    ),
    Transition(
        command="accept-case",
        service="intake",
        states=frozenset(("REGISTERED",)),
        who=_HOLDER,
        events=(cases.CaseAccepted,),
        to="ACCEPTED",
        guards=("accusation-stays",),
    ),
    Transition(
        command="reject-case",
        service="intake",
        states=frozenset(("REGISTERED",)),
        who=_VILLAGE_OR_HIGHER,
        events=(cases.CaseRejected,),
        to="REJECTED",
    ),
    Transition(
        command="transfer-case",
        service="intake",
        states=frozenset(("REGISTERED", "ACCEPTED", "IN_PROGRESS")),
        who=_HOLDER,
        events=(cases.CaseTransferred,),
        to="REGISTERED | TRANSFERRED",
        guards=("unit-unknown", "unit-closed", "not-the-holder", "same-level", "accused-unit"),
    ),
    Transition(
        command="merge-case",
        service="intake",
        states=OPEN_STATES,
        who=_VILLAGE_OR_HIGHER,
        events=(cases.CaseMerged, cases.CaseAbsorbed),
        to="MERGED",
        guards=(
            "merge-itself",
            "primary-unknown",
            "primary-outside",
            "handler-conflict",
            "primary-not-open",
            "merge-hidden",
        ),
    ),
    Transition(
        command="assign-handler",
        service="resolution",
        states=AT_WORK,
        who=_HOLDER,
        events=(cases.HandlerAssigned,),
        to="IN_PROGRESS",
        guards=("handler-conflict",),
    ),
    _added("add-person", cases.PersonAdded, service="intake"),
    _added("record-visit", cases.VisitRecorded, who=_ADDERS_AND_POLICE, service="intake"),
    _added("flag-risk", cases.RiskFlagged),
    _added("confirm-warning", cases.WarningLevelConfirmed, "ground-unknown"),
    _added("stabilise-situation", cases.SituationStabilised),
    _added("convene-consultation", cases.ConsultationHeld),
    _added("revise-policy", cases.PolicyRevised),
    _added("hold-dialogue", cases.DialogueHeld),
    _added("hold-joint-meeting", cases.JointMeetingHeld),
    _added("refer-to-police", cases.ReferredToPolice, "unit-unknown", "unit-closed"),
    _added("notify-level", cases.LevelNotified, "no-unit-at-level", "already-there", "accused-unit"),
    _added("decide-home-service", cases.HomeServiceDecided),
    _added("perform-service", cases.ServicePerformed, "item-unknown", "person-unknown"),
    _added(
        "record-external-outcome", cases.ExternalOutcomeRecorded, "person-unknown", who=_ADDERS_AND_POLICE
    ),
    _added("attach-document", cases.DocumentAttached, "file-unknown", service="intake"),
    _added("record-contact", cases.ContactRecorded, service="intake"),
    _added("notify-complainant", cases.ComplainantNotified, "date-ahead", service="intake"),
    _added("record-reply", cases.ReplyRecorded, "date-ahead"),
    Transition(
        command="change-procedure",
        service="resolution",
        states=AT_WORK,
        who=_HOLDER,
        events=(cases.ProcedureChanged,),
        guards=("mediation-under-way", "accusation-stays", "same-procedure", "parties-not-informed"),
    ),
    Transition(
        command="classify-urgency",
        service="resolution",
        states=OPEN_STATES,
        who=frozenset((R.HOLDER, R.OFFICER_ABOVE)),
        events=(cases.UrgencyClassified,),
    ),
    Transition(
        command="offer-mediation",
        service="resolution",
        states=AT_WORK,
        who=_MEDIATOR,
        events=(cases.MediationOffered,),
        not_in=UNMEDIABLE,
        guards=("not-civil", "person-unknown", "not-a-party", "refused-before", "handler-conflict"),
    ),
    Transition(
        command="consent-to-mediation",
        service="resolution",
        states=AT_WORK,
        who=_PARTY,
        on_behalf=True,
        events=(cases.MediationConsented,),
        to="– | IN_MEDIATION",
        guards=("no-offer", "not-a-party", "already-consented"),
    ),
    Transition(
        command="refuse-mediation",
        service="resolution",
        states=AT_WORK,
        who=_PARTY,
        on_behalf=True,
        events=(cases.MediationRefused,),
        guards=("not-a-party",),
    ),
    Transition(
        command="record-agreement",
        service="resolution",
        states=frozenset(("IN_MEDIATION",)),
        who=_MEDIATOR,
        events=(cases.AgreementReached, cases.AgreementEffective),
        to="RESOLVED",
        guards=("not-a-party", "agreement-form"),
    ),
    Transition(
        command="terminate-mediation",
        service="resolution",
        states=frozenset(("IN_MEDIATION",)),
        who=_MEDIATOR | _PARTY,
        on_behalf=True,
        events=(cases.MediationTerminated,),
        to="IN_PROGRESS",
        guards=("not-a-party", "remedies-not-notified"),
    ),
    Transition(
        command="escalate-case",
        service="resolution",
        states=AT_WORK,
        who=_HOLDER | {R.NEXT_LEVEL},
        events=(cases.CaseEscalated, cases.LevelNotified),
        to="PENDING_ESCALATION",
        guards=(
            "top-level",
            "not-the-next-level",
            "notify-skipped",
            "no-unit-at-level",
            "unit-closed",
            "accused-unit",
        ),
    ),
    Transition(
        command="accept-escalation",
        service="resolution",
        states=frozenset(("PENDING_ESCALATION",)),
        who=frozenset((R.RECEIVER,)),
        events=(cases.EscalationAccepted,),
        to="IN_PROGRESS",
    ),
    Transition(
        command="return-escalation",
        service="resolution",
        states=frozenset(("PENDING_ESCALATION",)),
        who=frozenset((R.RECEIVER,)),
        events=(cases.EscalationReturned,),
        to="IN_PROGRESS",
        guards=("return-limit",),
    ),
    Transition(
        command="delegate-case",
        service="resolution",
        states=frozenset(("IN_PROGRESS",)),
        who=_UPPER,
        events=(cases.CaseDelegated,),
        to="IN_PROGRESS",
        guards=("unit-to-be-named", "unit-unknown", "unit-closed", "one-level-down", "accused-unit"),
    ),
    Transition(
        command="suspend-case",
        service="resolution",
        states=frozenset(("IN_PROGRESS", "IN_MEDIATION")),
        who=_UPPER,
        events=(cases.CaseSuspended,),
        to="SUSPENDED",
        guards=("ground-unknown", "approval-needed"),
    ),
    Transition(
        command="resume-case",
        service="resolution",
        states=frozenset(("SUSPENDED",)),
        who=_UPPER,
        events=(cases.CaseResumed,),
        to="IN_PROGRESS | IN_MEDIATION",
    ),
    Transition(
        command="resolve-case",
        service="resolution",
        states=frozenset(("IN_PROGRESS",)),
        who=_HOLDER,
        events=(cases.CaseResolved,),
        to="RESOLVED",
        guards=("file-unknown",),
    ),
    Transition(
        command="withdraw-case",
        service="resolution",
        states=OPEN_STATES,
        who=_COMPLAINANT,
        on_behalf=True,
        events=(cases.CaseWithdrawn,),
        to="WITHDRAWN",
        guards=("public-safety", "not-the-complainant"),
    ),
    Transition(
        command="record-follow-up",
        service="resolution",
        states=frozenset(("RESOLVED",)),
        who=frozenset((R.FOLLOWER_UP,)),
        events=(cases.FollowUpRecorded,),
        guards=("follow-ups-used",),
    ),
    Transition(
        command="close-case",
        service="resolution",
        states=frozenset(("RESOLVED",)),
        who=_VILLAGE_OR_HIGHER,
        events=(cases.CaseClosed,),
        to="CLOSED",
        guards=("follow-up-needed", "dossier-incomplete", "agreement-open"),
    ),
    Transition(
        command="record-fulfilment",
        service="resolution",
        states=SETTLED,
        who=_MEDIATOR | _PARTY,
        on_behalf=True,
        events=(cases.AgreementFulfilled,),
        guards=("no-agreement", "not-a-party", "term-unknown", "term-state"),
    ),
    Transition(
        command="record-breach",
        service="resolution",
        states=SETTLED,
        who=_MEDIATOR | _PARTY,
        on_behalf=True,
        events=(cases.AgreementBreached,),
        guards=("no-agreement", "not-a-party", "term-unknown", "term-state"),
    ),
    Transition(
        command="record-breach-handled",
        service="resolution",
        states=SETTLED,
        who=_MEDIATOR | _PARTY,
        on_behalf=True,
        adds=True,
        events=(cases.BreachHandled,),
        guards=("no-agreement", "not-a-party", "term-unknown", "term-state"),
    ),
    Transition(
        command="apply-judicial-confirmation",
        service="resolution",
        states=SETTLED,
        who=_MEDIATOR | _PARTY,
        on_behalf=True,
        events=(cases.JudicialConfirmationApplied,),
        guards=("no-agreement", "already-applied", "not-a-party", "applicants"),
    ),
    Transition(
        command="record-confirmation-outcome",
        service="resolution",
        states=SETTLED,
        who=_MEDIATOR | _PARTY,
        on_behalf=True,
        events=(cases.JudicialConfirmationGranted, cases.JudicialConfirmationDenied),
        guards=("not-applied", "not-a-party", "date-ahead"),
    ),
    Transition(
        command="request-review",
        service="resolution",
        states=SETTLED,
        who=_COMPLAINANT,
        on_behalf=True,
        events=(cases.ReviewRequested,),
        procedures=_PETITION,
        guards=("final", "review-asked", "not-the-complainant"),
    ),
    Transition(
        command="request-re-review",
        service="resolution",
        states=SETTLED,
        who=_COMPLAINANT,
        on_behalf=True,
        events=(cases.ReReviewRequested,),
        procedures=_PETITION,
        guards=("final", "no-opinion-yet", "not-the-complainant"),
    ),
    Transition(
        command="record-review-opinion",
        service="resolution",
        states=SETTLED,
        who=frozenset((R.REVIEWER,)),
        events=(cases.ReviewOpinionRecorded,),
        procedures=_PETITION,
        guards=("no-review-asked", "final-on-re-review"),
    ),
    Transition(
        command="reopen-case",
        service="resolution",
        states=frozenset(("RESOLVED", "CLOSED", "WITHDRAWN", "REJECTED")),
        who=_VILLAGE_OR_HIGHER,
        events=(cases.CaseReopened,),
        to="IN_PROGRESS",
        guards=("final", "no-breach", "not-unsatisfied"),
    ),
    Transition(
        command="raise-query",
        service="resolution",
        states=ANY,
        who=_SUPERVISOR,
        adds=True,
        events=(cases.QueryRaised,),
    ),
    Transition(
        command="answer-query",
        service="resolution",
        states=ANY,
        who=_ANSWERER,
        adds=True,
        events=(cases.QueryAnswered,),
        guards=("query-unknown", "query-answered"),
    ),
    Transition(
        command="demand-correction",
        service="resolution",
        states=ANY,
        who=_SUPERVISOR,
        adds=True,
        events=(cases.CorrectionDemanded,),
    ),
    Transition(
        command="answer-demand",
        service="resolution",
        states=ANY,
        who=_ANSWERER,
        adds=True,
        events=(cases.DemandAnswered,),
        guards=("demand-unknown", "demand-answered"),
    ),
    Transition(
        command="annotate-audit",
        service="resolution",
        states=ANY,
        who=_SUPERVISOR,
        adds=True,
        events=(cases.AuditNoted,),
    ),
    Transition(
        command="declare-conflict",
        service="resolution",
        states=ANY,
        who=frozenset((R.ACTOR,)),
        adds=True,
        events=(cases.ConflictDeclared,),
    ),
    Transition(
        command="record-correction",
        service="resolution",
        states=ANY,
        who=frozenset((R.SUPERIOR,)),
        adds=True,
        events=(cases.RecordCorrected,),
        guards=("event-unknown", "field-unknown"),
    ),
)

ALWAYS = ("too-late", "ahead-of-time", "person-unknown")
"""Guards of every command: `occurred_at`, and whom `about` names."""

TRANSITIONS: dict[str, Transition] = {row.command: row for row in _ROWS}
"""Command name to row, in the order of a case's life."""

HANDLING_TOPICS: frozenset[str] = frozenset(
    topic for row in _ROWS if not row.adds for topic in row.topics
) - frozenset(topic for row in _ROWS if row.adds for topic in row.topics)
"""Topics of events that make an `If-Match` stale: those that no adding command gives."""
