"""What the projections remember of a case beside its state: the visits and services done on it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.events.base import Event
from shared.events.case import Case, Mark
from shared.events.cases import ServicePerformed, VisitRecorded
from shared.events.evolve import evolve
from shared.events.recorded import Recorded


class VisitMade(NamedTuple):
    unit: UUID
    household_ref: str | None
    visit_id: UUID
    mark: Mark


class ServiceDone(NamedTuple):
    service_id: UUID
    unit: UUID
    item: str
    beneficiary: UUID | None
    actor_ref: str
    occurred_at: datetime


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    case: Case | None = None
    """None as long as its registration has not been seen."""
    visits: tuple[VisitMade, ...] = ()
    services: tuple[ServiceDone, ...] = ()


def evolve_file(file: CaseFile | None, recorded: Recorded, event: Event) -> CaseFile:
    """The file after one more event; total over any subsequence, as the fold of the case is."""
    file = file or CaseFile()
    file = replace(file, case=evolve(file.case, recorded, event))
    unit = recorded.unit or (None if file.case is None else file.case.holder_unit)
    if unit is None:
        return file
    if isinstance(event, VisitRecorded):
        mark = Mark(recorded.topic, recorded.position, recorded.occurred_at)
        visit = VisitMade(unit, event.household_ref, recorded.event_id, mark)
        return replace(file, visits=(*file.visits, visit))
    if isinstance(event, ServicePerformed):
        service = ServiceDone(
            recorded.event_id, unit, event.item, event.beneficiary, recorded.actor_ref, recorded.occurred_at
        )
        return replace(file, services=(*file.services, service))
    return file
