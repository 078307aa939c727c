"""The projector of cases: their list row, their facts, and the services performed in them."""

from typing import Final, NamedTuple

from services.projections.cases.file import CaseFile, evolve_file
from services.projections.cases.rows import case_row
from services.projections.figures.facts import case_facts, decisive, visit_fact
from services.projections.services_ledger.rows import performed_services
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.case import Case
from shared.events.recorded import Recorded
from shared.policy.policy import DEFAULT_POLICY


class CaseState(NamedTuple):
    """A case's file, with the facts that hold: most events change none, so these are carried along."""

    file: CaseFile
    facts: tuple[Row, ...]
    visits: tuple[Row, ...]


class CaseProjector:
    """Tells cases."""

    lasting = True

    def evolve(self, state: CaseState | None, recorded: Recorded, event: Event) -> CaseState:
        before = state or _NOTHING
        file = evolve_file(before.file, recorded, event)
        facts, visits = before.facts, before.visits
        if file.case is not None and not _same(before.file.case, file.case):
            facts = case_facts(file.case, partial_counts=DEFAULT_POLICY.partial_counts)
        if file.visits is not before.file.visits:
            visits = tuple(visit_fact(*visit) for visit in file.visits)
        return CaseState(file, facts, visits)

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        case = state.file.case
        listed = () if case is None else (case_row(case),)
        return (*listed, *state.facts, *state.visits, *performed_services(state.file))


_NOTHING: Final = CaseState(CaseFile(), (), ())


def _same(before: Case | None, after: Case) -> bool:
    return before is not None and decisive(before) == decisive(after)
