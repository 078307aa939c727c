"""Publishing the events of the ledger, each once as `read_committed` sees it."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from services.relay.records import record_of
from services.relay.transactions import TRANSACTION_BYTES_MAX, Transactions, Word
from shared.events.recorded import Recorded
from shared.runtime.kafka import events_topic, relay_topic
from shared.runtime.settings import KafkaSettings


class _Published(Word, frozen=True, kw_only=True):
    position: int


class Publisher:
    """The only one that may publish events, until another one is made.

    After any exception it is of no more use: what was published is what a new one finds.
    Its methods block; one thread at a time may call them.
    """

    def __init__(self, kafka: KafkaSettings, ledger_id: UUID) -> None:
        """Fences off whoever published before. Raises: kafka.errors.KafkaError, Unpublishable."""
        self._topic = events_topic(kafka)
        self._ledger_id = ledger_id
        self._transactions = Transactions(
            kafka, f"{kafka.prefix}.relay", relay_topic(kafka), _Published, ledger_id
        )
        word = self._transactions.word
        self.position = 0 if word is None else word.position
        try:
            self._partitions = self._transactions.partitions(self._topic)
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

    def close(self) -> None:
        """Lets go of the connections; a transaction that is still open is left to the next publisher."""
        self._transactions.close()


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
