"""The tree of units: registering, renaming, moving and closing, by the operator alone."""

from uuid import UUID

from services.intake.domain.beside import CloseUnit, MoveUnit, RegisterUnit, RenameUnit
from shared.events.units import UnitClosed, UnitMoved, UnitRegistered, UnitRenamed
from shared.events.vocabulary import UnitKind
from shared.policy.actor import Actor
from shared.policy.checks import standing_unit
from shared.policy.deciding import by_role, with_note
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.refusal import Unknown
from shared.policy.rules import failed, refusal

PARENTS: dict[UnitKind, frozenset[UnitKind]] = {
    "TOWNSHIP": frozenset(),
    "VILLAGE": frozenset(("TOWNSHIP",)),
    "NEIGHBOURHOOD": frozenset(("TOWNSHIP",)),
    "GROUP": frozenset(("VILLAGE", "NEIGHBOURHOOD")),
}
"""What each kind stands under; so the tree can have no cycles."""


def register_unit(body: RegisterUnit, actor: Actor, tree: UnitTree) -> UnitRegistered:
    """The registration of a new unit, whose id is `body.unit_id`."""
    by_role(actor, "operator")
    _check_place(tree, body.kind, body.name, body.parent_id)
    return with_note(UnitRegistered(kind=body.kind, name=body.name, parent_id=body.parent_id), body)


def rename_unit(unit_id: UUID, body: RenameUnit, actor: Actor, tree: UnitTree) -> UnitRenamed:
    unit = _changeable(unit_id, actor, tree)
    _check_name(tree, body.name, unit.parent_id, unit_id)
    return with_note(UnitRenamed(name=body.name), body)


def move_unit(unit_id: UUID, body: MoveUnit, actor: Actor, tree: UnitTree) -> UnitMoved:
    unit = _changeable(unit_id, actor, tree)
    _check_place(tree, unit.kind, unit.name, body.parent_id, unit_id)
    return with_note(UnitMoved(parent_id=body.parent_id), body)


def close_unit(unit_id: UUID, body: CloseUnit, actor: Actor, tree: UnitTree) -> UnitClosed:
    _changeable(unit_id, actor, tree)
    if any(child is not None and not child.closed for child in map(tree.get, tree.children(unit_id))):
        raise failed("not-empty")
    return with_note(UnitClosed(), body)


def _changeable(unit_id: UUID, actor: Actor, tree: UnitTree) -> Unit:
    if tree.get(unit_id) is None:
        raise refusal(Unknown, "unknown")
    by_role(actor, "operator")
    return standing_unit(tree, unit_id, "")


def _check_place(
    tree: UnitTree, kind: UnitKind, name: str, parent_id: UUID | None, unit_id: UUID | None = None
) -> None:
    parent = None if parent_id is None else standing_unit(tree, parent_id, "/parent_id")
    fits = parent is None if not PARENTS[kind] else parent is not None and parent.kind in PARENTS[kind]
    if not fits:
        raise failed("nesting", "/parent_id")
    _check_name(tree, name, parent_id, unit_id)


def _check_name(tree: UnitTree, name: str, parent_id: UUID | None, unit_id: UUID | None) -> None:
    for sibling in map(tree.get, tree.children(parent_id)):
        if sibling is not None and sibling.unit_id != unit_id and not sibling.closed and sibling.name == name:
            raise failed("name-taken", "/name" if unit_id is None else "")
