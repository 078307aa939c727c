"""Which shard a stream belongs to: the same from any source of events."""

from uuid import UUID
from zlib import crc32

SHARDS = 4


def shard_of(stream_id: UUID, shards: int = SHARDS) -> int:
    """CRC-32 (IEEE) of the id's text modulo the number of shards, as partitions are chosen."""
    return partition_of(str(stream_id), shards)


def partition_of(key: str, partitions: int) -> int:
    """CRC-32 (IEEE) of a text modulo the number of partitions."""
    return crc32(key.encode()) % partitions
