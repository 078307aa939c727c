"""What intake adds to an open case: people, visits, documents, contacts, notices."""

from services.intake.domain.commands import (
    AddPerson,
    AttachDocument,
    NotifyComplainant,
    RecordContact,
    RecordVisit,
    person_of,
)
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    ComplainantNotified,
    ContactRecorded,
    DocumentAttached,
    PersonAdded,
    VisitRecorded,
)
from shared.policy.checks import file_digest, not_after, on_case
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.policy import Policy
from shared.policy.refusal import Taken
from shared.policy.rules import refusal


def add_person(case: Case, command: Command, body: AddPerson, policy: Policy) -> Decision:
    person = person_of(body)
    if case.person(person.person_ref) is not None:
        raise refusal(Taken, "id-taken", "/person_ref")
    return decision(case, command, PersonAdded(person=person), people=(person,))


def record_visit(case: Case, command: Command, body: RecordVisit, policy: Policy) -> Decision:
    visited = VisitRecorded(
        visit_kind=body.visit_kind,
        household_ref=body.household_ref,
        findings=Private.of(body.findings),
    )
    return decision(case, command, visited)


def attach_document(case: Case, command: Command, body: AttachDocument, policy: Policy) -> Decision:
    if body.person_ref is not None:
        on_case(case, body.person_ref, "/person_ref")
    attached = DocumentAttached(
        document_kind=body.document_kind,
        file_id=body.file_id,
        digest=None if body.file_id is None else file_digest(command, body.file_id, "/file_id"),
        paper_location=Private.maybe(body.paper_location),
        person_ref=body.person_ref,
    )
    return decision(case, command, attached)


def record_contact(case: Case, command: Command, body: RecordContact, policy: Policy) -> Decision:
    return decision(case, command, ContactRecorded(reached=body.reached, means=body.means))


def notify_complainant(case: Case, command: Command, body: NotifyComplainant, policy: Policy) -> Decision:
    not_after(body.delivered_on, command, "/delivered_on")
    notified = ComplainantNotified(notice=body.notice, delivered_on=body.delivered_on, means=body.means)
    return decision(case, command, notified)
