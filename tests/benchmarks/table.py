"""What a benchmark tells: figures, each beside what it is measured against."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec


@dataclass(frozen=True, kw_only=True)
class BenchRow:
    """One figure. The goal is one of the ratio to the reference, or of the figure where there is none."""

    name: str
    ours: float
    unit: str
    goal: float
    reference: float | None = None
    reference_name: str = ""
    at_most: bool = False
    """Whether the goal is a ceiling; else it is a floor."""

    @property
    def ratio(self) -> float | None:
        return None if self.reference is None else self.ours / self.reference

    @property
    def holds(self) -> bool:
        value = self.ours if self.ratio is None else self.ratio
        return value <= self.goal if self.at_most else value >= self.goal


_HEADINGS = ("work", "ours", "reference", "", "ratio", "goal", "")


def print_table(rows: Sequence[BenchRow]) -> None:
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: BenchRow) -> tuple[str, ...]:
    return (
        row.name,
        f"{_figure(row.ours)} {row.unit}",
        "" if row.reference is None else f"{_figure(row.reference)} {row.unit}",
        row.reference_name,
        "" if row.ratio is None else _figure(row.ratio),
        f"{'≤' if row.at_most else '≥'} {_figure(row.goal)}",
        "holds" if row.holds else "MISSED",
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_json(rows: Iterable[BenchRow], path: Path) -> None:
    """Writes the rows as the array of objects that other programs read."""
    told = [
        {
            "name": row.name,
            "ours": row.ours,
            "reference": row.reference,
            "reference_name": row.reference_name,
            "unit": row.unit,
            "ratio": row.ratio,
            "goal": row.goal,
            "holds": row.holds,
        }
        for row in rows
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
