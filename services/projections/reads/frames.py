"""Server-sent events as bytes. Source: WHATWG HTML, server-sent events."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

Rows = dict[str, bytes]
"""Rows of a stream by key, each as JSON."""
Delta = Mapping[str, bytes | None]
"""Rows that changed by key; None where there is none any more."""

HEARTBEAT: Final = b": heartbeat\n\n"
RETRY_MS: Final = 1_000
"""How soon a client that lost its stream asks again."""
OPENING: Final = b"retry: %d\n\n" % RETRY_MS

encode: Final = msgspec.json.Encoder(order="deterministic").encode


def snapshot(position: int, rows: Iterable[bytes]) -> bytes:
    return _frame(b"snapshot", position, b'{"position":%d,"rows":[%b]}' % (position, b",".join(rows)))


def delta(position: int, changes: Delta) -> bytes:
    told = b",".join(
        b'{"op":"DELETE","key":%b}' % encode(key)
        if row is None
        else b'{"op":"UPSERT","key":%b,"row":%b}' % (encode(key), row)
        for key, row in changes.items()
    )
    return _frame(b"delta", position, b'{"position":%d,"changes":[%b]}' % (position, told))


def reset(position: int) -> bytes:
    """Forget all rows: a snapshot follows."""
    return _frame(b"reset", position, b'{"position":%d}' % position)


def _frame(event: bytes, position: int, data: bytes) -> bytes:
    # JSON has no line break outside of its strings and escapes those inside, so one data line holds it.
    return b"event: %b\nid: %d\ndata: %b\n\n" % (event, position, data)


def changes_between(before: Rows, after: Rows) -> dict[str, bytes | None]:
    """What turns one set of rows into another: upserts in the order of `after`, then deletions."""
    changes: dict[str, bytes | None] = {key: row for key, row in after.items() if before.get(key) != row}
    return changes | dict.fromkeys(key for key in before if key not in after)
