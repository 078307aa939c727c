"""`/desk/cases`: cases by filters that can be kept under a name, and handlers for many at once."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from services.pages.api import Refused
from services.pages.commands.case_choices import colleagues
from services.pages.desk.lines import line, units_of
from services.pages.given import given, wrong_fields
from services.pages.room import Me, Room, see_other
from services.pages.wording import Wording, wording_of
from shared.events.vocabulary import OPEN_STATES
from shared.runtime.saved_views import CaseFilters
from shared.runtime.web import Answer, Request

_PAGE: Final = 50
_OPEN: Final = "OPEN"
"""In place of a state: all those that are open."""
_AND: Final = ","
"""Between states, of which the form offers the several that were asked for as one choice."""
_MINE: Final[Sequence[tuple[str, Mapping[str, str]]]] = (
    ("all_open", {"state": _OPEN}),
    ("all_overdue_view", {"state": _OPEN, "overdue": "true"}),
    ("all_urgent", {"state": _OPEN, "urgent": "true"}),
    ("to_close", {"state": "RESOLVED"}),
)
"""Views that everybody has."""

Filters = Mapping[str, Any]
"""Those of a view as JSON, by the names of `GET /v1/cases`."""


class View(NamedTuple):
    name: str
    fields: Mapping[str, str]
    view_id: str | None = None

    @property
    def query(self) -> str:
        return urlencode(self.fields)


def filters_of(asked: Mapping[str, str]) -> Filters:
    """What the fields of the form ask the interface for; what is empty doesn't restrict."""
    filters: dict[str, Any] = {
        name: value for name in CaseFilters.__struct_fields__ if (value := asked.get(name))
    }
    if "state" in filters:
        states = filters["state"]
        filters["state"] = sorted(OPEN_STATES) if states == _OPEN else states.split(_AND)
    return filters


def fields_of(filters: Filters) -> dict[str, str]:
    """The fields of the form that ask for these filters."""
    fields = {name: _field(value) for name, value in filters.items() if name != "state"}
    states = filters.get("state")
    if states:
        fields["state"] = _OPEN if set(states) == OPEN_STATES else _AND.join(states)
    return fields


def _field(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class CaseList:
    def __init__(self, room: Room) -> None:
        self._room = room

    async def show(self, request: Request, me: Me) -> Answer:
        asked = given(request)
        sent = {name: values[-1] for name, values in asked.items()}
        return await self._page(request, me, sent, cursor=asked.one("cursor"))

    async def save(self, request: Request, me: Me) -> Answer:
        """Keeps the filters of the page under a name, and comes back to them."""
        sent = request.form()
        filters = filters_of(sent)
        try:
            typed = msgspec.to_builtins(msgspec.convert(filters, CaseFilters, strict=False))
            view = {"name": sent.get("name", "").strip(), "filters": typed}
            await self._room.api.post(request, "/v1/me/views", view)
        except msgspec.ValidationError:
            return await self._page(request, me, sent)
        except Refused as refused:
            if refused.status != 422:
                raise
            return await self._page(request, me, sent, wrong_name=wrong_fields(refused, "name").get("name"))
        return see_other(f"/desk/cases?{urlencode(fields_of(typed))}")

    async def forget(self, request: Request, me: Me) -> Answer:
        await self._room.api.delete(request, f"/v1/me/views/{request.id('view_id')}")
        return see_other("/desk/cases")

    async def _page(
        self,
        request: Request,
        me: Me,
        sent: Mapping[str, str],
        *,
        cursor: str | None = None,
        wrong_name: str | None = None,
    ) -> Answer:
        """`sent`: the fields of the form, those that are left out empty."""
        api = self._room.api
        fields = {name: sent.get(name, "") for name in CaseFilters.__struct_fields__}
        found, wrong = await self._found(request, filters_of(fields), cursor)
        saved, beneath, staff = await asyncio.gather(
            api.get(request, "/v1/me/views"),
            api.get(request, "/v1/units", parent=me.unit, limit=1_000),
            api.get(request, "/v1/actors", unit=me.unit, limit=1_000),
        )
        wording = await wording_of(self._room, request, {me.unit, *units_of(found["items"])})
        filters = {name: value for name, value in fields.items() if value}
        answer = self._room.pages.render(
            request,
            "desk/case_list.html",
            wording=wording,
            fields=fields,
            filters=filters,
            wrong=wrong,
            wrong_name=wrong_name,
            called=sent.get("name", ""),
            lines=[line(item, wording) for item in found["items"]],
            following=found["next"] and urlencode({**filters, "cursor": found["next"]}),
            views=_views(saved["items"], wording),
            units=[(me.unit, me.unit_name), *((unit["unit_id"], unit["name"]) for unit in beneath["items"])],
            states=_states(fields["state"], wording),
            colleagues=colleagues(staff["items"], me.unit, wording),
        )
        return answer if not wrong and wrong_name is None else answer._replace(status=422)

    async def _found(
        self, request: Request, filters: Filters, cursor: str | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """A page of cases, or what doesn't fit, by field."""
        question = {"cursor": cursor} if cursor else filters
        try:
            return await self._room.api.get(request, "/v1/cases", limit=_PAGE, **question), {}
        except Refused as refused:
            if refused.status != 422:
                raise
            return {"items": [], "next": None}, wrong_fields(refused, "category")


def _states(chosen: str, wording: Wording) -> list[tuple[str, str]]:
    """What may be chosen; several that a saved view asks for stand together as one."""
    offered = [(_OPEN, wording.say("desk.open_ones")), *wording.codes("state")]
    several = chosen.split(_AND)
    if len(several) > 1:
        offered.append((chosen, wording.joined(wording.code("state", state) for state in several)))
    return offered


def _views(saved: Sequence[Mapping[str, Any]], wording: Wording) -> list[View]:
    """Everybody's, then those that somebody saved."""
    ready = [View(wording.say(f"desk.{name}"), fields) for name, fields in _MINE]
    own = [View(view["name"], fields_of(view["filters"]), view["view_id"]) for view in saved]
    return [*ready, *own]
