"""Where a list goes on: an opaque text, pinned to the moment of its first page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from hashlib import blake2b

import msgspec

_FINGERPRINT_BYTES = 8


class CursorInvalid(Exception):
    """The text is no cursor of this list."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The rest of a list: what comes after `after`, as known at `position`, true on `occurred`."""

    question: bytes
    """Fingerprint of what was asked, so that a cursor isn't used for something else."""
    position: int
    occurred: datetime | None
    after: tuple[str | int, ...]


_decode = msgspec.json.Decoder(Cursor).decode


def fingerprint(*question: object) -> bytes:
    return blake2b(repr(question).encode(), digest_size=_FINGERPRINT_BYTES).digest()


def write_cursor(cursor: Cursor) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_cursor(text: str, question: bytes) -> Cursor:
    """Raises CursorInvalid."""
    try:
        cursor = _decode(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except ValueError:
        raise CursorInvalid from None
    if cursor.question != question:
        raise CursorInvalid
    return cursor
