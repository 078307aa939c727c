"""Tables of temporal rows: the columns that all of them have, and their own."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from services.projections.binary import ENCODED, NULL

_VALIDITY: Final = (
    "stream_id",
    "shard",
    "known_from",
    "known_until",
    "occurred_from",
    "occurred_until",
    "closed_at",
    "row_key",
)


class Table(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    name: str
    columns: Mapping[str, str]
    """Its own columns in the order of a row's values, with their PostgreSQL types."""

    @cached_property
    def all_columns(self) -> tuple[str, ...]:
        return (*_VALIDITY, *self.columns)

    @cached_property
    def width(self) -> int:
        """How many columns a row has."""
        return len(self.all_columns)

    @cached_property
    def _encoders(self) -> tuple[Callable[[Any], bytes], ...]:
        return tuple(ENCODED[kind] for kind in self.columns.values())

    def encoded(self, values: Sequence[Any]) -> bytes:
        """A row's values as a binary COPY takes them. Raises: struct.error, where a number is too large."""
        return b"".join(
            [
                NULL if value is None else encode(value)
                for encode, value in zip(self._encoders, values, strict=True)
            ]
        )
