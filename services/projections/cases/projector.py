"""The projector of cases: their list row, their facts, their clocks, and what was done on them."""

from typing import Final, NamedTuple

from services.projections.cases.rows import case_row
from services.projections.deadlines.clocks import Clock, clocks_after
from services.projections.deadlines.rows import deadline_rows
from services.projections.figures.facts import case_facts, decisive, visit_fact
from services.projections.services_ledger.rows import performed_service
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.case import Case
from shared.events.cases import ServicePerformed, VisitRecorded
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.policy.sight import sight_of


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


_NOTHING: Final = CaseState(None, (), (), (), 0)


class CaseProjector:
    """Tells cases."""

    lasting = True

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        if isinstance(event, VisitRecorded) and recorded.unit is not None:
            return (visit_fact(recorded, recorded.unit, event.household_ref, recorded.event_id),)
        return ()

    def evolve(self, state: CaseState | None, recorded: Recorded, event: Event) -> CaseState:
        before, facts, services, known_clocks, seen_from = state or _NOTHING
        case = evolve(before, recorded, event)
        clocks = known_clocks if case is None else clocks_after(known_clocks, case.deadlines, recorded)
        if case is not None and (
            before is None or clocks is not known_clocks or decisive(before) != decisive(case)
        ):
            facts = case_facts(case, clocks)
        if case is not None and (before is None or sight_of(before) != sight_of(case)):
            seen_from = recorded.position
        if isinstance(event, ServicePerformed) and recorded.unit is not None:
            services = (*services, performed_service(recorded, recorded.unit, event))
        return CaseState(case, facts, services, clocks, seen_from)

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        case, facts, services, clocks, seen_from = state
        if case is None:
            return ()
        performed = services if case.procedure == "SERVICE" else ()
        return (case_row(case), *facts, *deadline_rows(case, clocks, seen_from), *performed)
