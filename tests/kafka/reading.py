"""What a subscriber sees: every committed record of a topic, and whether the ledger is in it once."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID
from zlib import crc32

import msgspec
import psycopg
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from psycopg import AsyncConnection

from shared.events.ledger.reader import fetch_head, fetch_range
from shared.events.recorded import Recorded

_READ_S: Final = 60.0


@dataclass(frozen=True)
class Seen:
    """A record as `read_committed` shows it."""

    partition: int
    key: str
    value: bytes | None
    headers: dict[str, str]
    offset: int = field(compare=False, default=-1)

    @property
    def position(self) -> int:
        return int(self.headers["ce_position"])


def committed(servers: str, topic: str, *, left_out: Collection[tuple[int, int]] = ()) -> list[Seen]:
    """Every committed record, partition by partition in order, but for those left out (partition, offset)."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False
    )
    try:
        partitions = [
            TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))
        ]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        found: dict[int, list[Seen]] = {partition.partition: [] for partition in partitions}
        deadline = time.monotonic() + _READ_S
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            assert time.monotonic() < deadline, f"{topic} can't be read to its end"
            for partition, records in consumer.poll(timeout_ms=200, max_records=5_000).items():
                found[partition.partition] += [
                    _seen(record) for record in records if (record.partition, record.offset) not in left_out
                ]
        return [seen for partition in found.values() for seen in partition]
    finally:
        consumer.close()


def _seen(record: Any) -> Seen:
    headers = {name: value.decode() for name, value in record.headers}
    assert len(headers) == len(record.headers)
    return Seen(record.partition, record.key.decode(), record.value, headers, record.offset)


def assert_published_once(
    servers: str, topic: str, url: str, *, left_out: Collection[tuple[int, int]] = ()
) -> int:
    """The ledger's events are in the topic exactly once, each where and as it should be; their number.

    Left out are records that no relay wrote, by partition and offset.
    """
    seen = committed(servers, topic, left_out=left_out)
    stored = _ledger(url)
    found, expected = Counter(record.position for record in seen), Counter(range(1, len(stored) + 1))
    assert found == expected, f"too many: {found - expected}, missing: {expected - found}"
    for record in seen:
        assert record == _expected(stored[record.position - 1], record.partition)
    versions: dict[str, int] = {}
    for record in seen:
        # A stream is in one partition, so this is the order in which a subscriber meets it.
        assert int(record.headers["ce_version"]) == versions.get(record.key, 0) + 1
        versions[record.key] = int(record.headers["ce_version"])
    assert all(record.partition == crc32(record.key.encode()) % 4 for record in seen)
    return len(seen)


def _expected(row: Sequence[Any], partition: int) -> Seen:
    """The record of a row, written down from the contract by itself."""
    ledger_id, position, stream_id, version, event_id, topic, schema, *times, traceparent, data = row
    occurred_at, recorded_at = map(msgspec.to_builtins, times)
    headers = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_type": topic,
        "ce_source": f"/ledgers/{ledger_id}",
        "ce_subject": str(stream_id),
        "ce_time": occurred_at,
        "ce_dataschema": f"/asyncapi.json#/components/schemas/{topic}.v{schema}",
        "ce_recordedtime": recorded_at,
        "ce_position": str(position),
        "ce_version": str(version),
    }
    if traceparent is not None:
        headers["ce_traceparent"] = traceparent
    return Seen(partition, str(stream_id), data, headers)


def _ledger(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(
            """
            SELECT ledger_id, e.position, stream_id, version, event_id, topic, schema_version, occurred_at,
                e.recorded_at, traceparent, data
            FROM ledger.events e, ledger.head ORDER BY e.position
            """
        ).fetchall()


def recorded_events(url: str) -> tuple[UUID, list[Recorded]]:
    """The ledger's id and its events, for a publisher."""

    async def read() -> tuple[UUID, list[Recorded]]:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            head = await fetch_head(connection)
            return head.ledger_id, await fetch_range(connection, 0, head.position)

    return asyncio.run(read())
