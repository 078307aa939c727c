"""How a case comes in and finds its place: opened, accepted, rejected, transferred, merged."""

from services.intake.domain.commands import (
    AcceptCase,
    AccusedFields,
    MergeCase,
    OpenCase,
    RejectCase,
    TransferCase,
    person_of,
)
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import (
    Accused,
    CaseAccepted,
    CaseMerged,
    CaseRegistered,
    CaseRejected,
    CaseTransferred,
    ExternalBody,
    Source,
)
from shared.policy.checks import keep_from_accused, standing_unit
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.merging import absorption, merge_fault
from shared.policy.policy import Policy
from shared.policy.rules import failed


def open_case(command: Command, body: OpenCase, policy: Policy) -> Decision:
    tree = command.tree
    origin = holder = standing_unit(tree, body.origin_unit, "/origin_unit")
    if policy.category(body.category) is None:
        raise failed("category-unknown", "/category")
    if body.item is not None and body.item not in policy.service_items:
        raise failed("item-unknown", "/item")
    if body.accused is not None:
        # It bypasses the level it is about; above a township nothing is left, so its auditor hears it.
        accused = standing_unit(tree, body.accused.unit_id, "/accused/unit_id")
        holder = tree.get(accused.parent_id) or accused
    people = tuple(person_of(fields) for fields in body.people)
    registered = CaseRegistered(
        channel=body.channel,
        category=body.category,
        origin_unit=origin.unit_id,
        origin_level=origin.level,
        holder_unit=holder.unit_id,
        holder_level=holder.level,
        title=Private.of(body.title),
        description=Private.of(body.description),
        procedure=body.procedure,
        people=people,
        collective=body.collective,
        source=None if body.source is None else Source(kind=body.source.kind, id=body.source.id),
        item=body.item,
        accused=None if body.accused is None else _accused(body.accused),
    )
    return decision(None, command, registered, people=people)


def _accused(fields: AccusedFields) -> Accused:
    return Accused(actor_ref=fields.actor_ref, role=fields.role, unit_id=fields.unit_id)


def accept_case(case: Case, command: Command, body: AcceptCase, policy: Policy) -> Decision:
    procedure = body.procedure or case.procedure or "SELF_GOVERNANCE"
    if (procedure == "ACCUSATION") != (case.procedure == "ACCUSATION"):
        raise failed("accusation-stays", "/procedure")
    return decision(case, command, CaseAccepted(procedure=procedure))


def reject_case(case: Case, command: Command, body: RejectCase, policy: Policy) -> Decision:
    rejected = CaseRejected(
        reason=Private.of(body.reason), alternative_route=Private.of(body.alternative_route)
    )
    return decision(case, command, rejected)


def transfer_case(case: Case, command: Command, body: TransferCase, policy: Policy) -> Decision:
    reason = Private.of(body.reason)
    if body.external_body is not None:
        outside = ExternalBody(kind=body.external_body.kind, name=Private.of(body.external_body.name))
        return decision(case, command, CaseTransferred(reason=reason, external_body=outside))
    assert body.to_unit is not None
    unit = standing_unit(command.tree, body.to_unit, "/to_unit")
    if unit.unit_id == case.holder_unit:
        raise failed("not-the-holder", "/to_unit")
    if unit.level != case.holder_level:
        raise failed("same-level", "/to_unit")
    keep_from_accused(case, unit.unit_id, command.tree, "/to_unit")
    transferred = CaseTransferred(reason=reason, to_unit=unit.unit_id, to_level=unit.level)
    return decision(case, command, transferred)


def merge_case(case: Case, command: Command, body: MergeCase, policy: Policy) -> Decision:
    primary = command.into
    fault = merge_fault(case, primary, command.actor, command.tree)
    if fault is not None or primary is None:
        raise failed(fault or "primary-unknown", "/into_case_id")
    merged = CaseMerged(into_case_id=primary.case_id, reason=Private.maybe(body.reason))
    return decision(case, command, merged, primary=(absorption(case, command.occurred_at),))
