"""What is done while a case is in hand, and how it goes up and down."""

from services.demo.life import Life, Lines, once
from services.demo.lines import Line, Person, made_id

_FACETS = ("JI", "NAN", "CHOU", "PAN")
_ABOVE = {"GROUP": "VILLAGE", "VILLAGE": "TOWNSHIP"}


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
def take_over(life: Life) -> Lines:
    """The group's leader is related to a party and says so; the village takes the case."""
    life.later(0.1, 2)
    yield life.adds("declare-conflict", life.holder.staff(), reason="与当事人系近亲属，申请回避。")
    life.holder, life.handler = life.holder.above, None
    life.later(0.1, 1)
    yield life.moves("take-over-case", life.holder.officer(), reason="组长回避，由村接办。")


@once
def delegate(life: Life) -> Lines:
    """Back down by one level, to where it came from."""
    life.later(0.3, 2)
    below = "VILLAGE" if life.level == "TOWNSHIP" else "GROUP"
    yield life.moves("delegate-case", life.holder.staff(), reason="请就近组织落实，本级跟踪。")
    life.holder, life.handler = life.beginning.origin.at(below), None
