"""`/m/record`: a problem is recorded once, unless somebody has recorded it already."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from services.pages.phone.my_cases import title_of
from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.policy.moments import day_of
from shared.runtime.web import Answer, Request

_ALIKE_DAYS: Final = 90
_LOOKED_AT: Final = 300
"""The latest cases of the unit: among them are the duplicates, and what is recorded most."""
_FIRST: Final = 6
"""So many tiles before the others."""
_COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "channel": ("VISIT", "WALK_IN", "CHAT", "HOTLINE"),
    "category": ("NEIGHBOUR", "FAMILY", "HOMESTEAD", "ENVIRONMENT", "ROADS", "FLOODING"),
}
"""What comes first where nothing has been recorded yet."""

Choice = tuple[str, str]


class Tiles(NamedTuple):
    first: Sequence[Choice]
    rest: Sequence[Choice]


class Alike(NamedTuple):
    """An open case that may be the same one."""

    case_id: str
    category: str
    origin: str
    title: str
    opened_at: str


def record_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        since = day_of(datetime.now().astimezone()) - timedelta(days=_ALIKE_DAYS)
        answer = await room.api.get(
            request, "/v1/cases", origin=me.unit, opened_from=since.isoformat(), limit=_LOOKED_AT
        )
        cases = [case for case in answer["items"] if "case_id" in case]
        wording = await wording_of(room, request, [me.unit])
        return room.pages.render(
            request,
            "phone/record.html",
            me=me,
            channels=_tiles("channel", cases, wording),
            categories=_tiles("category", cases, wording),
            roles=[code for code in wording.codes("person_role") if code[0] != "ACCUSED"],
            units=await _units(room, request, me),
            alike=[_alike(case, wording) for case in cases if case["state"] in OPEN_STATES],
        )

    return show


def _tiles(name: str, cases: Sequence[Mapping[str, Any]], wording: Wording) -> Tiles:
    """What is used most comes first, filled up with what is common anywhere."""
    used = [code for code, _ in Counter(case[name] for case in cases).most_common(_FIRST)]
    labels = dict(wording.codes(name))
    first = [code for code in dict.fromkeys((*used, *_COMMON[name])) if code in labels][:_FIRST]
    return Tiles(
        [(code, labels[code]) for code in first],
        [(code, label) for code, label in labels.items() if code not in first],
    )


async def _units(room: Room, request: Request, me: Me) -> list[Choice]:
    """One's own unit, and those directly beneath it."""
    if me.unit is None:
        return []
    beneath = await room.api.get(request, "/v1/units", parent=me.unit, limit=1_000)
    standing = [(unit["unit_id"], unit["name"]) for unit in beneath["items"] if not unit["closed"]]
    return [(me.unit, me.unit_name or ""), *standing]


def _alike(case: Mapping[str, Any], wording: Wording) -> Alike:
    return Alike(
        case["case_id"],
        case["category"],
        case["origin_unit"],
        title_of(case, wording),
        case["opened_at"],
    )
