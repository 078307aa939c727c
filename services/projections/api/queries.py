"""Query parameters of the reads; what doesn't fit one is refused by name."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.vocabulary import InboxKind, Level, Procedure, Role, State, Timer, UnitKind

LIMIT_DEFAULT = 100
LONG_LIMIT_MAX = 5_000

Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[datetime, Meta(tz=True)]
Ref = Annotated[str, Meta(min_length=1, max_length=128)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Search = Annotated[str, Meta(min_length=1, max_length=200)]
Cursor = Annotated[str, Meta(min_length=1, max_length=2_048)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
LongLimit = Annotated[int, Meta(ge=1, le=LONG_LIMIT_MAX)]


class MomentQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As of which moment: what was true on `at_occurred`, as known at `at_position` or `at_recorded`."""

    at_position: Position | None = None
    at_recorded: Instant | None = None
    at_occurred: Instant | None = None
    min_position: Position | None = None


class PageQuery(MomentQuery, frozen=True, kw_only=True):
    """A list; `cursor` (or `next`, as the answer calls it) goes on where a page ended."""

    limit: Limit = LIMIT_DEFAULT
    cursor: Cursor | None = None
    next: Cursor | None = None


class LongPageQuery(PageQuery, frozen=True, kw_only=True):
    limit: LongLimit = LIMIT_DEFAULT


class CasesQuery(PageQuery, frozen=True, kw_only=True):
    """`case_id`: among these. `unit`: held within; `holder`: held by that unit itself.

    `assigned`: whether somebody was made the handler. `to_call`: settled by somebody other than the caller,
    the complainant not reached since, though the rules of the caller's unit leave an attempt.
    `may_absorb`: those that this case may be merged into by the caller.
    `allowed`: of these commands each case is to tell which the caller may send now.
    """

    case_id: list[UUID] | None = None
    unit: UUID | None = None
    holder: UUID | None = None
    origin: UUID | None = None
    pending_unit: UUID | None = None
    handler: Ref | None = None
    assigned: bool | None = None
    to_call: bool | None = None
    state: list[State] | None = None
    urgent: bool | None = None
    overdue: bool | None = None
    category: Code | None = None
    procedure: Procedure | None = None
    q: Search | None = None
    opened_from: date | None = None
    opened_to: date | None = None
    may_absorb: UUID | None = None
    known_only: bool = False
    """Without what stands in place of cases that the caller may not know of."""
    order: Literal["latest", "oldest"] = "latest"
    """Which are first: those opened last, or those opened first."""
    allowed: list[Code] | None = None


class MergedQuery(MomentQuery, frozen=True, kw_only=True):
    into: UUID


class MyCasesQuery(PageQuery, frozen=True, kw_only=True):
    """By default those that are open."""

    state: list[State] | None = None


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The moment is now, once the lists and the index are at a position."""

    min_position: Position | None = None


class SearchCases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sought, in the body, since addresses are written down everywhere.

    A case is found where one text holds every word of `text`. The next page is the same body with
    the `cursor`. `may_absorb`: among those that this case may be merged into by the caller.
    """

    text: Search
    unit: UUID | None = None
    origin: UUID | None = None
    state: list[State] | None = None
    may_absorb: UUID | None = None
    limit: Limit = LIMIT_DEFAULT
    cursor: Cursor | None = None


class BacklogQuery(MomentQuery, frozen=True, kw_only=True):
    unit: UUID | None = None
    by: Literal["holder", "origin"] = "holder"


class BoardQuery(PageQuery, frozen=True, kw_only=True):
    unit: UUID | None = None
    items: bool = True
    """Whether what is counted is listed as well; an overseer's list is a read of each case on it."""


class UrgentQuery(BoardQuery, frozen=True, kw_only=True):
    pass


class DeadlinesQuery(BoardQuery, frozen=True, kw_only=True):
    pass


class InboxQuery(PageQuery, frozen=True, kw_only=True):
    kind: InboxKind | None = None
    seen: bool | None = None
    order: Literal["soonest", "urgent"] = "soonest"
    """What is first: the soonest due, or what waits on a case that is urgent, then the soonest due."""


class KpiQuery(MomentQuery, frozen=True, kw_only=True):
    unit: UUID | None = None
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")
    category: Code | None = None
    holder_level: Level | None = None


class TrendQuery(MomentQuery, frozen=True, kw_only=True):
    """By default the 90 days that end with the moment asked for; 366 at most."""

    unit: UUID | None = None
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")


class ServicesQuery(BoardQuery, frozen=True, kw_only=True):
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")


class ExplainQuery(LongPageQuery, frozen=True, kw_only=True):
    unit: UUID | None = None
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")
    category: Code | None = None
    holder_level: Level | None = None
    level: Level | None = None
    timer: Timer | None = None


class WhatIfQuery(MomentQuery, frozen=True, kw_only=True):
    """`pack` is the hash of rules that were ever adopted, or the name of a pack."""

    pack: Annotated[str, Meta(min_length=1, max_length=200)]
    unit: UUID | None = None
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")
    limit: LongLimit = LIMIT_DEFAULT


class CompareQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two positions, `a` not after `b`; both are needed, save beside a cursor, which has them."""

    a: Position | None = None
    b: Position | None = None
    unit: UUID | None = None
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")
    category: Code | None = None
    level: Level | None = None
    timer: Timer | None = None
    at_occurred: Instant | None = None
    limit: LongLimit = LIMIT_DEFAULT
    cursor: Cursor | None = None
    next: Cursor | None = None


class PublicationQuery(LongPageQuery, frozen=True, kw_only=True):
    """The page is of the late events."""


class PublicationsQuery(PageQuery, frozen=True, kw_only=True):
    unit: UUID | None = None


class UnmaskCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why somebody has to see a case in the clear; it may name people, so it is kept sealed."""

    reason: Annotated[str, Meta(min_length=1, max_length=1_000)]
    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    """The events after this version."""
    limit: LongLimit = LONG_LIMIT_MAX


class TimelineQuery(PageQuery, frozen=True, kw_only=True):
    limit: LongLimit = LONG_LIMIT_MAX


class UnitsQuery(PageQuery, frozen=True, kw_only=True):
    unit_id: list[UUID] | None = None
    name: Search | None = None
    kind: UnitKind | None = None
    parent: UUID | None = None


class RulesQuery(MomentQuery, frozen=True, kw_only=True):
    """By default the rules of the caller's unit."""

    unit: UUID | None = None


class ActorsQuery(PageQuery, frozen=True, kw_only=True):
    unit: UUID | None = None
    role: Role | None = None


class ReadsQuery(PageQuery, frozen=True, kw_only=True):
    """The case is needed, save beside a cursor, which has it."""

    case_id: UUID | None = None
    order: Literal["oldest", "latest"] = "oldest"
    """Which are first."""


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    after: Position = 0
    limit: LongLimit = LIMIT_DEFAULT
    follow: bool = False
    min_position: Position | None = None


class StreamQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    unit: UUID | None = None
    case_id: UUID | None = None
    after: Position | None = None
