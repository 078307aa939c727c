"""Events of a file: its sealed bytes lie beside the ledger, its digest in it."""

from typing import ClassVar

from shared.events.base import Event


class FileEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "file"


class FileStored(FileEvent, frozen=True, kw_only=True):
    digest: str
    """HMAC-SHA-256 of the clear bytes, hexadecimal, under a key of the ledger's own."""
    size: int
    media_type: str
