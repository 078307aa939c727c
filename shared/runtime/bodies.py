"""Reading what a client sent: JSON into declared structs, and what doesn't fit named field by field."""

import functools
import json
import re
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from shared.runtime.problems import Problem, Text, invalid

T = TypeVar("T")
R = TypeVar("R")

YEAR_MIN, YEAR_MAX = 1900, 2199
"""Dates outside of these are taken for slips of the hand."""

_canonical = msgspec.json.Encoder(order="deterministic")

_MESSAGES: tuple[tuple[re.Pattern[str], str, Text], ...] = tuple(
    (re.compile(pattern), code, Text(en, zh))
    for pattern, code, en, zh in (
        (r"Object missing required field `(.*)`", "missing", "is required", "必填"),
        (r"Object contains unknown field `(.*)`", "unknown", "is not a field here", "没有这个字段"),
        (r"Invalid enum value .*", "value", "is not one of the values allowed", "不在可用的取值之内"),
        (r"Invalid UUID", "format", "is not a UUID", "不是有效的 UUID"),
        (r"Invalid RFC3339 encoded date", "format", "is not a date (YYYY-MM-DD)", "不是日期（YYYY-MM-DD）"),
        (
            r"(?:Invalid RFC3339 encoded datetime|Expected `datetime` with a timezone component)",
            "format",
            "is not an instant with an offset (RFC 3339)",
            "不是带时区的时间（RFC 3339）",
        ),
        (
            r"Expected `(\w+)` of length ([<>]=?|==) (\d+)",
            "length",
            "must have a length {1} {2}",
            "长度须 {1} {2}",
        ),
        (r"Expected `(\w+)` ([<>]=?) (-?\d+)", "range", "must be {1} {2}", "须 {1} {2}"),
        (r"Expected `\w+` matching regex .*", "format", "does not have the form expected", "格式不符"),
        (r"Expected `([^`]*)`, got `([^`]*)`", "type", "must be {0}, not {1}", "类型须为 {0}，而不是 {1}"),
        (r".*out of range.*", "range", "is out of range", "超出范围"),
    )
)  # fmt: skip
_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_OTHER = Text("does not fit", "不符合要求")
_NUL = Text("contains a NUL character", "含有空字符（NUL）")
_SURROGATE = Text("contains half of a surrogate pair", "含有不成对的代理字符")
_NAIVE = Text("is not an instant with an offset (RFC 3339)", "不是带时区的时间（RFC 3339）")
_ABSURD = Text(f"lies outside the years {YEAR_MIN} to {YEAR_MAX}", f"不在 {YEAR_MIN} 年至 {YEAR_MAX} 年之间")


def _once_a_type(make: Callable[[Any], R]) -> Callable[[Any], R]:
    """Remembers what was made for each type."""
    return functools.cache(make)


