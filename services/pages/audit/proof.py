"""Whether what is shown of a case can be trusted, as far as it can be proven through the interface."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

_TOLD_OTHERWISE: Final = frozenset(("position", "overdue"))
"""What a list tells of a case and its own page doesn't."""


class Check(NamedTuple):
    name: str
    """Of its words: `audit_check.<name>`."""
    holds: bool
    position: int | None = None
    """Of the first event that is against it."""
    fields: Sequence[str] = ()
    """That differ."""


def checks(
    items: Sequence[Mapping[str, Any]], case: Mapping[str, Any], listed: Mapping[str, Any] | None
) -> list[Check]:
    """Of a timeline, the case as its events add up to, and the row that lists have of it at that position."""
    recorded = [datetime.fromisoformat(item["recorded_at"]) for item in items]
    versions = [(item, item["version"] == number) for number, item in enumerate(items, 1)]
    rising = [(after, before["position"] < after["position"]) for before, after in pairwise(items)]
    in_time = [(item, before <= at) for item, (before, at) in zip(items[1:], pairwise(recorded), strict=True)]
    return [
        _every("versions", versions),
        _every("positions", rising),
        _every("recorded", in_time),
        Check("last", bool(items) and items[-1]["version"] == case["version"]),
        _same(case, listed),
    ]


def _every(name: str, found: Sequence[tuple[Mapping[str, Any], bool]]) -> Check:
    against = next((item["position"] for item, holds in found if not holds), None)
    return Check(name, against is None, against)


def _same(case: Mapping[str, Any], listed: Mapping[str, Any] | None) -> Check:
    """Whether the read model has what the events add up to."""
    if listed is None:
        return Check("listed", False)
    fields = [
        name for name, value in listed.items() if name not in _TOLD_OTHERWISE and case.get(name) != value
    ]
    return Check("listed", not fields, fields=fields)
