"""What people do with a case: each move is one step of a life, a command or a few that belong together."""

from collections.abc import Iterator
from datetime import timedelta

from services.demo.life import Life, Move
from services.demo.lines import Line, Person, made_id

Lines = Iterator[Line]

_FACETS = ("JI", "NAN", "CHOU", "PAN")
_AT_THE_TABLE = {
    "GROUP": ("RESIDENTS",),
    "VILLAGE": ("VILLAGE_COMMITTEE", "RESIDENTS"),
    "TOWNSHIP": ("DEPARTMENT", "VILLAGE_COMMITTEE"),
}
_ABOVE = {"GROUP": "VILLAGE", "VILLAGE": "TOWNSHIP"}


def once(move: Move) -> Move:
    """The same move, remembered in `done` under its name, so that turns can ask for it."""

    def first(life: Life) -> Lines:
        life.done.add(move.__name__)
        yield from move(life)

    first.__name__ = move.__name__
    return first


# --- arrival -----------------------------------------------------------------------------------


def open_case(life: Life) -> Lines:
    opener = life.beginning.opener
    body = life.opening(life.case_id)
    yield life.desk.line(life.at, life.key(), "/v1/cases", body, actor=opener)


def accept(life: Life) -> Lines:
    life.later(0.05, 3)
    if life.dice.random() < 0.04:
        yield from _accepted_late(life)
    else:
        yield life.moves("accept-case", life.holder.staff(), procedure=life.procedure)


def _accepted_late(life: Life) -> Lines:
    """The acceptance is written down after the first visit, which it came before."""
    accepted_at = life.at
    life.later(0.5, 3)
    yield life.adds(
        "record-visit", life.holder.staff(), visit_kind="HOUSEHOLD", findings="先行上门了解情况。"
    )
    life.later(0.05, 0.2)
    yield life.moves(
        "accept-case",
        life.holder.staff(),
        procedure=life.procedure,
        occurred_at=accepted_at,
        note="纸面受理，事后补录。",
    )


def reject(life: Life) -> Lines:
    life.later(0.2, 2)
    yield life.moves(
        "reject-case",
        life.holder.officer(),
        reason="诉求不属村居职责范围。",
        alternative_route="可向人民法院起诉或拨打热线咨询。",
    )
    life.procedure = "SELF_GOVERNANCE"  # what it goes on in, should it be reopened


def withdraw(life: Life) -> Lines:
    life.later(0.5, 6)
    yield life.of_party("withdraw-case", life.complainant, statement="双方已自行和解，不再要求处理。")


def transfer_beside(life: Life) -> Lines:
    """To the next group of the same village."""
    life.later(0.2, 2)
    to_unit = life.dice.choice(life.beginning.beside)
    yield life.moves(
        "transfer-case",
        life.holder.staff(),
        to_unit=to_unit.unit_id,
        reason="当事人实际居住在该组。",
    )
    life.holder = to_unit


def transfer_out(life: Life) -> Lines:
    life.later(0.5, 4)
    kind, name = life.dice.choice(
        (("COURT", "人民法院"), ("DEPARTMENT", "县级主管部门"), ("COUNTY", "县级联席会议"))
    )
    yield life.moves(
        "transfer-case",
        life.holder.staff(),
        external_body={"kind": kind, "name": name},
        reason="应由有权机关处理。",
    )


# --- at work -----------------------------------------------------------------------------------


def assign(life: Life) -> Lines:
    life.later(0.1, 2)
    life.handler = life.holder.staff(2)
    yield life.moves("assign-handler", life.holder.staff(), handler_ref=life.handler.sub)


def visit(life: Life) -> Lines:
    life.later(1, 9)
    yield life.adds(
        "record-visit",
        life.holder.staff(),
        visit_kind="HOUSEHOLD",
        household_ref=f"{life.beginning.origin.code}-{life.dice.randrange(1, 46):02d}",
        findings=f"上门听取{life.complainant.name}意见，核实现场情况。",
    )


def late_visit(life: Life) -> Lines:
    """A visit of some days ago comes in from paper now."""
    life.later(0.5, 3)
    since = life.at - life.beginning.at
    yield life.adds(
        "record-visit",
        life.holder.staff(),
        visit_kind="HOUSEHOLD",
        findings="补录此前走访笔记。",
        occurred_at=life.at - since * life.dice.uniform(0.2, 0.9),
    )


def contact(life: Life) -> Lines:
    life.later(0.05, 1)
    yield life.adds("record-contact", life.holder.staff(), reached=life.dice.random() < 0.9, means="PHONE")


