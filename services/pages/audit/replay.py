"""`/audit/cases/{case_id}`: a case as it stood at any moment, and what each event changed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.pages.api import Refused
from services.pages.audit.case_fields import UNIT_FIELDS, Change, Described, changes, described
from services.pages.audit.case_tables import changed_table, state_table, timeline_table
from services.pages.audit.exports import Export, export_of, exported, exporting
from services.pages.audit.steps import Axis, History, Step, before, history
from services.pages.commands.asked import OVERSIGHT
from services.pages.commands.forms import CaseForms
from services.pages.given import Given, given
from services.pages.room import Me, Room
from services.pages.timelines import case_timeline
from services.pages.wording import Wording, wording_of
from shared.policy.sight import HIDDEN_PROCEDURES
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request


class Moment(NamedTuple):
    """A case at a moment, in words."""

    past: bool
    axis: Axis
    position: int
    """As of which it was answered."""
    instant: str
    as_of_instant: str
    """At which that position was recorded; the moment itself may be another."""
    version: int
    state: list[Described]
    changed: list[Change]
    is_first: bool
    """Whether there was no case before."""


class Replayed(NamedTuple):
    """A case, its history, and the moment that was asked for."""

    now: Mapping[str, Any]
    history: History
    step: Step
    moment: Moment
    wording: Wording


def operations(room: Room) -> tuple[Operation, ...]:
    async def page(request: Request, me: Me) -> Answer:
        seen = await replayed(room, request)
        forms = CaseForms(seen.now, me.sub, {}, seen.wording.say)
        acts = [form for name in OVERSIGHT for form in forms.of(name)]
        return room.pages.render(
            request,
            "audit/case.html",
            me=me,
            seen=seen,
            wording=seen.wording,
            acts=acts,
            unmasks=unmaskable(me, seen.now),
        )

    async def parts(request: Request, me: Me) -> Answer:
        asked = given(request)
        at = {name: value for name in ("at_position", "at_occurred") if (value := asked.one(name))}
        then, _ = await _moment(room, request, at, past=asked.one("now") is None)
        return room.pages.render(request, "audit/moment_parts.html", then=then)

    async def export(request: Request, me: Me) -> Answer:
        return await exported(_export(await replayed(room, exporting(request))), request.parameters["form"])

    return (
        room.page("/audit/cases/{case_id}", "audit-case", page),
        room.page("/audit/cases/{case_id}/export/{form}", "audit-case-export", export),
        room.page("/audit/cases/{case_id}/moment", "audit-case-moment", parts),
    )


async def replayed(room: Room, request: Request) -> Replayed:
    """What the address of a case's page asks for. Raises: Refused; Problem 404 for what is no moment."""
    case = _case(request)
    asked = given(request)
    position, occurred = _moment_asked(asked)
    now, items = await asyncio.gather(room.api.get(request, case), case_timeline(room, request, case))
    axis: Axis = "happened" if occurred is not None or asked.one("by") == "happened" else "known"
    wording = await wording_of(room, request, [item["unit"] for item in items])
    told = history(items, axis, wording)
    step = told.chosen(position, occurred)
    moment, wording = await _moment(room, request, step.at, past=not told.is_now(step))
    return Replayed(now, told, step, moment, wording)


def unmaskable(me: Me, case: Mapping[str, Any]) -> bool:
    """Whether there is something to unmask, and the reader may as far as a page can tell."""
    cleared = case["procedure"] not in HIDDEN_PROCEDURES or case["procedure"] in me.clearances
    return cleared and isinstance(case["title"], dict)


def _export(seen: Replayed) -> Export:
    """What the page shows: the case, its timeline up to the moment, and what the last step changed."""
    wording, then = seen.wording, seen.moment
    stamp = "past_happened" if then.axis == "happened" else "past_known"
    tables = (
        state_table(then.state, wording),
        timeline_table(seen.history.until(seen.step), wording),
        changed_table(then.changed, wording),
    )
    return export_of(
        f"{wording.say('audit.case')} {seen.now['case_id']}",
        wording.say(f"audit.{stamp}", moment=then.instant, position=then.position),
        then.as_of_instant,
        f"anjie-case-{seen.now['case_id']}-{then.position}",
        tables,
        wording,
    )


async def _moment(
    room: Room, request: Request, at: Mapping[str, str], *, past: bool
) -> tuple[Moment, Wording]:
    """The case at a moment beside the moment before, and the words they are told in."""
    case = _case(request)
    try:
        earlier_at = before(at)
    except (KeyError, ValueError):
        raise Problem("not-found") from None
    earlier, state = await asyncio.gather(
        _before_opening(room.api.get(request, case, **earlier_at)), room.api.get(request, case, **at)
    )
    named = [answer[field] for answer in (earlier, state) if answer for field in UNIT_FIELDS]
    wording = await wording_of(room, request, named, **at)
    holds = described(state, wording)
    moment = Moment(
        past=past,
        axis="happened" if "at_occurred" in at else "known",
        position=state["as_of_position"],
        instant=wording.moment(at.get("at_occurred") or state["as_of_instant"]),
        as_of_instant=state["as_of_instant"],
        version=state["version"],
        state=holds,
        changed=changes(described(earlier, wording) if earlier else [], holds),
        is_first=earlier is None,
    )
    return moment, wording


async def _before_opening(reading: Any) -> Mapping[str, Any] | None:
    """The case, or that there was none yet."""
    try:
        found: Mapping[str, Any] = await reading
        return found
    except Refused as refused:
        if refused.status != 404:
            raise
        return None


def _case(request: Request) -> str:
    """Where the interface tells of the case. Raises: Problem 404 for what can't be one."""
    return f"/v1/cases/{request.id('case_id')}"


def _moment_asked(asked: Given) -> tuple[int | None, datetime | None]:
    position, occurred = asked.one("at_position"), asked.one("at_occurred")
    try:
        instant = datetime.fromisoformat(occurred) if occurred else None
        if instant is not None and instant.tzinfo is None:
            raise ValueError(occurred)
        return int(position) if position else None, instant
    except ValueError:
        raise Problem("not-found") from None
