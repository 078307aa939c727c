"""The AsyncAPI document: what is committed is what the program says, and it hangs together."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.projections.api.asyncapi import asyncapi_document
from services.projections.reads.live_views import VIEWS
from shared.events.registry import EVENT_CLASSES

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "asyncapi.json"
DOCUMENT = json.loads(json.dumps(asyncapi_document("0")))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_what_is_committed_is_what_is_served() -> None:
    """`python -m tests.contract.test_asyncapi` writes it anew."""
    assert json.loads(COMMITTED.read_text()) == DOCUMENT


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]


def test_every_view_has_a_channel_and_every_topic_a_schema() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        *(f"/v1/streams/{view}" for view in VIEWS),
        "/v1/events",
    }
    schemas = DOCUMENT["components"]["schemas"]
    assert all(f"{topic}.v{cls.class_version}" in schemas for topic, cls in EVENT_CLASSES.items())


if __name__ == "__main__":
    COMMITTED.write_text(json.dumps(DOCUMENT, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
