"""When a command happened, and what day that was."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.policy.policy import Policy
from shared.policy.rules import failed

SHANGHAI = ZoneInfo("Asia/Shanghai")


def moment(occurred_at: datetime | None, now: datetime, policy: Policy, *, imported: bool) -> datetime:
    """The UTC instant of a command: as said, or now where nothing or a little later is said.

    Raises:
        GuardFailed: further ahead than `future_s`, or further back than `late_days` without an import.
    """
    if occurred_at is None:
        return now
    occurred_at = occurred_at.astimezone(UTC)
    if occurred_at > now + timedelta(seconds=policy.future_s):
        raise failed("ahead-of-time", "/occurred_at")
    if not imported and occurred_at < now - timedelta(days=policy.late_days):
        raise failed("too-late", "/occurred_at")
    return min(occurred_at, now)


def day_of(instant: datetime) -> date:
    """The date in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI).date()
