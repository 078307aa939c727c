"""Sending demo sets through the batch route, as any importer would, and going on after a cut."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from services.batch_client import BATCH_LINES, Answer, BatchClient, NoAnswer
from services.demo.lines import Line
from services.demo.progress import Progress, read_progress, write_progress
from services.demo.sets import SETS, DemoSet

_REPORT_EVERY_S: Final = 1.0

Report = Callable[[Progress], None]


class LoadFailed(Exception):
    """A demo set can't be loaded; the message says at which line and why."""


_encode = msgspec.json.Encoder().encode


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
    try:
        _load(BatchClient(base_url, token), demo, data_dir, report)
    except NoAnswer as error:
        raise LoadFailed(str(error)) from error


def _load(client: BatchClient, demo: DemoSet, data_dir: Path, report: Report) -> None:
    before = next((found for found in read_progress(data_dir) if found.name == demo.name), None)
    began = before is not None and bool(client.items(f"/v1/units?name={quote(demo.landmark)}"))
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
        client.send([_encode(line.request) for line in batch], partial(_stored, batch, meter))
        meter.progress = replace(meter.progress, last_key=batch[-1].key)
        write_progress(data_dir, meter.progress)
    meter.progress = replace(meter.progress, total=meter.progress.lines, finished_at=datetime.now(UTC))
    write_progress(data_dir, meter.progress)
    report(meter.progress)


def _stored(batch: list[Line], meter: "_Meter", index: int, answer: Answer) -> None:
    line = batch[index]
    if not answer.accepted:
        raise LoadFailed(f"line {line.key} (POST {line.request.path}) was refused: {answer}")
    meter.answered(1)


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
        if batch and (line.waits or len(batch) == BATCH_LINES):
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
