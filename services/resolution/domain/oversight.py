"""What supervisors ask and note, what is answered, and what people say of themselves and their records."""

from services.resolution.domain import commands
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    AuditNoted,
    ConflictDeclared,
    CorrectionDemanded,
    DemandAnswered,
    QueryAnswered,
    QueryRaised,
    RecordCorrected,
)
from shared.events.registry import EVENT_CLASSES
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.policy import Policy
from shared.policy.refusal import Taken
from shared.policy.rules import failed, refusal


def raise_query(case: Case, command: Command, body: commands.RaiseQuery, policy: Policy) -> Decision:
    assert body.query_id is not None
    if any(query.query_id == body.query_id for query in case.queries):
        raise refusal(Taken, "id-taken", "/query_id")
    raised = QueryRaised(query_id=body.query_id, question=Private.of(body.question))
    return decision(case, command, raised)


def answer_query(case: Case, command: Command, body: commands.AnswerQuery, policy: Policy) -> Decision:
    query = next((query for query in case.queries if query.query_id == body.query_id), None)
    if query is None:
        raise failed("query-unknown", "/query_id")
    if query.state == "ANSWERED":
        raise failed("query-answered", "/query_id")
    answered = QueryAnswered(query_id=body.query_id, answer=Private.of(body.answer))
    return decision(case, command, answered)


def demand_correction(
    case: Case, command: Command, body: commands.DemandCorrection, policy: Policy
) -> Decision:
    assert body.demand_id is not None
    if any(demand.demand_id == body.demand_id for demand in case.demands):
        raise refusal(Taken, "id-taken", "/demand_id")
    demanded = CorrectionDemanded(demand_id=body.demand_id, demand=Private.of(body.demand))
    return decision(case, command, demanded)


def answer_demand(case: Case, command: Command, body: commands.AnswerDemand, policy: Policy) -> Decision:
    demand = next((demand for demand in case.demands if demand.demand_id == body.demand_id), None)
    if demand is None:
        raise failed("demand-unknown", "/demand_id")
    if demand.outcome is not None:
        raise failed("demand-answered", "/demand_id")
    answered = DemandAnswered(demand_id=body.demand_id, outcome=body.outcome, detail=Private.of(body.detail))
    return decision(case, command, answered)


def annotate_audit(case: Case, command: Command, body: commands.AnnotateAudit, policy: Policy) -> Decision:
    return decision(case, command, AuditNoted(text=Private.of(body.text)))


def declare_conflict(
    case: Case, command: Command, body: commands.DeclareConflict, policy: Policy
) -> Decision:
    return decision(case, command, ConflictDeclared(reason=Private.of(body.reason)))


def record_correction(
    case: Case, command: Command, body: commands.RecordCorrection, policy: Policy
) -> Decision:
    """Beside the original, which stays; of a field that the event's data can have."""
    event = command.event
    if event is None:
        raise failed("event-unknown", "/event_id")
    if body.field not in EVENT_CLASSES[event.topic].__struct_fields__:
        raise failed("field-unknown", "/field")
    corrected = RecordCorrected(
        event_id=body.event_id, field=body.field, correction=Private.of(body.correction)
    )
    return decision(case, command, corrected)
