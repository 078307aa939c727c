"""The service ledger: services recorded by themselves, and those performed in a SERVICE case."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from services.projections.figures.facts import day_of
from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.base import Person, Private
from shared.events.cases import ServicePerformed
from shared.events.recorded import Recorded
from shared.events.services import ServiceRecorded

SERVICES: Final = Table(
    name="services",
    columns={
        "service_id": "uuid",
        "unit_id": "uuid",
        "item": "text",
        "on_day": "date",
        "occurred_at": "timestamptz",
        "case_id": "uuid",
        "row": "bytea",
    },
)


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A service in the ledger, stored as msgspec JSON; instants are UTC, personal values sealed."""

    service_id: UUID
    unit_id: UUID
    item: str
    occurred_at: datetime
    actor_ref: str
    case_id: UUID | None = None
    beneficiary: Person | None = None
    """Of a service recorded by itself."""
    beneficiary_ref: UUID | None = None
    """Of one performed in a case: a person of that case."""
    detail: Private | None = None


_encode = msgspec.json.Encoder().encode
decode_service = msgspec.json.Decoder(ServiceRow).decode


def recorded_service(recorded: Recorded, event: ServiceRecorded) -> tuple[Row, ...]:
    service = ServiceRow(
        service_id=recorded.stream_id,
        unit_id=event.unit,
        item=event.item,
        occurred_at=recorded.occurred_at,
        actor_ref=recorded.actor_ref,
        beneficiary=event.beneficiary,
        detail=event.detail,
    )
    return (_row(service),)


def performed_service(recorded: Recorded, unit: UUID, event: ServicePerformed) -> Row:
    """A service performed in a case, under the unit of whoever performed it."""
    return _row(
        ServiceRow(
            service_id=recorded.event_id,
            unit_id=unit,
            item=event.item,
            occurred_at=recorded.occurred_at,
            actor_ref=recorded.actor_ref,
            case_id=recorded.stream_id,
            beneficiary_ref=event.beneficiary,
        )
    )


def _row(service: ServiceRow) -> Row:
    values = (
        service.service_id,
        service.unit_id,
        service.item,
        day_of(service.occurred_at),
        service.occurred_at,
        service.case_id,
        _encode(service),
    )
    return Row(SERVICES.name, values)
