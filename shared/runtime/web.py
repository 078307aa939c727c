"""The manners of every route: declared once as an `Operation`, served and documented from that.

An operation says its path, its body, its query, its answers and the problems it may end
in; `Operations` is the one route of the application that finds and runs them, so what is
served and what the OpenAPI document says can't drift apart.
"""

import hmac
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from shared.events.recorded import LedgerUnavailable, QueueFull
from shared.policy.actor import Actor
from shared.policy.refusal import Refused
from shared.runtime import metrics
from shared.runtime.asgi import receive_chunk, send_stream
from shared.runtime.bodies import read_body, read_form, read_id, read_query
from shared.runtime.problems import MEDIA_TYPE, Problem, Text, language_of, problem_of
from shared.runtime.sessions import CSRF_HEADER, Session, session_token

BODY_BYTES_MAX = 1 << 20
JSON = b"application/json"
FORM = b"application/x-www-form-urlencoded"
RETRY_AFTER_S = 1

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
"""Those that figures and logs tell apart; a client may make up any other."""
_CHANGING_NOTHING = frozenset(("GET", "HEAD", "OPTIONS"))
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")

_UNAVAILABLE = (
    LedgerUnavailable, PoolTimeout, TooManyRequests, psycopg.OperationalError, psycopg.InterfaceError,
    # Read models that are new to a database are made once the product serves.
    psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn,
)  # fmt: skip

T = TypeVar("T")

log = structlog.stdlib.get_logger("anjie.http")


class Answer(NamedTuple):
    """A whole answer; `content` is encoded already."""

    status: int
    content: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: bytes = JSON


class Streamed(NamedTuple):
    """An answer that is sent as it is made."""

    status: int
    chunks: AsyncIterator[bytes]
    media_type: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Line(NamedTuple):
    """What is different for a request that came as a line of a batch."""

    may_match_any: bool
    """Whether `If-Match: *` is allowed: an earlier line of the batch on the stream succeeded."""
    actor: Mapping[str, Any] | None
    """In whose name the operator sends it, under an import."""


