"""`/wall/{unit_id}/cases`: the cases behind a tile, without names or texts."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from services.pages.room import Me, Room
from services.pages.screens import AUDIT
from services.pages.wall.units import all_units, called
from services.pages.wording import wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.policy.moments import day_of
from shared.runtime.web import Answer, Request

_PAGE: Final = 50
_CLOCKS_MAX: Final = 1_000
_DAYS: Final = 14

_CLOCKS: Final[Mapping[str, str]] = {"overdue": "BREACHED", "today": "RUNNING"}
"""Lists of clocks, and the state in which these are."""


class _Asked(msgspec.Struct, frozen=True):
    list: Literal["urgent", "overdue", "today", "came", "open"] = "open"
    cursor: Annotated[str, Meta(max_length=2_048)] | None = None
    day: date | None = None
    """As of its evening; without one, as of now."""

    @property
    def evening(self) -> str | None:
        return None if self.day is None else f"{self.day}T23:59:59.999999+08:00"


def wall_path(unit: str | None) -> str:
    return "/wall" if unit is None else f"/wall/{unit}"


class CaseLists:
    def __init__(self, room: Room) -> None:
        self._room = room

    async def own(self, request: Request, me: Me) -> Answer:
        return await self._page(request, me, me.unit)

    async def beneath(self, request: Request, me: Me) -> Answer:
        return await self._page(request, me, str(request.id("unit_id")))

    async def _page(self, request: Request, me: Me, unit: str | None) -> Answer:
        asked = request.query(_Asked)
        clocks = asked.list in _CLOCKS
        found = await (self._clocks if clocks else self._cases)(request, asked, unit)
        names = called(await all_units(self._room.api, request))
        wording = await wording_of(self._room, request)
        return self._room.pages.render(
            request,
            "wall/cases.html",
            base=wall_path(unit),
            name="" if unit is None else names.get(unit, ""),
            list=asked.list,
            of_day=asked.day,
            evening=None if asked.evening is None else wording.day(asked.evening),
            clocks=clocks,
            items=found["items"],
            next=found["next"],
            more_clocks=found.get("more", False),
            names=names,
            label=wording.code,
            days_since=lambda opened: _days_since(opened, asked.evening or found["as_of_instant"]),
            last_day=_last_day,
            case_path=_case_path(me),
        )

    async def _cases(self, request: Request, asked: _Asked, unit: str | None) -> dict[str, Any]:
        query: dict[str, Any] = {"limit": _PAGE, "cursor": asked.cursor, "at_occurred": asked.evening}
        if asked.list == "urgent":
            path, query["unit"] = "/v1/urgent", unit
        else:
            path, query["origin"] = "/v1/cases", unit
            if asked.list == "open":
                query |= {"state": sorted(OPEN_STATES), "order": "oldest"}
            else:
                query["opened_from"] = await self._day(request, asked) - timedelta(days=_DAYS - 1)
        found: dict[str, Any] = await self._room.api.get(request, path, **query)
        return found

    async def _day(self, request: Request, asked: _Asked) -> date:
        """The one that is asked for, or today, as the interface has it."""
        if asked.day is not None:
            return asked.day
        me = await self._room.api.get(request, "/v1/me")
        return day_of(datetime.fromisoformat(me["as_of_instant"]))

    async def _clocks(self, request: Request, asked: _Asked, unit: str | None) -> dict[str, Any]:
        """Those that a tile counts: the list has the soonest first, and others among them."""
        # What was due goes by what was known that evening, as on the tile.
        axis = "at_recorded" if asked.list == "today" else "at_occurred"
        query = {"unit": unit, "limit": _CLOCKS_MAX, axis: asked.evening}
        found = await self._room.api.get(request, "/v1/deadlines", **query)
        today = await self._day(request, asked)
        return {
            **found,
            "next": None,
            "more": found["next"] is not None,
            "items": [item for item in found["items"] if _counts(item, _CLOCKS[asked.list], today)],
        }


def _counts(item: Mapping[str, Any], state: str, today: date) -> bool:
    if item.get("state") != state or item["due_at"] is None:
        return False
    return state == "BREACHED" or _last_day(item["due_at"]) == today


def _last_day(due_at: str) -> date:
    """The last day of a clock, which ends at the midnight after it."""
    return day_of(datetime.fromisoformat(due_at) - timedelta(microseconds=1))


def _days_since(opened: str, now: str) -> int:
    return (day_of(datetime.fromisoformat(now)) - day_of(datetime.fromisoformat(opened))).days


def _case_path(me: Me) -> str | None:
    """Where this reader has a page for each case, if anywhere."""
    return f"{AUDIT.path}/cases/" if me.role in AUDIT.roles else None