@once
def classify(life: Life) -> Lines:
    """A group's word is a proposal; mostly an officer then confirms it or finds otherwise."""
    life.later(0.1, 1.5)
    urgent = life.dice.random() < 0.35
    yield _classified(life, life.holder.staff(), urgent)
    if life.level == "GROUP" and life.dice.random() < 0.75:
        life.later(0.1, 1.5)
        yield _classified(life, life.holder.officer(), urgent and life.dice.random() < 0.9)


def _classified(life: Life, by: Person, urgent: bool) -> Line:
    facets = life.dice.sample(_FACETS, life.dice.randint(1, 2)) if urgent else []
    reason = "涉及基本生活，应优先办理。" if urgent else "按一般事项办理。"
    return life.moves("classify-urgency", by, urgent=urgent, facets=facets, reason=reason)


@once
def warn(life: Life) -> Lines:
    life.later(0.1, 1)
    risk = life.dice.choice(("SKIP_LEVEL_PETITION", "COLLECTIVE_ACTION", "OTHER"))
    yield life.adds("flag-risk", life.holder.staff(), risk=risk, detail="当事人情绪激动，扬言越级反映。")
    life.later(0.05, 0.5)
    level = life.dice.choice(("ORANGE", "YELLOW", "YELLOW", "BLUE"))
    yield life.adds("confirm-warning", life.holder.staff(), level=level, reason="经当面核实。")
    life.later(0.1, 1)
    yield life.adds("stabilise-situation", life.holder.staff(), detail="已上门安抚，约定三日内答复。")


@once
def absorb(life: Life) -> Lines:
    """The same matter comes in a second time and is merged into this case."""
    start = life.beginning
    life.later(0.5, 4)
    twin_id = made_id(life.at, f"case/{start.name}/twin")
    clerk = start.origin.officer(2)
    yield life.desk.line(life.at, life.key(), "/v1/cases", life.opening(twin_id), actor=clerk)
    life.later(0.1, 1)
    officer = life.holder.officer()
    body = {"into_case_id": life.case_id, "reason": "同一事实重复反映。", "occurred_at": life.at}
    path = f"/v1/cases/{twin_id}/merge-case"
    yield life.desk.line(life.at, life.key(), path, body, actor=officer, moves=True, waits=True)
    life.others_wait()


@once
def consult(life: Life) -> Lines:
    life.later(2, 12)
    kinds = {
        "GROUP": ("RESIDENTS",),
        "VILLAGE": ("VILLAGE_COMMITTEE", "RESIDENTS"),
        "TOWNSHIP": ("DEPARTMENT", "VILLAGE_COMMITTEE"),
    }
    participants = [{"kind": kind} for kind in kinds[life.level]]
    command = life.dice.choice(("convene-consultation", "hold-dialogue"))
    yield life.adds(
        command, life.holder.staff(), participants=participants, summary="听取各方意见，形成初步方案。"
    )


@once
def suspend(life: Life) -> Lines:
    life.later(0.5, 3)
    ground = life.dice.choice(("SURVEY", "SURVEY", "EXPERT_OPINION", "HEARING", "COURT"))
    approved = {} if life.level == "TOWNSHIP" else {"approved_by": life.holder.town.officer().sub}
    yield life.moves(
        "suspend-case", life.holder.staff(), ground=ground, reason="需等待结果后再处理。", **approved
    )
    life.later(3, 25)
    yield life.moves("resume-case", life.holder.staff())


def escalate(life: Life) -> Lines:
    life.later(1, 8)
    level = _ABOVE[life.level]
    yield life.moves(
        "escalate-case", life.holder.staff(), to_level=level, reason="本级多次工作未果，请上级协调。"
    )
    life.pending = life.holder.at(level)


def accept_escalation(life: Life) -> Lines:
    assert life.pending is not None
    life.later(0.2, 4)
    yield life.moves("accept-escalation", life.pending.officer())
    life.holder, life.pending, life.handler = life.pending, None, None


def return_escalation(life: Life) -> Lines:
    assert life.pending is not None
    life.later(0.1, 2)
    yield life.moves("return-escalation", life.pending.officer(), reason="情况不明，请补充调查后再报。")
    life.pending = None
    life.returns += 1


@once
def delegate(life: Life) -> Lines:
    """Back down by one level, to where it came from."""
    life.later(0.3, 2)
    below = "VILLAGE" if life.level == "TOWNSHIP" else "GROUP"
    yield life.moves("delegate-case", life.holder.staff(), reason="请就近组织落实，本级跟踪。")
    life.holder, life.handler = life.beginning.origin.at(below), None


# --- mediation ---------------------------------------------------------------------------------


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
    yield from _out_of_mediation(life)


def _out_of_mediation(life: Life) -> Lines:
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
    yield from _out_of_mediation(life)


# --- settled -----------------------------------------------------------------------------------


