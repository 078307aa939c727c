"""How a case of ordinary life goes on: from each situation the ways out, with how often each is taken.

The table is what to change or extend: a move is a function of `moves`, a situation is a
name that turns lead to, and `tell` walks from NEW to OVER.
"""

from datetime import timedelta
from typing import Final

from services.demo.life import Life, Turn, When
from services.demo.moves import arriving, extending, mediating, procedures, settling, working


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
    """Held above the place where it began, whose leader may act."""
    began_in_group = life.beginning.origin.level == "GROUP"
    return life.level != "GROUP" and began_in_group and life.done.isdisjoint(("delegate", "take_over"))


group_serves = both(is_("SERVICE"), at("GROUP"))
at_lower = at("GROUP", "VILLAGE")
petition = both(is_("PETITION"), at("TOWNSHIP"))


def owes_reply(life: Life) -> bool:
    return life.procedure in ("PETITION", "HOTLINE")


def has_neighbours(life: Life) -> bool:
    return life.civil and bool(life.beginning.beside)


def may_be_reopened(life: Life) -> bool:
    return life.procedure not in ("SERVICE", "ACCUSATION") and "final" not in life.done


def may_take_longer(life: Life) -> bool:
    """A petition at the township, long before its sixty days are over, and extended once only."""
    young = life.at - life.beginning.at < timedelta(days=40)
    return petition(life) and young and "extend_handling" not in life.done


def goes_to_village(life: Life) -> bool:
    return life.pending is not None and life.pending.level == "VILLAGE"


def may_be_archived(life: Life) -> bool:
    """Nobody's right to a review or to a confirmation is open."""
    return life.procedure != "PETITION" and life.agreement is None


def is_in_breach(life: Life) -> bool:
    return life.agreement == "BREACHED"


