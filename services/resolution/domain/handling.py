"""How a case is handled and moves between levels."""

from services.resolution.domain import commands
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    CaseDelegated,
    CaseEscalated,
    CaseResumed,
    CaseSuspended,
    EscalationAccepted,
    EscalationReturned,
    HandlerAssigned,
    LevelNotified,
    ProcedureChanged,
    UrgencyClassified,
)
from shared.events.vocabulary import LEVELS
from shared.policy.checks import keep_from_accused, standing_unit, unconflicted
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.policy import Policy
from shared.policy.rules import failed
from shared.policy.standing import OFFICERS, STAFF, level_of_unit


def assign_handler(case: Case, command: Command, body: commands.AssignHandler, policy: Policy) -> Decision:
    unconflicted(case, body.handler_ref, "/handler_ref")
    return decision(case, command, HandlerAssigned(handler_ref=body.handler_ref))


def change_procedure(
    case: Case, command: Command, body: commands.ChangeProcedure, policy: Policy
) -> Decision:
    if body.procedure == "ACCUSATION":
        raise failed("accusation-stays", "/procedure")
    if body.procedure == case.procedure:
        raise failed("same-procedure", "/procedure")
    if not body.parties_informed:
        raise failed("parties-not-informed", "/parties_informed")
    changed = ProcedureChanged(procedure=body.procedure, reason=Private.of(body.reason))
    return decision(case, command, changed)


def classify_urgency(
    case: Case, command: Command, body: commands.ClassifyUrgency, policy: Policy
) -> Decision:
    """An officer's classification stands confirmed; anybody else's is a proposal."""
    officer = command.actor.role in OFFICERS.values() or command.actor.role == "auditor"
    classified = UrgencyClassified(
        urgent=body.urgent,
        status="CONFIRMED" if officer else "PROPOSED",
        facets=tuple(dict.fromkeys(body.facets)),
        reason=Private.of(body.reason),
    )
    return decision(case, command, classified)


def escalate_case(case: Case, command: Command, body: commands.EscalateCase, policy: Policy) -> Decision:
    """One level up; in an emergency further, each level skipped being told in the same append."""
    tree = command.tree
    skipped = LEVELS[LEVELS.index(case.holder_level) + 1 : LEVELS.index(body.to_level)]
    if LEVELS.index(body.to_level) <= LEVELS.index(case.holder_level) or (skipped and not body.emergency):
        raise failed("not-the-next-level", "/to_level")
    if set(body.notify_levels) != set(skipped):
        raise failed("notify-skipped", "/notify_levels")
    receiver = tree.ancestor_at(case.holder_unit, body.to_level)
    if receiver is None:
        raise failed("no-unit-at-level", "/to_level")
    standing_unit(tree, receiver, "/to_level")
    keep_from_accused(case, receiver, tree, "/to_level")
    notices = []
    for level in skipped:
        unit = tree.ancestor_at(case.holder_unit, level)
        if unit is None:
            raise failed("no-unit-at-level", "/notify_levels")
        keep_from_accused(case, unit, tree, "/notify_levels")
        notices.append(LevelNotified(level=level, unit=unit))
    escalated = CaseEscalated(
        to_level=body.to_level,
        to_unit=receiver,
        reason=Private.of(body.reason),
        emergency=body.emergency,
    )
    return decision(case, command, escalated, *notices)


def accept_escalation(
    case: Case, command: Command, body: commands.AcceptEscalation, policy: Policy
) -> Decision:
    assert case.pending_unit is not None
    assert case.pending_level is not None
    accepted = EscalationAccepted(unit=case.pending_unit, level=case.pending_level)
    return decision(case, command, accepted)


def return_escalation(
    case: Case, command: Command, body: commands.ReturnEscalation, policy: Policy
) -> Decision:
    return decision(case, command, EscalationReturned(reason=Private.of(body.reason)))


def delegate_case(case: Case, command: Command, body: commands.DelegateCase, policy: Policy) -> Decision:
    """One level down: to the unit named, else to the one on the way to the origin."""
    tree = command.tree
    below = LEVELS[LEVELS.index(case.holder_level) - 1]
    to_unit = body.to_unit
    if to_unit is None:
        to_unit = tree.ancestor_at(case.origin_unit, below)
        if to_unit is None or not tree.within(to_unit, case.holder_unit):
            raise failed("unit-to-be-named", "/to_unit")
    unit = standing_unit(tree, to_unit, "/to_unit")
    if unit.level != below or not tree.within(to_unit, case.holder_unit):
        raise failed("one-level-down", "/to_unit")
    keep_from_accused(case, to_unit, tree, "/to_unit")
    delegated = CaseDelegated(to_unit=to_unit, to_level=below, reason=Private.of(body.reason))
    return decision(case, command, delegated)


def suspend_case(case: Case, command: Command, body: commands.SuspendCase, policy: Policy) -> Decision:
    if body.ground not in policy.suspension_grounds:
        raise failed("ground-unknown", "/ground")
    if case.holder_level == "VILLAGE" and not _is_approved(case, command, body.approved_by):
        raise failed("approval-needed", "/approved_by")
    suspended = CaseSuspended(
        ground=body.ground,
        reason=Private.of(body.reason),
        approved_by=body.approved_by,
        pauses=policy.suspensions[body.ground].shifts,
    )
    return decision(case, command, suspended)


def resume_case(case: Case, command: Command, body: commands.ResumeCase, policy: Policy) -> Decision:
    return decision(case, command, CaseResumed())


def _is_approved(case: Case, command: Command, approver: str | None) -> bool:
    """By somebody other than the sender; whoever is known on the case, as staff of a township."""
    if approver is None or approver == command.actor.ref:
        return False
    known = [author for author in case.authors if author.ref == approver]
    return not known or any(
        author.role in STAFF["TOWNSHIP"] and level_of_unit(author.unit, command.tree) == "TOWNSHIP"
        for author in known
    )
