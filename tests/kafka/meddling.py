"""Doing to a topic of events what nobody should: records again, false or withheld, offsets moved."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final
from uuid import UUID

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import NoError
from kafka.structs import OffsetAndMetadata, TopicPartition

from shared.runtime.kafka import events_topic, relay_topic
from shared.runtime.settings import KafkaSettings

_STORED_S: Final = 30
_EMPTY_S: Final = 30
"""How long a member that was killed may count as one of the group, and more."""


@dataclass(frozen=True)
class Sent:
    """A record as it was read, or is to be sent."""

    partition: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]


def position_of(record: Sent) -> int:
    return int(record.headers["ce_position"])


def replaced(
    record: Sent,
    *,
    partition: int | None = None,
    key: bytes | str | None = "",
    value: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Sent:
    """The record with something else in it; an empty `headers` takes all of them away."""
    return replace(
        record,
        partition=record.partition if partition is None else partition,
        key=record.key if isinstance(key, str) else key,
        value=record.value if value is None else value,
        headers={} if headers == {} else {**record.headers, **(headers or {})},
    )


def everything(town: KafkaSettings) -> list[Sent]:
    """Every record of the topic, partition by partition."""
    topic = events_topic(town)
    with KafkaConsumer(bootstrap_servers=town.servers, isolation_level="read_committed") as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        found: list[Sent] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=200).values():
                found += [_sent(record) for record in records]
    return sorted(found, key=lambda record: record.partition)


def _sent(record: object) -> Sent:
    fields = record.partition, record.key, record.value, record.headers  # type: ignore[attr-defined]
    return Sent(*fields[:3], {name: value.decode() for name, value in fields[3]})


def some(town: KafkaSettings, draw: Random, count: int, left_out: Collection[tuple[int, int]]) -> list[Sent]:
    """Up to so many records in a row, from anywhere in the topic, but for those at (partition, offset)."""
    partition = TopicPartition(events_topic(town), draw.randrange(4))
    with KafkaConsumer(bootstrap_servers=town.servers, isolation_level="read_committed") as consumer:
        consumer.assign([partition])
        [end] = consumer.end_offsets([partition]).values()
        consumer.seek(partition, draw.randrange(max(end - count, 1)))
        found: list[Sent] = []
        while len(found) < count and consumer.position(partition) < end:
            for records in consumer.poll(timeout_ms=200).values():
                found += [
                    _sent(record) for record in records if (record.partition, record.offset) not in left_out
                ]
    return found[:count]


def send(town: KafkaSettings, records: Iterable[Sent]) -> set[tuple[int, int]]:
    """Sends records as they are, outside of any transaction; the partition and offset of each."""
    with KafkaProducer(bootstrap_servers=town.servers, enable_idempotence=True) as producer:
        sent = [
            producer.send(
                events_topic(town),
                record.value,
                record.key,
                [(name, value.encode()) for name, value in record.headers.items()],
                partition=record.partition,
            )
            for record in records
        ]
        producer.flush()
        stored = [future.get(timeout=_STORED_S) for future in sent]
    return {(metadata.partition, metadata.offset) for metadata in stored}


def say_published(town: KafkaSettings, ledger_id: UUID, position: int) -> None:
    """Says what the relay would say."""
    word = msgspec.json.encode({"ledger_id": ledger_id, "position": position})
    with KafkaProducer(bootstrap_servers=town.servers, enable_idempotence=True) as producer:
        producer.send(relay_topic(town), word, b"position", partition=0)
        producer.flush()


def move_offsets(town: KafkaSettings, offset: int) -> None:
    """Moves the group of the projections as an operator's tool would, as soon as it is empty."""
    moved = {TopicPartition(events_topic(town), n): OffsetAndMetadata(offset, "", -1) for n in range(4)}
    ends = time.monotonic() + _EMPTY_S
    with KafkaAdminClient(bootstrap_servers=town.servers) as admin:
        while refused := {
            error
            for error in admin.alter_group_offsets(f"{town.prefix}.projections", moved).values()
            if error is not NoError
        }:
            assert time.monotonic() < ends, f"the offsets can't be moved: {refused}"
            time.sleep(0.2)


def cut_off(town: KafkaSettings, part: float) -> None:
    """Deletes the first part of every partition, as retention would."""
    partitions = [TopicPartition(events_topic(town), number) for number in range(4)]
    with (
        KafkaConsumer(bootstrap_servers=town.servers) as consumer,
        KafkaAdminClient(bootstrap_servers=town.servers) as admin,
    ):
        ends = consumer.end_offsets(partitions)
        admin.delete_records({partition: int(end * part) for partition, end in ends.items()})
