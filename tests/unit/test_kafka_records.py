"""Records of the events' topic, whose headers anybody may have written."""

import pickle
from datetime import UTC, datetime
from typing import Final

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from kafka.consumer.fetcher import ConsumerRecord

from services.projections.kafka_reader import Taken
from services.projections.kafka_records import claims_of
from services.relay.records import record_of
from shared.events.registry import encode
from shared.events.units import UnitRegistered
from shared.policy.actor import Actor
from shared.runtime.identifiers import new_id
from tests.unit.casework import recorded_of

_SHARDS: Final = 4
_LEDGER: Final = new_id()
_REGISTERED: Final = UnitRegistered(kind="TOWNSHIP", name="余东镇")
_RECORDED: Final = msgspec.structs.replace(
    recorded_of(
        _REGISTERED,
        Actor(ref="op", role="operator", unit=None),
        new_id(),
        version=1,
        position=7,
        at=datetime(2025, 3, 3, 9, tzinfo=UTC),
    ),
    data=encode(_REGISTERED),
)
_SENT: Final = record_of(_RECORDED, _LEDGER, "events", _SHARDS)


def read(headers: dict[str, bytes | None]) -> Taken:
    """What comes of the record with some headers of its own, in the worker that reads it."""
    values = (_SENT.key, _SENT.value, [*{**dict(_SENT.headers), **headers}.items()])
    record = ConsumerRecord(_SENT.topic, _SENT.partition, 0, 0, 0, 0, *values, None, 0, 0, 0)
    told = dict.fromkeys(range(_SHARDS), 0)
    claims, unread = claims_of([record], told, f"/ledgers/{_LEDGER}", _SHARDS)
    taken = Taken(claims=claims, unread=unread, complete={}, offsets={_SENT.partition: 1})
    received: Taken = pickle.loads(pickle.dumps(taken))
    return received


def test_the_record_of_an_event_is_the_event() -> None:
    [claim] = read({}).claims
    assert claim.fits(_RECORDED)


@given(
    headers=st.dictionaries(
        st.sampled_from([name for name, _ in _SENT.headers]),
        st.none() | st.binary(max_size=40) | st.integers().map(lambda number: str(number).encode()),
        min_size=1,
    )
)
@example(headers={"ce_type": None})
@example(headers={"ce_position": None})
@example(headers={"ce_version": b"1" + 30 * b"0"})
@example(headers={"ce_time": b"0001-01-01T00:00:00+14:00"})
@example(headers={"ce_time": b"2025-03-03T09:00:00"})
def test_whatever_headers_say_a_record_is_a_claim_or_left_out(headers: dict[str, bytes | None]) -> None:
    taken = read(headers)
    assert len(taken.claims) + len(taken.unread) == 1
