"""Reading records of the events' topic: what event of the ledger each of them says it is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from services.projections.parking import ParkedRecord
from services.projections.shards import shard_of
from shared.events.recorded import Recorded
from shared.events.registry import UnknownEvent, decode


class KafkaRecord(Protocol):
    """A consumed record, as the client library gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Claim(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The event that a record says it is; whether it is that event is for the ledger to say."""

    partition: int
    offset: int
    position: int
    event_id: UUID
    stream_id: UUID
    version: int
    topic: str
    schema_version: int
    occurred_at: datetime
    recorded_at: datetime
    traceparent: str | None
    data: bytes

    def fits(self, event: Recorded) -> bool:
        """Whether the event is what the record says, in all that it says."""
        return (
            event.position == self.position
            and event.event_id == self.event_id
            and event.stream_id == self.stream_id
            and event.version == self.version
            and event.topic == self.topic
            and event.schema_version == self.schema_version
            and event.occurred_at == self.occurred_at
            and event.recorded_at == self.recorded_at
            and event.traceparent == self.traceparent
            and event.data == self.data
        )


class Unfit(Exception):
    """A record is no event of this ledger, or can't be read; the message says why."""


def claims_of(
    records: Iterable[KafkaRecord], told: Mapping[int, int], source: str, shards: int
) -> tuple[list[Claim], list[ParkedRecord]]:
    """What records say they are, as far as it wasn't told before, and those that can't be read."""
    claims: list[Claim] = []
    unread: list[ParkedRecord] = []
    for record in records:
        try:
            claim = claim_of(record, source, shards)
            if claim.position > told[record.partition]:
                check_data(claim)
                claims.append(claim)
        except Unfit as reason:
            place = (record.topic, record.partition, record.offset)
            unread.append(ParkedRecord(*place, *claimed(record), str(reason)))
    return claims, unread


def claim_of(record: KafkaRecord, source: str, shards: int) -> Claim:
    """What a record says it is.

    `source` is the ledger's, `shards` the number of partitions. Raises: Unfit.
    """
    headers = _headers(record)
    if headers.get("ce_source") != source.encode():
        raise Unfit("not from this ledger")
    try:
        topic = headers["ce_type"].decode()
        traceparent = headers.get("ce_traceparent")
        claim = Claim(
            partition=record.partition,
            offset=record.offset,
            position=int(headers["ce_position"]),
            event_id=UUID(headers["ce_id"].decode()),
            stream_id=UUID(headers["ce_subject"].decode()),
            version=int(headers["ce_version"]),
            topic=topic,
            schema_version=_schema_version(headers["ce_dataschema"].decode(), topic),
            occurred_at=_instant(headers["ce_time"].decode()),
            recorded_at=_instant(headers["ce_recordedtime"].decode()),
            traceparent=None if traceparent is None else traceparent.decode(),
            data=record.value or b"",
        )
    except KeyError as missing:
        raise Unfit(f"no header {missing.args[0]}") from None
    except (ValueError, OverflowError) as error:
        raise Unfit(f"unreadable header: {error}") from None
    if not 0 < claim.position < 2**63:
        raise Unfit("no position of a ledger")
    if not 0 < claim.version < 2**31:
        raise Unfit("no version of a stream")
    if record.key != str(claim.stream_id).encode():
        raise Unfit("its key isn't its stream")
    if shard_of(claim.stream_id, shards) != record.partition:
        raise Unfit("in another partition than its stream's")
    return claim


def check_data(claim: Claim) -> None:
    """Raises: Unfit, where the data can't be read as what the record says it is."""
    try:
        decode(claim.topic, claim.schema_version, claim.data)
    except UnknownEvent as error:
        raise Unfit(f"unknown event: {error}") from None
    except ValueError as error:
        raise Unfit(f"unreadable data: {error}") from None


def claimed(record: KafkaRecord) -> tuple[UUID | None, int | None]:
    """The stream and the position that an unfit record claims, as far as they can be read."""
    headers = _headers(record)
    stream_id: UUID | None = None
    position: int | None = None
    try:
        stream_id = UUID((record.key or b"").decode())
        position = int(headers.get("ce_position", b""))
    except ValueError:
        pass
    return stream_id, position if position is not None and 0 < position < 2**63 else None


def _headers(record: KafkaRecord) -> dict[str, bytes]:
    """A header without a value passes for one that isn't there."""
    return {name: value for name, value in record.headers if value is not None}


def _instant(text: str) -> datetime:
    """In UTC. Raises: ValueError; OverflowError where the calendar has no such instant."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return instant.astimezone(UTC)


def _schema_version(schema: str, topic: str) -> int:
    """The version in the name of a payload schema, such as `…/case.registered.v1`."""
    name, _, version = schema.rpartition("/")[2].rpartition(".v")
    if name != topic:
        raise ValueError(f"ce_dataschema {schema}")
    return int(version)