@_once_a_type
def _decoder(cls: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(cls).decode


def read_body(content: bytes, cls: type[T]) -> T:
    """The struct that a JSON body holds; an empty body stands for `{}`.

    Raises: Problem, 400 where it isn't JSON, 422 naming the field that doesn't fit.
    """
    try:
        body: T = _decoder(cls)(content or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unfit(content, error) from None
    if b"\\u0000" in content:
        _refuse_unstorable(json.loads(content))
    _refuse_absurd_dates(body, "")
    return body


def canonical(body: msgspec.Struct) -> bytes:
    """The same bytes for the same body, whatever the spaces and the order it was written with."""
    return _canonical.encode(body)


def read_query(query_string: bytes, cls: type[T]) -> T:
    """The struct that a query string holds; a repeated parameter makes a list.

    Raises: Problem, 422 naming the parameter that doesn't fit.
    """
    lists = _list_fields(cls)
    values: dict[str, Any] = {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise invalid(
            "query", "unreadable", Text("is not percent-encoded UTF-8", "不是百分号编码的 UTF-8")
        ) from None
    for name, value in pairs:
        if "\x00" in value:
            raise invalid(name, "nul", _NUL)
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise invalid(name, "repeated", Text("is given twice", "重复给出"))
        else:
            values[name] = value
    try:
        query = msgspec.convert(values, cls, strict=False)
    except msgspec.ValidationError as error:
        pointer, code, text = _explain(str(error))
        raise invalid(pointer.lstrip("/"), code, text) from None
    _refuse_absurd_dates(query, "")
    return query


def read_id(text: str) -> UUID | None:
    """A UUID in its usual form, or None."""
    try:
        return msgspec.convert(text, UUID) if len(text) == 36 else None
    except msgspec.ValidationError:
        return None


def pointer_of(path: str) -> str:
    """`$.people[0].name` as the JSON pointer `/people/0/name`."""
    steps = (name or index for name, index in _STEP.findall(path))
    return "".join("/" + _escaped(step) for step in steps)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _explain(message: str) -> tuple[str, str, Text]:
    match = _PLACE.match(message)
    assert match is not None
    pointer, said = pointer_of(match["path"] or ""), match["message"]
    for pattern, code, text in _MESSAGES:
        if found := pattern.fullmatch(said):
            if code in ("missing", "unknown"):
                return f"{pointer}/{_escaped(found[1])}", code, text
            words = found.groups()
            return pointer, code, Text(text.en.format(*words), text.zh.format(*words))
    return pointer, "invalid", _OTHER


def _unfit(content: bytes, error: Exception) -> Problem:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return Problem("unreadable")
    try:
        _refuse_unstorable(parsed)
    except Problem as problem:
        return problem
    if isinstance(error, msgspec.ValidationError):
        return invalid(*_explain(str(error)))
    return Problem("unreadable")


def _refuse_unstorable(parsed: Any) -> None:
    for pointer, text in _strings(parsed, ""):
        if "\x00" in text:
            raise invalid(pointer.replace("\x00", "�"), "nul", _NUL)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise invalid(pointer.encode("utf-8", "replace").decode(), "surrogate", _SURROGATE)


def _strings(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield f"{pointer}/{_escaped(name)}", name
            yield from _strings(item, f"{pointer}/{_escaped(name)}")


def _refuse_absurd_dates(struct: Any, pointer: str) -> None:
    for name in _dated_fields(type(struct)):
        value = getattr(struct, name)
        if isinstance(value, datetime | date):
            if isinstance(value, datetime) and value.tzinfo is None:
                raise invalid(f"{pointer}/{name}", "format", _NAIVE)
            year = value.year
            if year < YEAR_MIN or year > YEAR_MAX:
                raise invalid(f"{pointer}/{name}", "range", _ABSURD)
        elif isinstance(value, tuple | list):
            for index, item in enumerate(value):
                _refuse_absurd_dates(item, f"{pointer}/{name}/{index}")
        elif value is not None:
            _refuse_absurd_dates(value, f"{pointer}/{name}")


@_once_a_type
def _dated_fields(cls: Any) -> tuple[str, ...]:
    """The fields of a struct that are dates, instants, or hold structs with some in them."""
    if not issubclass(cls, msgspec.Struct):
        return ()
    hints = typing.get_type_hints(cls)
    return tuple(name for name in cls.__struct_fields__ if _may_be_dated(hints[name]))


def _may_be_dated(hint: Any) -> bool:
    arguments = typing.get_args(hint)
    if arguments:
        return any(_may_be_dated(argument) for argument in arguments)
    return isinstance(hint, type) and (issubclass(hint, date) or bool(_dated_fields(hint)))


@_once_a_type
def _list_fields(cls: Any) -> frozenset[str]:
    hints = typing.get_type_hints(cls)
    return frozenset(
        name
        for name in hints
        if any(typing.get_origin(h) in (list, tuple) for h in (hints[name], *typing.get_args(hints[name])))
    )


def utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
