"""The pages of the room, for those who oversee."""

from typing import Final

from services.pages.audit import explained, figures, finding, reads, replay, unmasking, verifying
from services.pages.room import Room
from services.pages.screens import AUDIT
from shared.runtime.problems import Text
from shared.runtime.web import Operation

_FOR_OVERSEERS: Final = Text(
    "For a supervisor, an auditor or a privacy officer", "仅供监督员、审计人员或隐私专员使用"
)


def operations(room: Room) -> tuple[Operation, ...]:
    overseeing = room.of(AUDIT, _FOR_OVERSEERS)
    return (
        *finding.operations(overseeing),
        *replay.operations(overseeing),
        *unmasking.operations(overseeing),
        *reads.operations(overseeing),
        verifying.operation(overseeing),
        *figures.operations(overseeing),
        *explained.operations(overseeing),
    )