def resolve(life: Life) -> Lines:
    if life.agreement is None:
        yield from _out_of_mediation(life)
    life.later(3, 24)
    outcome = life.dice.choices(("SETTLED", "EXPLAINED", "BY_RULE", "UNFOUNDED"), (60, 26, 9, 5))[0]
    rule = {"rule": "《村规民约》"} if outcome == "BY_RULE" else {}
    degree = "PARTIAL" if outcome == "SETTLED" and life.dice.random() < 0.06 else "FULL"
    yield life.moves(
        "resolve-case",
        life.handler or life.holder.staff(),
        outcome=outcome,
        degree=degree,
        detail="已落实并向当事人说明。",
        **rule,
    )


def fulfil(life: Life) -> Lines:
    life.later(2, 20)
    yield life.moves("record-fulfilment", life.mediator, term_no=1, detail="已按约履行，双方确认。")
    life.agreement = "DONE"


def breach(life: Life) -> Lines:
    life.later(15, 30)
    yield life.of_party("record-breach", life.complainant, term_no=1, detail="逾期未履行。")
    life.agreement = "BREACHED"


def handle_breach(life: Life) -> Lines:
    life.later(1, 7)
    yield life.adds("record-breach-handled", life.mediator, term_no=1, detail="督促后双方另行约定并了结。")
    life.agreement = "DONE"


@once
def confirm_in_court(life: Life) -> Lines:
    """Both apply to the court together, which grants mostly."""
    life.later(1, 5)
    applicants = [resident.person_ref for resident in life.parties]
    yield life.moves(
        "apply-judicial-confirmation", life.mediator, applicants=applicants, court="基层人民法院"
    )
    life.later(5, 15)
    granted = life.dice.random() < 0.85
    yield life.moves(
        "record-confirmation-outcome",
        life.mediator,
        granted=granted,
        court="基层人民法院",
        decided_on=life.today - timedelta(days=1),
    )
    if granted and life.agreement == "BREACHED":
        life.agreement = "DONE"


def follow_up_content(life: Life) -> Lines:
    yield _followed_up(life, reached=True, solved=True, satisfied=life.dice.random() < 0.96)


def follow_up_discontent(life: Life) -> Lines:
    yield _followed_up(life, reached=True, solved=life.dice.random() < 0.3, satisfied=False)


def follow_up_in_vain(life: Life) -> Lines:
    for _ in range(3):
        yield _followed_up(life, reached=False)


def _followed_up(life: Life, **answer: bool) -> Line:
    life.later(1, 6)
    asking = life.holder.officer(1 if life.level == "GROUP" else 3)
    return life.moves("record-follow-up", asking, **answer)


def close(life: Life) -> Lines:
    life.later(0.2, 4)
    yield life.moves("close-case", life.holder.officer())


def reopen_for_breach(life: Life) -> Lines:
    yield _reopened(life, "BREACH", "协议逾期未履行，重新办理。")


def reopen_unsatisfied(life: Life) -> Lines:
    yield _reopened(life, "UNSATISFIED", "回访不满意，理由成立。")


@once
def reopen_for_new_fact(life: Life) -> Lines:
    life.later(5, 40)
    yield _reopened(life, "NEW_FACT", "当事人提供新的证据。")


def _reopened(life: Life, ground: str, reason: str) -> Line:
    life.later(0.5, 4)
    life.returns = 0
    return life.moves("reopen-case", life.holder.officer(), ground=ground, reason=reason)


@once
def query(life: Life) -> Lines:
    """The village's supervisors ask, and the village answers."""
    life.later(1, 20)
    query_id = made_id(life.at, f"query/{life.beginning.name}")
    village = life.beginning.origin.village
    yield life.adds(
        "raise-query", village.someone("supervisor"), query_id=query_id, question="请说明办理经过和依据。"
    )
    life.later(1, 9)
    yield life.adds(
        "answer-query", village.officer(), query_id=query_id, answer="已附办理记录，程序和依据见卷宗。"
    )


@once
def demand(life: Life) -> Lines:
    """They ask for something to be put right, and the village does or says why not."""
    life.later(1, 20)
    demand_id = made_id(life.at, f"demand/{life.beginning.name}")
    village = life.beginning.origin.village
    asking = village.someone("supervisor")
    yield life.adds("demand-correction", asking, demand_id=demand_id, demand="请补正走访记录缺项。")
    life.later(1, 9)
    outcome, detail = life.dice.choice((("CORRECTED", "已补正。"), ("REFUSED", "记录完整，无需补正。")))
    yield life.adds("answer-demand", village.officer(), demand_id=demand_id, outcome=outcome, detail=detail)
    life.later(1, 5)
    yield life.adds("annotate-audit", asking, text="已查阅答复。")


# --- procedures of their own -------------------------------------------------------------------


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
    life.later(3, 25)
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
