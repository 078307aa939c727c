"""Reading the events' topic as a member of a consumer group: blocking, for a process of its own."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, Self

import msgspec
from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.errors import UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata, TopicPartition

from services.projections.kafka_records import Claim, KafkaRecord, claims_of
from services.projections.parking import ParkedRecord
from shared.runtime.kafka import client_options, events_topic, relay_topic
from shared.runtime.settings import KafkaSettings

_POLL_MS_MIN: Final = 10
_POLL_MS_MAX: Final = 100
"""How long a read waits for records: longer while nothing happens, short while the relay may say more."""
_JOIN_MS: Final = 1_000
_CALL_MS: Final = 5_000
_BOOTSTRAP_MS: Final = 3_000
"""A worker that is told to stop waits no longer for a broker that is away; else it tries again."""
_SESSION_MS: Final = 6_000
"""So long after a worker was killed, or called its reader for the last time, others take its shards up."""
HEARTBEAT_MS: Final = 2_000
_SILENCE_S: Final = 5.0
_HINT_S: Final = 1.0
_BEHIND_RECORDS: Final = 500
"""A read waits for so many more where they are known to be there: they are stored together at less cost."""
_FETCH_MS: Final = 300
"""How long it waits for them."""
_READ_BYTES_MAX: Final = 32 * 1024 * 1024
"""A read ends when it has so much, beyond what a poll brings."""
_LOOK_BACK: Final = 1_000
"""Offsets of the relay's topic in which its latest word is looked for."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a read brought."""

    claims: Sequence[Claim]
    """Of what wasn't told before, in order of offset within each shard."""
    unread: Sequence[ParkedRecord]
    complete: Mapping[int, int]
    """Shards of which everything up to a position has been read, with or without traffic of their own."""
    offsets: Mapping[int, int]
    """For each shard the offset at which the next read goes on."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickling instants and ids one by one takes ten times as long.
        return _taken, (msgspec.msgpack.encode(self),)


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """For whoever reads next: before these offsets there is nothing after these positions."""

    offsets: Mapping[int, int]
    positions: Mapping[int, int]


def _taken(encoded: bytes) -> Taken:
    return msgspec.msgpack.decode(encoded, type=Taken)


class KafkaReader:
    """One member of the group; its partitions are the shards of the worker."""

    def __init__(self, kafka: KafkaSettings, *, records_max: int) -> None:
        """Raises: kafka.errors.KafkaError, where no broker answers or the topics aren't there."""
        self._topic = events_topic(kafka)
        self._records_max = records_max
        self._poll_ms = _POLL_MS_MAX
        self._pledge = _Pledge(position=0, ends={})
        self._asked_at = self._hinted_at = 0.0
        self._epoch = 0
        self._source = ""
        self._assigned = _Assigned()
        with ExitStack() as stack:
            options = client_options(kafka) | {
                "allow_auto_create_topics": False,
                "bootstrap_timeout_ms": _BOOTSTRAP_MS,
            }
            self._ends = stack.enter_context(KafkaConsumer(**options))
            self.partitions = len(self._ends.partitions_for_topic(self._topic))
            """How many the topic has."""
            # Asked first, since what follows would wait long for a topic that the relay is about to make.
            if not self.partitions or not self._ends.partitions_for_topic(relay_topic(kafka)):
                raise UnknownTopicOrPartitionError(self._topic)
            self._group = stack.enter_context(
                KafkaConsumer(
                    group_id=f"{kafka.prefix}.projections",
                    isolation_level="read_committed",
                    enable_auto_commit=False,
                    auto_offset_reset="none",
                    session_timeout_ms=_SESSION_MS,
                    max_poll_interval_ms=_SESSION_MS,
                    heartbeat_interval_ms=HEARTBEAT_MS,
                    **options,
                )
            )
            self._relay = stack.enter_context(_RelayWord(kafka, options))
            self._assigned.consumer = self._group
            self._group.subscribe([self._topic], listener=self._assigned)
            self._stack = stack.pop_all()

    def close(self) -> None:
        self._stack.close()

    def shards(self) -> list[int]:
        """The shards that are this member's, after looking for what changed; none at first."""
        if not self._assigned.shards:
            self._group.poll(timeout_ms=_JOIN_MS)
        return sorted(self._assigned.shards)

    def attend(self) -> None:
        """Stays in the group, where nothing is to be read for a while."""
        epoch, running = self._epoch, self._group.assignment() - self._group.paused()
        self._group.pause(*running)
        self._group.poll(timeout_ms=0)
        if epoch == self._assigned.epoch:
            self._group.resume(*running)

    def begin(self, positions: Mapping[int, int], source: str) -> bool | None:
        """Goes to where the records after these positions are; None if the shards are others by now.

        Answers whether the topic may lack some of them. The group's offset is only a hint, of which
        is known up to which position it speaks. `source` is that of the ledger's own records.
        """
        self._source = source
        self._epoch = self._assigned.epoch
        if set(positions) != self._assigned.shards:
            return None
        partitions = {shard: TopicPartition(self._topic, shard) for shard in positions}
        firsts = self._ends.beginning_offsets(partitions.values(), timeout_ms=_CALL_MS)
        ends = self._ends.end_offsets(partitions.values(), timeout_ms=_CALL_MS)
        missing = False
        for shard, partition in partitions.items():
            hint = self._group.committed(partition, metadata=True, timeout_ms=_CALL_MS)
            first, end = firsts[partition], ends[partition]
            trusted = hint is not None and _position_of(hint) <= positions[shard]
            if trusted and first <= hint.offset <= end:
                offset = hint.offset
            else:
                offset = first
                missing = missing or first > 0
            self._group.seek(partition, offset)
            self._group.resume(partition)
        self._pledge = _Pledge(position=0, ends={})
        return missing

    def read(self, told: Mapping[int, int], hint: Hint | None) -> Taken | None:
        """The next records; None once the shards are no longer those that were begun with.

        Those up to the positions `told` are left out. The hint says what is stored by now.

        Raises: kafka.errors.KafkaError.
        """
        records = self._poll()
        if self._epoch != self._assigned.epoch:
            return None
        if hint is not None and time.monotonic() - self._hinted_at > _HINT_S:
            self._leave(hint)
        offsets = {
            shard: self._group.position(TopicPartition(self._topic, shard), timeout_ms=_CALL_MS)
            for shard in self._assigned.shards
        }
        complete = self._complete(offsets)
        busy = records or complete or self._pledge.ends
        self._poll_ms = _POLL_MS_MIN if busy else min(2 * self._poll_ms, _POLL_MS_MAX)
        claims, unread = claims_of(records, told, self._source, self.partitions)
        return Taken(claims=claims, unread=unread, complete=complete, offsets=offsets)

    def _poll(self) -> list[KafkaRecord]:
        """What there is soon, up to as much as is told at once."""
        records: list[KafkaRecord] = []
        wait_ms, size = self._poll_ms, 0
        while len(records) < self._records_max and size < _READ_BYTES_MAX:
            fetched = self._group.poll(timeout_ms=wait_ms, max_records=self._records_max - len(records))
            some = [record for of_shard in fetched.values() for record in of_shard]
            records += some
            if not some or self._lag() < _BEHIND_RECORDS:
                break
            size += sum(len(record.value or b"") for record in some)
            wait_ms = _FETCH_MS
        return records

    def _lag(self) -> int:
        """How many records are known to be there beyond those that were read."""
        partitions = [TopicPartition(self._topic, shard) for shard in self._assigned.shards]
        ends = {partition: self._group.highwater(partition) for partition in partitions}
        return sum(
            end - self._group.position(partition, timeout_ms=_CALL_MS)
            for partition, end in ends.items()
            if end is not None
        )

    def _complete(self, offsets: Mapping[int, int]) -> dict[int, int]:
        """What the relay has said to be published is read where the partition's end as of then is reached."""
        published = self._relay.latest()
        news = published > self._pledge.position and not self._pledge.ends
        # Asked now and then in any case, since reading alone doesn't tell silence from a broker that is away.
        if news or time.monotonic() - self._asked_at > _SILENCE_S:
            self._asked_at = time.monotonic()
            partitions = [TopicPartition(self._topic, shard) for shard in offsets]
            # Of what is not yet committed too: the relay's word may be visible a moment before its records.
            ends = self._ends.end_offsets(partitions, timeout_ms=_CALL_MS)
            if news:
                self._pledge = _Pledge(
                    position=published, ends={partition.partition: end for partition, end in ends.items()}
                )
        reached = [shard for shard, end in self._pledge.ends.items() if offsets[shard] >= end]
        for shard in reached:
            del self._pledge.ends[shard]
        return dict.fromkeys(reached, self._pledge.position)

    def _leave(self, hint: Hint) -> None:
        self._hinted_at = time.monotonic()
        self._group.commit_async(
            {
                TopicPartition(self._topic, shard): OffsetAndMetadata(offset, str(hint.positions[shard]), -1)
                for shard, offset in hint.offsets.items()
            }
        )


