"""The inbox: what waits for the caller."""

from services.projections.api.answers.boards import InboxAnswer
from services.projections.api.paging import page_answer, turn
from services.projections.api.queries import InboxQuery
from services.projections.reads.access import refuse_dashboard
from services.projections.reads.inbox_items import Place, Wanted, inbox_item, list_inbox
from services.projections.reads.reads import Reads
from shared.runtime.web import Answer, Operation, Request


def operation(reads: Reads) -> Operation:
    async def inbox(request: Request) -> Answer:
        query, after = turn(request, InboxQuery, Place)
        refuse_dashboard(request.actor)
        moment = await reads.moments.of_views(query)
        wanted = Wanted(kind=query.kind, seen=query.seen, urgent_first=query.order == "urgent")
        found, following = await list_inbox(
            reads.sources, request.actor, moment, wanted, after=after, limit=query.limit
        )
        return page_answer(request, query, moment, {"items": [*map(inbox_item, found)]}, following)

    return Operation(
        method="GET",
        path="/v1/inbox",
        name="read-inbox",
        summary="What waits for the caller, soonest due or urgent first.",
        tag="inbox",
        handler=inbox,
        query=InboxQuery,
        answers={200: InboxAnswer},
        problems=(403,),
        headers=("?Accept-Language",),
    )
