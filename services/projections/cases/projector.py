"""The projector of cases: their list row, facts, clocks, what waits for whom, and what was done on them."""

from operator import attrgetter
from typing import Final, NamedTuple

from services.projections.cases.rows import case_row
from services.projections.deadlines.clocks import Clock, clocks_after
from services.projections.deadlines.rows import deadline_rows
from services.projections.figures.facts import case_facts, decisive, telling, visit_fact
from services.projections.inbox.rows import inbox_rows
from services.projections.services_ledger.rows import performed_service
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.case import Case
from shared.events.cases import ServicePerformed, VisitRecorded
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.policy.sight import CaseSight


class CaseState(NamedTuple):
    """A case and rows that most events leave as they are, so that they are carried along."""

    case: Case | None
    """None as long as its registration has not been seen."""
    facts: tuple[Row, ...]
    services: tuple[Row, ...]
    """Performed so far; they stand in the ledger of services as long as the procedure is SERVICE."""
    clocks: tuple[Clock, ...]
    seen_from: int
    """Position since which the same people may know of the case."""
    deadlines: tuple[Row, ...]
    inbox: tuple[Row, ...]


_SEEN: Final = attrgetter(*CaseSight.__struct_fields__, "docket_unit")
"""What sight of a case and the unit of its clocks depend on; the case's fields have the same names."""
_NOTHING: Final = CaseState(None, (), (), (), 0, (), ())


class CaseProjector:
    """Tells cases."""

    lasting = True

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        if isinstance(event, VisitRecorded) and recorded.unit is not None:
            return (visit_fact(recorded, recorded.unit, event.household_ref, recorded.event_id),)
        return ()

    def evolve(self, state: CaseState | None, recorded: Recorded, event: Event) -> CaseState:
        before, facts, services, known_clocks, seen_from, deadlines, inbox = state or _NOTHING
        case = evolve(before, recorded, event)
        clocks = known_clocks
        if case is not None:
            # Whatever turns a clock makes the deadlines anew.
            if before is None or case.deadlines is not before.deadlines:
                clocks = clocks_after(known_clocks, case.deadlines, recorded, event)
            turned = clocks is not known_clocks
            if before is None or decisive(before) != decisive(case) or _tell_otherwise(known_clocks, clocks):
                facts = case_facts(case, clocks)
            if before is None or _SEEN(before) != _SEEN(case):
                seen_from = recorded.position
                turned = True
            if turned:
                deadlines = deadline_rows(case, clocks, seen_from)
            if turned or (before is not None and _waits_otherwise(before, case, inbox)):
                inbox = inbox_rows(case, clocks, seen_from)
        if isinstance(event, ServicePerformed) and recorded.unit is not None:
            services = (*services, performed_service(recorded, recorded.unit, event))
        return CaseState(case, facts, services, clocks, seen_from, deadlines, inbox)

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        case, facts, services, deadlines = state.case, state.facts, state.services, state.deadlines
        if case is None:
            return ()
        performed = services if case.procedure == "SERVICE" else ()
        return (case_row(case), *facts, *deadlines, *state.inbox, *performed)


def _tell_otherwise(before: tuple[Clock, ...], clocks: tuple[Clock, ...]) -> bool:
    return clocks is not before and telling(clocks) != telling(before)


def _waits_otherwise(before: Case, case: Case, inbox: tuple[Row, ...]) -> bool:
    """Whether something waits for others than before, by what neither sight nor the clocks tell."""
    if case.queries is not before.queries or case.demands is not before.demands:
        return True
    if case.pending_unit is not None and case.stated is not before.stated:
        return True
    # Whoever has acted on it may be left out.
    return bool(inbox) and (case.authors is not before.authors or case.barred is not before.barred)
