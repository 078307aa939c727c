"""What people do about clocks: extending one, objecting and taking over because of one, archiving without."""

from services.resolution.domain import commands
from shared.events.base import Private
from shared.events.case import Case
from shared.events.cases import CaseArchived, CaseTakenOver, JurisdictionObjected
from shared.policy.checks import check_window
from shared.policy.command import Command, Decision
from shared.policy.deciding import decision
from shared.policy.extensions import Extension, extended
from shared.policy.policy import Policy
from shared.policy.relations import late_units
from shared.policy.rules import failed


def take_over_case(case: Case, command: Command, body: commands.TakeOverCase, policy: Policy) -> Decision:
    """The level next above whoever is late, or has a conflict, becomes the holder."""
    unit = command.tree.get(command.actor.unit)
    if unit is None or unit.unit_id not in late_units(case, command.tree):
        raise failed("nothing-to-take-over")
    taken = CaseTakenOver(unit=unit.unit_id, level=unit.level, reason=Private.of(body.reason))
    return decision(case, command, taken)


def object_jurisdiction(
    case: Case, command: Command, body: commands.ObjectJurisdiction, policy: Policy
) -> Decision:
    """A petition goes back to who delegated it. Source: 信访工作条例 art. 23."""
    check_window(case, command, "T3")
    unit = command.tree.get(case.delegated_from)
    if unit is None:
        raise failed("not-delegated")
    objected = JurisdictionObjected(to_unit=unit.unit_id, to_level=unit.level, reason=Private.of(body.reason))
    return decision(case, command, objected)


def archive_case(case: Case, command: Command, body: commands.ArchiveCase, policy: Policy) -> Decision:
    return decision(case, command, CaseArchived())


def extend_deadline(case: Case, command: Command, body: commands.ExtendDeadline, policy: Policy) -> Decision:
    wanted = Extension(
        timer=body.timer,
        days=body.days,
        reason=Private.of(body.reason),
        approved_by=body.approved_by,
        consenting=body.consenting,
        actor_ref=command.actor.ref,
        actor_unit=command.actor.unit,
        complainant_informed=body.complainant_informed,
    )
    return decision(case, command, *extended(case, wanted, command.occurred_at, command.tree))
