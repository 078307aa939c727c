"""Services, safety leads, accusations and petitions, each with steps of its own."""

from services.demo.life import Life, Lines, once
from services.demo.moves.working import assign


def serve(life: Life) -> Lines:
    """A service for somebody who can't come; sometimes at their home."""
    if life.dice.random() < 0.4:
        life.later(0.1, 1)
        yield life.adds("decide-home-service", life.holder.staff(), detail="行动不便，决定上门办理。")
    yield from assign(life)
    life.later(0.2, 3)
    yield life.adds(
        "perform-service",
        life.holder.staff(),
        item=life.dice.choice(("MEDICAL_INSURANCE", "CERTIFICATE", "ATTESTATION")),
        beneficiary=life.complainant.person_ref,
    )
    life.later(0.05, 0.5)
    yield life.moves(
        "resolve-case", life.holder.staff(2), outcome="SERVICE_DONE", degree="FULL", detail="已办结并交付。"
    )


def safety_lead(life: Life) -> Lines:
    """Referred to the police, who tell what came of it."""
    village = life.beginning.origin.village
    life.later(0.02, 0.2)
    yield life.adds("refer-to-police", life.holder.staff(), reason="请社区民警核查身份。")
    if life.level == "GROUP":
        yield life.adds("notify-level", life.holder.staff(), level="VILLAGE")
    yield from assign(life)
    life.later(0.5, 5)
    yield life.adds(
        "record-external-outcome",
        village.someone("community_police"),
        kind=life.dice.choice(("ADMINISTRATIVE_PENALTY", "OTHER")),
        body="辖区派出所",
        subject={"kind": "LANDLORD"},
        detail="已核查并依法处理。",
    )
    life.later(0.2, 2)
    yield life.moves("resolve-case", life.holder.staff(2), outcome="EXTERNAL", detail="公安机关已处理。")


def hear_accusation(life: Life) -> Lines:
    yield from assign(life)
    life.later(2, 15)
    yield life.adds(
        "convene-consultation",
        life.holder.staff(),
        participants=[{"kind": "VILLAGE_COMMITTEE"}],
        summary="调阅台账，逐项核实。",
    )
    life.later(1, 6)
    yield life.moves(
        "resolve-case",
        life.holder.staff(2),
        outcome=life.dice.choice(("UNFOUNDED", "SETTLED")),
        degree="FULL",
        detail="已形成书面核查意见。",
    )


def notify_acceptance(life: Life) -> Lines:
    life.later(0.2, 5)
    yield life.adds(
        "notify-complainant",
        life.holder.staff(),
        notice="ACCEPTANCE",
        delivered_on=life.today,
        means="WRITTEN",
    )


@once
def object_jurisdiction(life: Life) -> Lines:
    """Handed down to a village, which says within five working days that it isn't its own."""
    life.later(0.3, 2)
    village = life.dice.choice(life.beginning.beneath)
    yield life.moves(
        "delegate-case", life.holder.staff(), to_unit=village.unit_id, reason="请属地村居先行办理。"
    )
    life.later(0.3, 2)
    yield life.moves("object-jurisdiction", village.officer(), reason="所涉地块不在本村，请另行交办。")
    life.handler = None


def reply(life: Life) -> Lines:
    life.later(1, 12)
    yield life.adds(
        "record-reply",
        life.holder.staff(),
        text=f"关于{life.complainant.name}所反映事项的处理意见。",
        delivered_on=life.today,
    )


@once
def review(life: Life) -> Lines:
    """The petitioner asks for a review, a few for another; the second opinion is the last word."""
    life.later(1, 5)
    yield life.of_party("request-review", life.complainant, grounds="对处理意见不服。")
    life.later(5, 25)
    reviewer = life.holder.town.officer(3)
    yield life.moves("record-review-opinion", reviewer, opinion="维持原处理意见。", final=False)
    if life.dice.random() < 0.4:
        life.later(3, 25)
        yield life.of_party("request-re-review", life.complainant, grounds="对复查意见不服。")
        life.later(5, 25)
        life.done.add("final")
        yield life.moves("record-review-opinion", reviewer, opinion="维持复查意见。", final=True)
