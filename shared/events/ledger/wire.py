"""Appends as PostgreSQL's binary arrays of `new_event`, `new_idempotency_key`, `new_sealing_key`.

Everything that doesn't depend on a command's place in its group is encoded once, by whoever
asks for the append; the committer only puts the numbers in front and joins.
"""

from collections.abc import Iterable, KeysView, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.sql import SQL, Identifier, Literal

from shared.events.recorded import Append, IdempotencyKey, Metadata, NewEvent, WrappedKey

_BYTEA, _SMALLINT, _INTEGER, _TEXT, _TIMESTAMPTZ, _UUID, _UUIDS = 17, 21, 23, 25, 1184, 2950, 2951
"""Object ids of PostgreSQL's own types, the same in every database."""

_EVENT_FIELDS: Final = 17
_IDEMPOTENCY_KEY_FIELDS: Final = 3
_SEALING_KEY_FIELDS: Final = 4

# Each field is its type, its length and its value; each element its length and its number of fields.
_ELEMENT: Final = Struct(">iiIii")
_HEADER: Final = Struct(">Ii")
_EVENT: Final = Struct(">Ii16sIiiIi16sIihIi")
_TIMES: Final = Struct(">IiqIi16s")
_ID: Final = Struct(">Ii16s")
_ABSENT_ID: Final = _HEADER.pack(_UUID, -1)
_ABSENT_TEXT: Final = _HEADER.pack(_TEXT, -1)
_ARRAY: Final = Struct(">iiIii")
_EMPTY_ARRAY: Final = Struct(">iiI")
_LENGTH: Final = Struct(">i")

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


_APPEND: Final = SQL("""
    SELECT head, recorded_at, refused, outcomes, first_positions, last_positions, recorded_ats
    FROM {schema}.append(
        %b::{schema}.new_event[], %b::{schema}.new_idempotency_key[], %b::{schema}.new_sealing_key[]
    )
""")


_TYPE_IDS: Final = SQL("""
    SELECT {}::regtype::bigint AS event, {}::regtype::bigint AS idempotency_key,
        {}::regtype::bigint AS sealing_key
""")


class Binary(bytes):
    """A parameter already in PostgreSQL's binary form, of whatever type the statement expects."""


class _BinaryDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Buffer) -> Buffer:
        return obj


class TypeIds(NamedTuple):
    """Object ids of the three types in one database."""

    event: int
    idempotency_key: int
    sealing_key: int


def type_ids_query(schema: str) -> bytes:
    names = ("new_event", "new_idempotency_key", "new_sealing_key")
    types = (Literal(Identifier(schema, name).as_string()) for name in names)
    return _TYPE_IDS.format(*types).as_bytes()


def append_query(schema: str) -> bytes:
    return _APPEND.format(schema=Identifier(schema)).as_bytes()


