"""How far the loading of a demo set has come: one small file per set in the data directory.

The loader writes it after every batch, `anjie status` and `/metrics` read it. It is a hint
where to go on after a cut; idempotency keys make that right, whatever it says.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from prometheus_client.core import GaugeMetricFamily

_DIRECTORY: Final = "demo"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A set on its way into the ledger."""

    name: str
    lines: int
    """Answered so far."""
    total: int
    lines_per_s: float
    started_at: datetime
    """Of the present attempt."""
    finished_at: datetime | None = None
    last_key: str = ""
    """Idempotency key of the last line answered, so that another edition of the set isn't taken for it."""

    @property
    def percent(self) -> int:
        return 100 * self.lines // self.total if self.total else 100

    @property
    def remaining_s(self) -> float | None:
        """Seconds to go at the present speed; None while there is none."""
        return (self.total - self.lines) / self.lines_per_s if self.lines_per_s else None

    def __str__(self) -> str:
        done = f"demo {self.name}: {self.lines:,} of {self.total:,} lines, {self.percent} %"
        if self.finished_at is not None:
            return f"{done}, loaded in {(self.finished_at - self.started_at).total_seconds():.0f} s"
        if self.remaining_s is None:
            return done
        return f"{done}, {self.lines_per_s:,.0f} lines/s, {self.remaining_s:.0f} s to go"


def read_progress(data_dir: Path) -> tuple[Progress, ...]:
    """What is recorded of every set that was begun, by name."""
    found = []
    for path in sorted((data_dir / _DIRECTORY).glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Progress))
        except (OSError, msgspec.MsgspecError):
            continue  # unreadable: as if it had never begun, which costs time and nothing else
    return tuple(found)


def write_progress(data_dir: Path, progress: Progress) -> None:
    """Records it, whole or not at all. Raises: OSError."""
    path = data_dir / _DIRECTORY / f"{progress.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(progress))
    fresh.replace(path)


def gauges(data_dir: Path) -> Iterable[GaugeMetricFamily]:
    """The same for `/metrics`."""
    loaded = GaugeMetricFamily(
        "anjie_demo_lines_loaded", "Lines of a demo set stored so far.", labels=("set",)
    )
    total = GaugeMetricFamily("anjie_demo_lines", "Lines that a demo set has.", labels=("set",))
    for progress in read_progress(data_dir):
        loaded.add_metric((progress.name,), progress.lines)
        total.add_metric((progress.name,), progress.total)
    return loaded, total
