"""`/desk/cases/{case_id}/merge`: two cases side by side, and what would become of the one that stays."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.pages.clock_words import ClockWords, clock_words
from services.pages.commands.case_choices import case_choices
from services.pages.desk.inheriting import inherited
from services.pages.desk.lines import UNITS
from services.pages.phone.my_cases import title_of
from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_of
from shared.runtime.web import Answer, Request

_LIVE: Final = frozenset(("RUNNING", "SUSPENDED", "AWAITING", "BREACHED"))

Case = Mapping[str, Any]


class _Asked(msgspec.Struct, frozen=True):
    into: UUID | None = None


class Told(NamedTuple):
    """A case as it stands beside another."""

    case_id: str
    title: str
    description: str
    state: str
    category: str
    holder: str
    people: list[str]
    opened_at: str
    urgent: bool | None
    clocks: list[tuple[str, ClockWords]]


def merge_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        into = request.query(_Asked).into
        path = f"/v1/cases/{request.id('case_id')}"
        paths = [path] if into is None else [path, f"/v1/cases/{into}"]
        cases = await asyncio.gather(*(room.api.get(request, each) for each in paths))
        wording = await wording_of(room, request, {case[name] for case in cases for name in UNITS})
        choices = await case_choices(room, request, cases[0], (), me.sub, wording)
        duplicate = cases[0]
        values: dict[str, Any] = {
            "allowed": "merge-case" in duplicate["allowed_commands"],
            "alike": choices["alike"],
            "duplicate": _told(duplicate, wording),
            "version": duplicate["version"],
            "primary": None,
        }
        if into is not None:
            primary = cases[1]
            values |= {
                "primary": _told(primary, wording),
                "into_version": primary["version"],
                "after": _told(inherited(duplicate, primary), wording),
            }
        return room.pages.render(request, "desk/merging.html", **values)

    return show


def _told(case: Case, wording: Wording) -> Told:
    now = datetime.fromisoformat(case["as_of_instant"])
    return Told(
        case_id=case["case_id"],
        title=title_of(case, wording),
        description=wording.text(case["description"]),
        state=wording.code("state", case["state"]),
        category=wording.code("category", case["category"]),
        holder=wording.unit(case["pending_unit"] or case["holder_unit"]),
        people=[
            f"{wording.code('person_role', person['role'])} {wording.text(person.get('name', ''))}".strip()
            for person in case["people"]
        ],
        opened_at=case["opened_at"],
        urgent=case["urgent"],
        clocks=[
            (wording.code("timer", clock["timer"]), clock_words(clock, now, wording.say))
            for clock in case["deadlines"]
            if clock["state"] in _LIVE
        ],
    )
