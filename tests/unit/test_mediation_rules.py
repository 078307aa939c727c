"""Mediation: offers, consent, refusal, what makes an agreement valid, and how it is kept."""

from typing import Any
from uuid import UUID

import pytest

from shared.events.cases import AgreementReached
from shared.policy.refusal import Forbidden, GuardFailed, WrongState
from tests.unit.casework import (
    LEADER,
    NEIGHBOUR,
    RESIDENT,
    VILLAGE_MEDIATOR,
    VILLAGE_OFFICER,
    Docket,
    new_id,
)
from tests.unit.test_stories import SATISFIED, refused

ORAL = {
    "form": "ORAL",
    "facts": "沟堵",
    "responsibilities": "共同",
    "terms": [{"text": "清沟"}, {"text": "付五百元"}],
}


class Dispute:
    """Two neighbours, both with tokens of their own, before their group leader."""

    def __init__(self, **opening: Any) -> None:
        self.docket = Docket()
        self.first, self.second = str(new_id()), str(new_id())
        self.case_id: UUID = self.docket.open(
            LEADER,
            people=[
                {"person_ref": self.first, "role": "COMPLAINANT", "name": "甲", "actor_ref": RESIDENT.ref},
                {"person_ref": self.second, "role": "RESPONDENT", "name": "乙", "actor_ref": NEIGHBOUR.ref},
            ],
            **opening,
        )
        self.send("accept-case", LEADER)

    def send(self, name: str, by: Any, /, **fields: Any) -> list[str]:
        return self.docket.send(self.case_id, name, by, **fields)

    def offer(self, by: Any = LEADER, **fields: Any) -> None:
        self.send("offer-mediation", by, parties=[self.first, self.second], **fields)

    def consent(self) -> None:
        self.send("consent-to-mediation", RESIDENT, person_ref=self.first)
        self.send("consent-to-mediation", NEIGHBOUR, person_ref=self.second)

    @property
    def case(self) -> Any:
        return self.docket.cases[self.case_id]


def agreed() -> Dispute:
    dispute = Dispute()
    dispute.offer()
    dispute.consent()
    dispute.send("record-agreement", LEADER, **ORAL)
    return dispute


def test_mediation_begins_when_every_party_has_consented() -> None:
    dispute = Dispute()
    with refused(GuardFailed, "no-offer"):
        dispute.send("consent-to-mediation", RESIDENT, person_ref=dispute.first)
    dispute.offer()
    dispute.send("consent-to-mediation", RESIDENT, person_ref=dispute.first)
    with refused(GuardFailed, "already-consented"):
        dispute.send("consent-to-mediation", RESIDENT, person_ref=dispute.first)
    with refused(Forbidden, "not-your-person"):
        dispute.send("consent-to-mediation", RESIDENT, person_ref=dispute.second)
    with refused(Forbidden, "no-relation"):
        dispute.send("consent-to-mediation", LEADER, person_ref=dispute.second)
    behalf = {"person_ref": dispute.first, "means": "PHONE"}
    with refused(GuardFailed, "not-a-party"):
        dispute.send("consent-to-mediation", LEADER, person_ref=dispute.second, on_behalf_of=behalf)
    assert dispute.case.state == "ACCEPTED"
    behalf["person_ref"] = dispute.second
    dispute.send("consent-to-mediation", LEADER, person_ref=dispute.second, on_behalf_of=behalf)
    assert (dispute.case.state, dispute.case.procedure) == ("IN_MEDIATION", "SELF_GOVERNANCE")


def test_after_a_refusal_only_the_party_s_own_request_brings_it_back() -> None:
    dispute = Dispute()
    dispute.offer()
    dispute.send("refuse-mediation", NEIGHBOUR, person_ref=dispute.second)
    with refused(GuardFailed, "refused-before"):
        dispute.offer()
    with refused(GuardFailed, "refused-before"):
        dispute.offer(requested_by=[dispute.first])
    dispute.offer(requested_by=[dispute.second])
    dispute.consent()
    dispute.send("terminate-mediation", NEIGHBOUR, ground="REFUSED", remedies_notified=True)
    with refused(GuardFailed, "refused-before"):
        dispute.offer(requested_by=[dispute.first])
    dispute.offer(requested_by=[dispute.second])