TURNS: Final[dict[str, tuple[Turn, ...]]] = {
    "NEW": (
        Turn(100, (arriving.open_case,), "REGISTERED"),
    ),
    "REGISTERED": (
        Turn(91, (arriving.accept,), "ACCEPTED"),
        Turn(2.5, (arriving.reject,), "TURNED_DOWN", lambda life: life.civil),
        Turn(2, (arriving.withdraw,), "OVER", lambda life: life.civil),
        Turn(2.5, (arriving.transfer_beside,), "TRANSFERRED", has_neighbours),
        Turn(1.5, (arriving.transfer_out,), "OVER", lambda life: life.civil),
    ),
    "TRANSFERRED": (
        Turn(100, (arriving.accept,), "ACCEPTED"),
    ),
    "TURNED_DOWN": (
        Turn(94, (), "OVER"),
        Turn(6, (settling.reopen_for_new_fact,), "IN_HAND"),
    ),
    "ACCEPTED": (
        Turn(100, (procedures.serve,), "RESOLVED", both(is_("SERVICE"), at("VILLAGE"))),
        Turn(70, (procedures.serve,), "RESOLVED", group_serves),
        Turn(30, (working.escalate, working.accept_escalation, procedures.serve), "RESOLVED", group_serves),
        Turn(100, (procedures.safety_lead,), "EXTERNALLY_SETTLED", is_("SAFETY_LEAD")),
        Turn(100, (procedures.hear_accusation,), "RESOLVED", is_("ACCUSATION")),
        Turn(100, (procedures.notify_acceptance, working.assign), "IN_HAND", is_("PETITION")),
        Turn(100, (working.contact, working.assign), "IN_HAND", is_("HOTLINE")),
        Turn(75, (mediating.offer,), "OFFERED", may_be_mediated),
        Turn(10, (working.visit, mediating.offer), "OFFERED", may_be_mediated),
        Turn(12, (working.visit, working.escalate), "ESCALATED", both(may_be_mediated, at_lower)),
        Turn(12, (working.classify, working.assign), "IN_HAND", is_("SELF_GOVERNANCE")),
        Turn(55, (working.assign,), "IN_HAND", is_("SELF_GOVERNANCE")),
        Turn(40, (working.assign,), "IN_HAND", is_("GRID")),
    ),
    "IN_HAND": (
        Turn(18, (working.visit,), "IN_HAND"),
        Turn(4, (working.late_visit,), "IN_HAND"),
        Turn(12, (working.classify,), "IN_HAND", not_yet("classify")),
        Turn(9, (working.consult,), "IN_HAND", not_yet("consult")),
        Turn(2, (working.warn,), "IN_HAND", not_yet("warn")),
        Turn(2, (working.absorb,), "IN_HAND", not_yet("absorb")),
        Turn(2, (working.suspend,), "IN_HAND", both(at("VILLAGE", "TOWNSHIP"), not_yet("suspend"))),
        Turn(9, (mediating.offer,), "OFFERED", may_be_mediated),
        Turn(13, (working.escalate,), "ESCALATED", at("GROUP")),
        Turn(9, (working.escalate,), "ESCALATED", at("VILLAGE")),
        Turn(2, (working.delegate,), "IN_HAND", could_go_down),
        Turn(1, (working.take_over,), "IN_HAND", both(at("GROUP"), not_yet("take_over"))),
        Turn(8, (procedures.object_jurisdiction,), "IN_HAND", both(petition, not_yet("object_jurisdiction"))),
        Turn(12, (extending.extend_handling,), "IN_HAND", may_take_longer),
        Turn(1, (settling.query,), "IN_HAND", not_yet("query")),
        Turn(1, (arriving.withdraw,), "OVER"),
        Turn(1, (arriving.transfer_out,), "OVER"),
        Turn(28, (settling.resolve,), "RESOLVED", lambda life: not owes_reply(life)),
        Turn(45, (procedures.reply, settling.resolve), "RESOLVED", owes_reply),
    ),
    "ESCALATED": (
        Turn(88, (working.accept_escalation,), "IN_HAND"),
        Turn(4, (working.accept_escalation, extending.extend_ladder), "IN_HAND", goes_to_village),
        Turn(12, (working.return_escalation,), "IN_HAND", lambda life: life.returns < 2),
    ),
    "OFFERED": (
        Turn(82, (mediating.consent,), "IN_MEDIATION"),
        Turn(18, (mediating.refuse, working.assign), "IN_HAND", not_yet("refuse")),
    ),
    "IN_MEDIATION": (
        Turn(50, (mediating.session, mediating.agree_in_writing), "AGREED"),
        Turn(24, (mediating.session, mediating.agree_by_word), "AGREED"),
        Turn(18, (mediating.session, mediating.terminate), "IN_HAND"),
        Turn(3, (working.suspend,), "IN_MEDIATION", both(at("VILLAGE", "TOWNSHIP"), not_yet("suspend"))),
        Turn(5, (working.classify,), "IN_MEDIATION", not_yet("classify")),
        Turn(4, (extending.extend_mediation,), "IN_MEDIATION", not_yet("extend_mediation", "suspend")),
    ),
    "AGREED": (
        Turn(80, (settling.fulfil,), "RESOLVED"),
        Turn(14, (settling.breach,), "BREACHED"),
        Turn(6, (settling.confirm_in_court, settling.fulfil), "RESOLVED", not_yet("confirm_in_court")),
    ),
    "BREACHED": (
        Turn(40, (settling.fulfil,), "RESOLVED"),
        Turn(28, (settling.handle_breach,), "RESOLVED"),
        Turn(14, (settling.confirm_in_court,), "RESOLVED", not_yet("confirm_in_court")),
        Turn(18, (settling.reopen_for_breach,), "IN_HAND"),
    ),
    "RESOLVED": (
        Turn(76, (settling.follow_up_content,), "TO_CLOSE"),
        Turn(9, (settling.follow_up_in_vain,), "TO_CLOSE"),
        Turn(9, (settling.follow_up_discontent,), "TO_CLOSE"),
        Turn(6, (settling.follow_up_discontent, settling.reopen_unsatisfied), "IN_HAND", may_be_reopened),
        Turn(12, (procedures.review,), "RESOLVED", both(is_("PETITION"), not_yet("review"))),
    ),
    "TO_CLOSE": (
        Turn(97, (settling.handle_breach, settling.close), "CLOSED", is_in_breach),
        Turn(97, (settling.close,), "CLOSED", lambda life: not is_in_breach(life)),
        Turn(3, (), "OVER"),
    ),
    "EXTERNALLY_SETTLED": (
        Turn(100, (settling.close,), "OVER"),
    ),
    "CLOSED": (
        Turn(64, (), "OVER"),
        Turn(30, (settling.archive,), "OVER", may_be_archived),
        Turn(3, (settling.query,), "OVER", not_yet("query")),
        Turn(1, (settling.demand,), "OVER"),
        Turn(2, (settling.reopen_for_new_fact,), "IN_HAND", may_be_reopened),
    ),
}  # fmt: skip
