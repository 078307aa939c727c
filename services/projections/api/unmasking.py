"""`POST /v1/cases/{case_id}:unmask`: a case in the clear, for a reason that is on record before."""

from typing import Final

from services.projections.api.answers.cases import UnmaskedAnswer
from services.projections.api.noted import PURPOSE, read_as
from services.projections.api.queries import MomentQuery, UnmaskCase
from services.projections.reads.reads import Reads
from shared.runtime.web import Answer, Operation, Request, json_answer

_KEPT_BY_NOBODY: Final = ((b"cache-control", b"no-store"),)


def operation(reads: Reads) -> Operation:
    async def unmask(request: Request) -> Answer:
        asked = request.query(MomentQuery)
        body = request.body(UnmaskCase)
        case_id = request.id("case_id")
        told = await reads.cases.to_unmask(case_id, request.actor, asked)
        about = [person.person_ref for person in told.now.people]
        await reads.register.note_unmasking(
            request.actor, case_id, read_as(request, "unmask"), body.reason, told.moment.as_of, about
        )
        answer = await reads.cases.unmasked(
            told, request.actor, request.language, after=body.after, limit=body.limit
        )
        return json_answer(answer, 200, _KEPT_BY_NOBODY)

    return Operation(
        method="POST",
        path="/v1/cases/{case_id}:unmask",
        name="unmask-case",
        summary="A case and its timeline in the clear, as of any moment, for those who oversee it masked.",
        tag="reads",
        handler=unmask,
        body=UnmaskCase,
        example={"reason": "核对群众反映的调解协议履行情况"},
        query=MomentQuery,
        answers={200: UnmaskedAnswer},
        problems=(403, 429),
        headers=("?Accept-Language", f"?{PURPOSE}"),
    )
