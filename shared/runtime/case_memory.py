"""Cases as this process last saw them, so that most commands need no reading before they append.

Being behind does no harm: an append states the versions it was decided on, and whatever was
refused by memory is decided again from the ledger.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from shared.events.base import Event
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.transitions import HANDLING_TOPICS

CASES_MAX: Final = 8192
"""Some 50 MB of cases."""


class Known(NamedTuple):
    """A case, and the version of the last event that handled it: older readers than that are stale."""

    case: Case
    handled: int


def known(stream: Iterable[Recorded]) -> Known | None:
    """The case that its stream adds up to."""
    return after(None, ((recorded, event_of(recorded)) for recorded in stream))


def after(before: Known | None, events: Iterable[tuple[Recorded, Event]]) -> Known | None:
    """The case after more events, in order of version."""
    case, handled = before or (None, 0)
    for recorded, event in events:
        case = evolve(case, recorded, event)
        if recorded.topic in HANDLING_TOPICS:
            handled = recorded.version
    return None if case is None else Known(case, handled)


class CaseMemory:
    def __init__(self, cases_max: int = CASES_MAX) -> None:
        self._cases: OrderedDict[UUID, Known] = OrderedDict()
        self._cases_max = cases_max

    def get(self, case_id: UUID) -> Known | None:
        found = self._cases.get(case_id)
        if found is not None:
            self._cases.move_to_end(case_id)
        return found

    def put(self, seen: Known) -> None:
        """Keeps a case, unless a later version of it is kept already."""
        case_id = seen.case.case_id
        kept = self._cases.get(case_id)
        if kept is not None and kept.case.version >= seen.case.version:
            return
        self._cases[case_id] = seen
        self._cases.move_to_end(case_id)
        if len(self._cases) > self._cases_max:
            self._cases.popitem(last=False)

    def forget(self, case_id: UUID) -> None:
        self._cases.pop(case_id, None)
