"""The live streams and the raw feed, both without end."""

from typing import Final

from services.projections.api.queries import EventsQuery, StreamQuery
from services.projections.figures.queries import AsOf
from services.projections.reads.access import readable_unit, refuse_dashboard, refuse_roles
from services.projections.reads.boards import OutOfSight, Scope
from services.projections.reads.event_feed import FEED_ROLES, catch_up, follow_events
from services.projections.reads.live_views import CASE_TIMELINE, INBOX, ITEM_VIEWS, VIEWS
from services.projections.reads.reads import Reads
from shared.policy.actor import Actor
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.sign_in import SignIn
from shared.runtime.web import Operation, Request, Streamed

EVENT_STREAM: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"

_LAST_EVENT_ID: Final = b"last-event-id"
_POSITION_DIGITS_MAX: Final = 18
_BEYOND: Final = 2**63 - 1
"""A position that no ledger reaches: whoever says it was there starts anew."""
_FOR_THE_FEED = Text(
    "The raw feed is for an auditor, a supervisor or an operator",
    "原始事件流仅供审计人员、监督员或运维人员使用",
)
_NEEDED = Text("is needed for this stream", "此数据流必须提供")
_NOT_HERE = Text("is not for this stream", "此数据流不使用该参数")


def operations(reads: Reads, sign_in: SignIn) -> tuple[Operation, ...]:
    async def stream(request: Request) -> Streamed:
        view = request.parameters["view"]
        query = request.query(StreamQuery)
        if view not in VIEWS:
            raise Problem("not-found")
        if view == INBOX:
            scope = _own_scope(view, query, request.actor)
        elif view == CASE_TIMELINE:
            scope = await _case_scope(reads, query, request)
        else:
            scope = await _unit_scope(reads, view, query, request.actor)
        after = _last_event_id(request)
        until = await sign_in.ends_at(request)
        try:
            frames = await reads.hub.subscribe(
                scope, after=query.after if after is None else after, until=until
            )
        except OutOfSight:
            raise Problem("not-found") from None
        headers = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))
        return Streamed(200, sign_in.while_signed_in(request, frames), EVENT_STREAM.encode(), headers)

    async def events(request: Request) -> Streamed:
        query = request.query(EventsQuery)
        refuse_roles(request.actor, FEED_ROLES, _FOR_THE_FEED)
        if query.min_position is not None:
            await reads.sources.progress.reach(query.min_position)
        elif not query.follow:
            await catch_up(reads.sources, query.after + query.limit)
        lines = follow_events(
            reads.sources,
            request.actor,
            after=query.after,
            limit=query.limit,
            follow=query.follow,
            until=await sign_in.ends_at(request),
        )
        return Streamed(
            200, sign_in.while_signed_in(request, lines), NDJSON.encode(), ((b"cache-control", b"no-store"),)
        )

    return (
        Operation(
            method="GET",
            path="/v1/streams/{view}",
            name="stream",
            summary="A live view as server-sent events: a snapshot, then what changes; see /asyncapi.json.",
            tag="streams",
            handler=stream,
            query=StreamQuery,
            answers={200: EVENT_STREAM},
            problems=(403, 404, 429),
            headers=("?Last-Event-ID", "?Accept-Language"),
        ),
        Operation(
            method="GET",
            path="/v1/events",
            name="events",
            summary="The raw feed to its last event, as lines of CloudEvents; personal data stays sealed.",
            tag="streams",
            handler=events,
            query=EventsQuery,
            answers={200: NDJSON},
            problems=(403,),
            headers=("?Accept-Language",),
        ),
    )


async def _unit_scope(reads: Reads, view: str, query: StreamQuery, actor: Actor) -> Scope:
    if query.case_id is not None:
        raise invalid("case_id", "unknown", _NOT_HERE)
    unit = readable_unit(actor, query.unit, reads.sources.trees.current)
    if view in ITEM_VIEWS:
        return Scope(view=view, unit=unit, reader=actor)
    return Scope(view=view, unit=unit, suppress=actor.role == "dashboard")


def _own_scope(view: str, query: StreamQuery, actor: Actor) -> Scope:
    for name in ("unit", "case_id"):
        if getattr(query, name) is not None:
            raise invalid(name, "unknown", _NOT_HERE)
    refuse_dashboard(actor)
    return Scope(view=view, reader=actor)


async def _case_scope(reads: Reads, query: StreamQuery, request: Request) -> Scope:
    if query.unit is not None:
        raise invalid("unit", "unknown", _NOT_HERE)
    if query.case_id is None:
        raise invalid("case_id", "missing", _NEEDED)
    refuse_dashboard(request.actor)
    case = await reads.cases.readable(query.case_id, request.actor)
    # What its last events did has to be in the rows, since the stream begins as of those.
    stand = await reads.sources.progress.reach(case.position)
    await reads.register.note(request.actor, [query.case_id], "stream", AsOf(position=stand.position))
    return Scope(view=CASE_TIMELINE, case_id=query.case_id, reader=request.actor, language=request.language)


def _last_event_id(request: Request) -> int | None:
    """What the client saw last; anything that is no position of ours counts as nothing seen."""
    given = request.header(_LAST_EVENT_ID)
    if not given:
        return None
    known = given.isascii() and given.isdigit() and len(given) <= _POSITION_DIGITS_MAX
    return int(given) if known else _BEYOND
