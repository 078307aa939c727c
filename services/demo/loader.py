"""Sending demo sets through the batch route, as any importer would, and going on after a cut."""

import http.client
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
from msgspec.structs import replace

from services.demo.lines import Line
from services.demo.progress import Progress, read_progress, write_progress
from services.demo.sets import SETS, DemoSet

_BATCH_LINES: Final = 2_000
_REPORT_EVERY_S: Final = 1.0
_PATIENCE_S: Final = 60.0
"""How long a server that doesn't answer, or is too busy, is waited for."""
_RETRY_AFTER_S: Final = 1.0
_TIMEOUT_S: Final = 120.0
_LATER: Final = frozenset((429, 503))
"""Answers that say: nothing was stored, send it again."""
_DEPENDENT: Final = 424

Report = Callable[[Progress], None]


class LoadFailed(Exception):
    """A demo set can't be loaded; the message says at which line and why."""


class _Answer(msgspec.Struct):
    status: int
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Items(msgspec.Struct):
    items: list[msgspec.Raw]


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    errors: Any = None


_encode = msgspec.json.Encoder().encode
_read_answer = msgspec.json.Decoder(_Answer).decode


def load(base_url: str, token: str, names: Iterable[str], data_dir: Path, report: Report) -> None:
    """Loads the sets named, each from where it was cut off; one that is loaded already is left alone.

    `token` is an operator's. `report` is called about every second and when a set is done.
    Raises: LoadFailed.
    """
    wanted = set(names)
    for name, demo in SETS.items():
        if name in wanted:
            load_set(base_url, token, demo, data_dir, report)


def load_set(base_url: str, token: str, demo: DemoSet, data_dir: Path, report: Report) -> None:
    """Loads one set as `load` does. Raises: LoadFailed."""
    sender = _Sender(base_url, token)
    before = next((found for found in read_progress(data_dir) if found.name == demo.name), None)
    began = sender.exists(f"/v1/units?name={quote(demo.landmark)}") if before is not None else False
    if before is not None and began and before.finished_at is not None:
        return
    lines = demo.lines()
    done = 0
    if before is not None and began:
        done, lines = _skipped(lines, before, demo)
    progress = Progress(
        name=demo.name, lines=done, total=demo.total, lines_per_s=0.0, started_at=datetime.now(UTC)
    )
    meter = _Meter(progress, report)
    report(progress)
    for batch in batches(lines):
        sender.send(batch, meter.answered)
        meter.progress = replace(meter.progress, last_key=batch[-1].key)
        write_progress(data_dir, meter.progress)
    meter.progress = replace(meter.progress, total=meter.progress.lines, finished_at=datetime.now(UTC))
    write_progress(data_dir, meter.progress)
    report(meter.progress)


def _skipped(lines: Iterator[Line], before: Progress, demo: DemoSet) -> tuple[int, Iterator[Line]]:
    """What is left after the lines that are known to be loaded; all, if they were other lines."""
    if before.lines == 0:
        return 0, lines
    last = next(islice(lines, before.lines - 1, before.lines), None)
    if last is not None and last.key == before.last_key:
        return before.lines, lines
    return 0, demo.lines()


def batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines in groups to be sent together; one that waits begins a group of its own."""
    batch: list[Line] = []
    for line in lines:
        if batch and (line.waits or len(batch) == _BATCH_LINES):
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


class _Meter:
    """Counts answers, and reports about every second."""

    def __init__(self, progress: Progress, report: Report) -> None:
        self.progress = progress
        self._report = report
        self._began = self._reported = time.monotonic()
        self._first = progress.lines

    def answered(self, lines: int) -> None:
        done = self.progress.lines + lines
        now = time.monotonic()
        speed = (done - self._first) / max(now - self._began, 0.001)
        self.progress = replace(self.progress, lines=done, lines_per_s=round(speed, 1))
        if now - self._reported >= _REPORT_EVERY_S:
            self._reported = now
            self._report(self.progress)


class _Busy(Exception):
    """The server took nothing of a batch, for now."""


class _Sender:
    """One connection to the server, made anew when it breaks."""

    def __init__(self, base_url: str, token: str) -> None:
        address = urlsplit(base_url)
        assert address.hostname is not None
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=_TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {token}"}

    def send(self, batch: Sequence[Line], answered: Callable[[int], None]) -> None:
        """Sends a batch until each of its lines is stored, and tells of each. Raises: LoadFailed."""
        left = list(batch)
        impatient_at = time.monotonic() + _PATIENCE_S
        while left:
            reason = "the server is too busy"
            later: list[Line] = []
            seen = stored = 0
            try:
                # The answers first, so that the last one is read to its end and the connection can go on.
                for answer, line in zip(self._answers(left), left, strict=False):
                    seen += 1
                    if answer.status in _LATER or (answer.status == _DEPENDENT and later):
                        later.append(line)
                    elif answer.status >= 300:
                        raise _refused(line, answer.status, answer.body)
                    else:
                        stored += 1
                        answered(1)
            except (OSError, http.client.HTTPException, msgspec.DecodeError, _Busy) as error:
                # A line stored without an answer gives the same one when it is sent again.
                self._connection.close()
                reason = f"no answer: {error or type(error).__name__}"
            left = later + left[seen:]
            if stored:
                impatient_at = time.monotonic() + _PATIENCE_S
            if left:
                if time.monotonic() > impatient_at:
                    raise LoadFailed(f"given up after {_PATIENCE_S:.0f} s; {reason}")
                time.sleep(_RETRY_AFTER_S)

    def exists(self, path: str) -> bool:
        """Whether a list has anything in it. Raises: LoadFailed."""
        impatient_at = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return bool(msgspec.json.decode(self._got(path), type=_Items).items)
            except (OSError, http.client.HTTPException, _Busy) as error:
                self._connection.close()
                if time.monotonic() > impatient_at:
                    raise LoadFailed(f"no answer: {error or type(error).__name__}") from error
                time.sleep(_RETRY_AFTER_S)

    def _got(self, path: str) -> bytes:
        self._connection.request("GET", path, headers=self._headers)
        return self._whole(f"GET {path}").read()

    def _whole(self, request: str) -> http.client.HTTPResponse:
        """The response to a request that was taken, its body unread."""
        response = self._connection.getresponse()
        if response.status == HTTPStatus.OK:
            return response
        told = f"{request}: {response.status} {_explained(response.read())}"
        raise _Busy(told) if response.status in _LATER else LoadFailed(told)

    def _answers(self, batch: Sequence[Line]) -> Iterator[_Answer]:
        content = b"\n".join(_encode(line.request) for line in batch)
        headers = self._headers | {"Content-Type": "application/x-ndjson"}
        self._connection.request("POST", "/v1/commands:batch", content, headers)
        for answer in self._whole("POST /v1/commands:batch"):
            if answer.strip():
                yield _read_answer(answer)


def _refused(line: Line, status: int, body: bytes) -> LoadFailed:
    path, key = line.request.path, line.key
    return LoadFailed(f"line {key} (POST {path}) was refused: {status} {_explained(body)}")


def _explained(body: bytes) -> str:
    """What a problem says of itself; it never holds personal data."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return ""
    return " ".join(filter(None, (problem.title, problem.detail, str(problem.errors or ""))))
