"""The part of the AsyncAPI document that is Kafka: the topics of events and of views, record by record."""

from collections.abc import Mapping
from typing import Any, Final

from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.reads.cloudevents import schema_name
from services.projections.shards import SHARDS
from shared.events import cases
from shared.events.base import Event
from shared.events.registry import EVENT_CLASSES

SERVER: Final = {
    "host": "{bootstrap}",
    "protocol": "kafka",
    "description": (
        "Read with isolation.level=read_committed: then each record is there once. "
        "TLS and SASL are as the cluster has them."
    ),
    "variables": {
        "bootstrap": {"default": "localhost:9092", "description": "As in KAFKA_BOOTSTRAP_SERVERS."}
    },
}
_EVENTS: Final = "anjie.events"
_PREFIX: Final = "ANJIE_KAFKA_PREFIX may put another word for the first part of the name."
_BINDING: Final = "0.5.0"
_REF: Final = "#/components/schemas/{name}"
_PRIVATE_ROWS: Final = ("CaseListed", "ServiceItem")
_SHOWN: Final = ({"type": "string"}, {"$ref": _REF.format(name="Hidden")})
"""What a private value is shown as: a choice between the clear text and that it is sealed."""
_UUID: Final = {"type": "string", "format": "uuid"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_DECIMAL: Final = {"type": "string", "pattern": "^[0-9]+$"}
_EVENT_HEADERS: Final[Mapping[str, Any]] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": _UUID | {"description": "The event's id."},
    "ce_type": {"type": "string", "description": "Its topic, which names the message."},
    "ce_source": {"type": "string", "pattern": "^/ledgers/", "description": "The ledger it is from."},
    "ce_subject": _UUID | {"description": "Its stream, as the key."},
    "ce_time": _INSTANT | {"description": "When it happened."},
    "ce_dataschema": {"type": "string", "description": "Names the schema of the payload in this document."},
    "ce_recordedtime": _INSTANT | {"description": "When it was recorded; never falls as positions rise."},
    "ce_position": _DECIMAL | {"description": "In the ledger: from 1, without gaps over all partitions."},
    "ce_version": _DECIMAL | {"description": "In its stream: from 1, without gaps."},
    "ce_traceparent": {
        "type": "string",
        "description": "W3C Trace Context of the command, where it had one.",
    },
}
KEYS: Final[Mapping[str, str]] = {
    "backlog_by_holder": "unit_id",
    "backlog_by_origin": "unit_id",
    "urgent_board": "case_id",
    "deadline_board": "case_id/timer/version, the version being that of the event that started the clock",
    "visit_coverage": "unit_id",
    "campaign_kpi": "unit_id/measure",
    "service_ledger": "service_id, or the id of the event where it was performed in a case",
    "case_timeline": "case_id/version",
}
"""What the keys of each view's records are."""

_OPEN: Final = {"open": True}
_OVER: Final = {"open": False}
BACKLOG: Final[Mapping[type[Event], Mapping[str, Any]]] = {
    cases.CaseRegistered: _OPEN | {"holder": "holder_unit"},
    cases.CaseRejected: _OVER,
    cases.CaseTransferred: {"open": "to_unit", "holder": "to_unit"},
    cases.CaseMerged: _OVER,
    cases.EscalationAccepted: _OPEN | {"holder": "unit"},
    cases.CaseDelegated: _OPEN | {"holder": "to_unit"},
    cases.CaseTakenOver: _OPEN | {"holder": "unit"},
    cases.JurisdictionObjected: _OPEN | {"holder": "to_unit"},
    cases.AgreementEffective: _OVER,
    cases.CaseResolved: _OVER,
    cases.CaseWithdrawn: _OVER,
    cases.CaseReopened: _OPEN,
}
"""What an event means for the backlog: whether the case is open from then on, and who holds it.

A text names a member of the event's data: of `holder`, the one that has the unit; of `open`, the one
with which the case is open. Events that aren't here leave both as they are.
"""
_BACKLOG_MEANS: Final = (
    "Of a case's events, `x-backlog` says what they mean for the backlog: `open`, whether the case is open "
    "from then on (a text: if the data has that member), and `holder`, the member of the data that is the "
    "unit which holds it then (if the data lacks it: as before). All other events leave both as they are."
)


