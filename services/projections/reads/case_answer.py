"""A case, one row of a list of cases, and one line of a timeline as they are answered.

Values that are private stand in the answers as `Private` leaves; see `shown`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.projections.reads.shown import data_of
from services.projections.reads.time_left import time_left
from shared.events.base import Person
from shared.events.case import Agreement, Case, Mediation
from shared.events.deadlines import Deadline
from shared.events.recorded import Recorded
from shared.policy.policy import Policy


def case_answer(case: Case, missing: Sequence[str], instant: datetime, policy: Policy) -> dict[str, Any]:
    """All that is told of one case as of an instant.

    `missing` names the documents its dossier lacks; `policy` are the rules of its holder.
    """
    due = {deadline.subject: deadline.due_at for deadline in case.deadlines if deadline.subject}
    return {
        "case_id": case.case_id,
        "version": case.version,
        "state": case.state,
        "procedure": case.procedure,
        "category": case.category,
        "channel": case.channel,
        "title": case.title,
        "description": case.description,
        "item": case.item,
        "origin_unit": case.origin_unit,
        "holder_unit": case.holder_unit,
        "holder_level": case.holder_level,
        "pending_unit": case.pending_unit,
        "pending_level": case.pending_level,
        "handler_ref": case.handler_ref,
        "mediator_ref": case.mediator_ref,
        "collective": case.collective,
        "urgent": case.urgent,
        "urgency_status": case.urgency_status,
        "facets": list(case.facets),
        "warning_level": case.warning_level,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "cycle": case.cycle,
        "final": case.final,
        "outcome": case.outcome,
        "degree": case.degree,
        "people": [person_told(person) for person in case.people],
        "mediation": case.mediation and _mediation(case.mediation),
        "agreement": case.agreement and _agreement(case.agreement),
        "dossier": {"complete": not missing, "missing": list(missing)},
        "documents": [
            {
                "document_kind": document.document_kind,
                "event_id": document.event_id,
                "file_id": document.file_id,
                "paper_location": document.paper_location,
                "person_ref": document.person_ref,
                "attached_at": document.attached_at,
            }
            for document in case.documents
        ],
        "deadlines": [
            deadline_told(deadline) | {"left": time_left(deadline, case.holder_level, instant, policy)}
            for deadline in case.deadlines
        ],
        "archived_at": case.archived_at,
        "queries": [
            {
                "query_id": query.query_id,
                "state": query.state,
                "asked_at": query.asked_at,
                "due_at": due.get(query.query_id),
            }
            for query in case.queries
        ],
        "demands": [
            {
                "demand_id": demand.demand_id,
                "outcome": demand.outcome,
                "asked_at": demand.asked_at,
                "due_at": due.get(demand.demand_id),
            }
            for demand in case.demands
        ],
        "merged_into": case.merged_into,
        "external_body": case.external_body
        and {"kind": case.external_body.kind, "name": case.external_body.name},
    }


def deadline_told(deadline: Deadline) -> dict[str, Any]:
    return {
        "timer": deadline.timer,
        "version": deadline.version,
        "started_at": deadline.started_at,
        "due_at": deadline.due_at,
        "original_due_at": deadline.original_due_at,
        "state": deadline.state,
        "awaiting": "CALENDAR" if deadline.state == "AWAITING" else None,
    }


def person_told(person: Person) -> dict[str, Any]:
    """A person without the fields that nobody filled in."""
    told = {
        "person_ref": person.person_ref,
        "role": person.role,
        "name": person.name,
        "phone": person.phone,
        "address": person.address,
        "id_number": person.id_number,
        "actor_ref": person.actor_ref,
    }
    return {name: value for name, value in told.items() if value is not None}


def _mediation(mediation: Mediation) -> dict[str, Any]:
    return {
        "state": mediation.state,
        "parties": list(mediation.parties),
        "consented": list(mediation.consented),
        "mediator_ref": mediation.mediator_ref,
    }


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        "form": agreement.form,
        "effective": agreement.effective,
        "confirmation": agreement.confirmation,
        "terms": [
            {"term_no": term.term_no, "text": term.text, "due_on": term.due_on, "state": term.state}
            for term in agreement.terms
        ],
    }


def timeline_item(recorded: Recorded, summary: str) -> dict[str, Any]:
    """One event of a case: who, what, when it happened and when that was recorded."""
    return {
        "event_id": recorded.event_id,
        "position": recorded.position,
        "version": recorded.version,
        "topic": recorded.topic,
        "occurred_at": recorded.occurred_at,
        "recorded_at": recorded.recorded_at,
        "actor_ref": recorded.actor_ref,
        "actor_role": recorded.actor_role,
        "unit": recorded.unit,
        "summary": summary,
        "data": data_of(recorded.data),
    }
