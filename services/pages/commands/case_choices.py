"""What the forms of a case choose from: its people, terms and clocks, the units and colleagues around it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.pages.commands.asked import ASKED
from services.pages.commands.forms import CHOSEN_HERE, Choice
from services.pages.room import Room
from services.pages.wording import Wording
from shared.runtime.web import Request

_LEVELS: Final = ("GROUP", "VILLAGE", "TOWNSHIP")
_HANDLERS: Final = frozenset(("group_leader", "mediator", "village_officer", "township_officer"))
_EXTENSIBLE: Final = frozenset(("RUNNING", "SUSPENDED"))
_MOST: Final = 1_000
TEXTS: Final = (
    "title", "description", "findings", "reason", "alternative_route", "detail", "summary", "facts",
    "responsibilities", "text", "statement", "grounds", "opinion", "question", "answer", "note",
)  # fmt: skip
"""The free texts that an event may have."""

Case = Mapping[str, Any]
Events = Sequence[Mapping[str, Any]]


async def case_choices(
    room: Room, request: Request, case: Case, events: Events, me: str, wording: Wording
) -> Mapping[str, Sequence[Choice]]:
    """Every list that `ASKED` names; those around the case only where it may be sent what asks for them.

    `events` are those of its timeline.
    """
    lists = {
        field.choices: wording.codes(field.choices)
        for fields in ASKED.values()
        for field in fields
        if field.choices is not None
    }
    for name, (whole, codes) in CHOSEN_HERE.items():
        lists[name] = [(code, label) for code, label in wording.codes(whole) if code in codes]
    lists |= _of_case(case, wording) | _records(events, me, wording)
    return lists | await _around(room, request, case, wording)


def _of_case(case: Case, wording: Wording) -> dict[str, list[Choice]]:
    people = [(person["person_ref"], _person(person, wording)) for person in case["people"]]
    mediated = case["mediation"]["parties"] if case["mediation"] else []
    agreement = case["agreement"] or {"terms": []}
    above = _LEVELS[_LEVELS.index(case["holder_level"]) + 1 :]
    return {
        "people": people,
        "parties": [(ref, name) for ref, name in people if ref in mediated],
        "terms": [(str(term["term_no"]), wording.text(term["text"])) for term in agreement["terms"]],
        "timers": [
            (clock["timer"], wording.code("timer", clock["timer"]))
            for clock in case["deadlines"]
            if clock["state"] in _EXTENSIBLE
        ],
        "levels_above": [(level, wording.code("level", level)) for level in above],
        "queries": [
            (query["query_id"], wording.moment(query["asked_at"]))
            for query in case["queries"]
            if query["state"] == "OPEN"
        ],
        "demands": [
            (demand["demand_id"], wording.moment(demand["asked_at"]))
            for demand in case["demands"]
            if demand["outcome"] is None
        ],
    }


def _records(events: Events, me: str, wording: Wording) -> dict[str, list[Choice]]:
    """What somebody else wrote, the latest first, and the parts that it has."""
    written = [
        (event, [name for name in TEXTS if isinstance(event["data"].get(name), str)])
        for event in reversed(events)
        if event["actor_ref"] != me
    ]
    parts = {name for _, names in written for name in names}
    return {
        "records": [
            (event["event_id"], f"{event['summary']} · {wording.moment(event['occurred_at'])}")
            for event, names in written
            if names
        ],
        "record_fields": [(name, wording.say(f"record_field.{name}")) for name in TEXTS if name in parts],
    }


def _person(person: Mapping[str, Any], wording: Wording) -> str:
    role = wording.code("person_role", person["role"])
    if "name" not in person:
        return role
    return wording.say("frame.beside", what=wording.text(person["name"]), told=role)


async def _around(room: Room, request: Request, case: Case, wording: Wording) -> dict[str, list[Choice]]:
    """Units beside and beneath the holder, and who works there."""
    allowed, holder = case["allowed_commands"], case["holder_unit"]

    async def items(needed_for: str, path: str, **query: Any) -> list[dict[str, Any]]:
        if needed_for not in allowed:
            return []
        found: list[dict[str, Any]] = (await room.api.get(request, path, **query))["items"]
        return found

    held_by = await items("transfer-case", "/v1/units", unit_id=holder)
    parent = held_by[0]["parent_id"] if held_by else None
    beside, beneath, staff = await asyncio.gather(
        items("transfer-case", "/v1/units", parent=parent, limit=_MOST) if parent else items("", ""),
        items("delegate-case", "/v1/units", parent=holder, limit=_MOST),
        items("assign-handler", "/v1/actors", unit=holder, limit=_MOST),
    )
    return {
        "beside": [(unit["unit_id"], unit["name"]) for unit in beside if unit["unit_id"] != holder],
        "beneath": [(unit["unit_id"], unit["name"]) for unit in beneath],
        "colleagues": colleagues(staff, holder, wording),
    }


def colleagues(actors: Sequence[Mapping[str, Any]], unit: str | None, wording: Wording) -> list[Choice]:
    """Who of the actors may handle what the unit holds."""
    say = wording.say
    return [
        (
            actor["actor_ref"],
            say("frame.beside", what=actor["actor_ref"], told=wording.code("role", actor["role"])),
        )
        for actor in actors
        if actor["role"] in _HANDLERS and actor["unit"] == unit
    ]
