"""Records of Kafka: an event of the ledger as a CloudEvent in binary mode, and a row of a view.

Source: CloudEvents 1.0, Kafka protocol binding.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.projections.published.steps import Change
from services.projections.reads.cloudevents import attributes
from services.projections.shards import partition_of, shard_of
from shared.events.recorded import Recorded

_CONTENT_TYPE: Final = "datacontenttype"
"""The one attribute that has a header of Kafka's own."""


class Record(NamedTuple):
    topic: str
    partition: int
    key: bytes
    value: bytes | None
    """Private values in it are ciphertext; None says that there is nothing under this key any more."""
    headers: list[tuple[str, bytes]]


def record_of(recorded: Recorded, ledger_id: UUID, topic: str, partitions: int) -> Record:
    """The record of an event; its partition is chosen here, so that it is the projector's shard."""
    return Record(
        topic=topic,
        partition=shard_of(recorded.stream_id, partitions),
        key=str(recorded.stream_id).encode(),
        value=recorded.data,
        headers=[
            ("content-type" if name == _CONTENT_TYPE else f"ce_{name}", _header(value))
            for name, value in attributes(recorded, ledger_id).items()
        ],
    )


def row_record(change: Change, topic: str, partitions: int) -> Record:
    """The record of a row, in the partition of the id that its key begins with."""
    first, _, _ = change.key.partition("/")
    return Record(
        topic=topic,
        partition=partition_of(first, partitions),
        key=change.key.encode(),
        value=change.row,
        headers=[("position", _header(change.position))],
    )


def _header(value: Any) -> bytes:
    if isinstance(value, datetime):
        return msgspec.json.encode(value).strip(b'"')
    return str(value).encode()
