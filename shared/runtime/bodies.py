"""Reading what a client sent: JSON into declared structs, and what doesn't fit named field by field."""

import functools
import json
import re
import typing
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from shared.policy.bodies import Fault, check_text
from shared.policy.rules import FAULTS
from shared.runtime.problems import FieldError, Problem, Text, invalid, invalid_fields

T = TypeVar("T")
R = TypeVar("R")

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
        (r"Expected `str` of length >= 1", "length", "must not be empty", "不能为空"),
        (r"Expected `str` of length <= (\d+)", "length", "must have at most {0} signs", "最多 {0} 个字"),
        (r"Expected `str` of length >= (\d+)", "length", "must have at least {0} signs", "至少 {0} 个字"),
        (r"Expected `\w+` of length <= (\d+)", "length", "must have at most {0} entries", "最多 {0} 项"),
        (r"Expected `\w+` of length >= (\d+)", "length", "must have at least {0} entries", "至少 {0} 项"),
        (r"Expected `\w+` <= (-?\d+)", "range", "must be at most {0}", "不能大于 {0}"),
        (r"Expected `\w+` >= (-?\d+)", "range", "must be at least {0}", "不能小于 {0}"),
        (r"Expected `\w+` matching regex .*", "format", "does not have the form expected", "格式不符"),
        (r"Expected `int(?: \| null)?`, got .*", "type", "must be a whole number", "须是整数"),
        (r"Expected `bool(?: \| null)?`, got .*", "type", "must be true or false", "须为 true 或 false"),
        (r"Expected `str(?: \| null)?`, got .*", "type", "must be a text", "须是文字"),
        (r"Expected `array(?: \| null)?`, got .*", "type", "must be a list", "须是列表"),
        (r"Expected `object(?: \| null)?`, got .*", "type", "must be an object", "须是对象"),
        (r"Expected `([^`]*)`, got `([^`]*)`", "type", "must be {0}, not {1}", "类型须为 {0}，而不是 {1}"),
        (r".*out of range.*", "range", "is out of range", "超出范围"),
    )
)  # fmt: skip
_SPACED_OFFSET = re.compile(r"(\dT\d\d:\d\d:\d\d(?:\.\d+)?) (\d\d:\d\d)$")
_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>\$.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_OTHER = Text("does not fit", "不符合要求")


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
    content = content or b"{}"
    try:
        body: T = _decoder(cls)(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unfit(content, error) from None
    _refuse_faults(body)
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
    for name, given in pairs:
        # In a query a plus sign stands for a space, so an offset that wasn't encoded arrives with one.
        value = _SPACED_OFFSET.sub(r"\1+\2", given)
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
    if faults := check_text(query):
        raise invalid_fields(
            [FieldError(_shown(pointer.lstrip("/")), code, _text(code)) for pointer, code in faults]
        )
    return query


def read_form(content: bytes) -> dict[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body; of repeated ones the last.

    Raises: Problem 400 where it can't be read.
    """
    try:
        fields = parse_qsl(
            content.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise Problem("unreadable") from None
    return dict(fields)


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
    unstorable = [fault for fault in (*_names(parsed, ""), *check_text(parsed)) if fault.code != "blank"]
    if unstorable:
        return invalid_fields(
            [FieldError(_shown(pointer), code, _text(code)) for pointer, code in unstorable]
        )
    if isinstance(error, msgspec.ValidationError):
        return invalid(*_explain(str(error)))
    return Problem("unreadable")


def _refuse_faults(value: Any) -> None:
    if faults := check_text(value):
        raise invalid_fields([FieldError(_shown(pointer), code, _text(code)) for pointer, code in faults])


def _shown(pointer: str) -> str:
    """A pointer whose steps may hold what can't be written in an answer."""
    return pointer.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _text(code: str) -> Text:
    zh, en = FAULTS[code]
    return Text(en, zh)


def _names(value: Any, pointer: str) -> Iterator[Fault]:
    """What is wrong with the names of members, which `check_text` takes as they are."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _names(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            step = f"{pointer}/{_escaped(name)}"
            yield from (Fault(step, fault.code) for fault in check_text(name) if fault.code != "blank")
            yield from _names(item, step)


@_once_a_type
def _list_fields(cls: Any) -> frozenset[str]:
    hints = typing.get_type_hints(cls)
    return frozenset(
        name
        for name in hints
        if any(typing.get_origin(h) in (list, tuple) for h in (hints[name], *typing.get_args(hints[name])))
    )
