"""Query parameters of the reads; what doesn't fit one is refused by name."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.vocabulary import Level, Procedure, Role, State, UnitKind

LIMIT_DEFAULT = 100

Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[datetime, Meta(tz=True)]
Ref = Annotated[str, Meta(min_length=1, max_length=128)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Search = Annotated[str, Meta(min_length=1, max_length=200)]
Token = Annotated[str, Meta(min_length=1, max_length=512)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
LongLimit = Annotated[int, Meta(ge=1, le=5_000)]


class MomentQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As of which moment: what was true on `at_occurred`, as known at `at_position` or `at_recorded`."""

    at_position: Position | None = None
    at_recorded: Instant | None = None
    at_occurred: Instant | None = None
    min_position: Position | None = None


class UnitQuery(MomentQuery, frozen=True, kw_only=True):
    unit: UUID | None = None


class PeriodQuery(UnitQuery, frozen=True, kw_only=True):
    first: date | None = msgspec.field(default=None, name="from")
    last: date | None = msgspec.field(default=None, name="to")


class CasesQuery(UnitQuery, frozen=True, kw_only=True):
    origin: UUID | None = None
    pending_unit: UUID | None = None
    handler: Ref | None = None
    state: list[State] | None = None
    urgent: bool | None = None
    category: Code | None = None
    procedure: Procedure | None = None
    q: Search | None = None
    opened_from: date | None = None
    opened_to: date | None = None
    limit: Limit = LIMIT_DEFAULT
    cursor: Token | None = None


class BacklogQuery(UnitQuery, frozen=True, kw_only=True):
    by: Literal["holder", "origin"] = "holder"


class UrgentQuery(UnitQuery, frozen=True, kw_only=True):
    limit: Limit = LIMIT_DEFAULT
    cursor: Token | None = None


class ServicesQuery(PeriodQuery, frozen=True, kw_only=True):
    limit: Limit = LIMIT_DEFAULT
    cursor: Token | None = None


class ExplainQuery(PeriodQuery, frozen=True, kw_only=True):
    level: Level | None = None
    limit: LongLimit = LIMIT_DEFAULT
    cursor: Token | None = None


class TimelineQuery(MomentQuery, frozen=True, kw_only=True):
    limit: LongLimit | None = None
    cursor: Token | None = None


class UnitsQuery(MomentQuery, frozen=True, kw_only=True):
    name: Search | None = None
    kind: UnitKind | None = None
    parent: UUID | None = None
    limit: Limit = LIMIT_DEFAULT
    cursor: Token | None = None


class ActorsQuery(UnitQuery, frozen=True, kw_only=True):
    role: Role | None = None
    limit: Limit = LIMIT_DEFAULT
    cursor: Token | None = None


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    after: Position = 0
    limit: LongLimit = LIMIT_DEFAULT
    follow: bool = False


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    case_id: UUID
    limit: Limit = LIMIT_DEFAULT
    cursor: Token | None = None


class StreamQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    unit: UUID | None = None
    case_id: UUID | None = None
    after: Position | None = None
