"""The routes of intake: cases as they arrive, and what is recorded beside them."""

from collections.abc import Sequence
from typing import Any, Final

from services.intake.domain.commands import BODIES
from services.intake.domain.decide import decide
from shared.runtime.command_handling import Desk
from shared.runtime.command_http import case_operation
from shared.runtime.web import Operation

_UNIT: Final = "01932f4a-8a00-7000-8000-000000000037"
_EXAMPLES: Final[dict[str, Any]] = {
    "open-case": {
        "channel": "VISIT",
        "category": "NEIGHBOUR",
        "origin_unit": _UNIT,
        "title": "宅基地边界纠纷",
        "description": "两户因宅基地边界发生争执。",
        "people": [{"role": "COMPLAINANT", "name": "张三"}, {"role": "RESPONDENT", "name": "李四"}],
    },
    "accept-case": {"procedure": "SELF_GOVERNANCE"},
    "transfer-case": {"to_unit": _UNIT, "reason": "属地为邻组"},
    "attach-document": {"document_kind": "APPLICATION", "paper_location": "档案柜第三层"},
}


def operations(desk: Desk) -> Sequence[Operation]:
    return [
        case_operation(desk, name, body, decide, tag="arrival", example=_EXAMPLES.get(name))
        for name, body in BODIES.items()
    ]
