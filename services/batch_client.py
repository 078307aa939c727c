"""A client of this product's own interface: lines of a batch, sent until each has its answer."""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

BATCH_LINES: Final = 2_000
"""As many lines as are sent at once."""
_PATIENCE_S: Final = 60.0
"""How long a server that doesn't answer, or is too busy, is waited for."""
_RETRY_AFTER_S: Final = 1.0
_TIMEOUT_S: Final = 120.0
_LATER: Final = frozenset((429, 503))
"""Answers that say: nothing was stored, send it again."""
_DEPENDENT: Final = 424


class NoAnswer(Exception):
    """The server can't be reached, or won't take what is sent; the message says why."""


class Answer(msgspec.Struct):
    status: int
    body: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def accepted(self) -> bool:
        return self.status < 300

    def __str__(self) -> str:
        return f"{self.status} {_explained(self.body)}"


class _Items(msgspec.Struct):
    items: list[dict[str, Any]]


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    errors: Any = None


_read_answer = msgspec.json.Decoder(Answer).decode


class _Busy(Exception):
    """The server took nothing, for now."""


class BatchClient:
    """One connection to the server, made anew when it breaks; the token is that of whoever sends."""

    def __init__(self, base_url: str, token: str, headers: Mapping[str, str] | None = None) -> None:
        address = urlsplit(base_url)
        assert address.hostname is not None
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {token}"} | dict(headers or {})

    def send(self, lines: Sequence[bytes], answered: Callable[[int, Answer], None]) -> None:
        """Sends lines until each has an answer that is final, and tells of each by its index.

        Raises: NoAnswer; what `answered` raises, and then the lines after that are left alone.
        """
        left = list(range(len(lines)))
        impatient_at = time.monotonic() + _PATIENCE_S
        while left:
            reason = "the server is too busy"
            later: list[int] = []
            seen = 0
            try:
                # The answers first, so that the last one is read to its end and the connection can go on.
                for answer, index in zip(self._answers([lines[i] for i in left]), left, strict=False):
                    seen += 1
                    if answer.status in _LATER or (answer.status == _DEPENDENT and later):
                        later.append(index)
                        continue
                    impatient_at = time.monotonic() + _PATIENCE_S
                    answered(index, answer)
            except (OSError, http.client.HTTPException, msgspec.DecodeError, _Busy) as error:
                # A line stored without an answer gives the same one when it is sent again.
                self._connection.close()
                reason = f"no answer: {error or type(error).__name__}"
            left = later + left[seen:]
            if left:
                _wait(impatient_at, reason)

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list. Raises: NoAnswer."""
        impatient_at = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._connection.request("GET", path, headers=self._headers)
                return msgspec.json.decode(self._taken(f"GET {path}").read(), type=_Items).items
            except (OSError, http.client.HTTPException, _Busy) as error:
                self._connection.close()
                _wait(impatient_at, f"no answer: {error or type(error).__name__}")

    def _answers(self, lines: Sequence[bytes]) -> Iterator[Answer]:
        headers = self._headers | {"Content-Type": "application/x-ndjson"}
        self._connection.request("POST", "/v1/commands:batch", b"\n".join(lines), headers)
        for answer in self._taken("POST /v1/commands:batch"):
            if answer.strip():
                yield _read_answer(answer)

    def _taken(self, request: str) -> http.client.HTTPResponse:
        """The response to a request that was taken, its body unread."""
        response = self._connection.getresponse()
        if response.status == HTTPStatus.OK:
            return response
        told = f"{request}: {response.status} {_explained(response.read())}"
        raise _Busy(told) if response.status in _LATER else NoAnswer(told)


def _wait(impatient_at: float, reason: str) -> None:
    if time.monotonic() > impatient_at:
        raise NoAnswer(f"given up after {_PATIENCE_S:.0f} s; {reason}")
    time.sleep(_RETRY_AFTER_S)


def _explained(body: bytes | msgspec.Raw) -> str:
    """What a problem says of itself; it never holds personal data."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return ""
    return " ".join(filter(None, (problem.title, problem.detail, str(problem.errors or ""))))
