"""`/desk`: what waits for an officer, the urgent first, then by the time that is left."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from services.pages.api import Refused
from services.pages.clock_words import ClockWords, clock_words
from services.pages.commands.forms import CaseForms, Form
from services.pages.desk.lines import Line, line, units_of
from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.runtime.web import Answer, Request

_ITEMS_MAX: Final = 90
"""So many cases can be asked for by their ids, since an address takes 100 parameters."""
_CASES_MAX: Final = 20
_STATES_OF_CLOCKS: Final[Mapping[str, str]] = {"BREACH": "BREACHED", "CALENDAR": "AWAITING"}
"""What kinds of items say of their clock; of the others it runs."""
_UNASSIGNED: Final = ("REGISTERED", "ACCEPTED", "IN_PROGRESS")
_ANSWERS: Final = ("accept-escalation", "return-escalation")
"""What is answered to an escalation."""
_FOLLOW_UP: Final = "record-follow-up"

Json = Mapping[str, Any]


class Waiting(NamedTuple):
    """Something that waits, with the case it is about where it is about one."""

    item_id: str
    kind: str
    about: str
    case: Line | None
    clock: ClockWords
    since: str
    seen: bool
    forms: Sequence[Form] = ()


class Call(NamedTuple):
    """A complainant to call, and the form for what they said."""

    case: Line
    forms: Sequence[Form]


class _Asked(msgspec.Struct, frozen=True):
    min_position: Annotated[int, Meta(ge=0)] | None = None
    """Of what the reader has just done."""


def waiting_page(room: Room) -> Handler:
    async def reads(request: Request, me: Me, min_position: int | None) -> list[Json]:
        """The inbox, whom to call, what nobody handles, what is overdue."""

        async def cases(**query: Any) -> Json:
            asked = {"limit": _CASES_MAX, "order": "oldest", "min_position": min_position}
            found: Json = await room.api.get(request, "/v1/cases", **asked, **query)
            return found

        return list(
            await asyncio.gather(
                room.api.get(request, "/v1/inbox", limit=_ITEMS_MAX, min_position=min_position),
                cases(to_call="true", unit=me.unit, allowed=_FOLLOW_UP),
                cases(holder=me.unit, assigned="false", state=_UNASSIGNED),
                cases(unit=me.unit, overdue="true", state=sorted(OPEN_STATES)),
            )
        )

    async def show(request: Request, me: Me) -> Answer:
        try:
            inbox, to_call, unassigned, overdue = await reads(request, me, request.query(_Asked).min_position)
        except Refused as refused:
            if refused.status != 503:
                raise
            # The lists are behind: better what they know than nothing.
            inbox, to_call, unassigned, overdue = await reads(request, me, None)
        about = await _cases_of(room, request, inbox["items"])
        known = [*about.values(), *to_call["items"], *unassigned["items"], *overdue["items"]]
        wording = await wording_of(room, request, units_of(known))
        now = datetime.fromisoformat(inbox["as_of_instant"])
        waiting = [
            _waiting(item, about, now, me, wording)
            for item in sorted(inbox["items"], key=lambda item: _turn(item, about))
        ]
        return room.pages.render(
            request,
            "desk/waiting.html",
            wording=wording,
            unit=me.unit,
            unit_name=me.unit_name,
            position=inbox["as_of_position"],
            as_of=wording.moment(now),
            to_receive=[item for item in waiting if item.kind == "ESCALATION"],
            others=[item for item in waiting if item.kind != "ESCALATION"],
            items_max=_ITEMS_MAX,
            more=_with_more(inbox=inbox, calls=to_call, unassigned=unassigned, overdue=overdue),
            calls=[
                Call(line(item, wording), _forms(item, [_FOLLOW_UP], me, wording))
                for item in to_call["items"]
                if "case_id" in item
            ],
            unassigned=[line(item, wording) for item in unassigned["items"]],
            overdue=sorted(
                (line(item, wording) for item in overdue["items"]), key=lambda case: not case.urgent
            ),
        )

    return show


async def _cases_of(room: Room, request: Request, items: Sequence[Json]) -> dict[str, Json]:
    """The cases that the items are about, as far as lists have them, with what escalations are answered."""
    ids = sorted({item["case_id"] for item in items if "case_id" in item})
    if not ids:
        return {}
    found = await room.api.get(request, "/v1/cases", case_id=ids, allowed=_ANSWERS)
    return {item["case_id"]: item for item in found["items"] if "case_id" in item}


def _with_more(**lists: Json) -> frozenset[str]:
    """The names of those of which the page shows the beginning."""
    return frozenset(name for name, answer in lists.items() if answer["next"] is not None)


def _turn(item: Json, about: Mapping[str, Json]) -> tuple[bool, bool, str]:
    """Where an item stands: the urgent first, then the soonest due; what has no day at the end."""
    urgent = bool(about.get(item.get("case_id", ""), {}).get("urgent"))
    return not urgent, item["due_at"] is None, item["due_at"] or ""


def _waiting(item: Json, about: Mapping[str, Json], now: datetime, me: Me, wording: Wording) -> Waiting:
    case = about.get(item.get("case_id", ""))
    state = _STATES_OF_CLOCKS.get(item["kind"], "RUNNING")
    clock = {"state": state, "due_at": item["due_at"], "left": None}
    return Waiting(
        item_id=item["item_id"],
        kind=item["kind"],
        about=wording.code("timer", item["timer"]) if "timer" in item else "",
        case=None if case is None else line(case, wording),
        clock=clock_words(clock, now, wording.say),
        since=item["since"],
        seen=item["seen"],
        forms=_forms(case, _ANSWERS, me, wording)
        if case is not None and item["kind"] == "ESCALATION"
        else (),
    )


def _forms(case: Json, commands: Iterable[str], me: Me, wording: Wording) -> list[Form]:
    """The forms of those commands that may be sent."""
    forms = CaseForms(case, me.sub, {}, wording.say)
    return [form for command in commands for form in forms.of(command)]
