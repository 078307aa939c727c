"""Offering, meeting, agreeing, or ending without."""

from datetime import timedelta

from services.demo.life import Life, Lines, once


def offer(life: Life) -> Lines:
    life.later(0.3, 5)
    yield life.moves(
        "offer-mediation",
        life.mediator,
        parties=[resident.person_ref for resident in life.parties],
        mediator_ref=life.mediator.sub,
        requested_by=[life.respondent.person_ref] if "refuse" in life.done else [],
    )


def consent(life: Life) -> Lines:
    for resident in life.parties:
        life.later(0.2, 4)
        yield life.of_party("consent-to-mediation", resident, person_ref=resident.person_ref)


@once
def refuse(life: Life) -> Lines:
    life.later(0.1, 2)
    if life.dice.random() < 0.5:
        yield life.of_party("consent-to-mediation", life.complainant, person_ref=life.complainant.person_ref)
        life.later(0.1, 1)
    yield life.of_party(
        "refuse-mediation", life.respondent, person_ref=life.respondent.person_ref, reason="不愿调解。"
    )
    yield from out_of_mediation(life)


def out_of_mediation(life: Life) -> Lines:
    """Without mediation, a case in that procedure goes on in the village's own."""
    if life.procedure == "MEDIATION":
        life.later(0.05, 0.5)
        life.procedure = "SELF_GOVERNANCE"
        yield life.moves(
            "change-procedure",
            life.holder.staff(),
            procedure=life.procedure,
            reason="调解未成，转由村居协商处理。",
            parties_informed=True,
        )


def session(life: Life) -> Lines:
    """A meeting of the parties, and the papers of it."""
    life.later(3, 15)
    yield life.adds(
        "hold-dialogue",
        life.holder.staff(),
        participants=[{"kind": "RESIDENTS"}],
        summary=f"{life.complainant.name}与{life.respondent.name}当面陈述，调解员提出方案。",
    )


def agree_in_writing(life: Life) -> Lines:
    yield from _papers(life)
    life.later(0.05, 0.2)
    kinds = ("SIGNED", "SIGNED", "SEALED", "FINGERPRINT")
    signatures = [
        {"person_ref": resident.person_ref, "kind": life.dice.choice(kinds)} for resident in life.parties
    ]
    yield life.moves(
        "record-agreement",
        life.mediator,
        form="WRITTEN",
        **_terms(life),
        signatures=signatures,
        mediator_signed=True,
        committee_sealed=True,
    )
    life.agreement = "DUE"


def agree_by_word(life: Life) -> Lines:
    yield from _papers(life)
    life.later(0.05, 0.2)
    yield life.moves("record-agreement", life.mediator, form="ORAL", **_terms(life))
    life.agreement = "DUE"


def _papers(life: Life) -> Lines:
    """What a mediation's dossier needs and this one lacks."""
    application = life.dice.choice(("APPLICATION", "ACCEPTANCE_REGISTER"))
    first = [] if life.attached else [application, "RIGHTS_NOTICE", "IDENTITY_PROOF"]
    for kind in (*first, "MEDIATION_RECORD", "AGREEMENT"):
        life.later(0.01, 0.3)
        life.attached.add(kind)
        place = f"{life.holder.village.name}档案柜第{life.dice.randrange(1, 60)}盒"
        yield life.adds("attach-document", life.holder.staff(), document_kind=kind, paper_location=place)


def _terms(life: Life) -> dict[str, object]:
    return {
        "facts": f"{life.complainant.name}与{life.respondent.name}就争议事实核对一致。",
        "responsibilities": "双方各有过错，主要责任在后者。",
        "terms": [{"text": f"{life.respondent.name}按约定履行。", "due_on": life.today + timedelta(days=20)}],
    }


def terminate(life: Life) -> Lines:
    life.later(2, 10)
    ground = life.dice.choice(("FAILED", "FAILED", "EXPIRED"))
    yield life.moves("terminate-mediation", life.mediator, ground=ground, remedies_notified=True)
    yield from out_of_mediation(life)
