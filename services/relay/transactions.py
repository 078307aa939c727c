"""Writing to Kafka in transactions, each of which says up to where it goes.

A transaction holds some records and a word of where they end, so both are there or neither is.
Whoever starts with the same transactional id ends what another one left undone and fences it off,
and reads the last word only then: nothing can be published behind its back.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from services.kafka_topics import RECORD_BYTES_MAX
from services.relay.records import Record
from shared.runtime.kafka import client_options
from shared.runtime.settings import KafkaSettings

TRANSACTION_BYTES_MAX: Final = 16 * 1024 * 1024
"""What a transaction should keep in memory; what can't be divided may be larger."""
_BATCH_BYTES: Final = 256 * 1024
_REQUEST_TIMEOUT_MS: Final = 10_000
_DELIVERY_TIMEOUT_MS: Final = 15_000
_TRANSACTION_TIMEOUT_MS: Final = 30_000
"""So long a relay that is gone holds back readers, unless another takes over, which ends it at once."""
_RETRY_MS: Final = 10
"""The next transaction is refused for as long as the last one is still being completed."""
_START_TIMEOUT_MS: Final = 10_000
_READ_TIMEOUT_S: Final = 10.0
_WORD_KEY: Final = b"position"


class Unpublishable(Exception):
    """The ledger doesn't fit what is published already; the message says why in one line."""


class NotPublished(Exception):
    """A transaction came to nothing, or it isn't known what became of it; a new publisher will know."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What is said with every transaction."""

    ledger_id: UUID


W = TypeVar("W", bound=Word)


class Transactions(Generic[W]):
    """The only ones with this id, until somebody else takes it.

    After any exception they are of no more use: what was published is what the next ones find.
    The methods block; one thread at a time may call them.
    """

    def __init__(
        self, kafka: KafkaSettings, transactional_id: str, words: str, word: type[W], ledger_id: UUID
    ) -> None:
        """Fences off whoever published before; `words` is the topic for words.

        Raises: kafka.errors.KafkaError; Unpublishable where the last word is of another ledger.
        """
        self._words = words
        self._producer = KafkaProducer(
            **client_options(kafka),
            transactional_id=transactional_id,
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
            last = _last_value(kafka, TopicPartition(words, 0))
            self.word = None if last is None else _read(last, word, words, ledger_id)
            """The last one that was committed before; None where there is none."""
        except BaseException:
            self.close()
            raise

    def partitions(self, topic: str) -> int:
        """How many the topic has."""
        return len(self._producer.partitions_for(topic))

    def commit(self, records: Iterable[Record], word: W) -> None:
        """Publishes the records and the word of where they end, all or nothing.

        Raises: kafka.errors.KafkaError, NotPublished.
        """
        producer = self._producer
        producer.begin_transaction()
        sent = [self._send(record) for record in records]
        sent.append(producer.send(self._words, msgspec.json.encode(word), _WORD_KEY, partition=0))
        producer.flush()
        # The library mends some errors by a new epoch, which drops what was sent and yet lets the
        # commit succeed with nothing in it. So every record must be known to be there before.
        if not all(future.succeeded() for future in sent):
            raise NotPublished
        producer.commit_transaction()

    def close(self) -> None:
        """Lets go of the connections; a transaction that is still open is left to whoever comes next."""
        self._producer.close(timeout=1)

    def _send(self, record: Record) -> Any:
        return self._producer.send(
            record.topic, record.value, record.key, record.headers, partition=record.partition
        )


def committed_reader(kafka: KafkaSettings) -> Any:
    """A consumer of what is committed, of no group."""
    return KafkaConsumer(**client_options(kafka), isolation_level="read_committed", enable_auto_commit=False)


def read_committed(consumer: Any, partition: TopicPartition, start: int, end: int) -> Iterator[list[Any]]:
    """The committed records of a partition between two offsets, some at a time; assigns it.

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


def _read(value: bytes, word: type[W], topic: str, ledger_id: UUID) -> W:
    try:
        said = msgspec.json.decode(value, type=word)
    except msgspec.DecodeError as error:
        raise Unpublishable(f"{topic} holds what no relay wrote: {error}") from error
    if said.ledger_id != ledger_id:
        raise Unpublishable(
            f"{topic} is that of ledger {said.ledger_id}; ANJIE_KAFKA_PREFIX chooses other topics"
        )
    return said


def _last_value(kafka: KafkaSettings, partition: TopicPartition) -> bytes | None:
    """The last committed value, looked for from the end, since what was aborted takes offsets too."""
    with closing(committed_reader(kafka)) as consumer:
        first = consumer.beginning_offsets([partition])[partition]
        end = consumer.end_offsets([partition])[partition]
        start, step = end, 4
        while start > first:
            start, step = max(first, end - step), 4 * step
            values = [
                record.value
                for records in read_committed(consumer, partition, start, end)
                for record in records
            ]
            if values:
                value: bytes = values[-1]
                return value
        return None