class Request:
    """A request on its way to its operation."""

    __slots__ = (
        "actor", "address", "content", "headers", "language", "line", "log_fields", "method", "operation",
        "parameters", "path", "query_string", "receive", "request_id", "session", "traceparent",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        path: str,
        headers: dict[bytes, bytes],
        *,
        query_string: bytes = b"",
        receive: Receive | None = None,
        content: bytes = b"",
        line: Line | None = None,
        address: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        """By lower-case name; the last of repeated ones."""
        self.query_string = query_string
        self.content = content
        self.line = line
        self.address = address
        """Of whoever sent it to us: the client, or a proxy."""
        self.parameters: dict[str, str] = {}
        self.language = language_of(headers.get(b"accept-language"))
        self.log_fields: dict[str, Any] = {}
        self.receive = receive
        traceparent = headers.get(b"traceparent", b"")
        if _TRACEPARENT.fullmatch(traceparent):
            self.traceparent = traceparent.decode("ascii")
        else:
            made = os.urandom(24).hex()
            self.traceparent = f"00-{made[:32]}-{made[32:]}-01"
        request_id = headers.get(b"x-request-id", b"")
        self.request_id = (
            request_id.decode("ascii") if _REQUEST_ID.fullmatch(request_id) else self.traceparent[3:35]
        )
        self.operation: Operation
        self.actor: Actor
        """Who sends it; not set where nobody has to sign in."""
        self.session: Session | None = None
        """In which it was sent from a page; without one it came with a token."""

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def id(self, name: str) -> UUID:
        """A parameter of the path that is an id. Raises: Problem 404 where it can't be one."""
        found = read_id(self.parameters[name])
        if found is None:
            raise Problem("not-found")
        return found

    def query(self, cls: type[T]) -> T:
        return read_query(self.query_string, cls)

    def body(self, cls: type[T]) -> T:
        return read_body(self.content, cls)

    @property
    def csrf(self) -> str | None:
        """The CSRF token that it was sent with: a page's script has a header for it, a form a field."""
        given = self.header(CSRF_HEADER.lower().encode())
        media_type = self.headers.get(b"content-type", b"").partition(b";")[0].strip()
        return self.form().get("csrf") if given is None and media_type == FORM else given

    def form(self) -> dict[str, str]:
        """The fields of a form that the body is. Raises: Problem 400."""
        return read_form(self.content)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, for operations that take it as a stream."""
        if self.receive is None:
            yield self.content
            return
        more = True
        while more:
            chunk, more = await receive_chunk(self.receive)
            yield chunk


FindSender = Callable[[Request], Awaitable[None]]
"""Sets the `actor` of a request, and its `session` where it has one; raises Problem 401."""

Handler = Callable[[Request], Awaitable[Answer | Streamed]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path: how it is served, and what is said of it in the OpenAPI document."""

    method: str
    path: str
    """As in OpenAPI: `/v1/cases/{case_id}`."""
    name: str
    summary: str
    tag: str
    handler: Handler
    signed_in: bool = True
    anonymous_too: bool = False
    """Whether a request may go without a token and without a session; what it has must be valid."""
    before_choosing: bool = False
    """Whether it answers who hasn't yet chosen another password than the one that somebody gave them."""
    body: Any = None
    """The struct of its JSON body."""
    streams_body: bool = False
    """The handler reads the body itself, with a limit of its own."""
    body_media: dict[str, Any] = {}
    """OpenAPI media type objects of a body that isn't JSON."""
    example: Any = None
    query: Any = None
    """The struct of its query parameters."""
    answers: dict[int, Any] = {}
    """Status to the struct of the answer, or to a media type where it is not JSON."""
    problems: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    """Headers it needs, else 428; with a leading `?` those that it only takes notice of."""
    batchable: bool = False
    documented: bool = True
    """Whether the OpenAPI document tells of it; pages are for people."""


class _Node:
    """A step of a path: what may follow it, and what stands here."""

    __slots__ = ("methods", "parameters", "steps")

    def __init__(self) -> None:
        self.steps: dict[str, _Node] = {}
        self.parameters: dict[str, _Node] = {}
        """By what follows the value in the same step: nothing, or a colon and what is to be done with it."""
        self.methods: dict[str, tuple[Operation, tuple[str, ...]]] = {}


PageOf = Callable[[Request, Problem], Answer | None]
"""From a problem to the page that tells it, where a page was asked for."""


def _no_page(request: Request, problem: Problem) -> Answer | None:
    return None


class Operations(BaseRoute):
    """Everything the application answers, as one route."""

    def __init__(
        self, operations: Iterable[Operation], find_sender: FindSender, page_of: PageOf = _no_page
    ) -> None:
        """`page_of` tells a problem to people."""
        self.operations: list[Operation] = []
        self._find_sender = find_sender
        self._page_of = page_of
        self._root = _Node()
        self._needs: dict[str, tuple[bytes, ...]] = {}
        for operation in operations:
            self.add(operation)

    def add(self, operation: Operation) -> None:
        """Raises: ValueError when something else is served on its method and path."""
        node, names = self._root, []
        for step in operation.path.split("/")[1:]:
            if step.startswith("{"):
                name, _, action = step[1:].partition("}")
                names.append(name)
                node = node.parameters.setdefault(action, _Node())
            else:
                node = node.steps.setdefault(step, _Node())
        if operation.method in node.methods:
            raise ValueError(f"{operation.method} {operation.path} is declared twice")
        self.operations.append(operation)
        node.methods[operation.method] = (operation, tuple(names))
        self._needs[operation.name] = tuple(
            name.lower().encode() for name in operation.headers if not name.startswith("?")
        )

    def find(self, request: Request) -> Operation:
        """The operation that a request is for; its path's parameters are set on the request.

        Raises: Problem, 404 or 405.
        """
        node: _Node | None = self._root
        values: list[str] = []
        for step in request.path.split("/")[1:]:
            assert node is not None
            following = node.steps.get(step)
            if following is None:
                value, colon, action = step.rpartition(":")
                following = node.parameters.get(colon + action) if value else None
                if following is None:
                    value, following = step, node.parameters.get("") if step else None
                values.append(value)
            node = following
            if node is None:
                raise Problem("no-such-route")
        assert node is not None
        if not node.methods:
            raise Problem("no-such-route")
        found = node.methods.get(request.method)
        if found is None and request.method == "HEAD":
            found = node.methods.get("GET")
        if found is None:
            allowed = {*node.methods, "HEAD"} if "GET" in node.methods else node.methods
            raise Problem("method-not-allowed", headers={"Allow": ", ".join(sorted(allowed))})
        operation, names = found
        request.operation = operation
        request.parameters = dict(zip(names, values, strict=True))
        return operation

    async def answer(self, request: Request) -> Answer | Streamed:
        """What a request comes to, refusals included; never raises but for cancellation."""
        try:
            operation = self.find(request)
            if request.line is not None and not operation.batchable:
                raise Problem("no-such-route")
            if operation.signed_in and not (operation.anonymous_too and _is_anonymous(request)):
                await self._find_sender(request)
                _check_chosen(request, operation)
            for name in self._needs[operation.name]:
                if not request.headers.get(name):
                    raise Problem("header-missing", _header_missing(name), header=name.decode().title())
            if not operation.streams_body and request.method != "GET":
                request.content = await _whole_body(request)
            if request.session is not None and request.method not in _CHANGING_NOTHING:
                check_csrf(request, request.session)
            return await operation.handler(request)
        except Problem as raised:
            problem = raised
        except Refused as refusal:
            problem = problem_of(refusal)
        except QueueFull:
            problem = Problem("too-many", headers={"Retry-After": str(RETRY_AFTER_S)})
        except _UNAVAILABLE as error:
            log.warning("ledger unavailable", error=type(error).__name__, request_id=request.request_id)
            problem = Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)})
        except Exception as error:
            log.exception("request failed", error=type(error).__name__, request_id=request.request_id)
            problem = Problem("internal")
        return self._page_of(request, problem) or problem_answer(problem, request.language)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(
            scope["method"],
            scope["path"],
            dict(scope["headers"]),
            query_string=scope["query_string"],
            receive=receive,
            address=(scope.get("client") or ("",))[0],
        )
        answer = await self.answer(request)
        headers = [
            (b"content-type", answer.media_type),
            (b"x-request-id", request.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            *answer.headers,
        ]
        if request.session is not None and all(name != b"cache-control" for name, _ in answer.headers):
            # A browser keeps what it is told; the next one at this machine may be somebody else.
            headers.append((b"cache-control", b"no-store"))
        if isinstance(answer, Answer):
            headers.append((b"content-length", b"%d" % len(answer.content)))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            content = b"" if request.method == "HEAD" else answer.content
            await send({"type": "http.response.body", "body": content})
        else:
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send_stream(request.method, answer.chunks, receive, send)
        seconds = time.perf_counter() - started
        route = request.operation.path if hasattr(request, "operation") else "none"
        method = request.method if request.method in _METHODS else "other"
        metrics.observe_request(route, method, answer.status, seconds)
        log.info(
            "request",
            method=method,
            route=route,
            status=answer.status,
            ms=round(seconds * 1000, 1),
            request_id=request.request_id,
            traceparent=request.traceparent,
            **request.log_fields,
        )


def problem_answer(problem: Problem, language: str) -> Answer:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
    headers.append((b"content-language", language.encode()))
    return Answer(problem.status, problem.encoded(language), tuple(headers), MEDIA_TYPE.encode())


def json_answer(value: Any, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    return Answer(status, msgspec.json.encode(value), headers)


def _header_missing(name: bytes) -> Text:
    title = name.decode().title()
    return Text(f"{title} is needed here", f"此处必须提供 {title}")


def _is_anonymous(request: Request) -> bool:
    return b"authorization" not in request.headers and session_token(request.headers) is None


def _check_chosen(request: Request, operation: Operation) -> None:
    """Answers nobody in a session that whoever gave the password could have begun. Raises: Problem 403."""
    given = request.session is not None and request.session.account.has_given_password
    if given and not operation.before_choosing:
        raise Problem("password-given")


def check_csrf(request: Request, session: Session) -> None:
    """Lets nothing be changed by what another site had the browser send. Raises: Problem 403."""
    given = request.csrf
    if given is None or not hmac.compare_digest(session.csrf.encode(), given.encode()):
        raise Problem("csrf")


async def _whole_body(request: Request) -> bytes:
    """Raises: Problem 413 over the limit."""
    announced = request.headers.get(b"content-length", b"0")
    if len(announced) > 18 or (announced.isdigit() and int(announced) > BODY_BYTES_MAX):
        raise Problem("too-large", limit=BODY_BYTES_MAX)
    if request.receive is None:
        content, more = request.content, False
    else:
        content, more = await receive_chunk(request.receive)
    if not more and len(content) <= BODY_BYTES_MAX:
        return content
    chunks, size = [content], len(content)
    while request.receive is not None and more and size <= BODY_BYTES_MAX:
        content, more = await receive_chunk(request.receive)
        chunks.append(content)
        size += len(content)
    if size > BODY_BYTES_MAX:
        raise Problem("too-large", limit=BODY_BYTES_MAX)
    return b"".join(chunks)
