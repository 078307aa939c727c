"""Every event class by its topic: encoding, decoding with upcasting, JSON Schemas."""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.events import cases, files, imports, inbox, publications, rosters, services, units, visits
from shared.events.base import Clear, Event
from shared.events.recorded import Recorded

_encode = msgspec.json.Encoder().encode


class UnknownEvent(Exception):
    """A topic, or a version of one, that this program does not know."""


def _classes() -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    for module in (cases, units, visits, services, rosters, files, imports, publications, inbox):
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and issubclass(value, Event) and not value.__subclasses__():
                found[value.topic] = value
    return found


EVENT_CLASSES: dict[str, type[Event]] = _classes()
"""Topic to class, in the order of declaration."""

_decoders: dict[str, tuple[int, Callable[[bytes], Event]]] = {
    topic: (cls.class_version, msgspec.json.Decoder(cls).decode) for topic, cls in EVENT_CLASSES.items()
}


def encode(event: Event) -> bytes:
    """The event as UTF-8 JSON.

    Raises:
        TypeError: a private value in it is still in the clear.
    """
    return _encode(event)


def decode(topic: str, schema_version: int, data: bytes) -> Event:
    """The event of stored JSON, brought up to the class's version.

    Raises:
        UnknownEvent: no such topic, or a later version than this program's.
        msgspec.ValidationError: the data doesn't fit the class.
    """
    try:
        class_version, decoder = _decoders[topic]
    except KeyError:
        raise UnknownEvent(topic) from None
    if schema_version == class_version:
        return decoder(data)
    return _upcast(EVENT_CLASSES[topic], schema_version, data)


def event_of(recorded: Recorded) -> Event:
    return decode(recorded.topic, recorded.schema_version, recorded.data)


def _upcast(cls: type[Event], schema_version: int, data: bytes) -> Event:
    if schema_version > cls.class_version:
        raise UnknownEvent(f"{cls.topic} version {schema_version}")
    fields: dict[str, Any] = msgspec.json.decode(data)
    for step in range(schema_version, cls.class_version):
        fields = getattr(cls, f"upcast_v{step}_v{step + 1}")(fields)
    return msgspec.convert(fields, cls, strict=False)


def json_schema(cls: type[Event]) -> dict[str, Any]:
    """JSON Schema of the event's `data` as it is stored and published."""

    def schema_hook(custom: type) -> dict[str, Any]:
        if custom is Clear:
            return {"not": {}}
        raise NotImplementedError(custom)

    return msgspec.json.schema(cls, schema_hook=schema_hook)
