"""What handling adds to an open case without moving it."""

from services.resolution.domain import commands
from services.resolution.domain.commands import Meeting
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    ConsultationHeld,
    DialogueHeld,
    ExternalOutcomeRecorded,
    HomeServiceDecided,
    JointMeetingHeld,
    LevelNotified,
    Participant,
    PolicyRevised,
    ReferredToPolice,
    ReplyRecorded,
    RiskFlagged,
    ServicePerformed,
    SituationStabilised,
    Subject,
    WarningLevelConfirmed,
)
from shared.policy.checks import keep_from_accused, not_after, on_case, standing_unit
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.policy import Policy
from shared.policy.rules import failed


def flag_risk(case: Case, command: Command, body: commands.FlagRisk, policy: Policy) -> Decision:
    return decision(case, command, RiskFlagged(risk=body.risk, detail=Private.of(body.detail)))


def confirm_warning(case: Case, command: Command, body: commands.ConfirmWarning, policy: Policy) -> Decision:
    if body.level not in policy.warning_scale:
        raise failed("ground-unknown", "/level")
    return decision(case, command, WarningLevelConfirmed(level=body.level, reason=Private.of(body.reason)))


def stabilise_situation(
    case: Case, command: Command, body: commands.StabiliseSituation, policy: Policy
) -> Decision:
    return decision(case, command, SituationStabilised(detail=Private.of(body.detail)))


def revise_policy(case: Case, command: Command, body: commands.RevisePolicy, policy: Policy) -> Decision:
    return decision(case, command, PolicyRevised(detail=Private.of(body.detail)))


def decide_home_service(
    case: Case, command: Command, body: commands.DecideHomeService, policy: Policy
) -> Decision:
    return decision(case, command, HomeServiceDecided(detail=Private.of(body.detail)))


def hold_meeting(case: Case, command: Command, body: Meeting, policy: Policy) -> Decision:
    """A consultation, dialogue or joint meeting: alike but for their names."""
    return decision(
        case,
        command,
        _MEETINGS[type(body)](
            participants=tuple(
                Participant(kind=participant.kind, name=Private.maybe(participant.name))
                for participant in body.participants
            ),
            summary=Private.of(body.summary),
        ),
    )


_MEETINGS: dict[type[Meeting], type[ConsultationHeld] | type[DialogueHeld] | type[JointMeetingHeld]] = {
    commands.ConveneConsultation: ConsultationHeld,
    commands.HoldDialogue: DialogueHeld,
    commands.HoldJointMeeting: JointMeetingHeld,
}


def refer_to_police(case: Case, command: Command, body: commands.ReferToPolice, policy: Policy) -> Decision:
    tree = command.tree
    to_unit = body.to_unit or tree.ancestor_at(case.origin_unit, "VILLAGE") or case.origin_unit
    standing_unit(tree, to_unit, "/to_unit")
    return decision(case, command, ReferredToPolice(to_unit=to_unit, reason=Private.of(body.reason)))


def notify_level(case: Case, command: Command, body: commands.NotifyLevel, policy: Policy) -> Decision:
    """The holder's unit of that level is told; below the holder, the origin's."""
    tree = command.tree
    unit = tree.ancestor_at(case.holder_unit, body.level) or tree.ancestor_at(case.origin_unit, body.level)
    if unit is None:
        raise failed("no-unit-at-level", "/level")
    if unit == case.holder_unit:
        raise failed("already-there", "/level")
    keep_from_accused(case, unit, tree, "/level")
    return decision(case, command, LevelNotified(level=body.level, unit=unit))


def perform_service(case: Case, command: Command, body: commands.PerformService, policy: Policy) -> Decision:
    if body.item not in policy.service_items:
        raise failed("item-unknown", "/item")
    if body.beneficiary is not None:
        on_case(case, body.beneficiary, "/beneficiary")
    return decision(case, command, ServicePerformed(item=body.item, beneficiary=body.beneficiary))


def record_external_outcome(
    case: Case, command: Command, body: commands.RecordExternalOutcome, policy: Policy
) -> Decision:
    subject = body.subject
    if subject is not None and subject.person_ref is not None:
        on_case(case, subject.person_ref, "/subject/person_ref")
    recorded = ExternalOutcomeRecorded(
        kind=body.kind,
        body=Private.of(body.body),
        subject=None if subject is None else Subject(person_ref=subject.person_ref, kind=subject.kind),
        detail=Private.of(body.detail),
    )
    return decision(case, command, recorded)


def record_reply(case: Case, command: Command, body: commands.RecordReply, policy: Policy) -> Decision:
    not_after(body.delivered_on, command, "/delivered_on")
    replied = ReplyRecorded(text=Private.of(body.text), delivered_on=body.delivered_on)
    return decision(case, command, replied)
