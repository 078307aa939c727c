"""`/desk/rules`: the rules in force for an officer's unit, in words."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_of
from shared.runtime.web import Answer, Request

_LEVELS: Final = ("GROUP", "VILLAGE", "TOWNSHIP")

Span = Mapping[str, Any]


class Clock(NamedTuple):
    timer: str
    title: str
    length: str
    source: str


def rules_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        rules = await room.api.get(request, "/v1/rules")
        wording = await wording_of(room, request, [rules["adopted_by"]])
        name, _, digest = rules["rules"].partition("+")
        ladder = wording.joined(
            f"{wording.code('level', level)} {_length(rules['ladder'][level], wording)}" for level in _LEVELS
        )
        return room.pages.render(
            request,
            "desk/rules.html",
            unit_name=me.unit_name,
            name=name,
            digest=digest,
            adopted_by=None if rules["adopted_by"] is None else wording.unit(rules["adopted_by"]),
            from_on=rules["from_on"],
            clocks=[_clock(timer, ladder, wording) for timer in rules["timers"]],
            limits=[(limit, value) for limit, value in rules["limits"].items() if value is not None],
        )

    return show


def _clock(timer: Mapping[str, Any], ladder: str, wording: Wording) -> Clock:
    length = ladder if timer["length"] is None else _length(timer["length"], wording)
    return Clock(timer["timer"], timer["title"][wording.language], length, timer["source"])


def _length(span: Span, wording: Wording) -> str:
    plural = "" if span["amount"] == 1 else "s"
    return wording.say(f"desk_span.{span['unit']}", amount=span["amount"], plural=plural)
