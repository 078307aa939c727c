"""Doing to a topic of events what nobody should: records again, false or withheld, offsets moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata, TopicPartition

from shared.runtime.kafka import events_topic, relay_topic
from shared.runtime.settings import KafkaSettings


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


def send(town: KafkaSettings, records: Iterable[Sent]) -> None:
    """Sends records as they are, outside of any transaction."""
    with KafkaProducer(bootstrap_servers=town.servers, enable_idempotence=True) as producer:
        for record in records:
            producer.send(
                events_topic(town),
                record.value,
                record.key,
                [(name, value.encode()) for name, value in record.headers.items()],
                partition=record.partition,
            )
        producer.flush()


def say_published(town: KafkaSettings, ledger_id: UUID, position: int) -> None:
    """Says what the relay would say."""
    word = msgspec.json.encode({"ledger_id": ledger_id, "position": position})
    with KafkaProducer(bootstrap_servers=town.servers, enable_idempotence=True) as producer:
        producer.send(relay_topic(town), word, b"position", partition=0)
        producer.flush()


def move_offsets(town: KafkaSettings, offset: int) -> None:
    """Moves the group of the projections, which must be empty, as an operator's tool would."""
    with KafkaAdminClient(bootstrap_servers=town.servers) as admin:
        admin.alter_group_offsets(
            f"{town.prefix}.projections",
            {TopicPartition(events_topic(town), n): OffsetAndMetadata(offset, "", -1) for n in range(4)},
        )


def cut_off(town: KafkaSettings, part: float) -> None:
    """Deletes the first part of every partition, as retention would."""
    partitions = [TopicPartition(events_topic(town), number) for number in range(4)]
    with (
        KafkaConsumer(bootstrap_servers=town.servers) as consumer,
        KafkaAdminClient(bootstrap_servers=town.servers) as admin,
    ):
        ends = consumer.end_offsets(partitions)
        admin.delete_records({partition: int(end * part) for partition, end in ends.items()})
