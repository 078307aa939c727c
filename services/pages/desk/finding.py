"""`/desk/search`: cases by the words of their texts, as far as one may read them.

What is sought goes in the body of a form, never into an address.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.pages.api import Refused
from services.pages.desk.lines import line, units_of
from services.pages.given import wrong_fields
from services.pages.room import Handler, Me, Room
from services.pages.wording import wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.runtime.web import Answer, Request

_PAGE: Final = 30
_NOTHING: Final[Mapping[str, Any]] = {"items": [], "next": None}


def search_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        return room.pages.render(
            request, "desk/finding.html", lines=None, following=None, text="", only_open=False, wrong={}
        )

    return show


def found_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        sent = request.form()
        text, only_open = sent.get("text", "").strip(), sent.get("open") == "true"
        body: dict[str, Any] = {"text": text, "limit": _PAGE}
        if only_open:
            body["state"] = sorted(OPEN_STATES)
        if sent.get("cursor"):
            body["cursor"] = sent["cursor"]
        found, wrong = _NOTHING, {}
        try:
            found = await room.api.post(request, "/v1/cases:search", body)
        except Refused as refused:
            if refused.status != 422:
                raise
            wrong = wrong_fields(refused, "text")
        wording = await wording_of(room, request, units_of(found["items"]))
        return room.pages.render(
            request,
            "desk/finding.html",
            status=422 if wrong else 200,
            lines=None if wrong else [line(item, wording) for item in found["items"]],
            following=found["next"],
            text=text,
            only_open=only_open,
            wrong=wrong,
        )

    return show
