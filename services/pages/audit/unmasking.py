"""`/audit/cases/{case_id}/unmask`: a case in the clear at a moment, once somebody has said why."""

from collections.abc import Mapping
from typing import Any, Final

from services.pages.api import Refused
from services.pages.audit.case_fields import UNIT_FIELDS, described
from services.pages.audit.replay import Moment
from services.pages.audit.steps import history
from services.pages.given import given, wrong_fields
from services.pages.room import Me, Room
from services.pages.wording import wording_of
from shared.runtime.web import Answer, Operation, Request

_MOMENT: Final = ("at_position", "at_occurred")


def operations(room: Room) -> tuple[Operation, ...]:
    async def ask(request: Request, me: Me) -> Answer:
        return _asking(request, "", {})

    async def show(request: Request, me: Me) -> Answer:
        reason = request.form().get("reason", "")
        at = _at(request)
        path = f"/v1/cases/{request.id('case_id')}:unmask"
        try:
            answer = await room.api.post(request, path, {"reason": reason}, query=at)
        except Refused as refused:
            if refused.status not in (422, 429):
                raise
            return _asking(request, reason, wrong_fields(refused, "reason"))
        return await _shown(request, answer, at)

    def _asking(request: Request, reason: str, wrong: Mapping[str, str]) -> Answer:
        return room.pages.render(
            request,
            "audit/unmask.html",
            status=422 if wrong else 200,
            case_id=request.id("case_id"),
            reason=reason,
            wrong=wrong.get("reason") or next(iter(wrong.values()), None),
        )

    async def _shown(request: Request, answer: Mapping[str, Any], at: Mapping[str, str]) -> Answer:
        case, items = answer["case"], answer["items"]
        named = [case[field] for field in UNIT_FIELDS] + [item["unit"] for item in items]
        wording = await wording_of(room, request, named, **at)
        happened = "at_occurred" in at
        then = Moment(
            past=bool(at),
            axis="happened" if happened else "known",
            position=answer["as_of_position"],
            instant=wording.moment(at.get("at_occurred") or answer["as_of_instant"]),
            as_of_instant=answer["as_of_instant"],
            version=case["version"],
            state=described(case, wording),
            changed=[],
            is_first=False,
        )
        events = history(items, then.axis, wording).events
        return room.pages.render(
            request, "audit/unmasked.html", case_id=case["case_id"], then=then, events=events, wording=wording
        )

    return (
        room.page("/audit/cases/{case_id}/unmask", "audit-unmask-form", ask),
        room.page("/audit/cases/{case_id}/unmask", "audit-unmask", show, method="POST"),
    )


def _at(request: Request) -> dict[str, str]:
    asked = given(request)
    return {name: value for name in _MOMENT if (value := asked.one(name))}
