"""Asking the public interface on behalf of whoever looks at a page."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from shared.runtime.sessions import CSRF_HEADER
from shared.runtime.web import Answer, Request, Streamed
from shared.web.look import look_of

_PASSED_ON: Final = (
    b"accept-language",
    b"anjie-purpose",
    b"authorization",
    b"cookie",
    b"host",
    b"x-forwarded-for",
    b"x-request-id",
)

Ask = Callable[[Request], Awaitable[Answer | Streamed]]


class Refused(Exception):
    """The interface refused; `problem` has the members of RFC 9457."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(status, problem.get("type"))
        self.status = status
        self.problem = problem


class Api:
    """The public interface, asked in the same process with the rights of the request in hand."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def get(self, request: Request, path: str, **query: Any) -> Any:
        """The answer to a read; parameters that are None are left out. Raises: Refused."""
        given = {name: value for name, value in query.items() if value is not None}
        asked = Request("GET", path, _passed_on(request), query_string=urlencode(given, doseq=True).encode())
        return _read(await self._answer(asked))

    async def file(self, request: Request, path: str) -> bytes:
        """The content of a file. Raises: Refused."""
        return (await self._answer(Request("GET", path, _passed_on(request)))).content

    async def post(
        self,
        request: Request,
        path: str,
        body: Any,
        *,
        key: str | None = None,
        version: int | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer to a command under its Idempotency-Key, or to what needs none. Raises: Refused."""
        return _read(await self.posted(request, path, body, key=key, version=version, query=query))

    async def posted(
        self,
        request: Request,
        path: str,
        body: Any,
        *,
        key: str | None = None,
        version: int | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """The same with its headers. Raises: Refused."""
        headers = _passed_on(request)
        if key is not None:
            headers[b"idempotency-key"] = key.encode()
        if version is not None:
            headers[b"if-match"] = f'"{version}"'.encode()
        given = urlencode(query or {}).encode()
        content = msgspec.json.encode(body)
        asked = Request("POST", path, headers, query_string=given, content=content, address=request.address)
        return await self._answer(asked)

    async def delete(self, request: Request, path: str) -> Any:
        """Raises: Refused."""
        return _read(await self._answer(Request("DELETE", path, _passed_on(request))))

    async def _answer(self, request: Request) -> Answer:
        answer = await self._ask(request)
        assert isinstance(answer, Answer), f"{request.path} is a stream"
        if answer.status >= 400:
            raise Refused(answer.status, msgspec.json.decode(answer.content))
        return answer


def _read(answer: Answer) -> Any:
    return msgspec.json.decode(answer.content) if answer.content else None


def _passed_on(request: Request) -> dict[bytes, bytes]:
    look = look_of(request)
    passed = {name: value for name, value in request.headers.items() if name in _PASSED_ON}
    if request.csrf is not None:
        passed[CSRF_HEADER.lower().encode()] = request.csrf.encode()
    return passed | {b"accept-language": look.language.encode()}
