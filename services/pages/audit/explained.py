"""What a figure counts, down to the events, and what two moments count otherwise."""

from typing import Final, NamedTuple

from services.pages.api import Refused
from services.pages.audit.exports import Export, export_of, exported, exporting
from services.pages.audit.figure_tables import compared_table, explained_table, value_in_words
from services.pages.audit.figures import end_of
from services.pages.audit.tables import Table
from services.pages.given import Given, given, wrong_fields
from services.pages.room import Me, Room
from services.pages.wording import Wording, wording_of
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request

LIMIT: Final = 1_000
LISTS: Final = ("items", "unclassified_items", "numerator_items", "denominator_items")
MEASURES: Final = (
    "backlog", "registered", "urgent_registered", "urgent_open", "urgent_resolved", "disposition_rate",
    "disposition_rate_net", "urgent_share_of_resolved", "visits", "visit_coverage", "reopen_rate",
    "mediation_success_rate", "fulfilment_rate", "response_rate", "resolution_rate", "satisfaction_rate",
    "satisfaction_answered",
)  # fmt: skip
"""What can be compared: the measures of which nothing more than a unit and a period needs to be said."""
_EXPLAINED: Final = (
    "unit", "from", "to", "level", "timer", "at_position", "at_occurred", "limit", "cursor",
)  # fmt: skip
_COMPARED: Final = ("unit", "from", "to", "cursor")


class Explanation(NamedTuple):
    """A figure and what it counts, in words."""

    asked: Given
    measure: str
    name: str
    unit: str
    value: str | int
    tables: list[Table]
    position: int
    as_of: str
    as_of_instant: str
    """At which that position was recorded; the moment itself may be another."""
    following: str | None
    wording: Wording


class Comparison(NamedTuple):
    """A figure at two positions, the earlier one first, in words."""

    measure: str
    positions: tuple[str, str]
    values: tuple[str | int, str | int]
    table: Table
    as_of_instant: str
    following: str | None


def operations(room: Room) -> tuple[Operation, ...]:
    async def explain(request: Request, me: Me) -> Answer:
        return room.pages.render(
            request, "audit/explained.html", me=me, seen=await _explanation(room, request)
        )

    async def export(request: Request, me: Me) -> Answer:
        explanation = await _explanation(room, exporting(request))
        return await exported(_export(explanation), request.parameters["form"])

    async def compare(request: Request, me: Me) -> Answer:
        asked = given(request)
        wording = await wording_of(room, request, [asked.one("unit")])
        wrong: dict[str, str] = {}
        seen: Comparison | None = None
        if "a" in asked and "b" in asked:
            try:
                seen = await _comparison(room, request, asked, wording)
            except Refused as refused:
                if refused.status != 422:
                    raise
                wrong = wrong_fields(refused, "a") | _no_moments(asked, wording)
        return room.pages.render(
            request,
            "audit/compared.html",
            me=me,
            asked=asked,
            measures=[(name, wording.say(f"audit_measure.{name}")) for name in MEASURES],
            seen=seen,
            wrong=wrong,
            wording=wording,
        )

    async def export_comparison(request: Request, me: Me) -> Answer:
        asked = given(exporting(request))
        wording = await wording_of(room, request, [asked.one("unit")])
        seen = await _comparison(room, request, asked, wording)
        return await exported(_export_comparison(seen, asked, wording), request.parameters["form"])

    return (
        room.page("/audit/figures/explain/{measure}", "audit-explain", explain),
        room.page("/audit/figures/explain/{measure}/export/{form}", "audit-explain-export", export),
        room.page("/audit/figures/compare", "audit-compare", compare),
        room.page("/audit/figures/compare/export/{form}", "audit-compare-export", export_comparison),
    )


async def _explanation(room: Room, request: Request) -> Explanation:
    asked = given(request)
    measure = request.parameters["measure"]
    answer = await room.api.get(
        request, f"/v1/explain/{measure}", **{"limit": LIMIT} | asked.only(_EXPLAINED)
    )
    lists = [(name, answer[name]) for name in LISTS if answer.get(name) is not None]
    named = {item.get("unit_id") for _, items in lists for item in items} | {asked.one("unit")}
    wording = await wording_of(room, request, named)
    part = asked.one("level") or asked.one("timer")
    name = wording.say(f"audit_measure.{measure}")
    return Explanation(
        asked=asked,
        measure=measure,
        name=name if part is None else f"{name} · {part}",
        unit=wording.unit(asked.one("unit")),
        value=value_in_words(answer["value"], wording),
        tables=[explained_table(name, items, wording) for name, items in lists],
        position=answer["as_of_position"],
        as_of=wording.moment(asked.one("at_occurred") or answer["as_of_instant"]),
        as_of_instant=answer["as_of_instant"],
        following=answer["next"],
        wording=wording,
    )


def _export(seen: Explanation) -> Export:
    return export_of(
        f"{seen.name} {seen.value} {seen.unit}",
        seen.wording.say("audit.as_of", moment=seen.as_of, position=seen.position),
        seen.as_of_instant,
        f"anjie-{seen.measure}-{seen.position}",
        seen.tables,
        seen.wording,
    )


async def _comparison(room: Room, request: Request, asked: Given, wording: Wording) -> Comparison:
    measure = asked.one("measure") or MEASURES[0]
    if measure not in MEASURES:
        raise Problem("not-found")
    a, b = [await _position(room, request, asked.one(name) or "") for name in ("a", "b")]
    answer = await room.api.get(
        request, f"/v1/compare/{measure}", a=a, b=b, limit=LIMIT, **asked.only(_COMPARED)
    )
    return Comparison(
        measure,
        (a, b),
        (value_in_words(answer["a"], wording), value_in_words(answer["b"], wording)),
        compared_table(answer["items"], wording),
        answer["as_of_instant"],
        answer["next"],
    )


def _export_comparison(seen: Comparison, asked: Given, wording: Wording) -> Export:
    name, unit = wording.say(f"audit_measure.{seen.measure}"), wording.unit(asked.one("unit"))
    (a, b), (earlier, later) = seen.positions, seen.values
    return export_of(
        f"{name} {unit}",
        wording.say("audit.between", a=a, b=b, earlier=earlier, later=later),
        seen.as_of_instant,
        f"anjie-{seen.measure}-{a}-{b}",
        [seen.table],
        wording,
    )


def _no_moments(asked: Given, wording: Wording) -> dict[str, str]:
    """What is neither a position nor a day that is over, by field."""
    typed = {name: asked.one(name) or "" for name in ("a", "b")}
    wrong = [name for name, moment in typed.items() if not moment.isdecimal() and end_of(moment) is None]
    return {name: wording.say("audit.moment_wrong") for name in wrong}


async def _position(room: Room, request: Request, moment: str) -> str:
    """A position as it was given, or the one that was reached at the end of a day."""
    end = end_of(moment)
    if end is None:
        return moment
    reached = await room.api.get(request, "/v1/backlog", at_recorded=end)
    return str(reached["as_of_position"])
