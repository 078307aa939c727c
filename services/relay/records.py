"""An event of the ledger as a record of Kafka: a CloudEvent in binary mode.

Source: CloudEvents 1.0, Kafka protocol binding.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.projections.reads.cloudevents import attributes
from services.projections.shards import shard_of
from shared.events.recorded import Recorded

_CONTENT_TYPE: Final = "datacontenttype"
"""The one attribute that has a header of Kafka's own."""


class Record(NamedTuple):
    partition: int
    key: bytes
    value: bytes
    """The event's data as it is stored: private values are ciphertext."""
    headers: list[tuple[str, bytes]]


def record_of(recorded: Recorded, ledger_id: UUID, partitions: int) -> Record:
    """The record of an event; its partition is chosen here, so that it is the projector's shard."""
    return Record(
        partition=shard_of(recorded.stream_id, partitions),
        key=str(recorded.stream_id).encode(),
        value=recorded.data,
        headers=[
            ("content-type" if name == _CONTENT_TYPE else f"ce_{name}", _header(value))
            for name, value in attributes(recorded, ledger_id).items()
        ],
    )


def _header(value: Any) -> bytes:
    if isinstance(value, datetime):
        return msgspec.json.encode(value).strip(b'"')
    return str(value).encode()
