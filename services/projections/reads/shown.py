"""What a caller is shown of private values: the clear text, or that something is sealed.

An answer is built of plain dicts and lists with `Private` leaves. `cover` seals the
leaves that the caller may not see; the rest of a whole page is opened at once.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from shared.events.base import Private

SEALED: Final[dict[str, Any]] = {"sealed": True}

_STORED_FIELDS = {"key", "event", "field", "sealed"}
"""The members of a private value in stored JSON, which nothing else in an event has."""

MayOpen = Callable[[Private], bool]


def hidden(position: int) -> dict[str, Any]:
    """What stands for something that the caller may not know: that it is there, and where."""
    return {"sealed": True, "position": position}


def data_of(stored: bytes) -> dict[str, Any]:
    """The data of a stored event as plain JSON values with `Private` leaves."""
    data: dict[str, Any] = _with_leaves(msgspec.json.decode(stored))
    return data


def sealed_data(stored: bytes) -> dict[str, Any]:
    """The data of a stored event with every private value covered."""
    data: dict[str, Any] = cover(data_of(stored), lambda value: False)
    return data


def cover(value: Any, may_open: MayOpen) -> Any:
    """The same answer with the leaves sealed that may not be opened."""
    return _replaced(value, lambda leaf: leaf if may_open(leaf) else SEALED)


def leaves(value: Any) -> Iterator[Private]:
    """The private values that are left in an answer."""
    if isinstance(value, Private):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)


def opened(value: Any, texts: Mapping[Private, str | None]) -> Any:
    """The same answer in the clear; a value whose key is gone stays sealed."""

    def text(leaf: Private) -> Any:
        clear = texts.get(leaf)
        return SEALED if clear is None else clear

    return _replaced(value, text)


def _replaced(value: Any, change: Callable[[Private], Any]) -> Any:
    if isinstance(value, Private):
        return change(value)
    if isinstance(value, dict):
        return {name: _replaced(member, change) for name, member in value.items()}
    if isinstance(value, list):
        return [_replaced(item, change) for item in value]
    return value


def _with_leaves(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == _STORED_FIELDS:
            return msgspec.convert(value, Private)
        return {name: _with_leaves(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_leaves(item) for item in value]
    return value
