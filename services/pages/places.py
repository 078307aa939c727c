"""What a unit is called where nothing around says of which village its groups are."""

from collections.abc import Sequence

from services.pages.room import Room
from shared.runtime.web import Request


async def place_of(room: Room, request: Request, unit: str | None) -> list[str]:
    """The names from the village down to the unit; that of a township alone. Raises: Refused."""
    names: list[str] = []
    while unit is not None:
        found = (await room.api.get(request, "/v1/units", unit_id=unit))["items"][0]
        names.insert(0, found["name"])
        unit = found["parent_id"] if found["kind"] == "GROUP" else None
    return names


def in_one(names: Sequence[str]) -> str:
    """The names as one; many groups are called after their village, which is then said once."""
    return "".join(
        name for name, beneath in zip(names, [*names[1:], ""], strict=False) if not beneath.startswith(name)
    )
