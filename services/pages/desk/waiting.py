"""`/desk`: what waits for an officer, whom they are to call, and what stands still."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from services.pages.commands.forms import Form
from services.pages.desk.inbox import cases_of, forms_of, read_inbox, told, up_to_date
from services.pages.desk.lines import Line, line, units_of
from services.pages.room import Handler, Me, Room
from services.pages.wording import wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.runtime.web import Answer, Request

_CASES_MAX: Final = 20
_UNASSIGNED: Final = ("REGISTERED", "ACCEPTED", "IN_PROGRESS")
_FOLLOW_UP: Final = "record-follow-up"

Json = Mapping[str, Any]


class Call(NamedTuple):
    """A complainant to call, and the form for what they said."""

    case: Line
    forms: Sequence[Form]


def waiting_page(room: Room) -> Handler:
    async def reads(request: Request, me: Me, min_position: int | None) -> list[Json]:
        """The inbox, whom to call, what nobody handles, what is overdue."""

        async def cases(**query: Any) -> Json:
            asked = {"limit": _CASES_MAX, "order": "oldest", "min_position": min_position}
            found: Json = await room.api.get(request, "/v1/cases", **asked, **query)
            return found

        return list(
            await asyncio.gather(
                read_inbox(room, request, min_position=min_position),
                cases(to_call="true", unit=me.unit, allowed=_FOLLOW_UP),
                cases(holder=me.unit, assigned="false", state=_UNASSIGNED),
                cases(unit=me.unit, overdue="true", state=sorted(OPEN_STATES)),
            )
        )

    async def show(request: Request, me: Me) -> Answer:
        inbox, to_call, unassigned, overdue = await up_to_date(request, partial(reads, request, me))
        about = await cases_of(room, request, inbox)
        known = [*about.values(), *to_call["items"], *unassigned["items"], *overdue["items"]]
        wording = await wording_of(room, request, units_of(known))
        waiting = told(inbox, about, me, wording)
        return room.pages.render(
            request,
            "desk/waiting.html",
            wording=wording,
            unit=me.unit,
            me=me,
            unit_name=me.unit_name,
            position=inbox["as_of_position"],
            as_of=wording.moment(datetime.fromisoformat(inbox["as_of_instant"])),
            to_receive=[item for item in waiting if item.kind == "ESCALATION"],
            others=[item for item in waiting if item.kind != "ESCALATION"],
            following=inbox["next"],
            more=_with_more(inbox=inbox, calls=to_call, unassigned=unassigned, overdue=overdue),
            calls=[
                Call(line(item, wording), forms_of(item, [_FOLLOW_UP], me, wording))
                for item in to_call["items"]
                if "case_id" in item
            ],
            unassigned=[line(item, wording) for item in unassigned["items"]],
            overdue=[line(item, wording) for item in overdue["items"]],
        )

    return show


def _with_more(**lists: Json) -> frozenset[str]:
    """The names of those of which the page shows the beginning."""
    return frozenset(name for name, answer in lists.items() if answer["next"] is not None)