def test_a_refusal_recorded_of_nobody_in_particular_is_everybody_s() -> None:
    dispute = Dispute()
    dispute.offer()
    dispute.consent()
    with refused(GuardFailed, "remedies-not-notified"):
        dispute.send("terminate-mediation", LEADER, ground="REFUSED", remedies_notified=False)
    dispute.send("terminate-mediation", LEADER, ground="REFUSED", remedies_notified=True)
    assert set(dispute.case.refusals) == {UUID(dispute.first), UUID(dispute.second)}
    dispute.offer(requested_by=[dispute.first, dispute.second])


def test_a_failed_mediation_may_be_tried_again_by_another_mediator() -> None:
    dispute = Dispute()
    dispute.offer(mediator_ref=VILLAGE_MEDIATOR.ref)
    with refused(Forbidden, "no-relation"):
        dispute.offer()
    dispute.consent()
    with refused(Forbidden, "no-relation"):
        dispute.send("record-agreement", LEADER, **ORAL)
    dispute.send("terminate-mediation", VILLAGE_MEDIATOR, ground="FAILED", remedies_notified=True)
    assert dispute.case.state == "IN_PROGRESS"
    dispute.offer()


def test_only_civil_disputes_are_mediated() -> None:
    with refused(GuardFailed, "not-civil"):
        Dispute(category="VILLAGE_AFFAIRS").offer()


def test_mediators_have_no_part_in_the_dispute() -> None:
    dispute = Dispute()
    dispute.send("declare-conflict", VILLAGE_MEDIATOR, reason="亲属")
    for ref in (RESIDENT.ref, VILLAGE_MEDIATOR.ref):
        with refused(GuardFailed, "handler-conflict"):
            dispute.offer(mediator_ref=ref)


@pytest.mark.parametrize("missing", ["signatures", "mediator_signed", "committee_sealed"])
def test_a_written_agreement_needs_all_three(missing: str) -> None:
    dispute = Dispute()
    dispute.offer()
    dispute.consent()
    both = [
        {"person_ref": dispute.first, "kind": "SIGNED"},
        {"person_ref": dispute.second, "kind": "FINGERPRINT"},
    ]
    written = ORAL | {
        "form": "WRITTEN",
        "signatures": both,
        "mediator_signed": True,
        "committee_sealed": True,
    }
    lacking = written | {missing: both[:1] if missing == "signatures" else False}
    with refused(GuardFailed, "agreement-form"):
        dispute.send("record-agreement", LEADER, **lacking)
    assert dispute.send("record-agreement", LEADER, **written) == [
        "case.agreement_reached",
        "case.agreement_effective",
    ]
    assert (dispute.case.state, dispute.case.outcome, dispute.case.degree) == ("RESOLVED", "SETTLED", "FULL")


def test_a_signature_names_a_file_that_is_attached_as_the_signers_own() -> None:
    dispute = Dispute()
    dispute.offer()
    dispute.consent()
    mine, other, unattached = (str(new_id()) for _ in range(3))
    for file_id, kind in ((mine, "AGREEMENT"), (other, "EVIDENCE")):
        document = {"document_kind": kind, "file_id": file_id, "person_ref": dispute.first}
        dispute.send("attach-document", LEADER, **document)

    def agreement(person_ref: str, file_id: str) -> dict[str, Any]:
        return ORAL | {"signatures": [{"person_ref": person_ref, "kind": "SIGNED", "file_id": file_id}]}

    for person_ref, file_id in ((dispute.first, other), (dispute.first, unattached), (dispute.second, mine)):
        with refused(GuardFailed, "file-unknown"):
            dispute.send("record-agreement", LEADER, **agreement(person_ref, file_id))
    dispute.send("record-agreement", LEADER, **agreement(dispute.first, mine))
    reached = [
        event for _, event in dispute.docket.streams[dispute.case_id] if type(event) is AgreementReached
    ]
    assert [signature.digest for signature in reached[0].signatures] == ["digest"]


def test_closing_waits_for_dossier_and_performance() -> None:
    dispute = agreed()
    dispute.send("record-follow-up", VILLAGE_OFFICER, **SATISFIED)
    with pytest.raises(GuardFailed) as incomplete:
        dispute.send("close-case", VILLAGE_OFFICER)
    assert incomplete.value.extra["missing"] == [
        "APPLICATION|ACCEPTANCE_REGISTER",
        "RIGHTS_NOTICE",
        "IDENTITY_PROOF",
        "MEDIATION_RECORD",
        "AGREEMENT",
    ]


