"""`/desk/people`: who may sign in, found by a part of their name, their role or their unit.

A name that is sought goes in the body of a form, never into an address.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.pages.api import Refused
from services.pages.given import given, wrong_fields
from services.pages.room import Me, Room
from services.pages.wording import wording_of
from shared.runtime.web import Answer, Operation, Request

LIMIT: Final = 50
_SOUGHT: Final = ("q", "role", "unit", "cursor")
_NOTHING: Final[Mapping[str, Any]] = {"items": [], "next": None}


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        unit = given(request).one("unit")
        answer = await room.api.get(request, "/v1/accounts", limit=LIMIT, unit=unit)
        return await _shown(request, me, {"unit": unit} if unit else {}, answer, {})

    async def search(request: Request, me: Me) -> Answer:
        sent = request.form()
        asked = {name: value for name in _SOUGHT if (value := sent.get(name, "").strip())}
        disabled = {"disabled": True} if sent.get("disabled") == "true" else {}
        answer, wrong = _NOTHING, {}
        try:
            answer = await room.api.post(
                request, "/v1/accounts:search", {**asked, **disabled, "limit": LIMIT}
            )
        except Refused as refused:
            if refused.status != 422:
                raise
            wrong = wrong_fields(refused, "q")
        return await _shown(request, me, {**asked, **disabled}, answer, wrong)

    async def _shown(
        request: Request,
        me: Me,
        asked: Mapping[str, Any],
        answer: Mapping[str, Any],
        wrong: Mapping[str, str],
    ) -> Answer:
        units = [item["unit"] for item in answer["items"]] + [asked.get("unit"), me.unit]
        return room.pages.render(
            request,
            "people/finding.html",
            status=422 if wrong else 200,
            me=me,
            asked=asked,
            items=answer["items"],
            following=answer["next"],
            wrong=wrong,
            wording=await wording_of(room, request, units),
        )

    return (
        room.page("/desk/people", "people", page),
        room.page("/desk/people", "people-found", search, method="POST"),
    )
