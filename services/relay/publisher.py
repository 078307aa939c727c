"""Publishing the events of the ledger, each once as `read_committed` sees it."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from kafka.structs import TopicPartition

from services.relay.reading import last_committed, undecided
from services.relay.records import record_of
from services.relay.transactions import TRANSACTION_BYTES_MAX, Transactions, Unpublishable, Word
from shared.events.recorded import Recorded
from shared.runtime.kafka import events_topic, relay_topic
from shared.runtime.settings import KafkaSettings


class _Published(Word, frozen=True, kw_only=True):
    position: int


class Publisher:
    """The only one that may publish events, until another one is made.

    After any exception it is of no more use: what was published is what a new one finds.
    Its methods block; one thread at a time may call them, and another one `look`.
    """

    def __init__(self, kafka: KafkaSettings, ledger_id: UUID) -> None:
        """Fences off whoever published before, and ends what it left hanging.

        Raises: kafka.errors.KafkaError, NotPublished, Unpublishable.
        """
        self._topic = events_topic(kafka)
        self._ledger_id = ledger_id
        self._transactions = Transactions(
            kafka, f"{kafka.prefix}.relay", [self._topic], relay_topic(kafka), _Published, ledger_id
        )
        try:
            self._partitions = self._transactions.partitions(self._topic)
            if self._transactions.hanging:
                self._transactions.end_hanging(committed=self._was_committed(kafka))
            self.position = self._said()
        except BaseException:
            self.close()
            raise

    def publish(self, events: Sequence[Recorded]) -> None:
        """Publishes the events that follow `position`, in order.

        Raises: kafka.errors.KafkaError, NotPublished.
        """
        for some in _fitting(events):
            position = some[-1].position
            records = [record_of(event, self._ledger_id, self._topic, self._partitions) for event in some]
            word = _Published(ledger_id=self._ledger_id, position=position)
            self._transactions.commit(records, word)
            self.position = position

    def look(self) -> None:
        """Makes sure that what was published since the last look can be read.

        Raises: kafka.errors.KafkaError.
        """
        self._transactions.look()

    def _was_committed(self, kafka: KafkaSettings) -> bool:
        """Whether readers have seen any part of what hangs, so that they must see the rest.

        Raises: kafka.errors.KafkaError; Unpublishable where transactions hang that need different ends.
        """
        said, word = self._said(), TopicPartition(relay_topic(kafka), 0)
        hanging, seen, ends = set(self._transactions.hanging), False, set()
        if word in hanging:
            [*_, undecided_word] = undecided(kafka, word)
            to = msgspec.json.decode(undecided_word.value, type=_Published).position
            partitions = [TopicPartition(self._topic, number) for number in range(self._partitions)]
            last = [last_committed(kafka, partition) for partition in partitions]
            seen = any(said < _position(record) <= to for record in last if record is not None)
            ends.add(seen)
        for partition in hanging - {word}:
            ends |= {seen or _position(record) <= said for record in undecided(kafka, partition)}
        if len(ends) > 1:
            raise Unpublishable(f"{self._topic}: transactions hang from before and after position {said}")
        return ends == {True}

    def _said(self) -> int:
        word = self._transactions.word
        return 0 if word is None else word.position

    def close(self) -> None:
        """Lets go of the connections; a transaction that is still open is left to the next publisher."""
        self._transactions.close()


def _position(record: Any) -> int:
    """What a record of an event says; 0 where it says nothing."""
    said = dict(record.headers).get("ce_position", b"0")
    return int(said) if said.isdigit() else 0


def _fitting(events: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
    """The events in runs that each fit a transaction."""
    first = size = 0
    for number, recorded in enumerate(events):
        if size + len(recorded.data) > TRANSACTION_BYTES_MAX and number > first:
            yield events[first:number]
            first, size = number, 0
        size += len(recorded.data)
    if events:
        yield events[first:]