def event_messages() -> dict[str, Any]:
    """A message for each topic of events, by that topic."""
    messages = {}
    for topic, cls in EVENT_CLASSES.items():
        message = {
            "name": topic,
            "contentType": "application/json",
            "headers": {
                "type": "object",
                "allOf": [{"$ref": _REF.format(name="EventHeaders")}],
                "properties": {"ce_type": {"const": topic}},
            },
            "payload": {"$ref": _REF.format(name=schema_name(topic, cls.class_version))},
            "bindings": _key(_UUID, "The stream: ce_subject."),
        }
        messages[topic] = message | ({"x-backlog": dict(BACKLOG[cls])} if cls in BACKLOG else {})
    return messages


def view_messages(rows: Mapping[str, str]) -> dict[str, Any]:
    """A message for each published view; `rows` names the schema of the rows of each view."""
    position = _DECIMAL | {"description": "Of the change, or that as of which the view was published anew."}
    headers = {"type": "object", "properties": {"position": position}, "required": ["position"]}
    return {
        f"{view}.row": {
            "name": f"{view}.row",
            "summary": "A row as it is from a position on; null where there is none any more.",
            "contentType": "application/json",
            "headers": headers,
            "payload": {"anyOf": [_row(rows[view]), {"type": "null"}]},
            "bindings": _key({"type": "string"}, KEYS[view]),
        }
        for view in PUBLISHED_VIEWS
    }


def channels() -> dict[str, Any]:
    """The topics, by their names."""
    for_good = {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}
    events = (
        "Every event of the ledger, for good: CloudEvents 1.0 in binary mode. The partition is the CRC-32 "
        "(IEEE) of the key modulo the number of partitions, so the events of a stream are in order of "
        "ce_version, and all of a partition in order of ce_position. Personal data is ciphertext. "
        f"{_BACKLOG_MEANS} {_PREFIX}"
    )
    found = {_EVENTS: _channel(_EVENTS, events, {topic: topic for topic in EVENT_CLASSES}, for_good)}
    for view in PUBLISHED_VIEWS:
        rows = (
            f"The rows of the view {view}, compacted: whoever reads from the beginning, and keeps the last "
            "of each key, holds the whole view. A row of a unit is that unit's own; a subtree is the sum. "
            "Hidden cases are among them, personal data is ciphertext. The partition is the CRC-32 (IEEE) of "
            f"the id that the key begins with, modulo the number of partitions. {_PREFIX}"
        )
        name = f"anjie.views.{view}"
        found[name] = _channel(name, rows, {"row": f"{view}.row"}, {"cleanup.policy": ["compact"]})
    return found


def operations() -> dict[str, Any]:
    """What the product does with the topics: it writes all of them, and its projectors read the events."""
    projectors = {"type": "string", "enum": ["anjie.projections"]}
    return {f"publish.{name}": _operation("send", name) for name in channels()} | {
        "project": _operation("receive", _EVENTS)
        | {
            "summary": "Read models are fed, a group for all projectors. Yours takes another group, or none.",
            "bindings": {"kafka": {"groupId": projectors, "bindingVersion": _BINDING}},
        }
    }


def event_headers() -> dict[str, Any]:
    optional = ("ce_traceparent",)
    required = [name for name in _EVENT_HEADERS if name not in optional]
    return {"type": "object", "properties": dict(_EVENT_HEADERS), "required": required}


def stored_rows(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Schemas of rows with private values as they are stored, made of those in which they are shown."""
    return {f"{name}.stored": _stored(schemas[name]) for name in _PRIVATE_ROWS}


def _stored(schema: Any) -> Any:
    if isinstance(schema, list):
        if all(shown in schema for shown in _SHOWN):
            schema = [{"$ref": _REF.format(name="Private")}, *(c for c in schema if c not in _SHOWN)]
        return [_stored(item) for item in schema]
    if isinstance(schema, dict):
        return {name: _stored(member) for name, member in schema.items()}
    return _REF.format(name="Person") if schema == _REF.format(name="PersonShown") else schema


def _row(name: str) -> dict[str, Any]:
    return {"$ref": _REF.format(name=f"{name}.stored" if name in _PRIVATE_ROWS else name)}


def _key(schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    key = {**schema, "description": description}
    return {"kafka": {"key": key, "bindingVersion": _BINDING}}


def _channel(
    name: str, description: str, messages: Mapping[str, str], configuration: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "address": name,
        "description": description,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {key: {"$ref": f"#/components/messages/{of}"} for key, of in messages.items()},
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": SHARDS,
                "topicConfiguration": dict(configuration),
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
