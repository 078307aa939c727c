"""Reads of figures: backlogs, the urgent and the deadline board, the statistics, the service ledger."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from services.projections.api.answers.boards import BacklogAnswer, DeadlinesAnswer, TrendAnswer, UrgentAnswer
from services.projections.api.answers.figures import CompareAnswer, ExplainAnswer, KpiAnswer
from services.projections.api.answers.register import ServicesAnswer
from services.projections.api.noted import PURPOSE, read_as
from services.projections.api.paging import needed, page_answer, turn
from services.projections.api.queries import (
    BacklogQuery,
    CompareQuery,
    DeadlinesQuery,
    ExplainQuery,
    KpiQuery,
    ServicesQuery,
    TrendQuery,
    UrgentQuery,
    WhatIfQuery,
)
from services.projections.figures.measures import DUTIES, EXPLAINED, Measure
from services.projections.figures.queries import Period
from services.projections.reads.access import readable_unit, refuse_dashboard
from services.projections.reads.case_list import URGENT_AND_OPEN, list_cases
from services.projections.reads.compare import comparison_of, read_comparison
from services.projections.reads.deadline_list import count_deadlines, list_deadlines
from services.projections.reads.explain import Place, parts_of, read_explanation
from services.projections.reads.figure_reads import read_backlog, read_kpi, read_measure, read_urgent
from services.projections.reads.moments import Asked, Moment
from services.projections.reads.reads import Reads
from services.projections.reads.selection import Selection
from services.projections.reads.service_list import count_services, list_services
from services.projections.reads.sources import Sources
from services.projections.reads.suppression import SmallBelow, small_below
from services.projections.reads.trend import read_trend
from shared.events.vocabulary import Level, Timer
from shared.policy.actor import Actor
from shared.policy.moments import day_of
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.web import Answer, Operation, Request, json_answer

TREND_DAYS: Final = 90
TREND_DAYS_MAX: Final = 366

_LATER = Text("lies after the moment asked for", "晚于所问的时刻")
_TOO_LONG = Text(f"lies more than {TREND_DAYS_MAX} days before the end", f"距结束日超过 {TREND_DAYS_MAX} 天")
_BACKWARDS = Text("lies before from", "早于起始日期")
_NO_LEVELS = Text("is only for containment_rate", "仅用于 containment_rate")
_NO_CATEGORY = Text("is no category of any rules", "不是任何规则中的类别")
ALL_CASES = Text(
    "A dashboard gets the figures of all cases: those of some would give small numbers away; a reader of the "
    "unit gets both",
    "大屏只能读取全部案件的统计：部分案件的统计会泄露小数目；该单位的查阅人员可读取两者",
)
_NO_TIMERS = Text("is only for on_time_rate, and for duties", "仅用于 on_time_rate 及办理时限")


def operations(reads: Reads) -> tuple[Operation, ...]:
    sources = reads.sources

    async def asked_unit(asked: Asked, unit: UUID | None, actor: Actor) -> tuple[Moment, UUID | None]:
        moment = await reads.moments.of_views(asked)
        tree = sources.trees.at(moment.position, moment.occurred)
        return moment, readable_unit(actor, unit, tree, sources.trees.current)

    async def noted(request: Request, read: str, items: Iterable[Mapping[str, Any]], moment: Moment) -> None:
        shown = {case_id: None for item in items if (case_id := item.get("case_id")) is not None}
        await reads.register.note(request.actor, shown, read_as(request, read), moment.as_of)

    async def backlog(request: Request) -> Answer:
        query = request.query(BacklogQuery)
        moment, unit = await asked_unit(query, query.unit, request.actor)
        figures = await read_backlog(
            sources, query.by, unit, moment, kept_back(sources, request.actor, moment)
        )
        return json_answer({**figures, **moment.stamp()})

    async def trend(request: Request) -> Answer:
        query = request.query(TrendQuery)
        moment, unit = await asked_unit(query, query.unit, request.actor)
        days = _days(period_of(query), day_of(moment.occurred or moment.instant))
        small = kept_back(sources, request.actor, moment)
        return json_answer({"days": await read_trend(sources, unit, days, moment, small), **moment.stamp()})

    async def urgent(request: Request) -> Answer:
        query, after = turn(request, UrgentQuery, tuple[datetime, UUID])
        moment, unit = await asked_unit(query, query.unit, request.actor)
        figures = await read_urgent(sources, unit, moment, kept_back(sources, request.actor, moment))
        items: list[dict[str, Any]] = []
        following = None
        if query.items and request.actor.role != "dashboard":
            wanted = replace(URGENT_AND_OPEN, origin=unit)
            items, following = await list_cases(
                sources, wanted, request.actor, moment, after=after, limit=query.limit
            )
        await noted(request, "urgent", items, moment)
        return page_answer(request, query, moment, {**figures, "items": items}, following)

    async def deadlines(request: Request) -> Answer:
        query, after = turn(request, DeadlinesQuery, tuple[datetime | None, UUID, int])
        moment, unit = await asked_unit(query, query.unit, request.actor)
        figures = await count_deadlines(sources, unit, moment, kept_back(sources, request.actor, moment))
        items: list[dict[str, Any]] = []
        following = None
        if query.items and request.actor.role != "dashboard":
            items, following = await list_deadlines(
                sources, unit, request.actor, moment, after=after, limit=query.limit
            )
        await noted(request, "deadlines", items, moment)
        return page_answer(request, query, moment, {**figures, "items": items}, following)

    async def kpi(request: Request) -> Answer:
        query = request.query(KpiQuery)
        period = period_of(query)
        moment, unit = await asked_unit(query, query.unit, request.actor)
        selection = _selection(sources, query, unit, period)
        if not selection.of_all_cases:
            refuse_dashboard(request.actor, ALL_CASES)
        figures = await read_kpi(sources, selection, moment, kept_back(sources, request.actor, moment))
        return json_answer({**figures, **moment.stamp()})

    async def explain(request: Request) -> Answer:
        query, after = turn(request, ExplainQuery, list[Place | None])
        measure = _measure(request, query)
        period = period_of(query)
        moment, unit = await asked_unit(query, query.unit, request.actor)
        places = after or [None] * len(parts_of(measure))
        if len(places) != len(parts_of(measure)):
            raise invalid("cursor", "cursor", Text("does not belong to this list", "不属于此列表"))
        part = query.level or query.timer
        selection = _selection(sources, query, unit, period)
        value = await read_measure(sources, measure, selection, moment)
        explained = await read_explanation(
            sources,
            measure,
            selection,
            moment,
            request.actor,
            level=part,
            after=places,
            limit=query.limit,
        )
        await reads.register.note(
            request.actor, explained.cases, read_as(request, f"explain/{measure.name}"), moment.as_of
        )
        members = {
            "measure": measure.name,
            "value": value if part is None else value[part],
            **explained.lists,
        }
        return page_answer(request, query, moment, members, explained.places if explained.more else None)

    async def compare(request: Request) -> Answer:
        query, after = turn(request, CompareQuery, tuple[UUID, str | None])
        measure = _measure(request, query)
        period = period_of(query)
        a, b = needed("a", query.a), needed("b", query.b)
        earlier, later = await reads.moments.of_two(a, b, query.at_occurred)
        tree = sources.trees.at(later.position, later.occurred)
        unit = readable_unit(request.actor, query.unit, tree, sources.trees.current)
        part = query.level or query.timer
        check_category(sources, "category", query.category)
        selection = Selection(unit=unit, period=period, category=query.category)
        values = [await read_measure(sources, measure, selection, moment) for moment in (earlier, later)]
        compared = await read_comparison(
            sources,
            comparison_of(sources, measure, selection, part, earlier, later),
            request.actor,
            after=after,
            limit=query.limit,
        )
        await reads.register.note(
            request.actor, compared.cases, read_as(request, f"compare/{measure.name}"), later.as_of
        )
        was, holds = values if part is None else [value[part] for value in values]
        members = {"measure": measure.name, "a": was, "b": holds, "items": compared.items}
        return page_answer(request, query, later, members, compared.place)

    async def services(request: Request) -> Answer:
        query, after = turn(request, ServicesQuery, tuple[datetime, UUID])
        period = period_of(query)
        moment, unit = await asked_unit(query, query.unit, request.actor)
        figures = await count_services(
            sources, unit, period, moment, kept_back(sources, request.actor, moment)
        )
        items: list[dict[str, Any]] = []
        following = None
        if query.items and request.actor.role != "dashboard":
            items, following = await list_services(
                sources, unit, period, request.actor, moment, after=after, limit=query.limit
            )
        await noted(request, "services", items, moment)
        return page_answer(request, query, moment, {**figures, "items": items}, following)

    return (
        read_of(
            "/v1/backlog",
            "read-backlog",
            "Open cases by unit, by holder or by origin.",
            backlog,
            BacklogQuery,
            BacklogAnswer,
        ),
        read_of(
            "/v1/trend",
            "read-trend",
            "Cases that came and left, and the backlog by origin, day by day.",
            trend,
            TrendQuery,
            TrendAnswer,
        ),
        read_of(
            "/v1/urgent", "read-urgent", "The urgent board.", urgent, UrgentQuery, UrgentAnswer, f"?{PURPOSE}"
        ),
        read_of(
            "/v1/deadlines",
            "read-deadlines",
            "Clocks whose act is still to come, soonest first.",
            deadlines,
            DeadlinesQuery,
            DeadlinesAnswer,
            f"?{PURPOSE}",
        ),
        read_of("/v1/kpi", "read-kpi", "The statistics of a unit and a period.", kpi, KpiQuery, KpiAnswer),
        read_of(
            "/v1/explain/{measure}",
            "explain",
            "What a measure counts, item by item.",
            explain,
            ExplainQuery,
            ExplainAnswer,
            f"?{PURPOSE}",
        ),
        read_of(
            "/v1/compare/{measure}",
            "compare",
            "What a measure counts otherwise at the later of two positions, item by item.",
            compare,
            CompareQuery,
            CompareAnswer,
            f"?{PURPOSE}",
        ),
        read_of(
            "/v1/services",
            "read-services",
            "The service ledger.",
            services,
            ServicesQuery,
            ServicesAnswer,
            f"?{PURPOSE}",
        ),
    )


def read_of(
    path: str, name: str, summary: str, handler: Any, query: Any, answer: Any, *headers: str
) -> Operation:
    """The operation of a read of figures."""
    return Operation(
        method="GET",
        path=path,
        name=name,
        summary=summary,
        tag="figures",
        handler=handler,
        query=query,
        answers={200: answer},
        problems=(403, 404),
        headers=("?Accept-Language", *headers),
    )


def _measure(request: Request, query: ExplainQuery | CompareQuery) -> Measure:
    """The measure in the path. Raises: Problem, 404; 422 for a part that it has not; 403 to a dashboard."""
    measure = EXPLAINED.get(request.parameters["measure"])
    if measure is None:
        raise Problem("not-found")
    check_part(measure, query.level, query.timer)
    refuse_dashboard(request.actor)
    return measure


def check_part(measure: Measure, level: Level | None, timer: Timer | None, within: str = "") -> None:
    """Whether the measure has the part; `within` is where the parameters stand. Raises: Problem 422."""
    if level is not None and measure.kind != "LEVELS":
        raise invalid(f"{within}level", "unknown", _NO_LEVELS)
    if timer is not None and (measure.kind != "TIMERS" or timer not in DUTIES):
        raise invalid(f"{within}timer", "unknown", _NO_TIMERS)


def check_category(sources: Sources, pointer: str, category: str | None) -> None:
    """Whether any rules know the category. Raises: Problem 422."""
    policies = sources.trees.current.policies
    if category is not None and not any(category in policy.categories for policy in policies):
        raise invalid(pointer, "unknown", _NO_CATEGORY)


def kept_back(sources: Sources, actor: Actor, moment: Moment) -> SmallBelow | None:
    """What is too small for the actor to be shown, if anything."""
    if actor.role != "dashboard":
        return None
    return small_below(sources.trees.at(moment.position, moment.occurred), day_of(moment.instant))


def _selection(
    sources: Sources, query: KpiQuery | ExplainQuery, unit: UUID | None, period: Period
) -> Selection:
    check_category(sources, "category", query.category)
    return Selection(unit=unit, period=period, category=query.category, holder_level=query.holder_level)


def _days(period: Period, today: date) -> list[date]:
    """The days of a period, by default the last ones. Raises: Problem 422 for a later or longer one."""
    last = period.last or today
    first = period.first or last - timedelta(days=TREND_DAYS - 1)
    if last > today:
        raise invalid("to", "range", _LATER)
    if first > last:
        raise invalid("from", "range", _LATER)
    if (last - first).days >= TREND_DAYS_MAX:
        raise invalid("from", "range", _TOO_LONG)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def period_of(
    query: KpiQuery | TrendQuery | ServicesQuery | ExplainQuery | CompareQuery | WhatIfQuery,
) -> Period:
    """Raises: Problem 422 for one that ends before it begins."""
    if query.first is not None and query.last is not None and query.last < query.first:
        raise invalid("to", "range", _BACKWARDS)
    return Period(first=query.first, last=query.last)
