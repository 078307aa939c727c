"""The pages of the room, for those who oversee."""

from typing import Final

from services.pages.audit import explained, figures, finding, reads, replay, verifying
from services.pages.room import Handler, Me, Room
from shared.runtime.problems import Problem, Text
from shared.runtime.web import Answer, Operation, Request

ROLES: Final = frozenset(("supervisor", "auditor"))
_FOR_OVERSEERS: Final = Text("For a supervisor or an auditor", "仅供监督员或审计人员使用")


class Overseeing(Room):
    """A room for supervisors and auditors alone."""

    def page(self, path: str, name: str, handler: Handler, *, method: str = "GET") -> Operation:
        async def handle(request: Request, me: Me) -> Answer:
            if me.role not in ROLES:
                raise Problem("forbidden", _FOR_OVERSEERS)
            return await handler(request, me)

        return super().page(path, name, handle, method=method)


def operations(room: Room) -> tuple[Operation, ...]:
    overseeing = Overseeing(room.pages, room.api)
    return (
        *finding.operations(overseeing),
        *replay.operations(overseeing),
        *reads.operations(overseeing),
        verifying.operation(overseeing),
        *figures.operations(overseeing),
        *explained.operations(overseeing),
    )
