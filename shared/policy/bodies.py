"""What every command body is made of, and what may be wrong with one beyond its types."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from shared.events.cases import OnBehalfOf

ServerMade = Annotated[UUID | None, Meta(extra_json_schema={"x-server-made": True})]
"""An id that the server makes where the client made none; see `with_ids`."""
Ref = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=20_000)]
Number = Annotated[int, Meta(ge=1, le=1_000)]

FIRST_YEAR, LAST_YEAR = 1900, 2200
_SURROGATES = re.compile("[\ud800-\udfff]")


_ALWAYS_FIT = frozenset((type(None), bool, int, UUID))
"""Types whose values nothing can be wrong with; most fields of most bodies."""


class Fault(NamedTuple):
    """What is wrong with one place of a body: a JSON pointer and a stable code."""

    pointer: str
    code: str


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The root of everything that stands in a body."""

    def faults(self) -> Iterator[Fault]:
        """Fields that need each other and don't fit, with pointers relative to this struct."""
        return iter(())


class Body(Shape, frozen=True, kw_only=True):
    """What every command takes; `command` is its path segment, from the class's name."""

    command: ClassVar[str]

    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None
    note: Text | None = None
    about: Annotated[tuple[UUID, ...], Meta(max_length=100)] | None = None
    """Whom the free texts concern; absent: the case's people."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.command = "-".join(re.findall(r"[A-Z][a-z]*", cls.__name__)).lower()

    @property
    def files(self) -> tuple[UUID, ...]:
        """The files that it names."""
        return ()


class OpeningBody(Body, frozen=True, kw_only=True):
    """The body that opens a case."""

    origin_unit: UUID


class PartyBody(Body, frozen=True, kw_only=True):
    """The body of an act of a party or complainant, which the holder or mediator may record for them."""

    on_behalf_of: OnBehalfOf | None = None


class PersonalBody(PartyBody, frozen=True, kw_only=True):
    """The body of an act that only one person can do for themselves."""

    person_ref: UUID


def check_text(body: object, pointer: str = "") -> list[Fault]:
    """What is wrong with a body beyond its types, in the order of its fields.

    Texts with NUL (`nul`) or a lone surrogate (`surrogate`), or nothing but blanks (`blank`); dates
    outside 1900–2200 (`absurd-date`); fields that need each other. Takes decoded JSON as well.
    """
    return list(_faults(body, pointer))


def _faults(value: object, pointer: str) -> Iterator[Fault]:
    match value:
        case str():
            if "\0" in value:
                yield Fault(pointer, "nul")
            elif _SURROGATES.search(value):
                yield Fault(pointer, "surrogate")
            elif not value.strip():
                yield Fault(pointer, "blank")
        case date():
            if not FIRST_YEAR <= value.year <= LAST_YEAR:
                yield Fault(pointer, "absurd-date")
        case dict():
            for key, item in value.items():
                yield from _faults(item, f"{pointer}/{_escaped(str(key))}")
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _faults(item, f"{pointer}/{index}")
        case msgspec.Struct():
            for name, encoded in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
                item = getattr(value, name)
                if type(item) not in _ALWAYS_FIT:
                    yield from _faults(item, f"{pointer}/{encoded}")
            if isinstance(value, Shape):
                yield from (Fault(pointer + fault.pointer, fault.code) for fault in value.faults())


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


B = TypeVar("B", bound=msgspec.Struct)


def with_ids(body: B, new_id: Callable[[], UUID]) -> B:
    """The body with every absent `ServerMade` id filled in, nested people included."""
    changes: dict[str, Any] = {}
    made = _server_made(type(body))
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if value is None:
            if name in made:
                changes[name] = new_id()
        elif isinstance(value, msgspec.Struct):
            changes[name] = with_ids(value, new_id)
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            changes[name] = tuple(with_ids(item, new_id) for item in value)
    return replace(body, **changes) if changes else body


@cache
def _server_made(cls: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(
        field.name
        for field in msgspec.structs.fields(cls)
        for meta in getattr(field.type, "__metadata__", ())
        if (meta.extra_json_schema or {}).get("x-server-made")
    )
