"""Batches: many commands in one request, streamed in and out as lines of JSON.

Lines to one stream go in order, lines to different streams side by side, so that they are
committed in groups. What a client doesn't read while it is still sending is kept on disk.
"""

import asyncio
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final
from uuid import UUID

import msgspec

from shared.runtime.bodies import read_id
from shared.runtime.problems import Problem, Text
from shared.runtime.sessions import CSRF_HEADER
from shared.runtime.web import (
    BODY_BYTES_MAX,
    Answer,
    Line,
    Operation,
    Request,
    Streamed,
    problem_answer,
)

BATCH_BYTES_MAX: Final = 64 << 20
LINE_BYTES_MAX: Final = BODY_BYTES_MAX + (64 << 10)
LINES_AT_WORK_MAX: Final = 256
"""Enough to fill the groups that are committed together."""
_UNREAD_IN_MEMORY_MAX: Final = 4 << 20
_CHUNK_BYTES: Final = 64 << 10
_MEDIA_TYPE: Final = "application/x-ndjson"
_EXAMPLE: Final = (
    '{"method":"POST","path":"/v1/cases","headers":{"Idempotency-Key":"1"},"body":{"case_id":"…"}}\n'
    '{"method":"POST","path":"/v1/cases/…/accept-case","headers":{"Idempotency-Key":"2","If-Match":"*"}}\n'
)
_COUNTING_HEADERS: Final = (
    b"authorization",
    b"idempotency-key",
    b"if-match",
    b"anjie-import",
    b"accept-language",
)

_SESSION_HEADERS: Final = (b"cookie", CSRF_HEADER.lower().encode())
"""Those by which lines come from whoever is signed in; the request's alone count."""

AnswerLine = Callable[[Request], Awaitable[Answer | Streamed]]


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """One command as a line; `actor` says in whose name, under an import."""

    method: str
    path: str
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b"{}")
    actor: dict[str, Any] | None = None


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    body: msgspec.Raw


class _Opening(msgspec.Struct):
    case_id: UUID | None = None


class _Ids(msgspec.Struct):
    """The ids in a body that say which streams it is for, and which must come before it."""

    case_id: UUID | None = None
    into_case_id: UUID | None = None
    visit_id: UUID | None = None
    unit_id: UUID | None = None
    import_id: UUID | None = None
    service_id: UUID | None = None
    roster_id: UUID | None = None
    publication_id: UUID | None = None
    opens_case: _Opening | None = None
    parent_id: UUID | None = None
    unit: UUID | None = None
    origin_unit: UUID | None = None


_read_line = msgspec.json.Decoder(BatchLine).decode
_read_ids = msgspec.json.Decoder(_Ids).decode
_write_answer = msgspec.json.Encoder().encode


def operation(answer: AnswerLine) -> Operation:
    """The operation; `answer` gives the answer to one line's request."""

    async def handle(request: Request) -> Streamed:
        announced = request.headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > BATCH_BYTES_MAX:
            raise Problem("too-large", limit=BATCH_BYTES_MAX)
        return Streamed(200, _Batch(request, answer).answers(), _MEDIA_TYPE.encode())

    return Operation(
        method="POST",
        path="/v1/commands:batch",
        name="batch",
        summary="Many commands, as lines of JSON; headers that a line lacks are the request's.",
        tag="batches",
        handler=handle,
        anonymous_too=True,
        streams_body=True,
        body_media={_MEDIA_TYPE: {"example": _EXAMPLE}},
        answers={200: _MEDIA_TYPE},
        problems=(413,),
        headers=("?Accept-Language",),
    )


