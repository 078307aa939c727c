"""What becomes of a case that another is merged into, and which those may be."""

from uuid import UUID

from services.projections.api.answers.cases import CaseAnswer
from services.projections.api.noted import PURPOSE, read_as
from services.projections.api.queries import MergedQuery
from services.projections.reads.mergeable import Merging
from services.projections.reads.moments import Moment
from services.projections.reads.reads import Reads
from shared.policy.actor import Actor
from shared.runtime.web import Answer, Operation, Request, json_answer


def operation(reads: Reads) -> Operation:
    async def merged(request: Request) -> Answer:
        query = request.query(MergedQuery)
        case_id = request.id("case_id")
        moment, answer = await reads.cases.merged(case_id, query.into, request.actor, query)
        noted = read_as(request, "merged")
        await reads.register.note(request.actor, [case_id, query.into], noted, moment.as_of)
        return json_answer(answer | {"allowed_commands": []})

    return Operation(
        method="GET",
        path="/v1/cases/{case_id}/merged",
        name="read-merged",
        summary="The case `into` as it will stand once this one is merged into it; nothing is written.",
        tag="reads",
        handler=merged,
        query=MergedQuery,
        answers={200: CaseAnswer},
        problems=(403, 422),
        headers=("?Accept-Language", f"?{PURPOSE}"),
    )


async def merging(reads: Reads, duplicate: UUID | None, actor: Actor, moment: Moment) -> Merging | None:
    """What a list of cases to merge into is restricted by. Raises: as reading the case does."""
    if duplicate is None:
        return None
    told = await reads.cases.told_at(duplicate, actor, moment)
    return Merging(told.case, actor, told.tree)
