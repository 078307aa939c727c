"""`/m`: the cases in somebody's hands, by the time that is left."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from services.pages.clock_words import ClockWords, clock_words
from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_of
from shared.events.vocabulary import State
from shared.runtime.web import Answer, Request

_SHOWN: Final = 30
_SHOWN_MAX: Final = 1_000
_SETTLED: Final = "RESOLVED"


class _Asked(msgspec.Struct, frozen=True):
    """More are shown by asking for more at once, so that every clock is told as of the same moment."""

    shown: Annotated[int, Meta(ge=1, le=_SHOWN_MAX)] = _SHOWN
    state: State | None = None


class Line(NamedTuple):
    """A case as a line; one that may not be known has no id."""

    case_id: str | None
    title: str
    about: str
    state: str
    urgent: bool
    clock: ClockWords | None


def my_cases_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        asked = request.query(_Asked)
        answer = await room.api.get(request, "/v1/me/cases", limit=asked.shown, state=asked.state)
        items, now = answer["items"], datetime.fromisoformat(answer["as_of_instant"])
        wording = await wording_of(room, request, {item.get("holder_unit") for item in items})
        more = min(2 * asked.shown, _SHOWN_MAX) if answer["next"] else None
        return room.pages.render(
            request,
            "phone/my-cases.html",
            me=me,
            lines=[_line(item, now, wording) for item in items],
            settled=asked.state == _SETTLED,
            more=None if more is None else f"/m?shown={more}{f'&state={asked.state}' if asked.state else ''}",
            unit=me.unit_name,
        )

    return show


def _line(item: Mapping[str, Any], now: datetime, wording: Wording) -> Line:
    say = wording.say
    if "case_id" not in item:
        return Line(None, say("phone.not_yours"), "", "", False, None)
    clocks = [clock_words(clock, now, say) for clock in item["deadlines"]]
    where = wording.unit(item["pending_unit"] or item["holder_unit"])
    return Line(
        item["case_id"],
        title_of(item, wording),
        f"{wording.code('category', item['category'])} · {where}",
        wording.code("state", item["state"]),
        bool(item["urgent"]),
        clocks[0] if clocks else None,
    )


def title_of(item: Mapping[str, Any], wording: Wording) -> str:
    """What the case is called, or that the reader may not see it."""
    title = item["title"]
    return wording.say("phone.sealed") if isinstance(title, dict) else title
