"""Events of the ledger as CloudEvents 1.0. Source: CloudEvents 1.0, and its JSON format."""

from typing import Any
from uuid import UUID

from services.projections.reads.shown import sealed_data
from shared.events.recorded import Recorded


def schema_name(topic: str, schema_version: int) -> str:
    """Name of an event's payload schema among the components of the AsyncAPI document."""
    return f"{topic}.v{schema_version}"


def attributes(recorded: Recorded, ledger_id: UUID) -> dict[str, Any]:
    """The context attributes of the event: text, numbers, and instants in UTC."""
    schema = schema_name(recorded.topic, recorded.schema_version)
    named: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(recorded.event_id),
        "type": recorded.topic,
        "source": f"/ledgers/{ledger_id}",
        "subject": str(recorded.stream_id),
        "time": recorded.occurred_at,
        "datacontenttype": "application/json",
        "dataschema": f"/asyncapi.json#/components/schemas/{schema}",
        "recordedtime": recorded.recorded_at,
        "position": recorded.position,
        "version": recorded.version,
    }
    if recorded.traceparent is not None:
        named["traceparent"] = recorded.traceparent
    return named


def cloud_event(recorded: Recorded, ledger_id: UUID) -> dict[str, Any]:
    """The event in structured mode with every private value covered; numbers are JSON numbers."""
    return attributes(recorded, ledger_id) | {"data": sealed_data(recorded.data)}
