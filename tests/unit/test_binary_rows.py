"""Values are written as PostgreSQL's driver writes them, or refused."""

from collections.abc import Callable
from datetime import UTC
from struct import error
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import adapters
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format

from services.projections.binary import ENCODED
from services.projections.catalogue import TABLES

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
INSTANTS = st.datetimes(timezones=st.just(UTC))
POSITIONS = st.integers(-(2**63), 2**63 - 1)


def driver(kind: str) -> Callable[[Any], bytes]:
    """How the driver writes a value of a type, its length before it."""
    plain = kind.removesuffix("[]")
    info = adapters.types[plain]
    transformer = Transformer()
    transformer.set_dumper_types([info.oid if plain == kind else info.array_oid], Format.BINARY)

    def written(value: Any) -> bytes:
        [content] = transformer.dump_sequence([value], [PyFormat.BINARY])
        assert content is not None
        return len(content).to_bytes(4) + bytes(content)

    return written


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid", st.uuids()),
        ("text", TEXTS),
        ("bool", st.booleans()),
        ("int2", st.integers(-(2**15), 2**15 - 1)),
        ("int4", st.integers(-(2**31), 2**31 - 1)),
        ("int8", POSITIONS),
        ("date", st.dates()),
        ("timestamptz", INSTANTS),
        ("bytea", st.binary()),
        ("uuid[]", st.lists(st.uuids())),
        ("text[]", st.lists(TEXTS)),
    ],
)
def test_a_value_is_written_as_the_driver_writes_it(kind: str, values: st.SearchStrategy[Any]) -> None:
    written = driver(kind)

    @given(values)
    def same(value: Any) -> None:
        assert ENCODED[kind](value) == written(value)

    same()


def test_reasons_are_written_as_json() -> None:
    content = b'\1[{"topic":"case.registered","position":7}]'
    assert ENCODED["jsonb"]((("case.registered", 7),)) == len(content).to_bytes(4) + content


@pytest.mark.parametrize(("kind", "value"), [("int2", 2**15), ("int4", 2**31), ("int8", 2**63)])
def test_a_number_too_large_is_refused(kind: str, value: int) -> None:
    with pytest.raises(error):
        ENCODED[kind](value)


def test_every_column_of_the_read_models_can_be_written() -> None:
    assert {kind for table in TABLES.values() for kind in table.columns.values()} <= ENCODED.keys()
