"""Resolving, keeping or breaking what was agreed, asking afterwards, closing, reopening."""

from datetime import timedelta

from services.demo.life import Life, Lines, once
from services.demo.lines import Line, made_id
from services.demo.moves.mediating import out_of_mediation


def resolve(life: Life) -> Lines:
    if life.agreement is None:
        yield from out_of_mediation(life)
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
    life.later(10, 24)
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


def archive(life: Life) -> Lines:
    life.later(10, 45)
    yield life.moves("archive-case", life.holder.officer())


def reopen_for_breach(life: Life) -> Lines:
    yield _reopened(life, "BREACH", "协议逾期未履行，重新办理。")


def reopen_unsatisfied(life: Life) -> Lines:
    yield _reopened(life, "UNSATISFIED", "回访不满意，理由成立。")


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
