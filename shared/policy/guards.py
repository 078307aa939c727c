"""Guards that need nothing but the case's state: `allowed_commands` looks at them too."""

from collections.abc import Callable

from shared.events.case import Case
from shared.events.deadlines import Deadline
from shared.events.vocabulary import TermState, Timer
from shared.policy.policy import Policy

Missing = dict[str, object]
"""Members that explain a guard that doesn't hold."""
Guard = Callable[[Case, Policy], Missing | None]


def missing_documents(case: Case, policy: Policy) -> list[str]:
    """What the dossier still lacks, `APPLICATION|ACCEPTANCE_REGISTER` where either will do.

    Only a mediation's needs one: MEDIATION procedure and any case with an agreement.
    """
    if case.procedure != "MEDIATION" and case.agreement is None:
        return []
    attached = {document.document_kind for document in case.documents}
    return ["|".join(group) for group in policy.dossier if attached.isdisjoint(group)]


def is_public_safety(case: Case, policy: Policy) -> bool:
    return (
        case.procedure == "SAFETY_LEAD"
        or case.category in policy.safety_categories
        or not policy.safety_risks.isdisjoint(case.risks)
    )


def _unless(holds: Callable[[Case, Policy], bool]) -> Guard:
    return lambda case, policy: None if holds(case, policy) else {}


def _followed_up(case: Case, policy: Policy) -> bool:
    if case.procedure == "SAFETY_LEAD":
        return True
    attempts = [attempt for attempt in case.follow_ups if attempt.cycle == case.cycle]
    return any(attempt.reached for attempt in attempts) or len(attempts) >= policy.follow_up_attempts


def _dossier(case: Case, policy: Policy) -> Missing | None:
    missing = missing_documents(case, policy)
    return {"missing": missing} if missing else None


def _performed(case: Case, policy: Policy) -> bool:
    terms = case.agreement.terms if case.agreement is not None else ()
    return all(term.state in ("FULFILLED", "HANDLED") for term in terms)


TERM_STEPS: dict[str, frozenset[TermState]] = {
    "record-fulfilment": frozenset(("DUE", "BREACHED", "HANDLED")),
    "record-breach": frozenset(("DUE", "HANDLED")),
    "record-breach-handled": frozenset(("BREACHED",)),
}
"""From which state of a term each command goes on."""


def _term_step(command: str) -> Guard:
    from_states = TERM_STEPS[command]
    return _unless(
        lambda case, policy: (
            case.agreement is not None and any(term.state in from_states for term in case.agreement.terms)
        )
    )


_in_force = _unless(lambda case, policy: case.agreement is not None and case.agreement.effective)
_not_final = _unless(lambda case, policy: not case.final)


def latest_deadline(case: Case, timer: Timer) -> Deadline | None:
    """The clock of that kind that was started last."""
    return next((deadline for deadline in reversed(case.deadlines) if deadline.timer == timer), None)


def _rights_used_up(case: Case, policy: Policy) -> bool:
    """A petition's rights to review have lapsed, or there is nothing beyond its re-review."""
    if case.procedure != "PETITION" or case.final:
        return True
    rights = [deadline for deadline in case.deadlines if deadline.timer in ("T5", "T7")]
    return not any(right.live for right in rights)


def _at_rest(case: Case, policy: Policy) -> bool:
    return not any(deadline.live and deadline.state != "BREACHED" for deadline in case.deadlines)


def _late(case: Case, policy: Policy) -> bool:
    overdue = {deadline.timer for deadline in case.deadlines if deadline.overdue}
    return case.conflict_since is not None or not overdue.isdisjoint(("T13", "T16"))


STATE_GUARDS: dict[str, dict[str, Guard]] = {
    "change-procedure": {
        "mediation-under-way": _unless(
            lambda case, _: case.mediation is None or case.mediation.state != "OFFERED"
        ),
        "accusation-stays": _unless(lambda case, _: case.procedure != "ACCUSATION"),
    },
    "offer-mediation": {
        "not-civil": _unless(
            lambda case, policy: (category := policy.category(case.category)) is not None and category.civil
        ),
    },
    "consent-to-mediation": {
        "no-offer": _unless(lambda case, _: case.mediation is not None and case.mediation.state == "OFFERED"),
    },
    "escalate-case": {"top-level": _unless(lambda case, _: case.holder_level != "TOWNSHIP")},
    "return-escalation": {"return-limit": _unless(lambda case, policy: case.returns < policy.return_limit)},
    "take-over-case": {"nothing-to-take-over": _unless(_late)},
    "object-jurisdiction": {"not-delegated": _unless(lambda case, _: case.delegated_from is not None)},
    "archive-case": {
        "archived": _unless(lambda case, _: case.archived_at is None),
        "rights-open": _unless(_rights_used_up),
        "clocks-running": _unless(_at_rest),
    },
    "withdraw-case": {"public-safety": _unless(lambda case, policy: not is_public_safety(case, policy))},
    "record-follow-up": {
        "follow-ups-used": _unless(
            lambda case, policy: (
                sum(attempt.cycle == case.cycle for attempt in case.follow_ups) < policy.follow_up_attempts
            )
        ),
    },
    "close-case": {
        "follow-up-needed": _unless(_followed_up),
        "dossier-incomplete": _dossier,
        "agreement-open": _unless(_performed),
    },
    **{command: {"no-agreement": _in_force, "term-state": _term_step(command)} for command in TERM_STEPS},
    "apply-judicial-confirmation": {
        "no-agreement": _in_force,
        "already-applied": _unless(
            lambda case, _: case.agreement is not None and case.agreement.confirmation is None
        ),
    },
    "record-confirmation-outcome": {
        "not-applied": _unless(
            lambda case, _: case.agreement is not None and case.agreement.confirmation == "APPLIED"
        ),
    },
    "request-review": {"final": _not_final, "review-asked": _unless(lambda case, _: case.review is None)},
    "request-re-review": {
        "final": _not_final,
        "no-opinion-yet": _unless(
            lambda case, _: case.review is not None and case.review.answered and case.review.stage == "REVIEW"
        ),
    },
    "record-review-opinion": {
        "no-review-asked": _unless(lambda case, _: case.review is not None and not case.review.answered),
    },
    "reopen-case": {"final": _not_final},
    "answer-query": {
        "query-answered": _unless(lambda case, _: any(query.state == "OPEN" for query in case.queries)),
    },
    "answer-demand": {
        "demand-answered": _unless(lambda case, _: any(demand.outcome is None for demand in case.demands)),
    },
}
"""Command to its guards on state, each a function of case and policy: None when it holds."""
