"""Services in lists, as far as the caller may know them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.projections.cases.rows import CaseRow
from services.projections.reads.case_answer import person_told
from services.projections.reads.case_items import READABLE, sight_of_row
from services.projections.reads.shown import cover, hidden
from services.projections.services_ledger.rows import ServiceRow
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import sight
from shared.policy.standing import is_staff


def service_item(
    service: ServiceRow, position: int, actor: Actor, tree: UnitTree, cases: Mapping[UUID, CaseRow]
) -> dict[str, Any]:
    """The service with leaves where the caller may open a value.

    `cases` are those that services were performed in, as of the same moment; a service in a
    case is known to whoever may read the case. One recorded by itself is shown in the clear
    to who recorded it and to the staff of its unit, and to its beneficiary what is theirs.
    """
    if not _known(service, actor, tree, cases):
        return hidden(position)
    clear = actor.ref == service.actor_ref or (actor.unit == service.unit_id and is_staff(actor, tree))
    own = service.beneficiary.person_ref if _is_beneficiary(service, actor) and service.beneficiary else None
    covered: dict[str, Any] = cover(
        service_told(service), lambda value: clear or (own is not None and value.key == own)
    )
    return covered


def service_told(service: ServiceRow) -> dict[str, Any]:
    """The service as an item of a list, every private value a leaf."""
    item = {
        "service_id": service.service_id,
        "unit_id": service.unit_id,
        "item": service.item,
        "occurred_at": service.occurred_at,
        "actor_ref": service.actor_ref,
        "case_id": service.case_id,
        "beneficiary": service.beneficiary and person_told(service.beneficiary),
        "beneficiary_ref": service.beneficiary_ref,
        "detail": service.detail,
    }
    return {name: value for name, value in item.items() if value is not None}


def _known(service: ServiceRow, actor: Actor, tree: UnitTree, cases: Mapping[UUID, CaseRow]) -> bool:
    if service.case_id is not None:
        case = cases.get(service.case_id)
        return case is not None and sight(actor, sight_of_row(case), tree) in READABLE
    if actor.role == "resident":
        return actor.ref == service.actor_ref or _is_beneficiary(service, actor)
    return actor.role != "dashboard"


def _is_beneficiary(service: ServiceRow, actor: Actor) -> bool:
    return service.beneficiary is not None and service.beneficiary.actor_ref == actor.ref
