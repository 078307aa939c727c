"""Every event of a case, as the interface tells them."""

from collections.abc import Mapping
from typing import Any, Final

from services.pages.room import Room
from shared.runtime.web import Request

EVENTS_A_READ: Final = 1_000


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
