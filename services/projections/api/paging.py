"""Pages of a list: the cursor in the answer and the link to the next page."""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec

from services.projections.api.queries import CompareQuery, PageQuery
from services.projections.reads.cursors import Cursor, CursorInvalid, read_cursor, write_cursor
from services.projections.reads.moments import Moment
from shared.runtime.problems import Text, invalid
from shared.runtime.web import Answer, Request, json_answer

_NOT_OF_THIS_LIST = Text("does not belong to this list", "不属于此列表")

_REQUIRED = Text("is required", "必填")

_NOT_ASKED = ("at_position", "at_recorded", "min_position", "limit", "cursor", "next")
"""Parameters that are no part of what a cursor goes on with: it has the position."""

Query = TypeVar("Query", bound=PageQuery | CompareQuery)
Place = TypeVar("Place")
Needed = TypeVar("Needed")


class Turned(NamedTuple, Generic[Query, Place]):
    """What a page is asked for: the question of the first page, as of its moment, from a place on."""

    query: Query
    after: Place | None


def turn(request: Request, cls: type[Query], place: type[Place]) -> Turned[Query, Place]:
    """The page that a request asks for; beside a cursor only the limit counts.

    Raises: Problem 422 for a cursor that isn't one of this list, or a parameter that doesn't fit.
    """
    query = request.query(cls)
    given = query.cursor or query.next
    if given is None:
        return Turned(query, None)
    try:
        cursor = read_cursor(given, request.path)
        question = msgspec.convert(cursor.question, cls, strict=False)
        after = msgspec.convert(cursor.after, place, strict=False)
    except (CursorInvalid, msgspec.ValidationError):
        raise invalid("cursor", "cursor", _NOT_OF_THIS_LIST) from None
    pinned = msgspec.structs.replace(question, limit=query.limit)
    if isinstance(pinned, PageQuery):
        pinned = msgspec.structs.replace(
            pinned, at_position=cursor.position, at_recorded=None, min_position=None
        )
    return Turned(pinned, after)


def place_of(cursor: str | None, path: str, place: type[Place]) -> Place | None:
    """Where the list of a body with this cursor goes on; the rest of the question is in the body itself.

    Raises: Problem 422.
    """
    if cursor is None:
        return None
    try:
        return msgspec.convert(read_cursor(cursor, path).after, place, strict=False)
    except (CursorInvalid, msgspec.ValidationError):
        raise invalid("/cursor", "cursor", _NOT_OF_THIS_LIST) from None


def cursor_of(path: str, moment: Moment, after: Any) -> str | None:
    """The cursor for such a body; None where there is no more."""
    if after is None:
        return None
    return write_cursor(
        Cursor(path=path, question={}, position=moment.position, after=msgspec.to_builtins(after))
    )


def needed(name: str, value: Needed | None) -> Needed:
    """A parameter that only the first page must name, since the cursor has it. Raises: Problem 422."""
    if value is None:
        raise invalid(name, "missing", _REQUIRED)
    return value


def page_answer(
    request: Request, query: PageQuery | CompareQuery, moment: Moment, members: Mapping[str, Any], after: Any
) -> Answer:
    """The page with its cursor, and a `Link` to the next one where there is more."""
    answer = {**members, **moment.stamp(), "next": None}
    if after is None:
        return json_answer(answer)
    question = msgspec.to_builtins(query)
    for name in _NOT_ASKED:
        question.pop(name, None)
    cursor = write_cursor(
        Cursor(
            path=request.path,
            question={name: value for name, value in question.items() if value is not None},
            position=moment.position,
            after=msgspec.to_builtins(after),
        )
    )
    target = f"{request.path}?{urlencode({'limit': query.limit, 'cursor': cursor})}"
    return json_answer({**answer, "next": cursor}, 200, ((b"link", f'<{target}>; rel="next"'.encode()),))