class _Pledge(msgspec.Struct):
    """Up to where everything is published, and the partitions' ends since then that are yet to be reached."""

    position: int
    ends: dict[int, int]


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Knows which partitions are ours. It is called on the client's own loop, so it only takes note."""

    def __init__(self) -> None:
        self.consumer: Any = None
        self.shards: set[int] = set()
        self.epoch = 0

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self.epoch += 1
        self.shards = set()

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self.epoch += 1
        self.shards = {partition.partition for partition in assigned}
        for partition in assigned:
            # Nothing is read before it is known from where.
            self.consumer.pause(partition)
            self.consumer.seek(partition, 0)


class _Said(msgspec.Struct, frozen=True):
    position: int


class _RelayWord:
    """Up to which position the relay says that everything is published."""

    def __init__(self, kafka: KafkaSettings, options: Mapping[str, Any]) -> None:
        self.position = 0
        self._partition = TopicPartition(relay_topic(kafka), 0)
        self._consumer = KafkaConsumer(
            isolation_level="read_committed", auto_offset_reset="latest", **options
        )
        try:
            self._consumer.assign([self._partition])
            self._look_back()
        except BaseException:
            self._consumer.close(timeout_ms=_CALL_MS)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(timeout_ms=_CALL_MS)

    def _look_back(self) -> None:
        [first] = self._consumer.beginning_offsets([self._partition], timeout_ms=_CALL_MS).values()
        [end] = self._consumer.end_offsets([self._partition], timeout_ms=_CALL_MS).values()
        self._consumer.seek(self._partition, max(first, end - _LOOK_BACK))

    def latest(self) -> int:
        for records in self._consumer.poll(timeout_ms=0).values():
            for record in records:
                said = msgspec.json.decode(record.value, type=_Said)
                self.position = max(self.position, said.position)
        return self.position


def _position_of(hint: OffsetAndMetadata) -> float:
    """Up to which position a hint speaks; one that somebody else left speaks of none."""
    return int(hint.metadata) if hint.metadata.isdigit() else float("inf")
