"""`/wall`: a unit's figures on a large screen, live, and as they stood on any evening."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from services.pages.room import Me, Room
from services.pages.screens import WALL
from services.pages.wall.cases import CaseLists, wall_path
from services.pages.wall.units import all_units
from services.pages.wording import wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.runtime.web import Answer, Operation, Request

_FOUND_MAX: Final = 60


def operations(room: Room) -> Sequence[Operation]:
    async def own(request: Request, me: Me) -> Answer:
        return await _wall(room, request, me, me.unit)

    async def beneath(request: Request, me: Me) -> Answer:
        return await _wall(room, request, me, str(request.id("unit_id")))

    async def choice(request: Request, me: Me) -> Answer:
        name = parse_qs(request.query_string.decode()).get("name", [""])[-1].strip()
        units = [unit for unit in await all_units(room.api, request) if not unit["closed"]]
        theirs = _beneath(units, me.unit)
        found = [unit for unit in theirs if name.casefold() in unit["name"].casefold()]
        return room.pages.render(
            request, "wall/units.html", name=name, units=found[:_FOUND_MAX], more=len(found) > _FOUND_MAX
        )

    lists = CaseLists(room)
    walls = room.of(WALL)
    return (
        walls.page("/wall", "wall", own),
        walls.page("/wall/units", "wall-units", choice),
        room.page("/wall/cases", "wall-own-cases", lists.own),
        walls.page("/wall/{unit_id}", "wall-of-unit", beneath),
        room.page("/wall/{unit_id}/cases", "wall-cases", lists.beneath),
    )


async def _wall(room: Room, request: Request, me: Me, unit: str | None) -> Answer:
    """The frame of the wall; what stands in it is asked for by the browser, which goes on asking."""
    backlog = await room.api.get(request, "/v1/backlog", by="origin", unit=unit)
    own = [row for row in backlog["rows"] if row["unit_id"] == unit]
    wording = await wording_of(room, request)
    return room.pages.render(
        request,
        "wall/wall.html",
        unit=unit,
        base=wall_path(unit),
        name=own[0]["name"] if own else None,
        sees_cases=me.role != "dashboard",
        open_states=sorted(OPEN_STATES),
        categories=dict(wording.codes("category")),
    )


def _beneath(units: Sequence[dict[str, Any]], unit: str | None) -> list[dict[str, Any]]:
    """The unit and all beneath it, a parent before its children, each with the names above it."""
    children: dict[str | None, list[dict[str, Any]]] = {}
    for each in units:
        children.setdefault(each["parent_id"], []).append(each)
    tops = children.get(None, []) if unit is None else [each for each in units if each["unit_id"] == unit]
    found: list[dict[str, Any]] = []
    waiting = [each | {"above": ""} for each in reversed(tops)]
    while waiting:
        each = waiting.pop()
        found.append(each)
        above = f"{each['above']} {each['name']}".strip()
        waiting += [child | {"above": above} for child in reversed(children.get(each["unit_id"], []))]
    return found
