"""`/audit/cases/{case_id}/verify`: a plain verdict on a case."""

from services.pages.audit.proof import checks
from services.pages.room import Me, Room
from services.pages.timelines import case_timeline
from services.pages.wording import wording_of
from shared.runtime.web import Answer, Operation, Request


def operation(room: Room) -> Operation:
    async def page(request: Request, me: Me) -> Answer:
        case_id = request.id("case_id")
        case = await room.api.get(request, f"/v1/cases/{case_id}")
        position = case["as_of_position"]
        items = await case_timeline(room, request, f"/v1/cases/{case_id}", at_position=position)
        rows = (await room.api.get(request, "/v1/cases", q=case_id, at_position=position))["items"]
        listed = next((row for row in rows if row.get("case_id") == case["case_id"]), None)
        wording = await wording_of(room, request)
        return room.pages.render(
            request,
            "audit/verified.html",
            me=me,
            case_id=case_id,
            events=len(items),
            position=position,
            as_of=wording.moment(case["as_of_instant"]),
            checks=checks(items, case, listed),
        )

    return room.page("/audit/cases/{case_id}/verify", "audit-verify", page)
