"""The tree of units, a step at a time, with how many people may sign in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

from services.pages.given import given
from services.pages.room import Me, Room
from services.pages.wall.units import all_units
from services.pages.wording import wording_of
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Request

_UNDER: Final[dict[str | None, tuple[str, ...]]] = {
    None: ("TOWNSHIP",),
    "TOWNSHIP": ("VILLAGE", "NEIGHBOURHOOD"),
    "VILLAGE": ("GROUP",),
    "NEIGHBOURHOOD": ("GROUP",),
}
"""What may be registered under a unit of a kind; None is the top."""


class Row(NamedTuple):
    unit_id: str
    name: str
    kind: str
    closed: bool
    people: int
    """Who may sign in, with all beneath it."""
    beneath: int
    """Units directly under it."""


async def tree_page(room: Room, request: Request, me: Me, wrong: Mapping[str, str] | None = None) -> Answer:
    """The unit that the address names, or the reader's own, with those under it. Raises: Problem 404.

    `wrong` is what didn't fit of an act on it, by field.
    """
    asked = given(request)
    units = {unit["unit_id"]: unit for unit in await all_units(room.api, request)}
    counts = (await room.api.get(request, "/v1/accounts/by-unit"))["items"]
    people = _with_all_beneath(units, {item["unit_id"]: item["active"] for item in counts})
    unit_id = request.parameters.get("unit_id") or asked.one("unit") or me.unit
    path = _path(units, unit_id, me.unit)
    children: dict[str | None, list[str]] = {}
    for each in units.values():
        children.setdefault(each["parent_id"], []).append(each["unit_id"])

    def row(of: str) -> Row:
        unit = units[of]
        return Row(of, unit["name"], unit["kind"], unit["closed"], people[of], len(children.get(of, ())))

    unit = None if unit_id is None else units[unit_id]
    wording = await wording_of(room, request)
    kinds = _UNDER.get(None if unit is None else unit["kind"], ())
    return room.pages.render(
        request,
        "people/units.html",
        status=422 if wrong else 200,
        me=me,
        unit=unit,
        here=None if unit_id is None else row(unit_id),
        path_to=[units[step] for step in path],
        rows=[row(of) for of in children.get(unit_id, ())],
        chooses=_chooser(asked.one("for")),
        chosen_for=asked.one("for"),
        kinds=[(kind, wording.code("unit_kind", kind)) for kind in kinds],
        key=str(uuid4()),
        typed=request.form() if request.method == "POST" else {},
        wrong=wrong or {},
        wording=wording,
    )


def _path(units: Mapping[str, Mapping[str, Any]], unit_id: str | None, top: str | None) -> Sequence[str]:
    """From the top down to the unit. Raises: Problem 404 where it doesn't stand beneath the top."""
    path: list[str] = []
    above = unit_id
    while above is not None and above in units:
        path.insert(0, above)
        if above == top:
            return path
        above = units[above]["parent_id"]
    if top is not None or above is not None:
        raise Problem("not-found")
    return path


def _with_all_beneath(
    units: Mapping[str, Mapping[str, Any]], own: Mapping[str, int]
) -> dict[str | None, int]:
    people: dict[str | None, int] = dict.fromkeys(units, 0)
    for unit_id, active in own.items():
        above: str | None = unit_id
        while above is not None and above in units:
            people[above] += active
            above = units[above]["parent_id"]
    return people


def _chooser(chosen_for: str | None) -> str | None:
    """Where a unit that is chosen here is taken to, where one is."""
    if chosen_for is None:
        return None
    return "/desk/people/new" if chosen_for == "new" else f"/desk/people/{chosen_for}/change"
