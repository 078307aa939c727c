"""`/audit/cases/{case_id}/unmask`: a case in the clear at a moment, once somebody has said why.

Each page of its events and each file is asked for anew, as of the same position, with the same reason, which
no address holds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode

from services.pages.api import Refused
from services.pages.audit.case_fields import UNIT_FIELDS, described
from services.pages.audit.case_tables import state_table, timeline_table
from services.pages.audit.exports import Export, export_of, exported, exporting
from services.pages.audit.replay import Moment
from services.pages.audit.steps import Told, history
from services.pages.audit.tables import Cell, Table
from services.pages.given import given, wrong_fields
from services.pages.room import Me, Room
from services.pages.timelines import EVENTS_A_READ
from services.pages.wording import Wording, wording_of
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request

_MOMENT: Final = ("at_position", "at_occurred")


class Unmasked(NamedTuple):
    """A case in the clear at a moment, with as many of its events as a page shows."""

    case_id: str
    reason: str
    then: Moment
    events: list[Told]
    first: int
    """The number of the first of them, from 1."""
    total: int
    pinned: str
    """The query by which the same is asked for once more."""
    following: str | None
    """That of the events which come after these."""
    wording: Wording

    @property
    def shown(self) -> str:
        """Which of the events these are; empty for all."""
        if len(self.events) == self.total:
            return ""
        last = self.first + len(self.events) - 1
        return self.wording.say("audit.events_shown", first=self.first, last=last, total=self.total)


def operations(room: Room) -> tuple[Operation, ...]:
    async def ask(request: Request, me: Me) -> Answer:
        return _asking(request, "", {})

    async def show(request: Request, me: Me) -> Answer:
        try:
            seen = await _unmasked(room, request)
        except Refused as refused:
            if refused.status not in (422, 429):
                raise
            return _asking(request, request.form().get("reason", ""), wrong_fields(refused, "reason"))
        return room.pages.render(request, "audit/unmasked.html", seen=seen, wording=seen.wording)

    async def export(request: Request, me: Me) -> Answer:
        seen = await _unmasked(room, exporting(request))
        return await exported(_export(seen, me), request.parameters["form"])

    def _asking(request: Request, reason: str, wrong: Mapping[str, str]) -> Answer:
        return room.pages.render(
            request,
            "audit/unmask.html",
            status=422 if wrong else 200,
            case_id=request.id("case_id"),
            reason=reason,
            wrong=wrong.get("reason") or next(iter(wrong.values()), None),
        )

    return (
        room.page("/audit/cases/{case_id}/unmask", "audit-unmask-form", ask),
        room.page("/audit/cases/{case_id}/unmask", "audit-unmask", show, method="POST"),
        room.page(
            "/audit/cases/{case_id}/unmask/export/{form}", "audit-unmask-export", export, method="POST"
        ),
    )


async def _unmasked(room: Room, request: Request) -> Unmasked:
    """What the address asks for, for the reason in the form. Raises: Refused; Problem 404 for no number."""
    asked = given(request)
    at = {name: value for name in _MOMENT if (value := asked.one(name))}
    past = bool(at) and asked.one("now") is None
    reason = request.form().get("reason", "")
    try:
        after = int(asked.one("after") or 0)
    except ValueError:
        raise Problem("not-found") from None
    body = {"reason": reason, "after": after, "limit": EVENTS_A_READ}
    answer = await room.api.post(request, f"/v1/cases/{request.id('case_id')}:unmask", body, query=at)
    case, items = answer["case"], answer["items"]
    named = [case[field] for field in UNIT_FIELDS] + [item["unit"] for item in items]
    wording = await wording_of(room, request, named, **at)
    then = Moment(
        past=past,
        axis="happened" if "at_occurred" in at else "known",
        position=answer["as_of_position"],
        instant=wording.moment(at.get("at_occurred") or answer["as_of_instant"]),
        as_of_instant=answer["as_of_instant"],
        version=case["version"],
        state=described(case, wording),
        changed=[],
        is_first=False,
    )
    pinned = at | {"at_position": str(then.position)} | ({} if past else {"now": "1"})
    return Unmasked(
        case_id=case["case_id"],
        reason=reason,
        then=then,
        events=history(items, then.axis, wording).events,
        first=answer["before"] + 1,
        total=answer["total"],
        pinned=urlencode(pinned | {"after": after}),
        following=urlencode(pinned | {"after": items[-1]["version"]}) if answer["more"] else None,
        wording=wording,
    )


def _export(seen: Unmasked, me: Me) -> Export:
    """What the page shows, with who asked for it and why; who it was stands on every page."""
    wording, then = seen.wording, seen.then
    stamp = "past_happened" if then.axis == "happened" else "past_known"
    moment = wording.say(f"audit.{stamp}", moment=then.instant, position=then.position)
    return export_of(
        f"{wording.say('audit.case')} {seen.case_id}",
        f"{moment} {wording.say('audit.unmasked_for', who=me.sub)}",
        then.as_of_instant,
        f"anjie-case-{seen.case_id}-{then.position}-unmasked",
        (
            _asked_table(seen, me),
            state_table(then.state, wording),
            timeline_table(seen.events, wording),
        ),
        wording,
    )


def _asked_table(seen: Unmasked, me: Me) -> Table:
    say = seen.wording.say
    who = " · ".join(filter(None, (me.sub, seen.wording.code("role", me.role), me.unit_name)))
    rows = [
        [Cell(say("audit_column.who")), Cell(who)],
        [Cell(say("audit_column.reason")), Cell(seen.reason)],
        [Cell(say("audit_column.read_at")), Cell(seen.wording.moment(datetime.now(UTC).isoformat()))],
        *([[Cell(say("audit_table.timeline")), Cell(seen.shown)]] if seen.shown else []),
    ]
    return Table("unmasked", ("fact", "value"), rows)
