"""The AsyncAPI document: what is streamed, made from the structs of rows and the classes of events."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.projections.api import asyncapi_kafka
from services.projections.api.answers.boards import BacklogRow, DeadlineItem, InboxItem
from services.projections.api.answers.cases import CaseListed, TimelineItem
from services.projections.api.answers.parts import Count, Hidden, Part
from services.projections.api.answers.register import ServiceItem
from services.projections.reads.cloudevents import schema_name
from services.projections.reads.live_views import CASE_TIMELINE, INBOX, VIEWS
from shared.events.base import Clear
from shared.events.registry import EVENT_CLASSES
from shared.runtime.json_schemas import schemas_of
from shared.runtime.web import Answer, Operation, Request

_REF: Final = "#/components/schemas/{name}"


class CoverageRow(Part, frozen=True, kw_only=True):
    """Households of the latest rosters, how many of them were visited, and all visits."""

    unit_id: UUID
    households: Count | None
    visited: Count
    visits: Count


class KpiRow(Part, frozen=True, kw_only=True):
    """A measure of the statistics; `value` as the read gives it, `unit_id` null for the whole."""

    unit_id: UUID | None
    measure: str
    value: Any


class CloudEvent(Part, frozen=True, kw_only=True):
    """CloudEvents 1.0, structured mode; only `sealed` and `position` where the caller may not know it."""

    specversion: str | None = None
    id: UUID | None = None
    type: str | None = None
    source: str | None = None
    subject: UUID | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    """Names the schema of `data` in this document."""
    recordedtime: datetime | None = None
    position: int
    version: int | None = None
    traceparent: str | None = None
    data: dict[str, Any] | None = None
    sealed: bool = False


_ROWS: Final[Mapping[str, tuple[Any, str]]] = {
    "backlog_by_holder": (BacklogRow, "unit_id"),
    "backlog_by_origin": (BacklogRow, "unit_id"),
    "urgent_board": (CaseListed, "case_id, or sealed/position of what the caller may not know"),
    "deadline_board": (
        DeadlineItem,
        "case_id/timer/version, or sealed/position of what the caller may not know",
    ),
    "visit_coverage": (CoverageRow, "unit_id"),
    "campaign_kpi": (KpiRow, "unit_id/measure, or whole/measure"),
    "service_ledger": (ServiceItem, "service_id, or sealed/position of what the caller may not know"),
    "inbox": (InboxItem, "item_id"),
    "case_timeline": (TimelineItem, "case_id/version"),
}
"""What a row of each view is, and its key."""


def asyncapi_document(version: str) -> dict[str, Any]:
    """AsyncAPI 3.0 of the live streams, the raw feed, and the topics of Kafka."""
    refs, schemas = schemas_of([*(row for row, _ in _ROWS.values()), CloudEvent, Hidden])
    schemas |= _event_schemas()
    # As stored it is ciphertext; in the feed it reads as sealed, and nothing else differs.
    schemas["Private"] = {"anyOf": [schemas["Private"], refs[Hidden]]}
    schemas |= asyncapi_kafka.stored_rows(schemas) | {"EventHeaders": asyncapi_kafka.event_headers()}
    channels: dict[str, Any] = asyncapi_kafka.channels()
    operations: dict[str, Any] = asyncapi_kafka.operations()
    messages: dict[str, Any] = {"reset": _message("reset", {"position": _POSITION}, "Forget all rows.")}
    for view in VIEWS:
        struct, key = _ROWS[view]
        row = (
            {"anyOf": [refs[struct], refs[Hidden]]} if struct in (CaseListed, DeadlineItem) else refs[struct]
        )
        messages[f"{view}.snapshot"] = _snapshot(row)
        messages[f"{view}.delta"] = _delta(row, key)
        names = {"snapshot": f"{view}.snapshot", "delta": f"{view}.delta", "reset": "reset"}
        channels[view] = _channel(
            f"/v1/streams/{view}", f"The live view {view}, as server-sent events.", names
        )
        operations[view] = _operation(view, names, _stream_query(view))
    messages["event"] = {"name": "event", "contentType": "application/json", "payload": refs[CloudEvent]}
    channels["events"] = _channel("/v1/events", "The raw feed, as lines of JSON.", {"event": "event"})
    operations["events"] = _operation("events", {"event": "event"}, _FEED_QUERY)
    messages |= asyncapi_kafka.event_messages()
    messages |= asyncapi_kafka.view_messages({view: row.__name__ for view, (row, _) in _ROWS.items()})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Anjie 案结",
            "version": version,
            "description": "Live views and events over HTTP and Kafka; see /openapi.json for all else.",
        },
        "defaultContentType": "application/json",
        "servers": {"http": _SERVER, "kafka": asyncapi_kafka.SERVER},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def operation(version: str) -> Operation:
    content = msgspec.json.encode(asyncapi_document(version))

    async def asyncapi(request: Request) -> Answer:
        return Answer(200, content)

    return Operation(
        method="GET",
        path="/asyncapi.json",
        name="asyncapi",
        summary="The streams, for programs.",
        tag="system",
        handler=asyncapi,
        signed_in=False,
        answers={200: "application/json"},
    )


_SERVER: Final = {
    "host": "{address}",
    "protocol": "http",
    "variables": {"address": {"default": "127.0.0.1:8000", "description": "ANJIE_HOST and ANJIE_PORT."}},
}
_POSITION: Final = {"type": "integer", "minimum": 0}
_UNIT: Final = {"type": "string", "format": "uuid"}
_FEED_QUERY: Final = {
    "after": _POSITION,
    "limit": {"type": "integer", "minimum": 1, "maximum": 5000},
    "follow": {"type": "boolean"},
    "min_position": _POSITION,
}


def _event_schemas() -> dict[str, Any]:
    """The schemas of events' data by topic and version, and of what stands in them."""
    classes = list(EVENT_CLASSES.values())
    refs, components = msgspec.json.schema_components(classes, schema_hook=_hook, ref_template=_REF)
    for (topic, cls), ref in zip(EVENT_CLASSES.items(), refs, strict=True):
        components[schema_name(topic, cls.class_version)] = ref
    return components