def test_a_dossier_is_filled_while_the_case_is_open() -> None:
    dispute = Dispute()
    for kind in ("ACCEPTANCE_REGISTER", "RIGHTS_NOTICE", "IDENTITY_PROOF", "MEDIATION_RECORD", "AGREEMENT"):
        dispute.send("attach-document", LEADER, document_kind=kind, paper_location="柜一")
    dispute.offer()
    dispute.consent()
    dispute.send("record-agreement", LEADER, **ORAL)
    dispute.send("record-follow-up", VILLAGE_OFFICER, **SATISFIED)
    with refused(GuardFailed, "agreement-open"):
        dispute.send("close-case", VILLAGE_OFFICER)
    dispute.send("record-fulfilment", RESIDENT, term_no=1, detail="已清")
    with refused(GuardFailed, "term-unknown"):
        dispute.send("record-breach", RESIDENT, term_no=3, detail="未付")
    dispute.send("record-breach", RESIDENT, term_no=2, detail="未付")
    with refused(GuardFailed, "agreement-open"):
        dispute.send("close-case", VILLAGE_OFFICER)
    with refused(GuardFailed, "term-state"):
        dispute.send("record-breach-handled", RESIDENT, term_no=1, detail="无")
    dispute.send("record-breach-handled", RESIDENT, term_no=2, detail="已补付")
    dispute.send("close-case", VILLAGE_OFFICER)
    with refused(GuardFailed, "no-breach"):
        dispute.send("reopen-case", VILLAGE_OFFICER, ground="BREACH", reason="违约")


def test_a_breach_reopens_and_a_late_fulfilment_handles_it() -> None:
    dispute = agreed()
    dispute.send("record-breach", NEIGHBOUR, term_no=1, detail="未清")
    dispute.send("reopen-case", VILLAGE_OFFICER, ground="BREACH", reason="违约")
    assert (dispute.case.state, dispute.case.cycle) == ("IN_PROGRESS", 2)
    again = agreed()
    again.send("record-breach", NEIGHBOUR, term_no=1, detail="未清")
    again.send("record-fulfilment", NEIGHBOUR, term_no=1, detail="后来清了")
    assert again.case.agreement.terms[0].state == "FULFILLED"


def test_judicial_confirmation_is_asked_for_by_all_who_signed_and_ends_a_breach() -> None:
    dispute = agreed()
    both = [dispute.first, dispute.second]
    with refused(GuardFailed, "applicants"):
        dispute.send("apply-judicial-confirmation", RESIDENT, applicants=both[:1], court="海门法院")
    decided = {"granted": True, "court": "海门法院", "decided_on": "2024-05-06"}
    with refused(GuardFailed, "not-applied"):
        dispute.send("record-confirmation-outcome", RESIDENT, **decided)
    dispute.send("apply-judicial-confirmation", RESIDENT, applicants=both, court="海门法院")
    with refused(GuardFailed, "already-applied"):
        dispute.send("apply-judicial-confirmation", NEIGHBOUR, applicants=both, court="海门法院")
    dispute.send("record-breach", NEIGHBOUR, term_no=2, detail="未付")
    with refused(GuardFailed, "date-ahead"):
        dispute.send("record-confirmation-outcome", LEADER, **(decided | {"decided_on": "2024-05-09"}))
    dispute.send("record-confirmation-outcome", LEADER, **decided)
    assert [term.state for term in dispute.case.agreement.terms] == ["DUE", "HANDLED"]


def test_a_procedure_doesn_t_change_under_an_open_offer() -> None:
    dispute = Dispute()
    changed = {"procedure": "SERVICE", "reason": "改", "parties_informed": True}
    dispute.offer()
    with refused(GuardFailed, "mediation-under-way"):
        dispute.send("change-procedure", LEADER, **changed)
    dispute.send("refuse-mediation", NEIGHBOUR, person_ref=dispute.second)
    with refused(GuardFailed, "parties-not-informed"):
        dispute.send("change-procedure", LEADER, **(changed | {"parties_informed": False}))
    with refused(GuardFailed, "accusation-stays"):
        dispute.send("change-procedure", LEADER, **(changed | {"procedure": "ACCUSATION"}))
    dispute.send("change-procedure", LEADER, **changed)
    with refused(WrongState, "wrong-procedure"):
        dispute.offer(requested_by=[dispute.second])


def test_an_offer_lapses_when_the_case_moves_on() -> None:
    dispute = Dispute()
    dispute.offer()
    dispute.send("escalate-case", LEADER, to_level="VILLAGE", reason="谈不拢")
    dispute.send("accept-escalation", VILLAGE_OFFICER)
    with refused(GuardFailed, "no-offer"):
        dispute.send("consent-to-mediation", RESIDENT, person_ref=dispute.first)
    dispute.offer(by=VILLAGE_MEDIATOR)
