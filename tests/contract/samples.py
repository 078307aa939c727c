"""A stored sample of every version of every event, and the filler that makes the first one of a new version.

`python -m tests.contract.samples` adds what is missing to samples.ndjson; a line once there stays as it is.
"""

import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin
from uuid import UUID

import msgspec

from shared.events.base import Clear, Private
from shared.events.registry import EVENT_CLASSES, encode

FILE = Path(__file__).with_name("samples.ndjson")


class Sample(NamedTuple):
    topic: str
    version: int
    data: msgspec.Raw


def stored() -> Iterator[Sample]:
    with FILE.open("rb") as lines:
        yield from (msgspec.json.decode(line, type=Sample) for line in lines)


def filled(kind: Any) -> Any:
    """A value of the type with every field and every optional part present."""
    origin = get_origin(kind)
    if origin is Annotated:
        return filled(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return filled(next(choice for choice in get_args(kind) if choice is not types.NoneType))
    if origin is Literal:
        return get_args(kind)[-1]
    if origin is tuple:
        return (filled(get_args(kind)[0]),)
    if kind is Private:
        return Private(key=UUID(int=1), event=UUID(int=2), field="text", sealed=b"ciphertext")
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = (field for field in msgspec.structs.fields(kind) if field.type is not Clear)
        return kind(**{field.name: filled(field.type) for field in fields})
    return _SIMPLE[kind]


_SIMPLE: dict[type, Any] = {
    str: "文字",
    int: 1,
    bool: True,
    UUID: UUID(int=3),
    date: date(2024, 5, 6),
    datetime: datetime(2024, 5, 6, 2, tzinfo=UTC),
}

if __name__ == "__main__":
    known = {(sample.topic, sample.version) for sample in stored()} if FILE.exists() else set()
    with FILE.open("ab") as file:
        for topic, cls in EVENT_CLASSES.items():
            if (topic, cls.class_version) not in known:
                data = msgspec.Raw(encode(filled(cls)))
                file.write(msgspec.json.encode(Sample(topic, cls.class_version, data)) + b"\n")
