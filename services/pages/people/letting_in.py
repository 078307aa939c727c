"""`/desk/people/new` and `…/change`: what somebody is who may sign in, in the unit that was chosen before."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from services.pages.api import Refused
from services.pages.given import given, wrong_fields
from services.pages.room import Me, Room, see_other
from services.pages.wording import Wording, wording_of
from shared.events.vocabulary import Level, Role, level_of
from shared.policy.administration import APPOINTED, fits
from shared.runtime.identity import CLEARANCES, ROLES, ROLES_OF_THE_WHOLE
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request

_TOLD: Final = (403, 409, 422)
"""Refusals that stand in the form, beside what was typed."""


class Place(NamedTuple):
    """Where somebody is let in: a unit, or the whole."""

    unit_id: str | None
    level: Level | None
    name: str


def operations(room: Room) -> tuple[Operation, ...]:
    async def new(request: Request, me: Me) -> Answer:
        return await _form(request, me, None, {}, {})

    async def let_in(request: Request, me: Me) -> Answer:
        fields = request.form()
        named = ("login", "actor_ref")
        body = _body(request, me, fields) | {name: fields[name].strip() for name in named if fields.get(name)}
        try:
            account = await room.api.post(request, "/v1/accounts", body)
        except Refused as refused:
            if refused.status not in _TOLD:
                raise
            return await _form(request, me, None, fields, _wrong(refused))
        wording = await wording_of(room, request, [account["unit"]])
        return room.pages.render(request, "people/password.html", me=me, account=account, wording=wording)

    async def other(request: Request, me: Me) -> Answer:
        account = await room.api.get(request, f"/v1/accounts/{request.id('account_id')}")
        return await _form(request, me, account, {"role": account["role"]}, {})

    async def change(request: Request, me: Me) -> Answer:
        path = f"/v1/accounts/{request.id('account_id')}"
        account = await room.api.get(request, path)
        fields = request.form()
        try:
            await room.api.post(request, f"{path}/change", _body(request, me, fields))
        except Refused as refused:
            if refused.status not in _TOLD:
                raise
            return await _form(request, me, account, fields, _wrong(refused))
        return see_other(f"/desk/people/{account['account_id']}")

    async def _form(
        request: Request,
        me: Me,
        account: Mapping[str, Any] | None,
        fields: Mapping[str, str],
        wrong: Mapping[str, str],
    ) -> Answer:
        place = await _place(room, request, me)
        wording = await wording_of(room, request)
        return room.pages.render(
            request,
            "people/letting_in.html",
            status=422 if wrong else 200,
            me=me,
            account=account,
            place=place,
            chooser="/desk/units?" + urlencode({"for": "new" if account is None else account["account_id"]}),
            roles=_roles(me, place, wording),
            clearances=sorted(CLEARANCES if me.role == "operator" else me.clearances),
            fields=fields,
            wrong=wrong,
            wording=wording,
        )

    return (
        room.page("/desk/people/new", "person-new", new),
        room.page("/desk/people/new", "person-let-in", let_in, method="POST"),
        room.page("/desk/people/{account_id}/change", "person-other", other),
        room.page("/desk/people/{account_id}/change", "person-change", change, method="POST"),
    )


def _unit(request: Request, me: Me) -> str | None:
    return given(request).one("unit") or me.unit


async def _place(room: Room, request: Request, me: Me) -> Place:
    """The unit that the address names, by default the reader's own. Raises: Problem 404."""
    unit_id = _unit(request, me)
    if unit_id is None:
        return Place(None, None, "")
    found = (await room.api.get(request, "/v1/units", unit_id=unit_id))["items"]
    if not found:
        raise Problem("not-found")
    return Place(unit_id, level_of(found[0]["kind"]), found[0]["name"])


def _roles(me: Me, place: Place, wording: Wording) -> Sequence[tuple[str, str]]:
    """Whom the reader may let in there, as far as a page can tell."""
    lets_in = ROLES if me.role == "operator" else APPOINTED.get(_role(me), frozenset())
    there = (role for role in ROLES if role in lets_in and fits(role, place.level))
    whole = place.unit_id is None
    return [(role, wording.code("role", role)) for role in there if not whole or role in ROLES_OF_THE_WHOLE]


def _role(me: Me) -> Role:
    return next(role for role in ROLES if role == me.role)


def _body(request: Request, me: Me, fields: Mapping[str, str]) -> dict[str, Any]:
    unit = _unit(request, me)
    clearances = [name for name in sorted(CLEARANCES) if f"clearance_{name}" in fields]
    return {"role": fields.get("role", ""), "clearances": clearances} | ({"unit": unit} if unit else {})


def _wrong(refused: Refused) -> dict[str, str]:
    return wrong_fields(refused, "login" if refused.status == 409 else "role")
