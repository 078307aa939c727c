"""Reading partitions between offsets, outside of any group."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final, Literal

from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from shared.runtime.kafka import client_options
from shared.runtime.settings import KafkaSettings

_READ_TIMEOUT_S: Final = 10.0
_REQUEST_TIMEOUT_MS: Final = 5_000

Isolation = Literal["read_committed", "read_uncommitted"]


def reader(kafka: KafkaSettings, isolation: Isolation = "read_committed") -> Any:
    """A consumer of no group; none of its calls waits long for a broker that is away."""
    return KafkaConsumer(
        **client_options(kafka),
        isolation_level=isolation,
        enable_auto_commit=False,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
    )


def read(consumer: Any, partition: TopicPartition, start: int, end: int) -> Iterator[list[Any]]:
    """The records of a partition between two offsets that the consumer may see, some at a time; assigns it.

    Raises: kafka.errors.KafkaError.
    """
    consumer.assign([partition])
    consumer.seek(partition, start)
    deadline = time.monotonic() + _READ_TIMEOUT_S
    while (position := consumer.position(partition)) < end:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"{partition.topic} couldn't be read for {_READ_TIMEOUT_S:.0f} s")
        yield consumer.poll(timeout_ms=500).get(partition, [])
        if consumer.position(partition) > position:
            deadline = time.monotonic() + _READ_TIMEOUT_S


def last_committed(kafka: KafkaSettings, partition: TopicPartition) -> Any | None:
    """The last committed record, looked for from the end, since what was aborted takes offsets too.

    Raises: kafka.errors.KafkaError.
    """
    with closing(reader(kafka)) as consumer:
        first = consumer.beginning_offsets([partition])[partition]
        end = consumer.end_offsets([partition])[partition]
        start, step = end, 4
        while start > first:
            start, step = max(first, end - step), 4 * step
            records = [record for some in read(consumer, partition, start, end) for record in some]
            if records:
                return records[-1]
        return None


def undecided(kafka: KafkaSettings, partition: TopicPartition) -> list[Any]:
    """The records from the first one on that is neither committed nor aborted.

    Raises: kafka.errors.KafkaError.
    """
    with closing(reader(kafka)) as deciding, closing(reader(kafka, "read_uncommitted")) as consumer:
        start = deciding.end_offsets([partition])[partition]
        end = consumer.end_offsets([partition])[partition]
        return [record for some in read(consumer, partition, start, end) for record in some]
