"""Publishing to Kafka, each event once as `read_committed` sees it.

A transaction holds some events and the position of the last of them, so both are there or
neither is. Whoever starts with the same transactional id ends what another one left undone and
fences it off, and reads the position only then: nothing can be published behind its back.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from services.kafka_topics import RECORD_BYTES_MAX
from services.relay.records import Record, record_of
from shared.events.recorded import Recorded
from shared.runtime.kafka import client_options, events_topic, relay_topic
from shared.runtime.settings import KafkaSettings

_TRANSACTION_BYTES_MAX: Final = 16 * 1024 * 1024
"""What a transaction may keep in memory; a single larger event makes one of its own."""
_BATCH_BYTES: Final = 256 * 1024
_REQUEST_TIMEOUT_MS: Final = 10_000
_DELIVERY_TIMEOUT_MS: Final = 15_000
_TRANSACTION_TIMEOUT_MS: Final = 30_000
"""So long a relay that is gone holds back readers, unless another takes over, which ends it at once."""
_RETRY_MS: Final = 10
"""The next transaction is refused for as long as the last one is still being completed."""
_START_TIMEOUT_MS: Final = 10_000
_READ_TIMEOUT_S: Final = 10.0
_POSITION_KEY: Final = b"position"


class Unpublishable(Exception):
    """The ledger doesn't fit what is published already; the message says why in one line."""


class NotPublished(Exception):
    """A transaction came to nothing, or it isn't known what became of it; a new publisher will know."""


class _Published(msgspec.Struct, frozen=True):
    """What the topic of the relay holds."""

    ledger_id: UUID
    position: int


class Publisher:
    """The only one that may publish, until another one is made.

    After any exception it is of no more use: what was published is what a new one finds.
    Its methods block; one thread at a time may call them.
    """

    def __init__(self, kafka: KafkaSettings, ledger_id: UUID) -> None:
        """Fences off whoever published before. Raises: kafka.errors.KafkaError, Unpublishable."""
        self._events = events_topic(kafka)
        self._relay = relay_topic(kafka)
        self._ledger_id = ledger_id
        self._producer = KafkaProducer(
            **client_options(kafka),
            transactional_id=f"{kafka.prefix}.relay",
            enable_idempotence=True,
            acks="all",
            batch_size=_BATCH_BYTES,
            max_request_size=RECORD_BYTES_MAX,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            delivery_timeout_ms=_DELIVERY_TIMEOUT_MS,
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            retry_backoff_ms=_RETRY_MS,
            max_block_ms=_START_TIMEOUT_MS,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        try:
            self._producer.init_transactions()
            self._partitions = len(self._producer.partitions_for(self._events))
            self.position = _published(kafka, self._relay, ledger_id)
        except BaseException:
            self.close()
            raise

    def publish(self, events: Sequence[Recorded]) -> None:
        """Publishes the events that follow `position`, in order.

        Raises: kafka.errors.KafkaError, NotPublished.
        """
        for some in _transactions(events):
            self._commit(some)
            self.position = some[-1].position

    def close(self) -> None:
        """Lets go of the connections; a transaction that is still open is left to the next publisher."""
        self._producer.close(timeout=1)

    def _commit(self, events: Sequence[Recorded]) -> None:
        producer = self._producer
        producer.begin_transaction()
        sent = [self._send(record_of(recorded, self._ledger_id, self._partitions)) for recorded in events]
        published = _Published(self._ledger_id, events[-1].position)
        sent.append(producer.send(self._relay, msgspec.json.encode(published), _POSITION_KEY, partition=0))
        producer.flush()
        # The library mends some errors by a new epoch, which drops what was sent and yet lets the
        # commit succeed with nothing in it. So every record must be known to be there before.
        if not all(future.succeeded() for future in sent):
            raise NotPublished
        producer.commit_transaction()

    def _send(self, record: Record) -> Any:
        return self._producer.send(
            self._events, record.value, record.key, record.headers, partition=record.partition
        )


def _transactions(events: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
    """The events in runs that each fit a transaction."""
    first = size = 0
    for number, recorded in enumerate(events):
        if size + len(recorded.data) > _TRANSACTION_BYTES_MAX and number > first:
            yield events[first:number]
            first, size = number, 0
        size += len(recorded.data)
    if events:
        yield events[first:]


def _published(kafka: KafkaSettings, topic: str, ledger_id: UUID) -> int:
    """The position up to which the ledger is published; 0 if nothing is.

    Raises: kafka.errors.KafkaError, Unpublishable.
    """
    consumer = KafkaConsumer(
        **client_options(kafka), isolation_level="read_committed", enable_auto_commit=False
    )
    try:
        value = _last_value(consumer, TopicPartition(topic, 0))
    finally:
        consumer.close()
    if value is None:
        return 0
    try:
        published = msgspec.json.decode(value, type=_Published)
    except msgspec.DecodeError as error:
        raise Unpublishable(f"{topic} holds what no relay wrote: {error}") from error
    if published.ledger_id != ledger_id:
        raise Unpublishable(
            f"{topic} is that of ledger {published.ledger_id}; ANJIE_KAFKA_PREFIX chooses other topics"
        )
    return published.position


def _last_value(consumer: Any, partition: TopicPartition) -> bytes | None:
    """The last committed value, looked for from the end, since what was aborted takes offsets too."""
    consumer.assign([partition])
    first = consumer.beginning_offsets([partition])[partition]
    end = consumer.end_offsets([partition])[partition]
    start, step = end, 4
    while start > first:
        start, step = max(first, end - step), 4 * step
        values = _values(consumer, partition, start, end)
        if values:
            return values[-1]
    return None


def _values(consumer: Any, partition: TopicPartition, start: int, end: int) -> list[bytes]:
    consumer.seek(partition, start)
    values: list[bytes] = []
    deadline = time.monotonic() + _READ_TIMEOUT_S
    while consumer.position(partition) < end:
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"{partition.topic} couldn't be read in {_READ_TIMEOUT_S:.0f} s")
        for records in consumer.poll(timeout_ms=500).values():
            values += [record.value for record in records]
    return values
