"""Writing to Kafka in transactions, each of which says up to where it goes.

A transaction holds some records and a word of where they end, so both are there or neither is.
Whoever starts with the same transactional id ends what another one left undone and fences it off,
and reads the last word only then: nothing can be published behind its back.
"""

import threading
from collections.abc import Collection, Iterable
from contextlib import ExitStack, closing
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec
import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from services.kafka_topics import RECORD_BYTES_MAX
from services.relay.hanging import Watch
from services.relay.reading import last_committed
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
_WORD_KEY: Final = b"position"

_log = structlog.stdlib.get_logger("anjie.relay")


class Unpublishable(Exception):
    """The ledger doesn't fit what is published already; the message says why in one line."""


class NotPublished(Exception):
    """Something isn't published, or it isn't known whether it is; a new publisher will know."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What is said with every transaction."""

    ledger_id: UUID


W = TypeVar("W", bound=Word)


class Transactions(Generic[W]):
    """The only ones with this id, until somebody else takes it.

    After any exception they are of no more use: what was published is what the next ones find.
    The methods block, each until another one that is called meanwhile has ended.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        transactional_id: str,
        topics: Collection[str],
        words: str,
        word: type[W],
        ledger_id: UUID,
    ) -> None:
        """Fences off whoever published before; `topics` are those of the records, `words` that of the words.

        Raises: kafka.errors.KafkaError; Unpublishable where the last word is of another ledger.
        """
        self._kafka = kafka
        self._words = TopicPartition(words, 0)
        self._word_type = word
        self._ledger_id = ledger_id
        self._looked = True
        self._lock = threading.Lock()
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
        with ExitStack() as stack:
            stack.callback(self._close_producer)
            self._producer.init_transactions()
            partitions = [TopicPartition(t, number) for t in topics for number in range(self.partitions(t))]
            self._watch = stack.enter_context(closing(Watch(kafka, (*partitions, self._words))))
            self.hanging = self._watch.hanging()
            """Where a transaction of theirs hangs, which is to be ended before anything is published."""
            self.word = self._last_word()
            """The last one that was committed before; None where there is none."""
            self._stack = stack.pop_all()

    def partitions(self, topic: str) -> int:
        """How many the topic has."""
        return len(self._producer.partitions_for(topic))

    def commit(self, records: Iterable[Record], word: W) -> None:
        """Publishes the records and the word of where they end, all or nothing.

        Raises: kafka.errors.KafkaError, NotPublished.
        """
        with self._lock:
            # Were this one cut off, the markers that abort it would abort one that hangs, too.
            self._look()
            self._looked = False
            self._producer.begin_transaction()
            sent = [self._send(record) for record in records]
            sent.append(self._send(Record(self._words.topic, 0, _WORD_KEY, msgspec.json.encode(word), [])))
            self._await_stored(sent)
            self._commit()

    def end_hanging(self, *, committed: bool) -> None:
        """Ends what hangs, either way, and reads the last word again.

        Raises: kafka.errors.KafkaError, NotPublished; Unpublishable as at the start.
        """
        with self._lock:
            self._producer.begin_transaction()
            if committed:
                for partition in self.hanging:
                    # The library adds a partition only with a record, and there is nothing to say in these.
                    self._producer._transaction_manager.maybe_add_partition_to_transaction(partition)
                self._commit()
            else:
                self._await_stored(
                    [
                        self._send(Record(where.topic, where.partition, b"", None, []))
                        for where in self.hanging
                    ]
                )
                self._producer.abort_transaction()
            self._watch.await_decided()
            topics = sorted({partition.topic for partition in self.hanging})
            _log.warning("hanging_ended", topics=topics, committed=committed)
            self.hanging = frozenset()
            self.word = self._last_word()

    def look(self) -> None:
        """Makes sure that what was committed since the last look can be read.

        Raises: kafka.errors.KafkaError, a timeout where it hangs.
        """
        with self._lock:
            self._look()

    def close(self) -> None:
        """Lets go of the connections; a transaction that is still open is left to whoever comes next."""
        self._stack.close()

    def _look(self) -> None:
        if not self._looked:
            self._watch.await_decided()
            self._looked = True

    def _send(self, record: Record) -> Any:
        return self._producer.send(
            record.topic, record.value, record.key, record.headers, partition=record.partition
        )

    def _await_stored(self, sent: Collection[Any]) -> None:
        # Nothing is given up by the library while the broker that coordinates is away.
        self._producer.flush(timeout=2 * _DELIVERY_TIMEOUT_MS / 1000)
        # The library mends some errors by a new epoch, which drops what was sent and yet lets the
        # commit succeed with nothing in it. So every record must be known to be there before.
        if not all(future.succeeded() for future in sent):
            raise NotPublished

    def _commit(self) -> None:
        # As the library's own call, but for how long it may wait: no longer than Kafka does.
        result = self._producer._transaction_manager.begin_commit()
        self._producer._sender.wakeup()
        if not result.wait(_TRANSACTION_TIMEOUT_MS):
            raise NotPublished

    def _close_producer(self) -> None:
        try:
            self._producer.close(timeout=1)
        except KafkaTimeoutError:
            # It would try to send what is left over for as long as the process lives.
            self._producer._sender.force_close()

    def _last_word(self) -> W | None:
        last = last_committed(self._kafka, self._words)
        return (
            None if last is None else _read(last.value, self._word_type, self._words.topic, self._ledger_id)
        )


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
