"""`/desk/units`: the tree of units; the operator registers, renames, moves and closes them here."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from services.pages.api import Refused
from services.pages.given import wrong_fields
from services.pages.people.unit_tree import tree_page
from services.pages.room import Me, Room, see_other
from shared.runtime.bodies import read_id
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request
from shared.web.look import look_of

_VERSION_DIGITS_MAX: Final = 15
_NO_VERSION: Final = 0
_TOLD: Final = (409, 412, 422)
"""Refusals that stand in the form, beside what was typed."""


class Act(NamedTuple):
    field: str
    """Of the form; what is refused as a whole stands beside it."""
    member: str
    """Of the body, if it goes into it as it was typed."""


ACTS: Final = {
    "register": Act("name", "name"),
    "rename": Act("new_name", "name"),
    "move": Act("parent", "parent_id"),
    "close": Act("close", ""),
}


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        return await tree_page(room, request, me)

    async def act(request: Request, me: Me) -> Answer:
        name = request.parameters.get("act", "register")
        if name not in ACTS:
            raise Problem("not-found")
        fields = request.form()
        unit_id = str(request.id("unit_id")) if "unit_id" in request.parameters else None
        path = "/v1/units" if name == "register" else f"/v1/units/{unit_id}/{name}-unit"
        version = None if name == "register" else _version(fields.get("version", ""))
        body = await _body(room, request, name, unit_id, fields)
        amiss = "form_broken" if version == _NO_VERSION else "parent_unknown" if body is None else None
        if amiss is not None:
            told = room.pages.words.say(look_of(request).language, f"people.{amiss}")
            return await tree_page(room, request, me, {ACTS[name].field: told})
        try:
            await room.api.post(request, path, body, key=fields.get("key", ""), version=version)
        except Refused as refused:
            if refused.status not in _TOLD:
                raise
            wrong = wrong_fields(refused, ACTS[name].field)
            told = wrong.get(ACTS[name].member) or next(iter(wrong.values()))
            return await tree_page(room, request, me, {ACTS[name].field: told})
        return see_other("/desk/units" if unit_id is None else f"/desk/units?unit={unit_id}")

    return (
        room.page("/desk/units", "units", page),
        room.page("/desk/units/register", "unit-register-top", act, method="POST"),
        room.page("/desk/units/{unit_id}/{act}", "unit-act", act, method="POST"),
    )


def _version(typed: str) -> int:
    """What the form says that it was made from, where that can be one."""
    fits = len(typed) <= _VERSION_DIGITS_MAX and typed.isascii() and typed.isdecimal()
    return int(typed) if fits else _NO_VERSION


async def _body(
    room: Room, request: Request, act: str, unit_id: str | None, fields: Mapping[str, str]
) -> dict[str, Any] | None:
    """What the interface is sent; what isn't filled in is left out, so that it says so.

    None where a unit is meant by its name, and there is none or more than one.
    """
    if act == "close":
        return {}
    typed = fields.get(ACTS[act].field, "").strip()
    if act == "move" and typed and read_id(typed) is None:
        called = await _called(room, request, typed)
        return None if called is None else {"parent_id": called}
    body: dict[str, Any] = {ACTS[act].member: typed} if typed else {}
    if act == "register":
        body |= {"kind": fields.get("kind", "")} | ({"parent_id": unit_id} if unit_id else {})
    return body


async def _called(room: Room, request: Request, name: str) -> str | None:
    """The id of the one unit that is called so."""
    found = (await room.api.get(request, "/v1/units", name=name))["items"]
    ids: list[str] = [unit["unit_id"] for unit in found if unit["name"] == name and not unit["closed"]]
    return ids[0] if len(ids) == 1 else None
