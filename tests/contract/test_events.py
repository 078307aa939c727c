"""What is published about events is what the classes say, and what was stored once is read for good."""

import re
from typing import Any

import msgspec
import pytest

from shared.events.registry import EVENT_CLASSES, UnknownEvent, decode, encode
from shared.events.schemas import FOLDER, REFERENCE, reference_page, schema_files
from shared.policy.document import PAGE, transitions_page
from tests.contract.samples import Sample, stored

SAMPLES = list(stored())


def test_committed_schemas_are_those_of_the_classes() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert committed == schema_files(), "run `make schemas`"


def test_reference_pages_are_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference_page(), "run `make schemas`"
    assert PAGE.read_text(encoding="utf-8") == transitions_page(), "run `make schemas`"


def test_there_is_a_sample_of_every_version() -> None:
    expected = [
        (topic, version)
        for topic, cls in EVENT_CLASSES.items()
        for version in range(1, cls.class_version + 1)
    ]
    assert sorted((sample.topic, sample.version) for sample in SAMPLES) == sorted(expected)


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{s.topic}.v{s.version}" for s in SAMPLES])
def test_a_stored_sample_is_read_back(sample: Sample) -> None:
    cls = EVENT_CLASSES[sample.topic]
    event = decode(sample.topic, sample.version, bytes(sample.data))
    assert type(event) is cls
    if sample.version == cls.class_version:
        assert encode(event) == bytes(sample.data)


def test_every_topic_follows_from_its_class() -> None:
    for topic, cls in EVENT_CLASSES.items():
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        assert topic == f"{cls.stream_kind}.{words.removeprefix(f'{cls.stream_kind}_')}"


def test_what_is_unknown_is_said_to_be() -> None:
    known: Any = msgspec.json.encode({})
    with pytest.raises(UnknownEvent):
        decode("case.invented", 1, known)
    with pytest.raises(UnknownEvent):
        decode("case.closed", 2, known)
    with pytest.raises(msgspec.ValidationError):
        decode("case.closed", 1, b'{"surplus": 1}')