class _Batch:
    def __init__(self, request: Request, answer: AnswerLine) -> None:
        self._request = request
        self._answer = answer
        self._at_work: deque[asyncio.Task[bytes]] = deque()
        self._last: dict[UUID, asyncio.Task[bytes]] = {}
        """The last line at work on each stream."""
        self._succeeded: set[UUID] = set()
        self._refused: set[UUID] = set()
        self._inherited = {
            name: value
            for name, value in request.headers.items()
            if name in _COUNTING_HEADERS or name in _SESSION_HEADERS
        }

    async def answers(self) -> AsyncIterator[bytes]:
        """The answers in the order of the lines, as they are there."""
        with tempfile.SpooledTemporaryFile(max_size=_UNREAD_IN_MEMORY_MAX) as spool:
            written = asyncio.Event()
            working = asyncio.create_task(self._work(spool, written), name="batch")
            read = 0
            try:
                while True:
                    over = working.done()
                    spool.seek(read)
                    chunk = spool.read(_CHUNK_BYTES)
                    if chunk:
                        read += len(chunk)
                        yield chunk
                    elif over:
                        break
                    else:
                        written.clear()
                        await written.wait()
                await working
            finally:
                working.cancel()
                for task in self._at_work:
                    task.cancel()

    async def _work(self, spool: "tempfile.SpooledTemporaryFile[bytes]", written: asyncio.Event) -> None:
        """Sets every line to work as it comes in, and puts the answers into the spool in order."""

        async def put_first() -> None:
            answer = await self._at_work[0]
            self._at_work.popleft()
            spool.seek(0, 2)
            spool.write(answer)
            written.set()

        try:
            async for line in self._lines():
                self._begin(line)
                while len(self._at_work) >= LINES_AT_WORK_MAX or (self._at_work and self._at_work[0].done()):
                    await put_first()
            while self._at_work:
                await put_first()
        finally:
            written.set()

    async def _lines(self) -> AsyncIterator[bytes | Problem]:
        """The lines that aren't blank; the last may be the problem that ends the batch."""
        rest, size = b"", 0
        async for chunk in self._request.chunks():
            size += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield line
            if size > BATCH_BYTES_MAX or len(rest) > LINE_BYTES_MAX:
                yield Problem(
                    "too-large", limit=BATCH_BYTES_MAX if size > BATCH_BYTES_MAX else LINE_BYTES_MAX
                )
                return
        if rest.strip():
            yield rest

    def _begin(self, content: bytes | Problem) -> None:
        try:
            if isinstance(content, Problem):
                raise content
            if len(content) > LINE_BYTES_MAX:
                raise Problem("too-large", limit=LINE_BYTES_MAX)
            line = _line(content)
            request = self._request_of(line)
        except Problem as problem:
            self._at_work.append(asyncio.create_task(self._told(problem)))
            return
        streams, waits = _streams(line)
        before = {task for stream in (*streams, *waits) if (task := self._last.get(stream)) is not None}
        task = asyncio.create_task(self._run(request, line, streams, before))
        self._at_work.append(task)
        for stream in streams:
            self._last[stream] = task

    async def _told(self, problem: Problem) -> bytes:
        return _encoded(problem_answer(problem, self._request.language))

    def _request_of(self, line: BatchLine) -> Request:
        path, _, query = line.path.partition("?")
        own = {name.lower().encode(): value.encode() for name, value in line.headers.items()}
        headers = self._inherited | {name: value for name, value in own.items() if name in _COUNTING_HEADERS}
        headers[b"traceparent"] = self._request.traceparent.encode()
        return Request(line.method, path, headers, query_string=query.encode(), content=bytes(line.body))

    async def _run(
        self, request: Request, line: BatchLine, streams: Iterable[UUID], before: set[asyncio.Task[bytes]]
    ) -> bytes:
        if before:
            await asyncio.wait(before)
        streams = set(streams)
        if not streams.isdisjoint(self._refused):
            answer: Answer | Streamed = problem_answer(Problem("failed-dependency"), request.language)
        else:
            known = not streams.isdisjoint(self._succeeded)
            request.line = Line(known or b"anjie-import" in request.headers, line.actor)
            answer = await self._answer(request)
        assert isinstance(answer, Answer)
        (self._succeeded if answer.status < 300 else self._refused).update(streams)
        this = asyncio.current_task()
        for stream in streams:
            if self._last.get(stream) is this:
                del self._last[stream]
        return _encoded(answer)


def _line(content: bytes) -> BatchLine:
    try:
        return _read_line(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        detail = Text(
            "a line must be {method, path, headers, body}", "每行须为 {method, path, headers, body}"
        )
        raise Problem("unreadable", detail) from None


def _streams(line: BatchLine) -> tuple[list[UUID], list[UUID]]:
    """The streams that a line is for, and those that it has to wait for only."""
    streams: list[UUID] = []
    in_path = line.path.split("/")
    if len(in_path) > 3 and (stream := read_id(in_path[3])) is not None:
        streams.append(stream)
    try:
        ids = _read_ids(line.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return streams, []
    own = [ids.into_case_id, ids.visit_id, ids.unit_id, ids.import_id, ids.service_id, ids.roster_id]
    own += [ids.publication_id]
    waits = [ids.parent_id, ids.unit, ids.origin_unit, read_id(line.headers.get("Anjie-Import", ""))]
    if ids.opens_case is not None:
        own.append(ids.opens_case.case_id)
    (own if in_path[-1] == "cases" else waits).append(ids.case_id)
    streams += [stream for stream in own if stream is not None]
    return streams, [stream for stream in waits if stream is not None]


def _encoded(answer: Answer) -> bytes:
    headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
    headers["content-type"] = answer.media_type.decode()
    line = BatchAnswer(status=answer.status, headers=headers, body=msgspec.Raw(answer.content))
    return _write_answer(line) + b"\n"
