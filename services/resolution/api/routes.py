"""The routes of resolution: everything that is done about a case."""

from collections.abc import Sequence
from typing import Any, Final

from services.resolution.domain.commands import BODIES
from services.resolution.domain.decide import decide
from shared.runtime.command_handling import Desk
from shared.runtime.command_http import case_operation
from shared.runtime.web import Operation

_PARTIES: Final = ["01932f4a-8a00-7000-8000-000000000001", "01932f4a-8a00-7000-8000-000000000002"]
_EXAMPLES: Final[dict[str, Any]] = {
    "assign-handler": {"handler_ref": "leader-37"},
    "offer-mediation": {"parties": _PARTIES},
    "record-agreement": {
        "form": "WRITTEN",
        "facts": "双方因宅基地边界发生争执",
        "responsibilities": "以界石为准",
        "terms": [{"text": "拆除越界围墙", "due_on": "2024-06-01"}],
        "signatures": [{"person_ref": party, "kind": "SIGNED"} for party in _PARTIES],
        "mediator_signed": True,
        "committee_sealed": True,
    },
    "escalate-case": {"to_level": "VILLAGE", "reason": "超出本组能力"},
    "resolve-case": {"outcome": "SETTLED", "degree": "FULL", "detail": "双方和解"},
    "record-follow-up": {"reached": True, "solved": True, "satisfied": True},
}


def operations(desk: Desk) -> Sequence[Operation]:
    return [
        case_operation(desk, name, body, decide, tag="handling", example=_EXAMPLES.get(name))
        for name, body in BODIES.items()
    ]
