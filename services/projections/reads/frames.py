"""Server-sent events as bytes. Source: WHATWG HTML, server-sent events."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

HEARTBEAT = b": heartbeat\n\n"
RETRY_MS = 1_000
"""How soon a client that lost its stream asks again."""
OPENING = b"retry: %d\n\n" % RETRY_MS

_encode = msgspec.json.Encoder(order="deterministic").encode


def snapshot(position: int, rows: Sequence[Any]) -> bytes:
    return _frame(b"snapshot", position, {"position": position, "rows": rows})


def delta(position: int, changes: Iterable[dict[str, Any]]) -> bytes:
    return _frame(b"delta", position, {"position": position, "changes": list(changes)})


def reset(position: int) -> bytes:
    """Forget all rows: a snapshot follows."""
    return _frame(b"reset", position, {"position": position})


def _frame(event: bytes, position: int, data: dict[str, Any]) -> bytes:
    # JSON has no line break outside of its strings and escapes those inside, so one data line holds it.
    return b"event: %b\nid: %d\ndata: %b\n\n" % (event, position, _encode(data))


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """What turns one set of rows into another, by key: upserts in the order of `after`, then deletions."""
    upserts = [
        {"op": "UPSERT", "key": key, "row": row}
        for key, row in after.items()
        if key not in before or (before[key] is not row and before[key] != row)
    ]
    return upserts + [{"op": "DELETE", "key": key} for key in before if key not in after]
