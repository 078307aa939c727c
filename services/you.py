"""`GET /v1/me`: who the bearer of a token is to this system."""

from uuid import UUID

import msgspec

from shared.events.vocabulary import Role
from shared.runtime.trees import Trees
from shared.runtime.web import Answer, Operation, Request, json_answer


class UnitOnPath(msgspec.Struct, frozen=True, kw_only=True):
    unit_id: UUID
    name: str


class You(msgspec.Struct, frozen=True, kw_only=True):
    sub: str
    role: Role
    unit: UUID | None
    clearances: tuple[str, ...]
    unit_name: str | None
    unit_path: tuple[UnitOnPath, ...]
    """From the root down to the unit itself."""


def operation(trees: Trees) -> Operation:
    async def handle(request: Request) -> Answer:
        actor, tree = request.actor, trees.current
        path = [unit for unit_id in reversed(tree.path(actor.unit)) if (unit := tree.get(unit_id))]
        you = You(
            sub=actor.ref,
            role=actor.role,
            unit=actor.unit,
            clearances=tuple(sorted(actor.clearances)),
            unit_name=path[-1].name if path else None,
            unit_path=tuple(UnitOnPath(unit_id=unit.unit_id, name=unit.name) for unit in path),
        )
        return json_answer(you)

    return Operation(
        method="GET",
        path="/v1/me",
        name="me",
        summary="Who you are here.",
        tag="reading",
        handler=handle,
        answers={200: You},
    )
