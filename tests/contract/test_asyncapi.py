"""The AsyncAPI document: what is committed is what the program says, and it hangs together."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import given
from jsonschema import Draft7Validator

from services.projections.api.asyncapi import asyncapi_document
from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.reads.live_views import VIEWS
from shared.events.registry import EVENT_CLASSES
from tests.histories import County, Move, moves, play, recorded

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "asyncapi.json"
SPECIFICATION = Path(__file__).parents[2] / "shared/web/node_modules/@asyncapi/specs/schemas"
"""The schemas that those publish who make the standard."""
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


def test_it_is_what_the_standard_says_such_a_document_is() -> None:
    schema = json.loads((SPECIFICATION / "3.0.0-without-$id.json").read_text(encoding="utf-8"))
    told = [
        f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(schema).iter_errors(DOCUMENT)
    ]
    assert told == []


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]


def test_every_view_has_a_channel_and_every_topic_a_schema() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        *(f"/v1/streams/{view}" for view in VIEWS),
        "/v1/events",
        *(f"anjie.views.{view}" for view in PUBLISHED_VIEWS),
        "anjie.events",
    }
    assert DOCUMENT["channels"]["anjie.events"]["messages"].keys() == EVENT_CLASSES.keys()
    schemas = DOCUMENT["components"]["schemas"]
    assert all(f"{topic}.v{cls.class_version}" in schemas for topic, cls in EVENT_CLASSES.items())


@given(drawn=moves(120))
def test_what_events_mean_for_the_backlog_is_what_they_do_to_a_case(drawn: list[Move]) -> None:
    county = County()
    play(county, drawn)
    held: dict[UUID, tuple[Any, Any]] = {}
    for event in recorded(county.appends):
        means = DOCUMENT["components"]["messages"][event.topic].get("x-backlog", {})
        data = json.loads(event.data)
        was_open, holder = held.get(event.stream_id, (None, None))
        is_open = means.get("open", was_open)
        held[event.stream_id] = (
            is_open in data if isinstance(is_open, str) else is_open,
            data.get(means.get("holder"), holder),
        )
    for case in county.cases:
        assert held[case.case_id] == (case.is_open, str(case.holder_unit))


if __name__ == "__main__":
    COMMITTED.write_text(json.dumps(DOCUMENT, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
