"""Transactions that hang: their records are there, no marker decides them, and their coordinator forgot them.

A broker that dies after deciding a transaction and comes back alone may take its partitions for deleted,
and complete it without a marker. Whoever reads what is committed waits there from then on, until another
transaction of the same producer in the partition ends: its marker decides both.

Source: KIP-664, which names them.
"""

import time
from collections.abc import Collection
from typing import Final

from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from services.relay.reading import ends_of
from shared.runtime.settings import KafkaSettings

_DECIDED_S: Final = 5.0
"""The markers of a transaction that doesn't hang follow its end within milliseconds."""
_LOOK_S: Final = 0.1


def hanging_in(kafka: KafkaSettings, partitions: Collection[TopicPartition]) -> frozenset[TopicPartition]:
    """Where something isn't decided, while nobody writes. Raises: kafka.errors.KafkaError."""
    # In this order: what comes in between the two questions isn't taken for undecided.
    ends = ends_of(kafka, partitions, "read_uncommitted")
    stable = ends_of(kafka, partitions, "read_committed")
    return frozenset(partition for partition in partitions if stable[partition] < ends[partition])


def await_decided(kafka: KafkaSettings, partitions: Collection[TopicPartition]) -> None:
    """Waits until nothing is undecided. Raises: kafka.errors.KafkaError, a timeout where something hangs."""
    deadline = time.monotonic() + _DECIDED_S
    while hanging := hanging_in(kafka, partitions):
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"a transaction hangs in {len(hanging)} partitions")
        time.sleep(_LOOK_S)
