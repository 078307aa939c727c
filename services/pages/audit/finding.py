"""`/audit`: find a case by anything that cases can be found by, the latest opened first."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.pages.api import Refused
from services.pages.audit.exports import export_of, exported, exporting
from services.pages.audit.tables import Cell, Table
from services.pages.audit.units import Choice, chosen_unit
from services.pages.given import Given, given, wrong_fields
from services.pages.room import Me, Room
from services.pages.wording import Wording, wording_of
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request

LIMIT: Final = 50
_FILTERS: Final = (
    "q", "category", "state", "procedure", "handler", "urgent", "overdue", "opened_from", "opened_to",
    "at_position", "limit", "cursor",
)  # fmt: skip
"""What the list of cases takes as it was given."""
_SIDES: Final = ("unit", "origin")
"""Whether a unit is the one that holds a case, or where it began."""
_UNITS: Final = ("origin_unit", "holder_unit")


class Found(NamedTuple):
    asked: Given
    unit: Choice
    table: Table
    as_of: str
    as_of_instant: str
    """The same for programs."""
    position: int | None
    """None where the question was refused."""
    following: str | None
    """The cursor of the next page."""
    wrong: Mapping[str, str]
    """What doesn't fit, by field."""
    wording: Wording


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        found = await found_cases(room, request)
        return room.pages.render(request, "audit/finding.html", me=me, found=found, wording=found.wording)

    async def export(request: Request, me: Me) -> Answer:
        found = await found_cases(room, exporting(request))
        if found.position is None:
            raise Problem("not-found")
        say = found.wording.say
        file = export_of(
            say("audit_table.cases"),
            say("audit.as_of", moment=found.as_of, position=found.position),
            found.as_of_instant,
            f"anjie-cases-{found.position}",
            [found.table],
            found.wording,
        )
        return await exported(file, request.parameters["form"])

    return (
        room.page("/audit", "audit", page),
        room.page("/audit/export/{form}", "audit-export", export),
    )


async def found_cases(room: Room, request: Request) -> Found:
    """The page of the list that the address asks for. Raises: Refused, but for a field that doesn't fit."""
    asked = given(request)
    unit = await chosen_unit(room, request, asked)
    side = "origin" if asked.one("side") == "origin" else "unit"
    try:
        answer = await room.api.get(
            request, "/v1/cases", **{"limit": LIMIT} | asked.only(_FILTERS) | {side: unit.unit_id}
        )
    except Refused as refused:
        if refused.status not in (403, 422):
            raise
        wrong = wrong_fields(refused, "unit")
        wording = await wording_of(room, request)
        return Found(asked, unit, _table([], wording, None), "", "", None, None, wrong, wording)
    items, position = answer["items"], answer["as_of_position"]
    named = {item[field] for item in items for field in _UNITS if field in item}
    wording = await wording_of(room, request, named, at_position=position)
    as_of = answer["as_of_instant"]
    table = _table(items, wording, position if "at_position" in asked else None)
    return Found(asked, unit, table, wording.moment(as_of), as_of, position, answer["next"], {}, wording)


def _table(items: Sequence[Mapping[str, Any]], wording: Wording, past: int | None) -> Table:
    columns = ("case", "state", "category", "title", "origin", "holder", "urgent", "overdue", "opened")
    return Table("cases", columns, [_row(item, wording, past) for item in items])


def _row(item: Mapping[str, Any], wording: Wording, past: int | None) -> list[Cell]:
    if "case_id" not in item:
        return [Cell(wording.say("audit_value.hidden", position=item["position"])), *[Cell("")] * 8]
    href = f"/audit/cases/{item['case_id']}" + ("" if past is None else f"?at_position={past}")
    return [
        Cell(item["case_id"], href),
        Cell(wording.code("state", item["state"]), kind="accent"),
        Cell(wording.code("category", item["category"])),
        Cell(wording.text(item["title"])),
        Cell(wording.unit(item["origin_unit"])),
        Cell(wording.unit(item["holder_unit"])),
        Cell("" if item["urgent"] is None else wording.yes_or_no(item["urgent"])),
        Cell(wording.say("audit_value.overdue"), kind="bad") if item["overdue"] else Cell(""),
        Cell(wording.moment(item["opened_at"])),
    ]
