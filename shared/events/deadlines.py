"""A clock of a case, as the fold of its events keeps it."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.events.vocabulary import DeadlineState, Timer


class Pause(msgspec.Struct, frozen=True):
    """For how long a clock stood still; UTC, `resumed_at` is None while it does."""

    paused_at: datetime
    resumed_at: datetime | None = None


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """One clock; instants are UTC."""

    timer: Timer
    version: int
    """Of the event that started it."""
    started_at: datetime
    started_on: date
    """The day in Asia/Shanghai after which its days are counted."""
    due_at: datetime | None
    """None while it awaits a calendar."""
    original_due_at: datetime | None
    """Without extensions."""
    state: DeadlineState
    ended_at: datetime | None = None
    """When what it waited for came, or it was cancelled or lapsed; a breach alone doesn't end it."""
    subject: UUID | None = None
    """The query or demand that is to be answered."""
    pack: str
    """Id of the rules that it runs under."""
    extensions: int = 0
    """How often it was extended."""
    warn_at: datetime | None = None
    """When a warning is due that hasn't been given."""
    contact_by: datetime | None = None
    """Until when the complainant of a hotline order is to be contacted."""
    pauses: tuple[Pause, ...] = ()

    @property
    def live(self) -> bool:
        """Whether what it waits for is still to come."""
        return self.ended_at is None

    @property
    def overdue(self) -> bool:
        """Whether a breach stands: it happened, and what was due hasn't yet."""
        return self.state == "BREACHED" and self.live

    @property
    def ran_until(self) -> datetime | None:
        """When it ended; where it stood still then, since when it did. None while it hasn't ended."""
        if self.ended_at is None or not self.paused:
            return self.ended_at
        return min(self.ended_at, self.pauses[-1].paused_at)

    @property
    def missed(self) -> bool:
        """Whether it ended after it was due and nobody has recorded that yet, as under an import."""
        ended, until, due = self.state in ("STOPPED", "CANCELLED"), self.ran_until, self.due_at
        return ended and until is not None and due is not None and until > due

    @property
    def wake_at(self) -> datetime | None:
        """When the clock has something to record of it."""
        if self.missed:
            return self.due_at
        return (self.warn_at or self.due_at) if self.state == "RUNNING" else None

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].resumed_at is None
