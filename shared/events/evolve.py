"""Folding a case: `evolve` is pure, and total over any subsequence of a stream.

"As of what had happened by t" leaves events out, so every branch copes with what it
would normally follow being absent.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from uuid import UUID

from msgspec.structs import replace

from shared.events import cases
from shared.events.base import Event
from shared.events.case import (
    Agreement,
    AgreementTerm,
    Author,
    Case,
    Demand,
    Document,
    FollowUp,
    Mark,
    Mediation,
    Query,
    Review,
)
from shared.events.clocks import TOUCHING, turn_clocks
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.events.vocabulary import Level, TermState

Changes = dict[str, Any]
"""Fields of a case and their new values."""


def fold(stream: Iterable[Recorded], case: Case | None = None) -> Case | None:
    """The case that the given events, in the order of their stream, add up to."""
    for recorded in stream:
        case = evolve(case, recorded, event_of(recorded))
    return case


def evolve(case: Case | None, recorded: Recorded, event: Event) -> Case | None:
    """The case after one more event; None as long as its registration has not been seen."""
    if isinstance(event, cases.CaseRegistered):
        return _registered(recorded, event)
    if case is None:
        return None
    change = _CHANGES.get(type(event))
    changed = change(case, recorded, event) if change is not None else {}
    if type(event) in TOUCHING:
        state = changed.get("state", case.state)
        standing_still = changed.get("suspended_timers", case.suspended_timers)
        changed["deadlines"] = turn_clocks(case, state, standing_still, recorded, event)
    author = _author(recorded)
    if author not in case.authors:
        changed["authors"] = (*case.authors, author)
    return replace(case, version=recorded.version, position=recorded.position, **changed)


def _author(recorded: Recorded) -> Author:
    return Author(recorded.actor_ref, recorded.actor_role, recorded.unit)


def _mark(recorded: Recorded) -> Mark:
    return Mark(recorded.topic, recorded.position, recorded.occurred_at, recorded.event_id)


def _registered(recorded: Recorded, event: cases.CaseRegistered) -> Case:
    mark = _mark(recorded)
    return Case(
        case_id=recorded.stream_id,
        version=recorded.version,
        position=recorded.position,
        state="REGISTERED",
        procedure=event.procedure,
        category=event.category,
        channel=event.channel,
        title=event.title,
        description=event.description,
        item=event.item,
        source=event.source,
        collective=event.collective,
        accused=event.accused,
        opener_ref=recorded.actor_ref,
        opened_at=recorded.occurred_at,
        origin_unit=event.origin_unit,
        origin_level=event.origin_level,
        docket_unit=event.holder_unit if event.procedure == "ACCUSATION" else event.origin_unit,
        holder_unit=event.holder_unit,
        holder_level=event.holder_level,
        held_units=(event.holder_unit,),
        held_levels=(event.holder_level,),
        people=event.people,
        authors=(_author(recorded),),
        registered=mark,
        held=mark,
        stated=mark,
        reached=((event.holder_level, mark),),
    )


def _arrived(case: Case, recorded: Recorded, unit: UUID, level: Level) -> Changes:
    """The case has come to a new holder."""
    mark = _mark(recorded)
    seen = level in case.held_levels
    return {
        "holder_unit": unit,
        "holder_level": level,
        "held_units": case.held_units if unit in case.held_units else (*case.held_units, unit),
        "held_levels": case.held_levels if seen else (*case.held_levels, level),
        "reached": case.reached if seen else (*case.reached, (level, mark)),
        "handler_ref": None,
        "mediator_ref": None,
        "mediation": _lapsed(case.mediation),
        "conflict_since": recorded.position if unit in case.barred_units else None,
        "delegated_from": None,
        "held": mark,
    }


def _lapsed(mediation: Mediation | None) -> Mediation | None:
    """An offer still open, or a mediation cut short, has come to nothing."""
    if mediation is None or mediation.state not in ("OFFERED", "STARTED"):
        return mediation
    return replace(mediation, state="ENDED")


def _stated(recorded: Recorded, state: str) -> Changes:
    """The case has come into a state; nothing is pending, whatever ended the waiting."""
    return {"state": state, "stated": _mark(recorded), "pending_unit": None, "pending_level": None}


def _accepted(case: Case, recorded: Recorded, event: cases.CaseAccepted) -> Changes:
    return {"procedure": event.procedure, **_stated(recorded, "ACCEPTED")}


def _transferred(case: Case, recorded: Recorded, event: cases.CaseTransferred) -> Changes:
    if event.to_unit is None:
        return {"external_body": event.external_body, **_stated(recorded, "TRANSFERRED")}
    level = event.to_level or case.holder_level
    return {**_arrived(case, recorded, event.to_unit, level), **_stated(recorded, "REGISTERED")}


def _merged(case: Case, recorded: Recorded, event: cases.CaseMerged) -> Changes:
    return {"merged_into": event.into_case_id, **_stated(recorded, "MERGED")}


def _absorbed(case: Case, recorded: Recorded, event: cases.CaseAbsorbed) -> Changes:
    mark = _mark(recorded)
    changes: Changes = {
        "absorbed": (*case.absorbed, *event.absorbed),
        "absorptions": (*case.absorptions, *(mark for _ in event.absorbed)),
    }
    urgent = [duplicate for duplicate in event.absorbed if duplicate.urgent]
    confirmed = any(duplicate.urgency_status == "CONFIRMED" for duplicate in urgent)
    if urgent and (not case.urgent or (confirmed and case.urgency_status != "CONFIRMED")):
        facets = tuple(dict.fromkeys((*case.facets, *(facet for d in urgent for facet in d.facets))))
        status = "CONFIRMED" if confirmed else "PROPOSED"
        changes |= {"urgent": True, "urgency_status": status, "facets": facets, "classified": mark}
    return changes


def _escalated(case: Case, recorded: Recorded, event: cases.CaseEscalated) -> Changes:
    return {
        **_stated(recorded, "PENDING_ESCALATION"),
        "pending_unit": event.to_unit,
        "pending_level": event.to_level,
    }


def _escalation_accepted(case: Case, recorded: Recorded, event: cases.EscalationAccepted) -> Changes:
    return {**_arrived(case, recorded, event.unit, event.level), **_stated(recorded, "IN_PROGRESS")}


def _escalation_returned(case: Case, recorded: Recorded, event: cases.EscalationReturned) -> Changes:
    return {"returns": case.returns + 1, **_stated(recorded, "IN_PROGRESS")}


def _delegated(case: Case, recorded: Recorded, event: cases.CaseDelegated) -> Changes:
    return {
        **_arrived(case, recorded, event.to_unit, event.to_level),
        **_stated(recorded, "IN_PROGRESS"),
        "delegated_from": case.holder_unit,
    }


def _taken_over(case: Case, recorded: Recorded, event: cases.CaseTakenOver) -> Changes:
    # Nobody need have accepted it at the level below.
    procedure = case.procedure or "SELF_GOVERNANCE"
    arrived = _arrived(case, recorded, event.unit, event.level)
    return {"procedure": procedure, **arrived, **_stated(recorded, "IN_PROGRESS")}


def _objected(case: Case, recorded: Recorded, event: cases.JurisdictionObjected) -> Changes:
    return {**_arrived(case, recorded, event.to_unit, event.to_level), **_stated(recorded, "IN_PROGRESS")}


def _handler_assigned(case: Case, recorded: Recorded, event: cases.HandlerAssigned) -> Changes:
    return {
        "handler_ref": event.handler_ref,
        "handler_refs": _with(case.handler_refs, event.handler_ref),
        **_stated(recorded, "IN_PROGRESS"),
    }


T = TypeVar("T")


def _with(items: tuple[T, ...], item: T | None) -> tuple[T, ...]:
    return items if item is None or item in items else (*items, item)


def _mediation_offered(case: Case, recorded: Recorded, event: cases.MediationOffered) -> Changes:
    return {
        "mediation": Mediation(parties=event.parties, mediator_ref=event.mediator_ref),
        "mediator_ref": event.mediator_ref or case.mediator_ref,
        "handler_refs": _with(case.handler_refs, event.mediator_ref),
        "refusals": tuple(ref for ref in case.refusals if ref not in event.requested_by),
    }


def _mediation_consented(case: Case, recorded: Recorded, event: cases.MediationConsented) -> Changes:
    mediation = case.mediation
    if mediation is None or mediation.state != "OFFERED" or event.person_ref in mediation.consented:
        return {}
    consented = (*mediation.consented, event.person_ref)
    if set(mediation.parties) <= set(consented):
        started = replace(mediation, consented=consented, state="STARTED")
        return {"mediation": started, **_stated(recorded, "IN_MEDIATION")}
    return {"mediation": replace(mediation, consented=consented)}


def _mediation_refused(case: Case, recorded: Recorded, event: cases.MediationRefused) -> Changes:
    return {
        "refusals": _with(case.refusals, event.person_ref),
        "mediation": case.mediation and replace(case.mediation, state="REFUSED"),
        "mediator_ref": None,
    }


def _mediation_terminated(case: Case, recorded: Recorded, event: cases.MediationTerminated) -> Changes:
    refusals = case.refusals
    if event.ground == "REFUSED" and case.mediation is not None:
        # Whoever ended it refused; where the mediator recorded it of nobody in particular, they all did.
        parties = case.mediation.parties
        own = [
            p.person_ref for p in case.people if p.actor_ref == recorded.actor_ref and p.person_ref in parties
        ]
        named = [event.on_behalf_of.person_ref] if event.on_behalf_of is not None else own or parties
        refusals = tuple(dict.fromkeys((*refusals, *named)))
    return {
        "mediation": case.mediation and replace(case.mediation, state="ENDED"),
        "terminations": (*case.terminations, _mark(recorded)),
        "mediator_ref": None,
        "refusals": refusals,
        **_stated(recorded, "IN_PROGRESS"),
    }


def _agreement_reached(case: Case, recorded: Recorded, event: cases.AgreementReached) -> Changes:
    terms = tuple(
        AgreementTerm(term_no=term.term_no, text=term.text, due_on=term.due_on, state="DUE")
        for term in event.terms
    )
    parties = case.mediation.parties if case.mediation else ()
    signers = tuple(signature.person_ref for signature in event.signatures)
    return {
        "agreement": Agreement(
            form=event.form,
            terms=terms,
            signers=signers or parties,
            parties=parties,
            reached=_mark(recorded),
        ),
        "mediation": case.mediation and replace(case.mediation, state="AGREED"),
        "earlier_agreements": case.agreements,
    }


def _agreement_effective(case: Case, recorded: Recorded, event: cases.AgreementEffective) -> Changes:
    return {
        "agreement": case.agreement and replace(case.agreement, effective=True),
        "outcome": "SETTLED",
        "degree": "FULL",
        **_resolution(case, recorded),
    }


def _resolution(case: Case, recorded: Recorded) -> Changes:
    return {
        "resolver_ref": recorded.actor_ref,
        "handler_refs": _with(case.handler_refs, recorded.actor_ref),
        "resolved_level": case.holder_level,
        "resolutions": (*case.resolutions, _mark(recorded)),
        **_stated(recorded, "RESOLVED"),
    }


def _resolved(case: Case, recorded: Recorded, event: cases.CaseResolved) -> Changes:
    return {
        "outcome": event.outcome,
        "degree": event.degree,
        "partial_counts": event.partial_counts,
        **_resolution(case, recorded),
    }


def _reopened(case: Case, recorded: Recorded, event: cases.CaseReopened) -> Changes:
    return {
        "cycle": case.cycle + 1,
        "procedure": case.procedure or "SELF_GOVERNANCE",
        "returns": 0,
        "outcome": None,
        "degree": None,
        "resolver_ref": None,
        "resolved_level": None,
        "closed_at": None,
        "archived_at": None,
        "external_body": None,
        "mediation": _lapsed(case.mediation),
        "review": None,
        "replied_on": None,
        "reopenings": (*case.reopenings, _mark(recorded)),
        **_stated(recorded, "IN_PROGRESS"),
    }


def _suspended(case: Case, recorded: Recorded, event: cases.CaseSuspended) -> Changes:
    return {
        "suspended_from": case.state,
        "suspended_timers": event.pauses,
        **_stated(recorded, "SUSPENDED"),
    }


def _resumed(case: Case, recorded: Recorded, event: cases.CaseResumed) -> Changes:
    return {"suspended_from": None, **_stated(recorded, case.suspended_from or "IN_PROGRESS")}


def _follow_up(case: Case, recorded: Recorded, event: cases.FollowUpRecorded) -> Changes:
    attempt = FollowUp(
        cycle=case.cycle,
        reached=event.reached,
        solved=event.solved,
        satisfied=event.satisfied,
        mark=_mark(recorded),
    )
    return {"follow_ups": (*case.follow_ups, attempt)}


def _closed(case: Case, recorded: Recorded, event: cases.CaseClosed) -> Changes:
    return {"closed_at": recorded.occurred_at, **_stated(recorded, "CLOSED")}


def _term(state: TermState) -> Callable[[Case, Recorded, Any], Changes]:
    def change(case: Case, recorded: Recorded, event: Any) -> Changes:
        if case.agreement is None:
            return {}
        terms = tuple(
            replace(term, state=state, mark=_mark(recorded)) if term.term_no == event.term_no else term
            for term in case.agreement.terms
        )
        return {"agreement": replace(case.agreement, terms=terms)}

    return change


def _confirmation(outcome: str) -> Callable[[Case, Recorded, Any], Changes]:
    def change(case: Case, recorded: Recorded, event: Any) -> Changes:
        if case.agreement is None:
            return {}
        terms = case.agreement.terms
        if outcome == "GRANTED":
            handled = {"state": "HANDLED", "mark": _mark(recorded)}
            terms = tuple(replace(t, **handled) if t.state == "BREACHED" else t for t in terms)
        return {"agreement": replace(case.agreement, confirmation=outcome, terms=terms)}

    return change


def _level_notified(case: Case, recorded: Recorded, event: cases.LevelNotified) -> Changes:
    if event.unit in case.notified_units:
        return {}
    return {
        "notified_units": (*case.notified_units, event.unit),
        "notified_levels": (*case.notified_levels, event.level),
    }


def _referred(case: Case, recorded: Recorded, event: cases.ReferredToPolice) -> Changes:
    return (
        {"police_units": (*case.police_units, event.to_unit)}
        if event.to_unit not in case.police_units
        else {}
    )


def _document(case: Case, recorded: Recorded, event: cases.DocumentAttached) -> Changes:
    document = Document(
        document_kind=event.document_kind,
        event_id=recorded.event_id,
        file_id=event.file_id,
        paper_location=event.paper_location,
        person_ref=event.person_ref,
        attached_at=recorded.occurred_at,
    )
    return {"documents": (*case.documents, document)}


def _urgency(case: Case, recorded: Recorded, event: cases.UrgencyClassified) -> Changes:
    return {
        "urgent": event.urgent,
        "urgency_status": event.status,
        "facets": event.facets,
        "classified": _mark(recorded),
    }


def _query_raised(case: Case, recorded: Recorded, event: cases.QueryRaised) -> Changes:
    query = Query(
        query_id=event.query_id, event_id=recorded.event_id, state="OPEN", asked_at=recorded.occurred_at
    )
    return {"queries": (*case.queries, query)}


def _query_answered(case: Case, recorded: Recorded, event: cases.QueryAnswered) -> Changes:
    return {
        "queries": tuple(
            replace(query, state="ANSWERED") if query.query_id == event.query_id else query
            for query in case.queries
        )
    }


def _demanded(case: Case, recorded: Recorded, event: cases.CorrectionDemanded) -> Changes:
    demand = Demand(demand_id=event.demand_id, event_id=recorded.event_id, asked_at=recorded.occurred_at)
    return {"demands": (*case.demands, demand)}


def _demand_answered(case: Case, recorded: Recorded, event: cases.DemandAnswered) -> Changes:
    return {
        "demands": tuple(
            replace(demand, outcome=event.outcome) if demand.demand_id == event.demand_id else demand
            for demand in case.demands
        )
    }


def _conflict(case: Case, recorded: Recorded, event: cases.ConflictDeclared) -> Changes:
    since = case.conflict_since
    if since is None and recorded.unit == case.holder_unit:
        since = recorded.position
    return {
        "barred": _with(case.barred, recorded.actor_ref),
        "barred_units": _with(case.barred_units, recorded.unit),
        "conflict_since": since,
    }


_CHANGES: dict[type[Event], Callable[[Case, Recorded, Any], Changes]] = {
    cases.CaseAccepted: _accepted,
    cases.CaseRejected: lambda case, recorded, event: _stated(recorded, "REJECTED"),
    cases.CaseTransferred: _transferred,
    cases.CaseMerged: _merged,
    cases.CaseAbsorbed: _absorbed,
    cases.PersonAdded: lambda case, recorded, event: {"people": (*case.people, event.person)},
    cases.RiskFlagged: lambda case, recorded, event: {"risks": _with(case.risks, event.risk)},
    cases.WarningLevelConfirmed: lambda case, recorded, event: {"warning_level": event.level},
    cases.ReferredToPolice: _referred,
    cases.LevelNotified: _level_notified,
    cases.DocumentAttached: _document,
    cases.ContactRecorded: lambda case, recorded, event: {"contacts": (*case.contacts, _mark(recorded))},
    cases.ReplyRecorded: lambda case, recorded, event: {"replied_on": event.delivered_on},
    cases.HandlerAssigned: _handler_assigned,
    cases.ProcedureChanged: lambda case, recorded, event: {"procedure": event.procedure},
    cases.UrgencyClassified: _urgency,
    cases.MediationOffered: _mediation_offered,
    cases.MediationConsented: _mediation_consented,
    cases.MediationRefused: _mediation_refused,
    cases.MediationTerminated: _mediation_terminated,
    cases.AgreementReached: _agreement_reached,
    cases.AgreementEffective: _agreement_effective,
    cases.CaseEscalated: _escalated,
    cases.EscalationAccepted: _escalation_accepted,
    cases.EscalationReturned: _escalation_returned,
    cases.CaseDelegated: _delegated,
    cases.CaseTakenOver: _taken_over,
    cases.JurisdictionObjected: _objected,
    cases.CaseSuspended: _suspended,
    cases.CaseResumed: _resumed,
    cases.CaseResolved: _resolved,
    cases.CaseWithdrawn: lambda case, recorded, event: _stated(recorded, "WITHDRAWN"),
    cases.FollowUpRecorded: _follow_up,
    cases.CaseClosed: _closed,
    cases.CaseArchived: lambda case, recorded, event: {"archived_at": recorded.occurred_at},
    cases.AgreementFulfilled: _term("FULFILLED"),
    cases.AgreementBreached: _term("BREACHED"),
    cases.BreachHandled: _term("HANDLED"),
    cases.JudicialConfirmationApplied: _confirmation("APPLIED"),
    cases.JudicialConfirmationGranted: _confirmation("GRANTED"),
    cases.JudicialConfirmationDenied: _confirmation("DENIED"),
    cases.ReviewRequested: lambda case, recorded, event: {"review": Review(stage="REVIEW", answered=False)},
    cases.ReReviewRequested: lambda case, recorded, event: {
        "review": Review(stage="RE_REVIEW", answered=False)
    },
    cases.ReviewOpinionRecorded: lambda case, recorded, event: {
        "review": case.review and replace(case.review, answered=True),
        "final": case.final or event.final,
    },
    cases.CaseReopened: _reopened,
    cases.QueryRaised: _query_raised,
    cases.QueryAnswered: _query_answered,
    cases.CorrectionDemanded: _demanded,
    cases.DemandAnswered: _demand_answered,
    cases.ConflictDeclared: _conflict,
}

TURNING: Final[frozenset[type[Event]]] = TOUCHING | _CHANGES.keys() | {cases.CaseRegistered}
"""The events that change more of a case than who recorded something last."""
