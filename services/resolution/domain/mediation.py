"""Mediation from the offer to an agreement or its end, and how the agreement is kept."""

from services.resolution.domain import commands
from shared.events.base import Private
from shared.events.case import Agreement, AgreementTerm, Case
from shared.events.cases import (
    AgreementBreached,
    AgreementEffective,
    AgreementFulfilled,
    AgreementReached,
    BreachHandled,
    JudicialConfirmationApplied,
    JudicialConfirmationDenied,
    JudicialConfirmationGranted,
    MediationConsented,
    MediationOffered,
    MediationRefused,
    MediationTerminated,
    Signature,
    Term,
)
from shared.policy.bodies import PersonalBody
from shared.policy.checks import (
    among,
    check_window,
    file_digest,
    for_a_party,
    not_after,
    on_case,
    unconflicted,
)
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.guards import TERM_STEPS
from shared.policy.policy import Policy
from shared.policy.relations import parties
from shared.policy.rules import failed


def offer_mediation(case: Case, command: Command, body: commands.OfferMediation, policy: Policy) -> Decision:
    """Source: 人民调解法 art. 17: never after a party's explicit refusal, until that party asks."""
    for index, party in enumerate(body.parties):
        on_case(case, party, f"/parties/{index}")
    for index, party in enumerate(body.requested_by):
        among(body.parties, party, f"/requested_by/{index}")
    if set(case.refusals) & set(body.parties) - set(body.requested_by):
        raise failed("refused-before", "/requested_by")
    if body.mediator_ref is not None:
        unconflicted(case, body.mediator_ref, "/mediator_ref")
    offered = MediationOffered(
        parties=body.parties, mediator_ref=body.mediator_ref, requested_by=body.requested_by
    )
    return decision(case, command, offered)


def consent_to_mediation(
    case: Case, command: Command, body: commands.ConsentToMediation, policy: Policy
) -> Decision:
    _check_person(case, body)
    if case.mediation is not None and body.person_ref in case.mediation.consented:
        raise failed("already-consented", "/person_ref")
    consented = MediationConsented(
        person_ref=body.person_ref, on_behalf_of=body.on_behalf_of, reason=Private.maybe(body.reason)
    )
    return decision(case, command, consented)


def refuse_mediation(
    case: Case, command: Command, body: commands.RefuseMediation, policy: Policy
) -> Decision:
    _check_person(case, body)
    refused = MediationRefused(
        person_ref=body.person_ref, on_behalf_of=body.on_behalf_of, reason=Private.maybe(body.reason)
    )
    return decision(case, command, refused)


def record_agreement(
    case: Case, command: Command, body: commands.RecordAgreement, policy: Policy
) -> Decision:
    """Both forms take effect with the record. Source: 人民调解法 arts 28–30."""
    signatures = body.signatures or ()
    signed = {signature.person_ref for signature in signatures}
    for index, signature in enumerate(signatures):
        among(parties(case), signature.person_ref, f"/signatures/{index}/person_ref")
    if body.form == "WRITTEN":
        if not signed.issuperset(parties(case)):
            raise failed("agreement-form", "/signatures")
        if not body.mediator_signed:
            raise failed("agreement-form", "/mediator_signed")
        if not body.committee_sealed:
            raise failed("agreement-form", "/committee_sealed")
    reached = AgreementReached(
        form=body.form,
        facts=Private.of(body.facts),
        responsibilities=Private.of(body.responsibilities),
        terms=tuple(
            Term(term_no=number, text=Private.of(term.text), due_on=term.due_on)
            for number, term in enumerate(body.terms, 1)
        ),
        signatures=tuple(
            _signature(case, command, signature, f"/signatures/{index}")
            for index, signature in enumerate(signatures)
        ),
        mediator_signed=bool(body.mediator_signed),
        committee_sealed=bool(body.committee_sealed),
    )
    return decision(case, command, reached, AgreementEffective())


