"""The projector of cases: their list row, their facts, and the services performed in them."""

from typing import NamedTuple

from services.projections.cases.file import CaseFile, evolve_file
from services.projections.cases.rows import case_row
from services.projections.figures.facts import case_facts, decisive
from services.projections.services_ledger.rows import performed_services
from services.projections.temporal import Row
from shared.events.base import Event
from shared.events.recorded import Recorded
from shared.policy.policy import DEFAULT_POLICY


class CaseState(NamedTuple):
    """A case's file, with the facts that hold: most events change none, so these are carried along."""

    file: CaseFile
    facts: tuple[Row, ...]


class CaseProjector:
    """Tells cases."""

    lasting = True

    def evolve(self, state: CaseState | None, recorded: Recorded, event: Event) -> CaseState:
        file = evolve_file(None if state is None else state.file, recorded, event)
        if state is not None and decisive(state.file) == decisive(file):
            return CaseState(file, state.facts)
        return CaseState(file, tuple(case_facts(file, partial_counts=DEFAULT_POLICY.partial_counts)))

    def rows(self, state: CaseState) -> tuple[Row, ...]:
        case = state.file.case
        listed = () if case is None else (case_row(case),)
        return (*listed, *state.facts, *performed_services(state.file))
