"""`/desk/people`: who may sign in, found by a part of their name, their role or their unit."""

from typing import Any, Final

from services.pages.api import Refused
from services.pages.given import given, wrong_fields
from services.pages.room import Me, Room
from services.pages.wording import wording_of
from shared.runtime.web import Answer, Operation, Request

LIMIT: Final = 50
_FILTERS: Final = ("q", "role", "unit", "disabled", "cursor")


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        asked = given(request)
        wrong: dict[str, str] = {}
        answer: dict[str, Any] = {"items": [], "next": None}
        try:
            answer = await room.api.get(request, "/v1/accounts", limit=LIMIT, **asked.only(_FILTERS))
        except Refused as refused:
            if refused.status != 422:
                raise
            wrong = wrong_fields(refused, "q")
        units = [item["unit"] for item in answer["items"]] + [asked.one("unit"), me.unit]
        wording = await wording_of(room, request, units)
        return room.pages.render(
            request,
            "people/finding.html",
            me=me,
            asked=asked,
            items=answer["items"],
            following=answer["next"],
            wrong=wrong,
            wording=wording,
        )

    return (room.page("/desk/people", "people", page),)
