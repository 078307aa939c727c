"""How a case of ordinary life goes on: from each situation the ways out, with how often each is taken.

The table is what to change or extend: a move is a function of `moves`, a situation is a
name that turns lead to, and `tell` walks from NEW to OVER.
"""

from typing import Final

from services.demo import moves as m
from services.demo.life import Life, Turn, When


def is_(procedure: str) -> When:
    return lambda life: life.procedure == procedure


def at(*levels: str) -> When:
    return lambda life: life.level in levels


def not_yet(*moves: str) -> When:
    """None of these has happened so far."""
    return lambda life: life.done.isdisjoint(moves)


def both(*conditions: When) -> When:
    return lambda life: all(condition(life) for condition in conditions)


def may_be_mediated(life: Life) -> bool:
    return life.civil and life.procedure in ("SELF_GOVERNANCE", "MEDIATION", "GRID")


def could_go_down(life: Life) -> bool:
    """Held above the place where it began."""
    return life.level != "GROUP" and life.beginning.origin.level == "GROUP" and "delegate" not in life.done


def has_neighbours(life: Life) -> bool:
    return life.civil and bool(life.beginning.beside)


def may_be_reopened(life: Life) -> bool:
    return life.procedure not in ("SERVICE", "ACCUSATION") and "final" not in life.done


def is_in_breach(life: Life) -> bool:
    return life.agreement == "BREACHED"


