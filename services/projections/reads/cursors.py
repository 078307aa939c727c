"""Where a list goes on: an opaque text, pinned to the moment of its first page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec


class CursorInvalid(Exception):
    """The text is no cursor of this list."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """The rest of a list: what comes after `after`, as known at `position`."""

    path: str
    question: dict[str, Any]
    """The parameters of the first page that differ from their defaults."""
    position: int
    after: Any
    """JSON; each list has its own way of saying where it goes on."""


_decode = msgspec.json.Decoder(Cursor).decode


def write_cursor(cursor: Cursor) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str, path: str) -> Cursor:
    """Raises CursorInvalid."""
    try:
        cursor = _decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except ValueError:
        raise CursorInvalid from None
    if cursor.path != path:
        raise CursorInvalid
    return cursor
