"""How a case is settled, followed up, closed, reviewed and reopened."""

from services.resolution.domain import commands
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    CaseClosed,
    CaseReopened,
    CaseResolved,
    CaseWithdrawn,
    FollowUpRecorded,
    ReReviewRequested,
    ReviewOpinionRecorded,
    ReviewRequested,
)
from shared.policy.checks import check_window, file_digest, for_a_complainant
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.policy import Policy
from shared.policy.rules import failed


def resolve_case(case: Case, command: Command, body: commands.ResolveCase, policy: Policy) -> Decision:
    for index, file_id in enumerate(body.evidence):
        file_digest(command, file_id, f"/evidence/{index}")
    resolved = CaseResolved(
        outcome=body.outcome,
        degree=body.degree,
        detail=Private.of(body.detail),
        evidence=body.evidence,
        rule=Private.maybe(body.rule),
        partial_counts=policy.partial_counts,
    )
    return decision(case, command, resolved)


def withdraw_case(case: Case, command: Command, body: commands.WithdrawCase, policy: Policy) -> Decision:
    for_a_complainant(case, body.on_behalf_of)
    withdrawn = CaseWithdrawn(statement=Private.of(body.statement), on_behalf_of=body.on_behalf_of)
    return decision(case, command, withdrawn)


def record_follow_up(case: Case, command: Command, body: commands.RecordFollowUp, policy: Policy) -> Decision:
    followed_up = FollowUpRecorded(reached=body.reached, solved=body.solved, satisfied=body.satisfied)
    return decision(case, command, followed_up)


def close_case(case: Case, command: Command, body: commands.CloseCase, policy: Policy) -> Decision:
    return decision(case, command, CaseClosed())


def request_review(case: Case, command: Command, body: commands.RequestReview, policy: Policy) -> Decision:
    for_a_complainant(case, body.on_behalf_of)
    if case.replied_on is not None:
        # Reopened, it is not bound by the reply of an earlier cycle.
        check_window(case, command, "T5")
    requested = ReviewRequested(grounds=Private.of(body.grounds), on_behalf_of=body.on_behalf_of)
    return decision(case, command, requested)


def request_re_review(
    case: Case, command: Command, body: commands.RequestReReview, policy: Policy
) -> Decision:
    for_a_complainant(case, body.on_behalf_of)
    check_window(case, command, "T7")
    requested = ReReviewRequested(grounds=Private.of(body.grounds), on_behalf_of=body.on_behalf_of)
    return decision(case, command, requested)


def record_review_opinion(
    case: Case, command: Command, body: commands.RecordReviewOpinion, policy: Policy
) -> Decision:
    """Only a re-review's opinion can end the matter. Source: 信访工作条例 art. 36."""
    if body.final and case.review is not None and case.review.stage != "RE_REVIEW":
        raise failed("final-on-re-review", "/final")
    given = ReviewOpinionRecorded(opinion=Private.of(body.opinion), final=body.final)
    return decision(case, command, given)


def reopen_case(case: Case, command: Command, body: commands.ReopenCase, policy: Policy) -> Decision:
    terms = case.agreement.terms if case.agreement is not None else ()
    if body.ground == "BREACH" and not any(term.state == "BREACHED" for term in terms):
        raise failed("no-breach", "/ground")
    unsatisfied = any(said.cycle == case.cycle and said.satisfied is False for said in case.follow_ups)
    if body.ground == "UNSATISFIED" and not unsatisfied:
        raise failed("not-unsatisfied", "/ground")
    return decision(case, command, CaseReopened(ground=body.ground, reason=Private.of(body.reason)))
