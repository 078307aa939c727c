"""How a case comes in, and how it may leave at once."""

from services.demo.life import Life, Lines


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
