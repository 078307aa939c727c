"""Publishing the rows of the views, each change once as `read_committed` sees it."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from uuid import UUID

import msgspec
from kafka.structs import TopicPartition

from services.kafka_topics import topic_ids
from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.published.steps import Change
from services.relay.reading import read, reader
from services.relay.records import row_record
from services.relay.transactions import NotPublished, Transactions, Word
from shared.runtime.kafka import relayed_views_topic, view_topic
from shared.runtime.settings import KafkaSettings


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where a view is published."""

    position: int
    generation: int
    """Of the read models that its rows were read from."""
    topic_id: UUID
    """Of its topic then: another one has none of it."""


class _Published(Word, frozen=True, kw_only=True):
    views: dict[str, Mark]


class ViewPublisher:
    """The only one that may publish views, until another one is made.

    After any exception it is of no more use: what was published is what a new one finds.
    Its methods block; one thread at a time may call them, and another one `look`.
    """

    def __init__(self, kafka: KafkaSettings, ledger_id: UUID) -> None:
        """Fences off whoever published before, and ends what it left hanging.

        Raises: kafka.errors.KafkaError, NotPublished, Unpublishable.
        """
        self._kafka = kafka
        self._ledger_id = ledger_id
        self._topics = {view: view_topic(kafka, view) for view in PUBLISHED_VIEWS}
        self._transactions = Transactions(
            kafka,
            f"{kafka.prefix}.views",
            self._topics.values(),
            relayed_views_topic(kafka),
            _Published,
            ledger_id,
        )
        try:
            self._partitions = {
                view: self._transactions.partitions(topic) for view, topic in self._topics.items()
            }
            self._topic_ids = self._ids()
            word = self._transactions.word
            said = {} if word is None else word.views
            self.marks: Mapping[str, Mark] = {
                view: mark for view, mark in said.items() if mark.topic_id == self._topic_ids.get(view)
            }
            """Of the views whose topic has what was published."""
            if self._transactions.hanging:
                self._forget_hanging()
        except BaseException:
            self.close()
            raise

    def mark(self, view: str, position: int, generation: int) -> Mark:
        return Mark(position=position, generation=generation, topic_id=self._topic_ids[view])

    def publish(self, changes: Sequence[Change], marks: Mapping[str, Mark]) -> None:
        """Publishes the changes together, with up to where their views are published then.

        Raises: kafka.errors.KafkaError, NotPublished.
        """
        marks = {**self.marks, **marks}
        records = [
            row_record(change, self._topics[change.view], self._partitions[change.view]) for change in changes
        ]
        self._transactions.commit(records, _Published(ledger_id=self._ledger_id, views=marks))
        self.marks = marks

    def look(self) -> None:
        """Makes sure that what was published is there, in the same topics, and can be read.

        Raises: kafka.errors.KafkaError, NotPublished.
        """
        self._transactions.look()
        if self._ids() != self._topic_ids:
            raise NotPublished

    def keys(self, view: str) -> Generator[list[str]]:
        """The keys that the topic of a view has rows under, some at a time; one may come again.

        Raises: kafka.errors.KafkaError.
        """
        topic = self._topics[view]
        partitions = [TopicPartition(topic, number) for number in range(self._partitions[view])]
        with closing(reader(self._kafka)) as consumer:
            first, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
            for partition in partitions:
                for records in read(consumer, partition, first[partition], end[partition]):
                    last = {record.key.decode(errors="replace"): record.value for record in records}
                    yield [key for key, value in last.items() if value is not None]

    def _ids(self) -> Mapping[str, UUID]:
        """Of the topics that there are now."""
        ids = topic_ids(self._kafka, list(self._topics.values()))
        return {view: ids[topic] for view, topic in self._topics.items()}

    def _forget_hanging(self) -> None:
        """Ends what hangs, and has no mark of a view that it may be of: all of its rows are published again.

        This is said before it is done, so that it is known whatever happens in between.
        """
        touched = {partition.topic for partition in self._transactions.hanging}
        self.marks = {view: mark for view, mark in self.marks.items() if self._topics[view] not in touched}
        self._transactions.commit([], _Published(ledger_id=self._ledger_id, views=dict(self.marks)))
        self._transactions.end_hanging(committed=False)

    def close(self) -> None:
        """Lets go of the connections; a transaction that is still open is left to the next publisher."""
        self._transactions.close()
