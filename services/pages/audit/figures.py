"""`/audit/figures`: backlog, urgent cases and statistics of a unit as of any moment."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

from services.pages.api import Refused
from services.pages.audit.exports import Export, export_of, exported, exporting
from services.pages.audit.figure_tables import backlog_table, kpi_table, urgent_table
from services.pages.audit.tables import Table
from services.pages.audit.units import Choice, chosen_unit
from services.pages.given import Given, given, wrong_fields
from services.pages.room import Me, Room
from services.pages.wording import Wording, wording_of
from shared.policy.moments import SHANGHAI, day_of
from shared.runtime.web import Answer, Operation, Request

STOPS: Final = 200
"""Of the slider over positions."""
_DAYS_MAX: Final = 3_660
"""Of the slider over days."""
_A_MOMENT: Final = timedelta(microseconds=1)


class Figures(NamedTuple):
    """All figures of a unit at one moment."""

    past: bool
    happened: bool
    position: int
    instant: str
    as_of_instant: str
    """At which that position was recorded; the moment itself may be another."""
    unit: Choice
    backlog: Table
    total: int
    urgent: Table
    kpi: Table
    kept: str
    """What the address asks for beside the moment."""
    wording: Wording


class Stops(NamedTuple):
    """Where the slider may stand: queries and words, the last one being now."""

    offered: list[tuple[str, str]]
    chosen: int


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        asked = given(request)
        wrong: dict[str, str] = {}
        try:
            seen = await figures(room, request, me, asked)
        except Refused as refused:
            if refused.status not in (403, 422):
                raise
            wrong = wrong_fields(refused, "unit")
            seen = await figures(room, request, me, Given())
        wrong |= _wrong_day(asked, seen.wording)
        stops = await _stops(room, request, asked, seen)
        return room.pages.render(
            request,
            "audit/figures.html",
            me=me,
            asked=asked,
            seen=seen,
            stops=stops,
            wrong=wrong,
            wording=seen.wording,
        )

    async def parts(request: Request, me: Me) -> Answer:
        seen = await figures(room, request, me, given(request))
        return room.pages.render(request, "audit/figure_parts.html", seen=seen)

    async def export(request: Request, me: Me) -> Answer:
        seen = await figures(room, exporting(request), me, given(request))
        return await exported(_export(seen), request.parameters["form"])

    return (
        room.page("/audit/figures", "audit-figures", page),
        room.page("/audit/figures/export/{form}", "audit-figures-export", export),
        room.page("/audit/figures/moment", "audit-figures-moment", parts),
    )


async def figures(room: Room, request: Request, me: Me, asked: Given) -> Figures:
    """What the address asks for; every figure of it as of the same position. Raises: Refused."""
    unit = await chosen_unit(room, request, asked)
    if unit.unit_id is None:
        # What was typed names none alone: the figures are those of the reader's own.
        unit = unit._replace(unit_id=me.unit, name=me.unit_name or "")
    at = _moment(asked)
    period = {name: value for name in ("from", "to") if (value := asked.one(name))}
    backlog = await room.api.get(request, "/v1/backlog", by="origin", unit=unit.unit_id, **at)
    position = backlog["as_of_position"]
    pinned = {"at_position": str(position)} | {k: v for k, v in at.items() if k == "at_occurred"}
    urgent, kpi, wording = await asyncio.gather(
        room.api.get(request, "/v1/urgent", unit=unit.unit_id, items="false", **pinned),
        room.api.get(request, "/v1/kpi", unit=unit.unit_id, **period, **pinned),
        wording_of(room, request),
    )
    kept = period | ({"unit": unit.unit_id} if unit.unit_id else {})

    def explained(measure: str, **part: str) -> str:
        return f"/audit/figures/explain/{measure}?{urlencode(pinned | kept | part)}"

    happened = "at_occurred" in at or asked.one("by") == "happened"
    return Figures(
        past=bool(at) and asked.one("now") is None,
        happened=happened,
        position=position,
        instant=wording.moment(at.get("at_occurred") or backlog["as_of_instant"]),
        as_of_instant=backlog["as_of_instant"],
        unit=unit,
        backlog=backlog_table(backlog, unit.unit_id, wording, explained),
        total=backlog["total"],
        urgent=urgent_table(urgent, wording, explained),
        kpi=kpi_table(kpi, wording, explained),
        kept=urlencode(kept),
        wording=wording,
    )


def _export(seen: Figures) -> Export:
    wording = seen.wording
    stamp = "past_happened" if seen.happened else "past_known"
    return export_of(
        f"{wording.say('audit.figures')} {seen.unit.name or wording.say('audit_value.whole')}",
        wording.say(f"audit.{stamp}", moment=seen.instant, position=seen.position),
        seen.as_of_instant,
        f"anjie-figures-{seen.position}",
        (seen.backlog, seen.urgent, seen.kpi),
        wording,
    )


def _wrong_day(asked: Given, wording: Wording) -> dict[str, str]:
    day = asked.one("day")
    if day is None or end_of(day) is not None or day == day_of(datetime.now(UTC)).isoformat():
        return {}
    return {"day": wording.say("audit.day_wrong")}


def _moment(asked: Given) -> dict[str, str]:
    """What the reads are asked with: nothing of now. A day is meant to its end."""
    found = {name: value for name in ("at_position", "at_occurred") if (value := asked.one(name))}
    end = end_of(asked.one("day"))
    if end is None:
        return found
    return found | {"at_occurred" if asked.one("by") == "happened" else "at_recorded": end}


def end_of(day: str | None) -> str | None:
    """The last instant of a day in Shanghai; None for what is no day, and for one that isn't over."""
    try:
        following = date.fromisoformat(day or "") + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    end = datetime.combine(following, time(), SHANGHAI) - _A_MOMENT
    return None if end >= datetime.now(UTC) else end.isoformat()


async def _stops(room: Room, request: Request, asked: Given, seen: Figures) -> Stops:
    me = await room.api.get(request, "/v1/me")
    if seen.happened:
        return await _days(room, request, asked, seen)
    head: int = me["as_of_position"]
    positions = [*range(head // STOPS or 1, head, head // STOPS or 1), head]
    come = [number for number, position in enumerate(positions, 1) if position <= seen.position]
    offered = [
        (f"at_position={position}", seen.wording.say("audit.position", position=position))
        for position in positions
    ]
    return Stops(offered, (come or [1])[-1] if seen.past else len(positions))


async def _days(room: Room, request: Request, asked: Given, seen: Figures) -> Stops:
    today = day_of(datetime.now(UTC))
    first = await _first_day(room, request, seen.unit.unit_id, today)
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    offered = [(f"by=happened&day={day}", seen.wording.day(f"{day}T00:00+08:00")) for day in days]
    if not seen.past:
        return Stops(offered, len(days))
    occurred = _moment(asked).get("at_occurred")
    day = today if occurred is None else day_of(datetime.fromisoformat(occurred))
    return Stops(offered, min(max((day - first).days + 1, 1), len(days)))


async def _first_day(room: Room, request: Request, unit: str | None, today: date) -> date:
    """The day on which the first of the unit's cases was opened that the reader may know; else today."""
    oldest = {"order": "oldest", "known_only": "true", "limit": 1}
    found = (await room.api.get(request, "/v1/cases", origin=unit, **oldest))["items"]
    if not found:
        return today
    first = day_of(datetime.fromisoformat(found[0]["opened_at"]))
    return max(first, today - timedelta(days=_DAYS_MAX))