def register(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    """Lets the connection take `Binary` parameters."""
    connection.adapters.register_dumper(Binary, _BinaryDumper)


class Encoded(NamedTuple):
    """One command's append, but for its number in the group."""

    events: Sequence[bytes]
    idempotency_key: bytes | None
    sealing_keys: Sequence[bytes]
    touches: KeysView[bytes]
    """Streams and keys; no other command of the group may touch one of them."""


def encode(append: Append) -> Encoded:
    """Raises: ValueError for what could not be stored, whatever the state of the ledger."""
    if not append.events:
        raise ValueError("an append needs at least one event")
    metadata = _encode_metadata(append.metadata)
    touches: dict[bytes, int] = {}
    events = []
    for event in append.events:
        stream_id = _id_bytes(event.originator_id)
        version = event.originator_version
        if version != touches.get(stream_id, version - 1) + 1:
            raise ValueError("the versions of a stream must be consecutive")
        touches[stream_id] = version
        own = metadata if event.metadata is None else _encode_metadata(event.metadata)
        events.append(_encode_event(event, stream_id) + own)
    idempotency_key = None
    if append.idempotency is not None:
        idempotency_key = _encode_idempotency_key(append.idempotency)
        touches[append.idempotency.key_hash] = 0
    sealing_keys = []
    for key in append.keys:
        sealing_keys.append(_encode_sealing_key(key))
        touches[key.key_id.bytes] = 0
    return Encoded(events, idempotency_key, sealing_keys, touches.keys())


def group_parameters(group: Sequence[Encoded], types: TypeIds) -> tuple[Binary, Binary, Binary]:
    """The three arguments of `append` for commands numbered from 1 in the order given."""
    numbered = list(enumerate(group, start=1))
    return (
        _array(types.event, _EVENT_FIELDS, ((n, event) for n, one in numbered for event in one.events)),
        _array(
            types.idempotency_key,
            _IDEMPOTENCY_KEY_FIELDS,
            ((n, one.idempotency_key) for n, one in numbered if one.idempotency_key is not None),
        ),
        _array(
            types.sealing_key,
            _SEALING_KEY_FIELDS,
            ((n, key) for n, one in numbered for key in one.sealing_keys),
        ),
    )


def _array(element_type: int, fields: int, elements: Iterable[tuple[int, bytes]]) -> Binary:
    parts = [b""]
    for number, element in elements:
        parts.append(_ELEMENT.pack(len(element) + 16, fields, _INTEGER, 4, number))
        parts.append(element)
    count = len(parts) // 2
    if count == 0:
        return Binary(_EMPTY_ARRAY.pack(0, 0, element_type))
    parts[0] = _ARRAY.pack(1, 0, element_type, count, 1)
    return Binary(b"".join(parts))


def _encode_event(event: NewEvent, stream_id: bytes) -> bytes:
    topic = event.topic.encode()
    fixed = _EVENT.pack(
        *(_UUID, 16, stream_id),
        *(_INTEGER, 4, event.originator_version),
        *(_UUID, 16, event.event_id.bytes),
        *(_SMALLINT, 2, event.schema_version),
        *(_TEXT, len(topic)),
    )
    return b"".join((fixed, topic, _HEADER.pack(_BYTEA, len(event.state)), event.state))


def _encode_metadata(metadata: Metadata) -> bytes:
    since = metadata.occurred_at - _EPOCH
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return b"".join(
        (
            _TIMES.pack(_TIMESTAMPTZ, 8, microseconds, _UUID, 16, metadata.correlation_id.bytes),
            _text(metadata.actor_ref),
            _text(metadata.actor_role),
            _text(metadata.policy),
            _id(metadata.unit),
            _id(metadata.causation_id),
            _id(metadata.import_id),
            _text(metadata.imported_by),
            _text(metadata.traceparent),
        )
    )


def _encode_idempotency_key(key: IdempotencyKey) -> bytes:
    return _bytes(key.key_hash) + _bytes(key.body_hash)


def _encode_sealing_key(key: WrappedKey) -> bytes:
    persons = [_LENGTH.pack(16) + person.bytes for person in key.persons]
    array = b"".join((_ARRAY.pack(1, 0, _UUID, len(persons), 1), *persons))
    if not persons:
        array = _EMPTY_ARRAY.pack(0, 0, _UUID)
    return b"".join((_id(key.key_id), _bytes(key.wrapped), _HEADER.pack(_UUIDS, len(array)), array))


def _id(value: UUID | None) -> bytes:
    return _ABSENT_ID if value is None else _ID.pack(_UUID, 16, value.bytes)


def _text(value: str | None) -> bytes:
    if value is None:
        return _ABSENT_TEXT
    if "\x00" in value:
        raise ValueError("PostgreSQL's text can't hold NUL")
    encoded = value.encode()
    return _HEADER.pack(_TEXT, len(encoded)) + encoded


def _bytes(value: bytes) -> bytes:
    return _HEADER.pack(_BYTEA, len(value)) + value


def _id_bytes(value: UUID | str) -> bytes:
    """Stream ids are UUIDs, though the library's type leaves room for text."""
    if not isinstance(value, UUID):
        raise ValueError("a stream id is a UUID")
    return value.bytes
