"""`/desk/inbox`: all that waits for an officer, the urgent first, then by the time that is left."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from services.pages.api import Refused
from services.pages.clock_words import ClockWords, clock_words
from services.pages.commands.forms import CaseForms, Form
from services.pages.desk.lines import Line, line, units_of
from services.pages.room import Handler, Me, Room
from services.pages.wording import Wording, wording_of
from shared.runtime.web import Answer, Request

_PAGE: Final = 50
_STATES_OF_CLOCKS: Final[Mapping[str, str]] = {"BREACH": "BREACHED", "CALENDAR": "AWAITING"}
"""What kinds of items say of their clock; of the others it runs."""
_ANSWERS: Final = ("accept-escalation", "return-escalation")
"""What is answered to an escalation."""

Json = Mapping[str, Any]
T = TypeVar("T")


class Waiting(NamedTuple):
    """Something that waits, with the case it is about where it is about one."""

    item_id: str
    kind: str
    about: str
    case: Line | None
    clock: ClockWords
    since: str
    seen: bool
    forms: Sequence[Form]


class _Page(msgspec.Struct, frozen=True):
    min_position: Annotated[int, Meta(ge=0)] | None = None
    """Of what the reader has just done."""
    cursor: str | None = None


def inbox_page(room: Room) -> Handler:
    async def show(request: Request, me: Me) -> Answer:
        cursor = request.query(_Page).cursor
        inbox = await up_to_date(
            request, lambda position: read_inbox(room, request, cursor=cursor, min_position=position)
        )
        about = await cases_of(room, request, inbox)
        wording = await wording_of(room, request, units_of(about.values()))
        return room.pages.render(
            request,
            "desk/inbox.html",
            me=me,
            unit_name=me.unit_name,
            items=told(inbox, about, me, wording),
            following=inbox["next"],
            as_of=wording.moment(inbox["as_of_instant"]),
        )

    return show


async def up_to_date(request: Request, read: Callable[[int | None], Awaitable[T]]) -> T:
    """What is read at a `min_position`: that of what the reader has just done. Raises: Refused.

    Where the lists are behind, what they know is better than nothing.
    """
    try:
        return await read(request.query(_Page).min_position)
    except Refused as refused:
        if refused.status != 503:
            raise
        return await read(None)


async def read_inbox(room: Room, request: Request, **query: Any) -> Json:
    """A page of what waits. Raises: Refused."""
    found: Json = await room.api.get(request, "/v1/inbox", limit=_PAGE, order="urgent", **query)
    return found


async def cases_of(room: Room, request: Request, inbox: Json) -> dict[str, Json]:
    """The cases that the items are about, as far as lists have them, with what escalations are answered."""
    ids = sorted({item["case_id"] for item in inbox["items"] if "case_id" in item})
    if not ids:
        return {}
    found = await room.api.get(request, "/v1/cases", case_id=ids, allowed=_ANSWERS)
    return {item["case_id"]: item for item in found["items"] if "case_id" in item}


def told(inbox: Json, about: Mapping[str, Json], me: Me, wording: Wording) -> list[Waiting]:
    """The items in words; `about` are their cases."""
    now = datetime.fromisoformat(inbox["as_of_instant"])
    return [_told(item, about.get(item.get("case_id", "")), now, me, wording) for item in inbox["items"]]


def _told(item: Json, case: Json | None, now: datetime, me: Me, wording: Wording) -> Waiting:
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
        forms=forms_of(case, _ANSWERS, me, wording)
        if case is not None and item["kind"] == "ESCALATION"
        else (),
    )


def forms_of(case: Json, commands: Iterable[str], me: Me, wording: Wording) -> list[Form]:
    """The forms of those commands that may be sent to a case of a list, which was asked for them."""
    forms = CaseForms(case, me.sub, {}, wording.say)
    return [form for command in commands for form in forms.of(command)]
