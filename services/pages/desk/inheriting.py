"""What a case has of another once that is merged into it, as far as an officer decides by it.

It inherits the highest urgency, and its clocks the earliest start, as `shared.events` folds a merge.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

_RUNNING_ON: Final = frozenset(("RUNNING", "SUSPENDED", "AWAITING"))
_OF_OVERSIGHT: Final = frozenset(("T11", "T12"))
"""Each query and demand stands for itself."""

Case = Mapping[str, Any]
Clock = Mapping[str, Any]


def inherited(duplicate: Case, primary: Case) -> dict[str, Any]:
    """The primary as it will stand, in the form of `GET /v1/cases/{id}`; both are such answers."""
    now = datetime.fromisoformat(primary["as_of_instant"])
    handed_on = [clock for clock in duplicate["deadlines"] if _is_handed_on(clock, now)]
    return {
        **primary,
        "urgent": True if duplicate["urgent"] else primary["urgent"],
        "deadlines": [_earlier(clock, handed_on) for clock in primary["deadlines"]],
    }


def _is_handed_on(clock: Clock, now: datetime) -> bool:
    if clock["state"] != "RUNNING" or clock["due_at"] is None:
        return False
    return datetime.fromisoformat(clock["due_at"]) >= now


def _earlier(clock: Clock, others: list[Clock]) -> Clock:
    """The clock with the earliest start that one of its kind has."""
    if clock["state"] not in _RUNNING_ON or clock["timer"] in _OF_OVERSIGHT:
        return clock
    alike = [other for other in others if other["timer"] == clock["timer"]]
    first = min((clock, *alike), key=lambda each: datetime.fromisoformat(each["started_at"]))
    if first is clock:
        return clock
    taken = {name: first[name] for name in ("started_at", "due_at", "original_due_at", "left")}
    return {**clock, **taken, "state": "SUSPENDED" if clock["state"] == "SUSPENDED" else "RUNNING"}
