"""Reads of what was published: then, now, and what came to be known in between."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec

from services.projections.api.answers.publications import PublicationsAnswer, PublishedAnswer
from services.projections.api.figures import ALL_CASES, check_category, check_part, kept_back, read_of
from services.projections.api.paging import page_answer, turn
from services.projections.api.queries import PublicationQuery, PublicationsQuery
from services.projections.figures.measures import EXPLAINED
from services.projections.reads.access import readable_unit, refuse_dashboard
from services.projections.reads.compare import comparison_of
from services.projections.reads.late_events import LateEvents, read_late_events
from services.projections.reads.moments import Moment
from services.projections.reads.publications import (
    Published,
    fetch_published,
    list_published,
    read_figure,
    selection_of,
)
from services.projections.reads.reads import Reads
from shared.events.publications import Figure
from shared.policy.actor import Actor
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.web import Answer, Operation, Request

_NO_MEASURE = Text("is no measure of the statistics", "不是统计指标")
_NO_CASES = Text("is only for measures of cases", "仅用于案件指标")
_NONE = LateEvents([], None, frozenset())


def figure_reader(reads: Reads) -> Callable[[Figure, int], Awaitable[tuple[Any, datetime]]]:
    """Reads the figure that a body names as of its position, and when that was recorded.

    Raises: Problem 422 about one of its fields.
    """

    async def read(figure: Figure, position: int) -> tuple[Any, datetime]:
        measure = EXPLAINED.get(figure.measure)
        if measure is None:
            raise invalid("/measure", "unknown", _NO_MEASURE)
        check_part(measure, figure.level, figure.timer, within="/parameters/")
        check_category(reads.sources, "/parameters/category", figure.category)
        if figure.category is not None and measure.kind == "COVERAGE":
            raise invalid("/parameters/category", "unknown", _NO_CASES)
        moment = await reads.moments.of_position("/position", position)
        return await read_figure(reads.sources, figure, moment), moment.instant

    return read


def operations(reads: Reads) -> tuple[Operation, ...]:
    sources = reads.sources

    async def publication(request: Request) -> Answer:
        query, after = turn(request, PublicationQuery, int)
        published = await fetch_published(sources, request.id("publication_id"))
        # Its own event is as far as the read models must be, so that it can be read at once.
        reached = max(query.min_position or 0, published.recorded.position)
        moment = await reads.moments.of_views(msgspec.structs.replace(query, min_position=reached))
        if not published.known_at(moment):
            raise Problem("not-found")
        if published.figure.category is not None:
            refuse_dashboard(request.actor, ALL_CASES)
        tree = sources.trees.at(moment.position, moment.occurred)
        readable_unit(request.actor, published.figure.unit, tree, sources.trees.current)
        earlier = await reads.moments.of_position("position", published.event.as_of_position, moment.occurred)
        small_below = kept_back(sources, request.actor, moment)
        then = published.event.value
        if moment.occurred is not None or small_below is not None:
            then = await read_figure(sources, published.figure, earlier, small_below)
        now = await read_figure(sources, published.figure, moment, small_below)
        late = await late_events(published, earlier, moment, request.actor, after or 0, query.limit)
        members = {**published.told(), "then": then, "now": now, "late_events": late.items}
        return page_answer(request, query, moment, members, late.place)

    async def late_events(
        published: Published, earlier: Moment, later: Moment, actor: Actor, after: int, limit: int
    ) -> LateEvents:
        """A page of them; none for a dashboard, which sees no single case."""
        if actor.role == "dashboard":
            return _NONE
        figure = published.figure
        measure, level = EXPLAINED[figure.measure], figure.level or figure.timer
        asked = comparison_of(sources, measure, selection_of(figure), level, earlier, later)
        late = await read_late_events(sources, asked, actor, after=after, limit=limit)
        await reads.register.note(actor, late.cases, f"publications/{figure.measure}", later.as_of)
        return late

    async def publications(request: Request) -> Answer:
        query, before = turn(request, PublicationsQuery, int)
        moment = await reads.moments.of_ledger(query)
        tree = sources.trees.at(moment.position, moment.occurred)
        unit = readable_unit(request.actor, query.unit, tree, sources.trees.current)
        page, following = await list_published(sources, unit, moment, before=before, limit=query.limit)
        # What of each is too small for a dashboard takes a look at the units around it: one by one.
        on_a_wall = request.actor.role == "dashboard"
        items = [each.told() | {"then": None if on_a_wall else each.event.value} for each in page]
        return page_answer(request, query, moment, {"items": items}, following)

    return (
        read_of(
            "/v1/publications",
            "list-publications",
            "The figures that were published, the latest first.",
            publications,
            PublicationsQuery,
            PublicationsAnswer,
        ),
        read_of(
            "/v1/publications/{publication_id}",
            "read-publication",
            "A published figure: then, now, and the late events that make the difference.",
            publication,
            PublicationQuery,
            PublishedAnswer,
        ),
    )
