"""What waits for a reader, found by the audiences that they are in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Composed

from services.projections.figures.queries import Connection, valid
from services.projections.reads.calendar_end import calendar_end
from services.projections.reads.case_items import fetch_shown, sight_of_row
from services.projections.reads.moments import Moment
from services.projections.reads.sources import Sources
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.waiting import audiences_of, is_theirs


class Place(NamedTuple):
    """Where an item stands in the order of a list."""

    later: bool
    """After all that waits on urgent cases, where these are first."""
    due_at: datetime | None
    item_id: UUID


class Waiting(NamedTuple):
    """An item as one reader has it; instants are UTC."""

    item_id: UUID
    case_id: UUID | None
    """None of the calendar's coming end."""
    kind: str
    timer: str | None
    since: datetime
    due_at: datetime | None
    seen: bool
    later: bool = False
    """In the order that its list was asked for, as in `Place`."""

    @property
    def place(self) -> Place:
        return Place(self.later, self.due_at, self.item_id)


class Wanted(NamedTuple):
    """Which items; None doesn't restrict."""

    kind: str | None = None
    seen: bool | None = None
    ids: Collection[UUID] | None = None
    urgent_first: bool = False


EVERYTHING = Wanted()

# Two audiences of one reader may be told of the same thing.
_WAITING: Final = SQL(
    "WITH waiting AS ("
    " SELECT DISTINCT item_id, case_id, kind, timer, since, due_at"
    " FROM unnest(%(audiences)s::text[], %(units)s::uuid[]) AS mine (audience, unit_id)"
    " JOIN views.inbox USING (audience, unit_id) WHERE {held} AND %(me)s <> ALL(left_out)"
    " UNION ALL SELECT %(alarm_id)s::uuid, NULL, 'CALENDAR', NULL, %(alarm_since)s, %(alarm_due)s"
    " WHERE %(alarm_id)s::uuid IS NOT NULL"
    "), items AS ("
    " SELECT waiting.*, EXISTS (SELECT FROM views.seen"
    " WHERE seen.item_id = waiting.item_id AND reader = %(me)s AND {held}) AS seen, {later} AS later"
    " FROM waiting"
    ") SELECT * FROM items WHERE {clauses}"
    " ORDER BY later, coalesce(due_at, 'infinity'), item_id LIMIT %(limit)s"
)
_NONE_LATER: Final = SQL("false")
_NOT_URGENT: Final = SQL(
    "NOT EXISTS (SELECT FROM views.cases WHERE cases.case_id = waiting.case_id AND urgent AND {})"
)
_AFTER: Final = SQL(
    "(later, coalesce(due_at, 'infinity'), item_id)"
    " > (%(after_later)s, coalesce(%(after_due)s::timestamptz, 'infinity'), %(after_id)s::uuid)"
)


def inbox_item(waiting: Waiting) -> dict[str, Any]:
    """The item as it is answered."""
    item: dict[str, Any] = {"item_id": waiting.item_id, "kind": waiting.kind}
    if waiting.case_id is not None:
        item["case_id"] = waiting.case_id
    if waiting.timer is not None:
        item["timer"] = waiting.timer
    return item | {"since": waiting.since, "due_at": waiting.due_at, "seen": waiting.seen}


async def fetch_waiting(
    connection: Connection,
    actor: Actor,
    tree: UnitTree,
    moment: Moment,
    wanted: Wanted = EVERYTHING,
    *,
    after: Place | None = None,
    limit: int | None = None,
) -> list[Waiting]:
    """What waits for the actor's audiences, in the order wanted; not all of it may be theirs."""
    query, parameters = waiting_query(actor, tree, moment, wanted, after=after, limit=limit)
    return [Waiting(*row) for row in await (await connection.execute(query, parameters)).fetchall()]


def waiting_query(
    actor: Actor,
    tree: UnitTree,
    moment: Moment,
    wanted: Wanted = EVERYTHING,
    *,
    after: Place | None = None,
    limit: int | None = None,
) -> tuple[Composed, dict[str, Any]]:
    """The query and its parameters."""
    held, parameters = valid(moment.as_of)
    audiences = audiences_of(actor, tree)
    alarm = calendar_end(actor, tree, min(moment.instant, moment.occurred or moment.instant))
    parameters |= {
        "me": actor.ref,
        "audiences": [addressee.audience.value for addressee in audiences],
        "units": [addressee.unit_id for addressee in audiences],
        "alarm_id": alarm and alarm.item_id,
        "alarm_since": alarm and alarm.since,
        "alarm_due": alarm and alarm.due_at,
        "kind": wanted.kind,
        "seen": wanted.seen,
        "ids": None if wanted.ids is None else list(wanted.ids),
        "limit": limit,
    }
    clauses: list[SQL] = [SQL("true")]
    if wanted.kind is not None:
        clauses.append(SQL("kind = %(kind)s"))
    if wanted.seen is not None:
        clauses.append(SQL("seen = %(seen)s"))
    if wanted.ids is not None:
        clauses.append(SQL("item_id = ANY(%(ids)s)"))
    if after is not None:
        clauses.append(_AFTER)
        parameters |= {"after_later": after.later, "after_due": after.due_at, "after_id": after.item_id}
    later = _NOT_URGENT.format(held) if wanted.urgent_first else _NONE_LATER
    return _WAITING.format(held=held, later=later, clauses=SQL(" AND ").join(clauses)), parameters


async def only_theirs(
    connection: Connection,
    found: Sequence[Waiting],
    actor: Actor,
    tree: UnitTree,
    moment: Moment,
    current: UnitTree,
) -> list[Waiting]:
    """The items of cases that the actor may know of; `current` is the tree of now."""
    ids = {waiting.case_id for waiting in found if waiting.case_id is not None}
    cases = await fetch_shown(connection, ids, moment, actor, current)
    theirs = {case_id for case_id, row in cases.items() if is_theirs(actor, sight_of_row(row), tree)}
    return [waiting for waiting in found if waiting.case_id is None or waiting.case_id in theirs]


async def list_inbox(
    sources: Sources, actor: Actor, moment: Moment, wanted: Wanted, *, after: Place | None, limit: int
) -> tuple[list[Waiting], Place | None]:
    """A page of what waits for the actor, and where the next one begins."""
    tree = sources.trees.at(moment.position, moment.occurred)
    found: list[Waiting] = []
    async with sources.pool.connection() as connection:
        more = True
        while more and len(found) <= limit:
            rows = await fetch_waiting(connection, actor, tree, moment, wanted, after=after, limit=limit + 1)
            found += await only_theirs(connection, rows, actor, tree, moment, sources.trees.current)
            more = len(rows) > limit
            after = rows[-1].place if rows else None
    page = found[:limit]
    return page, page[-1].place if len(found) > limit else None


async def find_waiting(sources: Sources, actor: Actor, item_id: UUID) -> Waiting | None:
    """What waits for the actor under an id, as known now."""
    moment = Moment.now_at((await sources.progress.stand()).position)
    found, _ = await list_inbox(sources, actor, moment, Wanted(ids=[item_id]), after=None, limit=1)
    return found[0] if found else None