TURNS: Final[dict[str, tuple[Turn, ...]]] = {
    "NEW": (
        Turn(100, (m.open_case,), "REGISTERED"),
    ),
    "REGISTERED": (
        Turn(91, (m.accept,), "ACCEPTED"),
        Turn(2.5, (m.reject,), "TURNED_DOWN", lambda life: life.civil),
        Turn(2, (m.withdraw,), "OVER", lambda life: life.civil),
        Turn(2.5, (m.transfer_beside,), "TRANSFERRED", has_neighbours),
        Turn(1.5, (m.transfer_out,), "OVER", lambda life: life.civil),
    ),
    "TRANSFERRED": (
        Turn(100, (m.accept,), "ACCEPTED"),
    ),
    "TURNED_DOWN": (
        Turn(94, (), "OVER"),
        Turn(6, (m.reopen_for_new_fact,), "IN_HAND"),
    ),
    "ACCEPTED": (
        Turn(100, (m.serve,), "RESOLVED", both(is_("SERVICE"), at("VILLAGE"))),
        Turn(70, (m.serve,), "RESOLVED", both(is_("SERVICE"), at("GROUP"))),
        Turn(30, (m.escalate, m.accept_escalation, m.serve), "RESOLVED", both(is_("SERVICE"), at("GROUP"))),
        Turn(100, (m.safety_lead,), "EXTERNALLY_SETTLED", is_("SAFETY_LEAD")),
        Turn(100, (m.hear_accusation,), "RESOLVED", is_("ACCUSATION")),
        Turn(100, (m.notify_acceptance, m.assign, m.contact), "IN_HAND", is_("PETITION")),
        Turn(100, (m.contact, m.assign), "IN_HAND", is_("HOTLINE")),
        Turn(75, (m.offer,), "OFFERED", may_be_mediated),
        Turn(10, (m.visit, m.offer), "OFFERED", may_be_mediated),
        Turn(12, (m.visit, m.escalate), "ESCALATED", both(may_be_mediated, at("GROUP", "VILLAGE"))),
        Turn(12, (m.classify, m.assign), "IN_HAND", is_("SELF_GOVERNANCE")),
        Turn(55, (m.assign,), "IN_HAND", is_("SELF_GOVERNANCE")),
        Turn(40, (m.assign,), "IN_HAND", is_("GRID")),
    ),
    "IN_HAND": (
        Turn(18, (m.visit,), "IN_HAND"),
        Turn(4, (m.late_visit,), "IN_HAND"),
        Turn(12, (m.classify,), "IN_HAND", not_yet("classify")),
        Turn(9, (m.consult,), "IN_HAND", not_yet("consult")),
        Turn(2, (m.warn,), "IN_HAND", not_yet("warn")),
        Turn(2, (m.absorb,), "IN_HAND", not_yet("absorb")),
        Turn(2, (m.suspend,), "IN_HAND", both(at("VILLAGE", "TOWNSHIP"), not_yet("suspend"))),
        Turn(9, (m.offer,), "OFFERED", may_be_mediated),
        Turn(13, (m.escalate,), "ESCALATED", at("GROUP")),
        Turn(9, (m.escalate,), "ESCALATED", at("VILLAGE")),
        Turn(2, (m.delegate,), "IN_HAND", could_go_down),
        Turn(1, (m.query,), "IN_HAND", not_yet("query")),
        Turn(1, (m.withdraw,), "OVER"),
        Turn(1, (m.transfer_out,), "OVER"),
        Turn(28, (m.resolve,), "RESOLVED", lambda life: life.procedure not in ("PETITION", "HOTLINE")),
        Turn(45, (m.reply, m.resolve), "RESOLVED", lambda life: life.procedure in ("PETITION", "HOTLINE")),
    ),
    "ESCALATED": (
        Turn(88, (m.accept_escalation,), "IN_HAND"),
        Turn(12, (m.return_escalation,), "IN_HAND", lambda life: life.returns < 2),
    ),
    "OFFERED": (
        Turn(82, (m.consent,), "IN_MEDIATION"),
        Turn(18, (m.refuse, m.assign), "IN_HAND", not_yet("refuse")),
    ),
    "IN_MEDIATION": (
        Turn(50, (m.session, m.agree_in_writing), "AGREED"),
        Turn(24, (m.session, m.agree_by_word), "AGREED"),
        Turn(18, (m.session, m.terminate), "IN_HAND"),
        Turn(3, (m.suspend,), "IN_MEDIATION", both(at("VILLAGE", "TOWNSHIP"), not_yet("suspend"))),
        Turn(5, (m.classify,), "IN_MEDIATION", not_yet("classify")),
    ),
    "AGREED": (
        Turn(80, (m.fulfil,), "RESOLVED"),
        Turn(14, (m.breach,), "BREACHED"),
        Turn(6, (m.confirm_in_court, m.fulfil), "RESOLVED", not_yet("confirm_in_court")),
    ),
    "BREACHED": (
        Turn(40, (m.fulfil,), "RESOLVED"),
        Turn(28, (m.handle_breach,), "RESOLVED"),
        Turn(14, (m.confirm_in_court,), "RESOLVED", not_yet("confirm_in_court")),
        Turn(18, (m.reopen_for_breach,), "IN_HAND"),
    ),
    "RESOLVED": (
        Turn(76, (m.follow_up_content,), "TO_CLOSE"),
        Turn(9, (m.follow_up_in_vain,), "TO_CLOSE"),
        Turn(9, (m.follow_up_discontent,), "TO_CLOSE"),
        Turn(6, (m.follow_up_discontent, m.reopen_unsatisfied), "IN_HAND", may_be_reopened),
        Turn(12, (m.review,), "RESOLVED", both(is_("PETITION"), not_yet("review"))),
    ),
    "TO_CLOSE": (
        Turn(97, (m.handle_breach, m.close), "CLOSED", is_in_breach),
        Turn(97, (m.close,), "CLOSED", lambda life: not is_in_breach(life)),
        Turn(3, (), "OVER"),
    ),
    "EXTERNALLY_SETTLED": (
        Turn(100, (m.close,), "OVER"),
    ),
    "CLOSED": (
        Turn(94, (), "OVER"),
        Turn(3, (m.query,), "OVER", not_yet("query")),
        Turn(1, (m.demand,), "OVER"),
        Turn(2, (m.reopen_for_new_fact,), "IN_HAND", both(may_be_reopened, not_yet("reopen_for_new_fact"))),
    ),
}  # fmt: skip
