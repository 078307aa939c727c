"""The shapes of what stands open: backlogs, urgent cases, deadlines, the inbox."""

from datetime import date, datetime
from uuid import UUID

from services.projections.api.answers.cases import CaseListed, TimeLeft
from services.projections.api.answers.parts import Answer, Count, Hidden, Page, Part
from shared.events.vocabulary import DeadlineState, InboxKind, Timer, UnitKind


class UrgentCount(Part, frozen=True, kw_only=True):
    """`value`, or where some cases are unclassified `at_least`; to a dashboard perhaps `suppressed`."""

    value: Count | None = None
    at_least: Count | None = None
    unclassified: Count | None = None
    suppressed: bool = False


class BacklogRow(Part, frozen=True, kw_only=True):
    unit_id: UUID
    name: str | None
    kind: UnitKind | None
    open: Count
    urgent_open: UrgentCount
    overdue: Count
    """Open cases on which a breach stands."""
    oldest_opened_at: datetime | None


class BacklogAnswer(Answer, frozen=True, kw_only=True):
    total: Count
    rows: list[BacklogRow]


class Day(Part, frozen=True, kw_only=True):
    """A day in Asia/Shanghai; by origin."""

    on: date
    came: Count
    """Cases that became open on it, reopened ones too."""
    left: Count
    """Cases that ceased to be open on it, however that came."""
    open: Count
    """The backlog at its end; of the day of the moment asked for, at that moment."""


class TrendAnswer(Answer, frozen=True, kw_only=True):
    """To a dashboard `came` and `left` are told of a unit with none above it only."""

    days: list[Day]


class UrgentAnswer(Page, frozen=True, kw_only=True):
    registered: UrgentCount
    open: UrgentCount
    resolved: UrgentCount
    unconfirmed: UrgentCount
    items: list[CaseListed | Hidden]


class DeadlineItem(Part, frozen=True, kw_only=True):
    """A clock whose act is still to come."""

    case_id: UUID
    timer: Timer
    version: int
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    state: DeadlineState
    holder_unit: UUID


class DeadlinesAnswer(Page, frozen=True, kw_only=True):
    """Clocks of cases held within the unit.

    `due_today`: running ones that end with the day of `as_of_instant`; `due_soon`: with one of the
    three days after it. A clock that is past due counts as overdue once its breach is recorded.
    """

    overdue: Count
    due_today: Count
    due_soon: Count
    items: list[DeadlineItem | Hidden]


class ClockListed(DeadlineItem, frozen=True, kw_only=True):
    """A clock of which something is still to come."""

    left: TimeLeft | None


class MyCase(CaseListed, frozen=True, kw_only=True):
    deadlines: list[ClockListed]
    """Soonest due first."""


class MyCasesAnswer(Page, frozen=True, kw_only=True):
    items: list[MyCase | Hidden]


class InboxItem(Part, frozen=True, kw_only=True):
    """Something that waits for the caller; without a case it is that the calendar ends."""

    item_id: UUID
    kind: InboxKind
    case_id: UUID | None = None
    timer: Timer | None = None
    since: datetime
    due_at: datetime | None
    seen: bool


class InboxAnswer(Page, frozen=True, kw_only=True):
    items: list[InboxItem]
