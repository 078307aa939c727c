"""Every event of a case, as the interface tells them, and who held it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from services.pages.room import Room
from shared.runtime.web import Request

EVENTS_A_READ: Final = 1_000
_NEXT_HOLDER: Final = {
    "case.registered": "holder_unit",
    "case.transferred": "to_unit",
    "case.escalation_accepted": "unit",
    "case.delegated": "to_unit",
    "case.jurisdiction_objected": "to_unit",
    "case.taken_over": "unit",
}
"""What puts a case into a unit's hands, and the field that names the unit."""


class Held(NamedTuple):
    """That a unit held a case, and the instant at which it came there."""

    unit: str
    since: str


def holders_of(timeline: Iterable[Mapping[str, Any]]) -> list[Held]:
    """The units that held a case, one after the other; a body outside is none of them."""
    holders: list[Held] = []
    for item in timeline:
        unit = item["data"].get(_NEXT_HOLDER.get(item["topic"], ""))
        if unit is not None and (not holders or holders[-1].unit != unit):
            holders.append(Held(unit, item["occurred_at"]))
    return holders


async def case_timeline(room: Room, request: Request, case: str, **moment: Any) -> list[Mapping[str, Any]]:
    """Of the case at that path, in order. Raises: Refused."""
    items: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await room.api.get(request, f"{case}/timeline", limit=EVENTS_A_READ, cursor=cursor, **moment)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items
