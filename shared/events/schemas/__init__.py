"""JSON Schemas of every event's data, generated from the classes and committed beside this module."""

import json
from pathlib import Path
from typing import Any

from shared.events.base import Event
from shared.events.registry import EVENT_CLASSES, json_schema

FOLDER = Path(__file__).parent
REFERENCE = FOLDER.parents[2] / "docs" / "reference" / "events.md"


def schema_files() -> dict[str, str]:
    """File name to text: `case.registered.v1.json`, for the current version of each class."""
    return {
        f"{topic}.v{cls.class_version}.json": _text(json_schema(cls)) for topic, cls in EVENT_CLASSES.items()
    }


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def reference_page() -> str:
    """The page of all events with their fields, as Markdown."""
    lines = [
        "# Events",
        "",
        "Generated from `shared/events` by `python -m shared.events.schemas`. Every event may carry",
        "a `note`. A field marked *sealed* holds ciphertext; `?` marks a field that may be absent.",
    ]
    kind = ""
    for topic, cls in EVENT_CLASSES.items():
        if cls.stream_kind != kind:
            kind = cls.stream_kind
            lines += ["", f"## Stream `{kind}`", "", "| Topic | Version | Data |", "|---|---|---|"]
        lines.append(f"| `{topic}` | {cls.class_version} | {_fields(cls)} |")
    return "\n".join(lines) + "\n"


def _fields(cls: type[Event]) -> str:
    schema = json_schema(cls)
    own = schema["$defs"][cls.__name__]
    return ", ".join(
        f"`{name}{'' if name in own['required'] else '?'}`{' *sealed*' if _sealed(field) else ''}"
        for name, field in own["properties"].items()
        if name != "note"
    )


def _sealed(field: dict[str, Any]) -> bool:
    choices = field.get("anyOf", [field])
    return any(choice.get("$ref") == "#/$defs/Private" for choice in choices)
