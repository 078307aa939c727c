"""`/audit/cases/{case_id}/reads`: who of those who oversee and run the system has read a case."""

from collections.abc import Mapping
from typing import Any, Final

from services.pages.audit.tables import Cell, Table
from services.pages.given import given
from services.pages.room import Me, Room
from services.pages.wording import Wording, wording_of
from shared.runtime.web import Answer, Operation, Request

LIMIT: Final = 200


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        asked = given(request)
        case_id = request.id("case_id")
        answer = await room.api.get(
            request,
            "/v1/audit/reads",
            case_id=case_id,
            order="latest",
            limit=LIMIT,
            cursor=asked.one("cursor"),
        )
        wording = await wording_of(room, request, [item["unit"] for item in answer["items"]])
        columns = ("read_at", "who", "role", "unit", "read", "reason", "as_of")
        return room.pages.render(
            request,
            "audit/reads.html",
            me=me,
            asked=asked,
            case_id=case_id,
            table=Table("reads", columns, [_row(item, wording) for item in answer["items"]]),
            following=answer["next"],
        )

    return (room.page("/audit/cases/{case_id}/reads", "audit-reads", page),)


def _row(item: Mapping[str, Any], wording: Wording) -> list[Cell]:
    return [
        Cell(wording.moment(item["read_at"])),
        Cell(item["actor_ref"]),
        Cell(wording.code("role", item["actor_role"])),
        Cell(wording.unit(item["unit"])),
        Cell(_what(item["read"], wording), kind="warn" if item["reason"] is not None else ""),
        Cell("" if item["reason"] is None else wording.text(item["reason"])),
        Cell(item["as_of_position"]),
    ]


def _what(read: str, wording: Wording) -> str:
    """The answer that was read, of a figure which one, and whether it was taken along."""
    kind, _, what = read.partition("/")
    if kind == "export":
        return wording.say("audit_read.export", what=_what(what, wording))
    figure = wording.say(f"audit_measure.{what}") if what else ""
    return wording.say(f"audit_read.{kind}", figure=figure)
