"""The pages of the room, for those who oversee."""

from typing import Final

from services.pages.audit import explained, figures, finding, reads, replay, verifying
from services.pages.room import Room
from shared.runtime.web import Operation

ROLES: Final = frozenset(("supervisor", "auditor"))


def operations(room: Room) -> tuple[Operation, ...]:
    return (
        *finding.operations(room),
        *replay.operations(room),
        *reads.operations(room),
        verifying.operation(room),
        *figures.operations(room),
        *explained.operations(room),
    )