def _hook(custom: type) -> dict[str, Any]:
    if custom is Clear:
        return {"not": {}}
    raise NotImplementedError(custom)


def _message(name: str, members: Mapping[str, Any], summary: str) -> dict[str, Any]:
    payload = {"type": "object", "properties": dict(members), "required": list(members)}
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": payload}


def _snapshot(row: Any) -> dict[str, Any]:
    rows = {"type": "array", "items": row}
    return _message("snapshot", {"position": _POSITION, "rows": rows}, "All rows as of a position.")


def _delta(row: Any, key: str) -> dict[str, Any]:
    change = {
        "type": "object",
        "properties": {
            "op": {"enum": ["UPSERT", "DELETE"]},
            "key": {"type": "string", "description": key},
            "row": row,
        },
        "required": ["op", "key"],
    }
    changes = {"type": "array", "items": change, "minItems": 1}
    return _message("delta", {"position": _POSITION, "changes": changes}, "What changed, up to a position.")


def _channel(address: str, description: str, messages: Mapping[str, str]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": "#/servers/http"}],
        "messages": {name: {"$ref": f"#/components/messages/{of}"} for name, of in messages.items()},
    }


def _operation(channel: str, messages: Iterable[str], query: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
        "security": [{"$ref": "#/components/securitySchemes/bearer"}],
        "bindings": {
            "http": {"method": "GET", "query": {"type": "object", "properties": dict(query)}},
        },
    }


def _stream_query(view: str) -> dict[str, Any]:
    if view == INBOX:
        return {"after": _POSITION}
    return {"case_id" if view == CASE_TIMELINE else "unit": _UNIT, "after": _POSITION}
