"""`/m/cases/{case_id}`: where a case is, what hangs over it, and what may be done with it now."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from services.pages.clock_words import clock_words
from services.pages.commands.case_choices import TEXTS, case_choices
from services.pages.commands.forms import CaseForms
from services.pages.phone.my_cases import title_of
from services.pages.room import Handler, Me, Room
from services.pages.screens import AUDIT, DESK
from services.pages.timelines import case_timeline, holders_of
from services.pages.wording import Wording, wording_of
from shared.policy.moments import day_of
from shared.runtime.web import Answer, Request

_FIRST: Final = 4
"""So many commands stand on the page; the others behind one more tap."""
_LATEST: Final = 50
"""So many events, the last first; the others behind one more tap."""
_LIVE: Final = frozenset(("RUNNING", "SUSPENDED", "AWAITING", "BREACHED"))


class Step(NamedTuple):
    """An event as people tell it."""

    summary: str
    who: str
    occurred_at: str
    recorded_at: str
    late: bool
    """Recorded on a later day than it happened."""
    texts: Sequence[str]


def case_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        path = f"/v1/cases/{request.id('case_id')}"
        case, timeline = await asyncio.gather(room.api.get(request, path), case_timeline(room, request, path))
        units = {case["origin_unit"], case["holder_unit"], case["pending_unit"]}
        holders = holders_of(timeline)
        units |= {item["unit"] for item in timeline} | {held.unit for held in holders}
        wording = await wording_of(room, request, units)
        now = datetime.fromisoformat(case["as_of_instant"])
        choices = await case_choices(room, request, case, timeline, me.sub, wording)
        allowed = CaseForms(case, me.sub, choices, wording.say).allowed()
        steps = [_step(item, wording) for item in reversed(timeline) if not _of_clock(item)]
        return room.pages.render(
            request,
            "phone/case.html",
            me=me,
            case=case,
            title=title_of(case, wording),
            wording=wording,
            clocks=[
                (wording.code("timer", clock["timer"]), clock_words(clock, now, wording.say))
                for clock in case["deadlines"]
                if clock["state"] in _LIVE
            ],
            steps=steps[:_LATEST],
            earlier=steps[_LATEST:],
            first=allowed[:_FIRST],
            rest=allowed[_FIRST:],
            holders=holders,
            parties=_parties(case, wording),
            today=day_of(now).isoformat(),
            at_desk=me.role in DESK.roles,
            audits=me.role in AUDIT.roles,
        )

    return show


def _step(item: Mapping[str, Any], wording: Wording) -> Step:
    data = item["data"]
    occurred, recorded = (datetime.fromisoformat(item[name]) for name in ("occurred_at", "recorded_at"))
    return Step(
        item["summary"],
        _who(item, wording),
        item["occurred_at"],
        item["recorded_at"],
        day_of(recorded) > day_of(occurred),
        [data[name] for name in TEXTS if isinstance(data.get(name), str)],
    )


def _who(item: Mapping[str, Any], wording: Wording) -> str:
    """In which capacity it was done; what the clock does, it does for nobody."""
    if item["actor_role"] == "system":
        return wording.say("audit_value.system")
    unit = [] if item["unit"] is None else [wording.unit(item["unit"])]
    return " · ".join((*unit, wording.code("role", item["actor_role"])))


def _of_clock(item: Mapping[str, Any]) -> bool:
    """What the clock records stands on the page as clocks."""
    topic: str = item["topic"]
    return topic.startswith("case.deadline_")


def _parties(case: Mapping[str, Any], wording: Wording) -> list[tuple[str, str]]:
    """Who signs an agreement, while one may be recorded."""
    if "record-agreement" not in case["allowed_commands"] or case["mediation"] is None:
        return []
    names = {person["person_ref"]: wording.text(person.get("name", "")) for person in case["people"]}
    return [(party, names.get(party, "")) for party in case["mediation"]["parties"]]
