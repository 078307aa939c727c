"""Transactions that hang: their records are there, no marker decides them, and their coordinator forgot them.

A broker that dies after deciding a transaction and comes back alone may take its partitions for deleted,
and complete it without a marker. Whoever reads what is committed waits there from then on, until another
transaction of the same producer in the partition ends: its marker decides both, whichever way it ends.

Source: KIP-664, which names them.
"""

import time
from collections.abc import Collection
from contextlib import ExitStack, closing
from typing import Final

from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from services.relay.reading import reader
from shared.runtime.settings import KafkaSettings

_DECIDED_S: Final = 5.0
"""The markers of a transaction that doesn't hang follow its end within milliseconds."""
_LOOK_S: Final = 0.01


class Watch:
    """Looks whether what was written to some partitions is decided, for one thread at a time."""

    def __init__(self, kafka: KafkaSettings, partitions: Collection[TopicPartition]) -> None:
        """Raises: kafka.errors.KafkaError."""
        self._partitions = list(partitions)
        with ExitStack() as stack:
            self._written = stack.enter_context(closing(reader(kafka, "read_uncommitted")))
            self._decided = stack.enter_context(closing(reader(kafka)))
            self._stack = stack.pop_all()

    def hanging(self) -> frozenset[TopicPartition]:
        """Where something isn't decided, while nobody writes. Raises: kafka.errors.KafkaError."""
        # In this order: what comes in between the two questions isn't taken for undecided.
        ends = self._written.end_offsets(self._partitions)
        stable = self._decided.end_offsets(self._partitions)
        return frozenset(partition for partition in self._partitions if stable[partition] < ends[partition])

    def await_decided(self) -> None:
        """Waits until nothing is undecided.

        Raises: kafka.errors.KafkaError, a timeout where something hangs.
        """
        deadline = time.monotonic() + _DECIDED_S
        while hanging := self.hanging():
            if time.monotonic() > deadline:
                raise KafkaTimeoutError(f"a transaction hangs in {len(hanging)} partitions")
            time.sleep(_LOOK_S)

    def close(self) -> None:
        self._stack.close()
