"""Which shard a stream belongs to: the same from any source of events."""

from uuid import UUID
from zlib import crc32

SHARDS = 4


def shard_of(stream_id: UUID, shards: int = SHARDS) -> int:
    """CRC-32 (IEEE) of the id's text modulo the number of shards, as partitions are chosen."""
    return crc32(str(stream_id).encode()) % shards