def _signature(case: Case, command: Command, fields: commands.SignatureFields, field: str) -> Signature:
    """With the digest of the file that it names, which must be the signer's own on an agreement."""
    digest = None
    if fields.file_id is not None:
        digest = file_digest(command, fields.file_id, f"{field}/file_id")
        theirs = {
            document.file_id
            for document in case.documents
            if document.document_kind == "AGREEMENT" and document.person_ref == fields.person_ref
        }
        if fields.file_id not in theirs:
            raise failed("file-unknown", f"{field}/file_id")
    return Signature(person_ref=fields.person_ref, kind=fields.kind, digest=digest, on_paper=fields.on_paper)


def terminate_mediation(
    case: Case, command: Command, body: commands.TerminateMediation, policy: Policy
) -> Decision:
    """Source: 人民调解法 art. 26: whoever ends it tells the parties what else they may do."""
    for_a_party(parties(case), body.on_behalf_of)
    if not body.remedies_notified:
        raise failed("remedies-not-notified", "/remedies_notified")
    terminated = MediationTerminated(ground=body.ground, on_behalf_of=body.on_behalf_of)
    return decision(case, command, terminated)


def record_fulfilment(
    case: Case, command: Command, body: commands.RecordFulfilment, policy: Policy
) -> Decision:
    term = _term(case, command, body)
    fulfilled = AgreementFulfilled(
        term_no=term.term_no, detail=Private.of(body.detail), on_behalf_of=body.on_behalf_of
    )
    return decision(case, command, fulfilled)


def record_breach(case: Case, command: Command, body: commands.RecordBreach, policy: Policy) -> Decision:
    term = _term(case, command, body)
    breached = AgreementBreached(
        term_no=term.term_no, detail=Private.of(body.detail), on_behalf_of=body.on_behalf_of
    )
    return decision(case, command, breached)


def record_breach_handled(
    case: Case, command: Command, body: commands.RecordBreachHandled, policy: Policy
) -> Decision:
    term = _term(case, command, body)
    handled = BreachHandled(
        term_no=term.term_no, detail=Private.of(body.detail), on_behalf_of=body.on_behalf_of
    )
    return decision(case, command, handled)


def apply_judicial_confirmation(
    case: Case, command: Command, body: commands.ApplyJudicialConfirmation, policy: Policy
) -> Decision:
    """A joint application of all who signed. Source: 人民调解法 art. 33."""
    agreement = _agreement(case)
    for_a_party(agreement.parties, body.on_behalf_of)
    check_window(case, command, "T10")
    if set(body.applicants) != set(agreement.signers):
        raise failed("applicants", "/applicants")
    applied = JudicialConfirmationApplied(
        applicants=body.applicants, court=Private.of(body.court), on_behalf_of=body.on_behalf_of
    )
    return decision(case, command, applied)


def record_confirmation_outcome(
    case: Case, command: Command, body: commands.RecordConfirmationOutcome, policy: Policy
) -> Decision:
    for_a_party(_agreement(case).parties, body.on_behalf_of)
    not_after(body.decided_on, command, "/decided_on")
    outcome = JudicialConfirmationGranted if body.granted else JudicialConfirmationDenied
    decided = outcome(
        court=Private.of(body.court), decided_on=body.decided_on, on_behalf_of=body.on_behalf_of
    )
    return decision(case, command, decided)


def _check_person(case: Case, body: PersonalBody) -> None:
    """The person is a party; recorded on somebody's behalf, it is that person's."""
    among(parties(case), body.person_ref, "/person_ref")
    if body.on_behalf_of is not None:
        among((body.person_ref,), body.on_behalf_of.person_ref, "/on_behalf_of/person_ref")


def _agreement(case: Case) -> Agreement:
    assert case.agreement is not None, "a guard on the state has seen to it"
    return case.agreement


def _term(
    case: Case,
    command: Command,
    body: commands.RecordFulfilment | commands.RecordBreach | commands.RecordBreachHandled,
) -> AgreementTerm:
    agreement = _agreement(case)
    for_a_party(agreement.parties, body.on_behalf_of)
    term = next((term for term in agreement.terms if term.term_no == body.term_no), None)
    if term is None:
        raise failed("term-unknown", "/term_no")
    if term.state not in TERM_STEPS[command.name]:
        raise failed("term-state", "/term_no")
    return term
