"""`/desk/cases/{case_id}/merge`: two cases side by side, and what would become of the one that stays.

Those that it may be merged into are found by turning pages, or by words of theirs in the body of a form.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.pages.api import Refused
from services.pages.clock_words import ClockWords, clock_words
from services.pages.desk.lines import UNITS, line, units_of
from services.pages.given import wrong_fields
from services.pages.phone.my_cases import title_of
from services.pages.room import Handler, Me, Room
from services.pages.screens import DESK
from services.pages.wording import Wording, wording_of
from shared.runtime.web import Answer, Request

_LIVE: Final = frozenset(("RUNNING", "SUSPENDED", "AWAITING", "BREACHED"))
_PAGE: Final = 20
_NOTHING: Final[Mapping[str, Any]] = {"items": [], "next": None}

Case = Mapping[str, Any]


class _Asked(msgspec.Struct, frozen=True):
    into: UUID | None = None
    cursor: str | None = None


class Told(NamedTuple):
    """A case as it stands beside another."""

    case_id: str
    version: int
    title: str
    description: str
    state: str
    category: str
    holder: str
    people: list[str]
    opened_at: str
    urgent: bool | None
    clocks: list[tuple[str, ClockWords]]


class Pair(NamedTuple):
    """What the duplicate may be merged into as it is and as it would be, or why it may not."""

    primary: Case
    after: Case | None
    refusal: str | None


def merge_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        asked = request.query(_Asked)
        path = _path(request)
        if asked.into is not None:
            duplicate, pair = await asyncio.gather(
                room.api.get(request, path), _pair(room, request, path, asked.into)
            )
            return await _page(room, request, me, duplicate, pair=pair)
        listed = {"cursor": asked.cursor} if asked.cursor else {"may_absorb": request.id("case_id")}
        duplicate, found = await asyncio.gather(
            room.api.get(request, path), room.api.get(request, "/v1/cases", limit=_PAGE, **listed)
        )
        return await _page(room, request, me, duplicate, found=found)

    return show


def found_to_merge_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        sent = request.form()
        text, cursor = sent.get("text", "").strip(), sent.get("cursor")
        body = {"text": text, "may_absorb": request.parameters["case_id"], "limit": _PAGE}
        duplicate = await room.api.get(request, _path(request))
        try:
            found = await room.api.post(
                request, "/v1/cases:search", body | ({"cursor": cursor} if cursor else {})
            )
        except Refused as refused:
            if refused.status != 422:
                raise
            wrong = wrong_fields(refused, "text")
            return await _page(room, request, me, duplicate, found=_NOTHING, text=text, wrong=wrong)
        return await _page(room, request, me, duplicate, found=found, text=text)

    return show


def _path(request: Request) -> str:
    return f"/v1/cases/{request.id('case_id')}"


async def _pair(room: Room, request: Request, path: str, into: UUID) -> Pair:
    """Raises: Refused, where one of them isn't the reader's to see."""
    primary = await room.api.get(request, f"/v1/cases/{into}")
    try:
        return Pair(primary, await room.api.get(request, f"{path}/merged", into=into), None)
    except Refused as refused:
        if refused.status != 422:
            raise
        return Pair(primary, None, refused.problem["detail"])


async def _page(
    room: Room,
    request: Request,
    me: Me,
    duplicate: Case,
    *,
    found: Mapping[str, Any] = _NOTHING,
    pair: Pair | None = None,
    text: str = "",
    wrong: Mapping[str, str] | None = None,
) -> Answer:
    """With a page of cases to merge into, or beside one of them."""
    cases = [duplicate] if pair is None else [duplicate, pair.primary]
    units = {case[name] for case in cases for name in UNITS} | units_of(found["items"])
    wording = await wording_of(room, request, units)
    return room.pages.render(
        request,
        "desk/merging.html",
        me=me,
        status=422 if wrong else 200,
        at_desk=me.role in DESK.roles,
        allowed="merge-case" in duplicate["allowed_commands"],
        duplicate=_told(duplicate, wording),
        primary=None if pair is None else _told(pair.primary, wording),
        after=None if pair is None or pair.after is None else _told(pair.after, wording),
        refusal=None if pair is None else pair.refusal,
        lines=[line(item, wording) for item in found["items"]],
        following=found["next"],
        text=text,
        wrong=wrong or {},
    )


def _told(case: Case, wording: Wording) -> Told:
    now = datetime.fromisoformat(case["as_of_instant"])
    return Told(
        case_id=case["case_id"],
        version=case["version"],
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
