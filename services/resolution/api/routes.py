"""The routes of resolution: everything that is done about a case."""

from collections.abc import Sequence

from services.resolution.domain.commands import BODIES
from services.resolution.domain.decide import decide
from shared.runtime.command_handling import Desk
from shared.runtime.command_http import case_operation
from shared.runtime.web import Operation


def operations(desk: Desk) -> Sequence[Operation]:
    return [
        case_operation(desk, name, body, decide, tag="handling", example=None)
        for name, body in BODIES.items()
    ]
