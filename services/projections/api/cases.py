"""Reads of cases: one, its timeline, and lists."""

from datetime import datetime
from uuid import UUID

from services.projections.api.answers.boards import MyCasesAnswer
from services.projections.api.answers.cases import CaseAnswer, CasesAnswer, TimelineAnswer
from services.projections.api.merging import merging
from services.projections.api.noted import PURPOSE, read_as
from services.projections.api.paging import page_answer, turn
from services.projections.api.queries import CasesQuery, MomentQuery, MyCasesQuery, TimelineQuery
from services.projections.reads.access import readable_unit, refuse_dashboard
from services.projections.reads.allowed import unknown_command
from services.projections.reads.case_list import Caller, Wanted, list_cases
from services.projections.reads.my_cases import list_my_cases
from services.projections.reads.reads import Reads
from shared.events.vocabulary import OPEN_STATES
from shared.policy.moments import day_of
from shared.runtime.problems import Text, invalid
from shared.runtime.web import Answer, Operation, Request, json_answer

_NO_COMMAND = Text("{command} is no command to a case", "没有名为 {command} 的案件命令")


def operations(reads: Reads) -> tuple[Operation, ...]:
    async def case(request: Request) -> Answer:
        asked = request.query(MomentQuery)
        case_id = request.id("case_id")
        moment, answer = await reads.cases.case(case_id, request.actor, asked)
        await reads.register.note(request.actor, [case_id], read_as(request, "case"), moment.as_of)
        headers = ((b"etag", b'"%d"' % answer["version"]),) if moment.live else ()
        return json_answer(answer, 200, headers)

    async def timeline(request: Request) -> Answer:
        query, after = turn(request, TimelineQuery, int)
        case_id = request.id("case_id")
        moment, items, more = await reads.cases.timeline(
            case_id, request.actor, query, request.language, after=after or 0, limit=query.limit
        )
        await reads.register.note(request.actor, [case_id], read_as(request, "timeline"), moment.as_of)
        return page_answer(request, query, moment, {"items": items}, items[-1]["version"] if more else None)

    async def cases(request: Request) -> Answer:
        query, after = turn(request, CasesQuery, tuple[datetime, UUID])
        refuse_dashboard(request.actor)
        unknown = unknown_command(query.allowed or ())
        if unknown is not None:
            raise invalid("allowed", "unknown", _NO_COMMAND.filled(command=unknown))
        moment = await reads.moments.of_views(query)
        trees = reads.sources.trees
        tree = trees.at(moment.position, moment.occurred)
        for unit in (query.unit, query.holder, query.origin):
            readable_unit(request.actor, unit, tree, trees.current)
        rules = tree.policy(request.actor.unit, day_of(moment.occurred or moment.instant))
        wanted = Wanted(
            ids=query.case_id,
            unit=query.unit,
            holder=query.holder,
            origin=query.origin,
            pending_unit=query.pending_unit,
            handler=query.handler,
            assigned=query.assigned,
            to_call=query.to_call,
            caller=Caller(request.actor.ref, rules.follow_up_attempts),
            states=query.state,
            urgent=query.urgent,
            overdue=query.overdue,
            category=query.category,
            procedure=query.procedure,
            q=query.q,
            opened_from=query.opened_from,
            opened_to=query.opened_to,
            merging=await merging(reads, query.may_absorb, request.actor, moment),
        )
        items, following = await list_cases(
            reads.sources,
            wanted,
            request.actor,
            moment,
            after=after,
            limit=query.limit,
            known_only=query.known_only,
            oldest_first=query.order == "oldest",
            allowed=query.allowed,
        )
        shown = [item["case_id"] for item in items if "case_id" in item]
        await reads.register.note(request.actor, shown, read_as(request, "cases"), moment.as_of)
        return page_answer(request, query, moment, {"items": items}, following)

    async def my_cases(request: Request) -> Answer:
        query, after = turn(request, MyCasesQuery, tuple[datetime | None, UUID])
        refuse_dashboard(request.actor)
        moment = await reads.moments.of_views(query)
        states = sorted(OPEN_STATES) if query.state is None else query.state
        items, following = await list_my_cases(
            reads.sources, states, request.actor, moment, after=after, limit=query.limit
        )
        return page_answer(request, query, moment, {"items": items}, following)

    return (
        Operation(
            method="GET",
            path="/v1/me/cases",
            name="list-my-cases",
            summary="The cases in the caller's hands with their clocks, soonest due first.",
            tag="reads",
            handler=my_cases,
            query=MyCasesQuery,
            answers={200: MyCasesAnswer},
            problems=(403,),
            headers=("?Accept-Language",),
        ),
        Operation(
            method="GET",
            path="/v1/cases/{case_id}",
            name="read-case",
            summary="One case, as of any moment.",
            tag="reads",
            handler=case,
            query=MomentQuery,
            answers={200: CaseAnswer},
            problems=(403,),
            headers=("?Accept-Language", f"?{PURPOSE}"),
        ),
        Operation(
            method="GET",
            path="/v1/cases/{case_id}/timeline",
            name="read-timeline",
            summary="Every event of a case, as of any moment.",
            tag="reads",
            handler=timeline,
            query=TimelineQuery,
            answers={200: TimelineAnswer},
            problems=(403,),
            headers=("?Accept-Language", f"?{PURPOSE}"),
        ),
        Operation(
            method="GET",
            path="/v1/cases",
            name="list-cases",
            summary="Cases, latest or oldest first, as of any moment.",
            tag="reads",
            handler=cases,
            query=CasesQuery,
            answers={200: CasesAnswer},
            problems=(403, 404),
            headers=("?Accept-Language", f"?{PURPOSE}"),
        ),
    )
