"""The decisions of resolution: `decide` is pure, and raises nothing but `Refused`."""

from collections.abc import Callable
from typing import Any

from services.resolution.domain import adding, clocks, commands, handling, mediation, oversight, settling
from shared.events.case import Case
from shared.policy.bodies import Body
from shared.policy.clocks import with_clocks
from shared.policy.command import Command, Decision
from shared.policy.deciding import admit
from shared.policy.policy import Policy

_DECIDERS: dict[type[Body], Callable[[Case, Command, Any, Policy], Decision]] = {
    commands.FlagRisk: adding.flag_risk,
    commands.ConfirmWarning: adding.confirm_warning,
    commands.StabiliseSituation: adding.stabilise_situation,
    commands.RevisePolicy: adding.revise_policy,
    commands.DecideHomeService: adding.decide_home_service,
    commands.ConveneConsultation: adding.hold_meeting,
    commands.HoldDialogue: adding.hold_meeting,
    commands.HoldJointMeeting: adding.hold_meeting,
    commands.ReferToPolice: adding.refer_to_police,
    commands.NotifyLevel: adding.notify_level,
    commands.PerformService: adding.perform_service,
    commands.RecordExternalOutcome: adding.record_external_outcome,
    commands.RecordReply: adding.record_reply,
    commands.AssignHandler: handling.assign_handler,
    commands.ChangeProcedure: handling.change_procedure,
    commands.ClassifyUrgency: handling.classify_urgency,
    commands.EscalateCase: handling.escalate_case,
    commands.AcceptEscalation: handling.accept_escalation,
    commands.ReturnEscalation: handling.return_escalation,
    commands.DelegateCase: handling.delegate_case,
    commands.TakeOverCase: clocks.take_over_case,
    commands.ObjectJurisdiction: clocks.object_jurisdiction,
    commands.ExtendDeadline: clocks.extend_deadline,
    commands.SuspendCase: handling.suspend_case,
    commands.ResumeCase: handling.resume_case,
    commands.OfferMediation: mediation.offer_mediation,
    commands.ConsentToMediation: mediation.consent_to_mediation,
    commands.RefuseMediation: mediation.refuse_mediation,
    commands.RecordAgreement: mediation.record_agreement,
    commands.TerminateMediation: mediation.terminate_mediation,
    commands.RecordFulfilment: mediation.record_fulfilment,
    commands.RecordBreach: mediation.record_breach,
    commands.RecordBreachHandled: mediation.record_breach_handled,
    commands.ApplyJudicialConfirmation: mediation.apply_judicial_confirmation,
    commands.RecordConfirmationOutcome: mediation.record_confirmation_outcome,
    commands.ResolveCase: settling.resolve_case,
    commands.WithdrawCase: settling.withdraw_case,
    commands.RecordFollowUp: settling.record_follow_up,
    commands.CloseCase: settling.close_case,
    commands.ArchiveCase: clocks.archive_case,
    commands.RequestReview: settling.request_review,
    commands.RequestReReview: settling.request_re_review,
    commands.RecordReviewOpinion: settling.record_review_opinion,
    commands.ReopenCase: settling.reopen_case,
    commands.RaiseQuery: oversight.raise_query,
    commands.AnswerQuery: oversight.answer_query,
    commands.DemandCorrection: oversight.demand_correction,
    commands.AnswerDemand: oversight.answer_demand,
    commands.AnnotateAudit: oversight.annotate_audit,
    commands.DeclareConflict: oversight.declare_conflict,
    commands.RecordCorrection: oversight.record_correction,
}


def decide(case: Case | None, command: Command, policy: Policy) -> Decision:
    """The events that a command comes to; `case` is None where there is none of that id.

    Raises:
        Unknown, Forbidden, WrongState, Taken, GuardFailed: in this order.
    """
    admit(case, command, policy)
    assert case is not None, "no command of this service opens a case"
    decided = _DECIDERS[type(command.body)](case, command, command.body, policy)
    return with_clocks(case, decided, command)
