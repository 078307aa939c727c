"""`/m/cases/{case_id}/receipt.pdf`: for whoever brought a matter: that it was taken in, and what follows."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.pages.phone.clear import seen_in_the_clear
from services.pages.places import in_one, place_of
from services.pages.printing import print_out
from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_in
from shared.paper.content import (
    DEED,
    Block,
    Document,
    Field,
    Fields,
    Heading,
    Signature,
    Signatures,
    Text,
    Title,
)
from shared.policy.moments import day_of
from shared.runtime.web import Answer, Request
from shared.web.look import Language, look_of

_OVERSIGHT: Final = frozenset(("T11", "T12"))
"""What a supervisor waits for is nothing that was promised to whom the slip is given."""
_LIVE: Final = frozenset(("RUNNING", "BREACHED"))
_DAY: Final = timedelta(days=1)

Item = Mapping[str, Any]


def receipt_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        path = f"/v1/cases/{request.id('case_id')}"
        case = await room.api.get(request, path)
        seen_in_the_clear(case)
        first = await room.api.get(request, f"{path}/timeline", limit=1)
        registered = first["items"][0]
        units = (registered["unit"], case["pending_unit"] or case["holder_unit"])
        received, held = await asyncio.gather(*(place_of(room, request, unit) for unit in units))
        languages: Sequence[Language] = ("zh",) if look_of(request).language == "zh" else ("zh", "en")
        wordings = [await wording_in(language, room, request) for language in languages]
        document = receipt_document(case, registered, in_one(received), in_one(held), wordings)
        return await print_out(document, f"receipt-{case['case_id']}")

    return show


def receipt_document(
    case: Item, registered: Item, received: str, held: str, wordings: Sequence[Wording]
) -> Document:
    """In each of the languages, one below the other.

    `registered` is the event that opened the case, `received` where that was, `held` where it is now.
    """
    chinese = wordings[0]
    name = _both(wordings, "title")
    blocks: list[Block] = [Title(name), Fields(_facts(case, registered, received, wordings))]
    for wording in wordings:
        blocks += [Heading(wording.say("receipt.next")), *_next(case, held, wording)]
        blocks += [
            Heading(wording.say("receipt.asking")),
            Text(wording.say("receipt.ask", unit=held, number=case["case_id"])),
        ]
    places = [Signature(_both(wordings, name)) for name in ("receiver_signs", "bringer_signs")]
    blocks.append(Signatures(places))
    instant = case["as_of_instant"]
    return Document(
        name=name,
        language="zh-CN",
        as_of=datetime.fromisoformat(instant),
        stamp=chinese.say("receipt.stamp", moment=chinese.moment(instant), position=case["as_of_position"]),
        page_of=chinese.say("paper.page_of"),
        layout=DEED,
        blocks=blocks,
    )


def _facts(
    case: Item, registered: Item, received: str, wordings: Sequence[Wording]
) -> Sequence[Sequence[Field]]:
    def codes(name: str, code: str) -> str:
        return _once(wording.code(name, code) for wording in wordings)

    bringers = [
        wordings[0].text(person["name"])
        for person in case["people"]
        if person["role"] == "COMPLAINANT" and "name" in person
    ]
    role = codes("role", registered["actor_role"])
    told = {
        "number": case["case_id"],
        "day": _once(wording.moment(registered["occurred_at"]) for wording in wordings),
        "channel": codes("channel", case["channel"]),
        "category": codes("category", case["category"]),
        "what": wordings[0].text(case["title"]),
        "bringer": wordings[0].say("receipt.and").join(bringers),
        "receiver": f"{received} · {role}" if received else role,
    }
    return [(Field(_both(wordings, name), value),) for name, value in told.items()]


def _next(case: Item, held: str, wording: Wording) -> list[Block]:
    """How it stands, and until when what; of clocks of one kind only the last is still of interest."""
    said = [wording.say(f"receipt.next_{case['state']}", unit=held)]
    promised = {
        clock["timer"]: clock
        for clock in case["deadlines"]
        if clock["timer"] not in _OVERSIGHT and clock["state"] in _LIVE and clock["due_at"] is not None
    }
    for timer, clock in promised.items():
        last = day_of(datetime.fromisoformat(clock["due_at"])) - _DAY
        name = "until" if clock["state"] == "RUNNING" else "over"
        told = {"timer": wording.code("timer", timer), "day": wording.date(last.isoformat())}
        said.append(wording.say(f"receipt.{name}", **told))
    return [Text(words) for words in said]


def _both(wordings: Sequence[Wording], name: str) -> str:
    return _once(wording.say(f"receipt.{name}") for wording in wordings)


def _once(said: Any) -> str:
    """In every language, but once where they say the same."""
    return " ".join(dict.fromkeys(said))
