"""What the projections remember of a case beside its state: the visits and services done on it."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

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


def evolve_file(file: CaseFile, recorded: Recorded, event: Event) -> CaseFile:
    """The file after one more event; total over any subsequence, as the fold of the case is."""
    case = evolve(file.case, recorded, event)
    visits, services = file.visits, file.services
    unit = recorded.unit or (None if case is None else case.holder_unit)
    if unit is not None and isinstance(event, VisitRecorded):
        mark = Mark(recorded.topic, recorded.position, recorded.occurred_at)
        visits = (*visits, VisitMade(unit, event.household_ref, recorded.event_id, mark))
    elif unit is not None and isinstance(event, ServicePerformed):
        done = (recorded.event_id, unit, event.item, event.beneficiary, recorded.actor_ref)
        services = (*services, ServiceDone(*done, recorded.occurred_at))
    return CaseFile(case=case, visits=visits, services=services)
