"""Tables of temporal rows: the columns that all of them have, and their own."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

_VALIDITY: Final = {
    "stream_id": "uuid",
    "shard": "int2",
    "known_from": "int8",
    "known_until": "int8",
    "occurred_from": "timestamptz",
    "occurred_until": "timestamptz",
    "closed_at": "int8",
    "row_key": "uuid",
}


class Table(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    name: str
    columns: Mapping[str, str]
    """Its own columns in the order of a row's values, with their PostgreSQL types."""

    @cached_property
    def all_columns(self) -> tuple[str, ...]:
        return (*_VALIDITY, *self.columns)

    @cached_property
    def _arrays(self) -> tuple[bool, ...]:
        return tuple(kind.endswith("[]") for kind in self.columns.values())

    @cached_property
    def _has_arrays(self) -> bool:
        return any(self._arrays)

    def stored(self, values: Sequence[Any]) -> Sequence[Any]:
        """A row's values with arrays as lists, as the driver wants them."""
        if not self._has_arrays:
            return values
        return [list(value) if array else value for value, array in zip(values, self._arrays, strict=True)]

    @cached_property
    def all_types(self) -> tuple[str, ...]:
        return (*_VALIDITY.values(), *self.columns.values())
