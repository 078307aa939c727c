"""Which unit a form is about: somebody types a part of its name."""

from typing import Any, Final, NamedTuple

from services.pages.given import Given
from services.pages.room import Room
from shared.runtime.web import Request

_CHOICES: Final = 20


class Choice(NamedTuple):
    """A unit that was found; several or none where what was typed names none alone."""

    unit_id: str | None
    name: str
    candidates: list[dict[str, Any]]
    unknown: bool


async def chosen_unit(room: Room, request: Request, asked: Given) -> Choice:
    """By `unit`, an id, as long as its name stays, or by `unit_name`; with neither, no unit."""
    unit_id, name = asked.one("unit"), asked.one("unit_name")
    if unit_id is not None:
        found = (await room.api.get(request, "/v1/units", unit_id=unit_id))["items"]
        if found and name in (None, found[0]["name"]):
            return Choice(unit_id, found[0]["name"], [], False)
    if name is None:
        return Choice(None, "", [], unit_id is not None)
    found = (await room.api.get(request, "/v1/units", name=name, limit=_CHOICES))["items"]
    alone = found if len(found) == 1 else [unit for unit in found if unit["name"] == name]
    if len(alone) == 1:
        return Choice(alone[0]["unit_id"], alone[0]["name"], [], False)
    return Choice(None, name, found, not found)
