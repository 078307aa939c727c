"""Search: the cases in whose texts something stands, as of now."""

from datetime import datetime
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from services.projections.api.answers.cases import SearchAnswer
from services.projections.api.merging import merging
from services.projections.api.paging import cursor_of, place_of
from services.projections.api.queries import MomentQuery, SearchCases, SearchQuery
from services.projections.reads.access import readable_unit, refuse_dashboard
from services.projections.reads.case_list import Wanted
from services.projections.reads.reads import Reads
from services.projections.reads.search import indexed_position, search_cases
from services.projections.search.grams import words_of
from shared.runtime.problems import Text, invalid
from shared.runtime.web import Answer, Operation, Request, json_answer

_PAST: Final = ("at_position", "at_recorded", "at_occurred")
_OF_NOW = Text("is not taken: texts are searched as they stand now", "不适用：全文检索只针对当前内容")
_NOTHING = Text("holds nothing to search for", "没有可检索的内容")


def operation(reads: Reads) -> Operation:
    async def search(request: Request) -> Answer:
        _refuse_past(request)
        asked = request.query(SearchQuery)
        body = request.body(SearchCases)
        if not words_of(body.text):
            raise invalid("/text", "blank", _NOTHING)
        after = place_of(body.cursor, request.path, tuple[datetime, UUID])
        refuse_dashboard(request.actor)
        moment = await reads.moments.of_views(MomentQuery(min_position=asked.min_position))
        for unit in (body.unit, body.origin):
            readable_unit(request.actor, unit, reads.sources.trees.current)
        # Before it is searched: more may be found than the position says, never less.
        indexed = await indexed_position(reads.sources, asked.min_position or 0)
        items, following = await search_cases(
            reads.sources,
            body.text,
            Wanted(
                unit=body.unit,
                origin=body.origin,
                states=body.state,
                merging=await merging(reads, body.may_absorb, request.actor, moment),
            ),
            request.actor,
            moment,
            after=after,
            limit=body.limit,
        )
        await reads.register.note(request.actor, [item["case_id"] for item in items], "search", moment.as_of)
        page = {"items": items, "next": cursor_of(request.path, moment, following)}
        return json_answer({**page, "indexed_position": indexed, **moment.stamp()})

    return Operation(
        method="POST",
        path="/v1/cases:search",
        name="search-cases",
        summary="Cases in whose texts something stands, latest first, as of now.",
        tag="reads",
        handler=search,
        body=SearchCases,
        example={"text": "宅基地 滴水"},
        query=SearchQuery,
        answers={200: SearchAnswer},
        problems=(403, 404),
        headers=("?Accept-Language",),
    )


def _refuse_past(request: Request) -> None:
    given = parse_qs(request.query_string.decode("latin-1"), keep_blank_values=True)
    for name in _PAST:
        if name in given:
            raise invalid(name, "now-only", _OF_NOW)
