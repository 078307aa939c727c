"""What is recorded beside cases: visits, services, rosters, files, imports."""

from uuid import UUID

from services.intake.domain.beside import FileRoster, OpenImport, RecordService, RegisterVisit
from services.intake.domain.commands import person_of
from shared.events.base import Private
from shared.events.case import Case
from shared.events.imports import ImportClosed, ImportOpened
from shared.events.rosters import RosterFiled
from shared.events.services import ServiceRecorded
from shared.events.visits import VisitRecorded
from shared.policy.actor import Actor
from shared.policy.checks import standing_unit
from shared.policy.deciding import by_role, with_note
from shared.policy.imports import Import
from shared.policy.jurisdiction import UnitTree
from shared.policy.policy import Policy
from shared.policy.refusal import Forbidden, Unknown
from shared.policy.rules import failed, refusal
from shared.policy.sight import Sight, reads_unit, sight, sight_of
from shared.policy.standing import serves


def record_visit(body: RegisterVisit, actor: Actor, tree: UnitTree, case: Case | None) -> VisitRecorded:
    """A visit; `case` is that of `case_id`. Of `opens_case`, `decide` makes the case's own events."""
    _check_serves(actor, body.unit, tree)
    case_id = body.case_id
    if case_id is not None and (case is None or sight(actor, sight_of(case), tree) is Sight.HIDDEN):
        raise refusal(Unknown, "unknown-case", "/case_id")
    if case is not None and sight(actor, sight_of(case), tree) is Sight.OUTSIDE:
        raise refusal(Forbidden, "outside", "/case_id")
    if body.opens_case is not None:
        case_id = body.opens_case.case_id
        if not tree.within(body.opens_case.origin_unit, body.unit):
            raise failed("same-unit", "/opens_case/origin_unit")
    return with_note(
        VisitRecorded(
            unit=body.unit,
            visit_kind=body.visit_kind,
            household_ref=body.household_ref,
            people=tuple(person_of(fields) for fields in body.people),
            findings=Private.of(body.findings),
            case_id=case_id,
        ),
        body,
    )


def record_service(body: RecordService, actor: Actor, tree: UnitTree, policy: Policy) -> ServiceRecorded:
    """A service done at once, without a case."""
    _check_serves(actor, body.unit, tree)
    if body.item not in policy.service_items:
        raise failed("item-unknown", "/item")
    return with_note(
        ServiceRecorded(
            unit=body.unit,
            item=body.item,
            beneficiary=None if body.beneficiary is None else person_of(body.beneficiary),
            detail=Private.maybe(body.detail),
        ),
        body,
    )


def file_roster(body: FileRoster, actor: Actor, tree: UnitTree) -> RosterFiled:
    """The households of a unit on a day, by the operator or a village officer within their unit."""
    by_role(actor, "operator", "village_officer")
    if actor.role != "operator" and not reads_unit(actor, body.unit, tree):
        raise refusal(Forbidden, "outside", "/unit")
    standing_unit(tree, body.unit, "/unit")
    filed = RosterFiled(unit=body.unit, as_of_on=body.as_of_on, households=body.households)
    return with_note(filed, body)


def may_store_files(actor: Actor, tree: UnitTree) -> None:
    """Whether the actor may store files at all: staff, grid workers and police of a unit.

    Raises:
        Forbidden: anybody else.
    """
    if actor.unit is None or not serves(actor, actor.unit, tree):
        raise refusal(Forbidden, "outside")


def open_import(body: OpenImport, actor: Actor, tree: UnitTree) -> ImportOpened:
    by_role(actor, "operator")
    standing_unit(tree, body.unit, "/unit")
    return with_note(ImportOpened(unit=body.unit), body)


def close_import(found: Import | None, actor: Actor) -> ImportClosed:
    if found is None:
        raise refusal(Unknown, "unknown")
    by_role(actor, "operator")
    if found.closed:
        raise failed("import-closed")
    return ImportClosed()


def _check_serves(actor: Actor, unit: UUID, tree: UnitTree) -> None:
    if not serves(actor, unit, tree):
        raise refusal(Forbidden, "outside", "/unit")
    standing_unit(tree, unit, "/unit")
