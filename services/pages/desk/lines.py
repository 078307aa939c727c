"""A case as a line of the desk's lists."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from services.pages.phone.my_cases import title_of
from services.pages.wording import Wording


class Line(NamedTuple):
    """In words; one that may not be known has no id."""

    case_id: str | None
    version: int
    title: str
    category: str
    state: str
    holder: str
    handler: str
    opened_at: str
    urgent: bool
    overdue: bool


UNITS = ("holder_unit", "pending_unit")
"""Of a case, the units that its line names."""


def units_of(items: Iterable[Mapping[str, Any]]) -> set[str | None]:
    return {item.get(name) for item in items for name in UNITS}


def line(item: Mapping[str, Any], wording: Wording) -> Line:
    if "case_id" not in item:
        return Line(None, 0, wording.say("phone.not_yours"), "", "", "", "", "", False, False)
    return Line(
        case_id=item["case_id"],
        version=item["version"],
        title=title_of(item, wording),
        category=wording.code("category", item["category"]),
        state=wording.code("state", item["state"]),
        holder=wording.unit(item["pending_unit"] or item["holder_unit"]),
        handler=item["handler_ref"] or "",
        opened_at=item["opened_at"],
        urgent=bool(item["urgent"]),
        overdue=item["overdue"],
    )
