"""The projector of cases: their list row, their facts, and what was done on them."""

from typing import Final, NamedTuple

from services.projections.cases.rows import case_row
from services.projections.figures.facts import case_facts, decisive, visit_fact
from services.projections.services_ledger.rows import performed_service
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.case import Case
from shared.events.cases import ServicePerformed, VisitRecorded
from shared.events.evolve import evolve
from shared.events.recorded import Recorded


class CaseState(NamedTuple):
    """A case and rows that most events leave as they are, so that they are carried along."""

    case: Case | None
    """None as long as its registration has not been seen."""
    facts: tuple[Row, ...]
    services: tuple[Row, ...]
    """Performed so far; they stand in the ledger of services as long as the procedure is SERVICE."""


_NOTHING: Final = CaseState(None, (), ())


class CaseProjector:
    """Tells cases."""

    lasting = True

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        if isinstance(event, VisitRecorded) and recorded.unit is not None:
            return (visit_fact(recorded, recorded.unit, event.household_ref, recorded.event_id),)
        return ()

    def evolve(self, state: CaseState | None, recorded: Recorded, event: Event) -> CaseState:
        before, facts, services = state or _NOTHING
        case = evolve(before, recorded, event)
        if case is not None and (before is None or decisive(before) != decisive(case)):
            facts = case_facts(case)
        if isinstance(event, ServicePerformed) and recorded.unit is not None:
            services = (*services, performed_service(recorded, recorded.unit, event))
        return CaseState(case, facts, services)

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        case, facts, services = state
        if case is None:
            return ()
        return (case_row(case), *facts, *(services if case.procedure == "SERVICE" else ()))
