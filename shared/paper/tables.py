"""Tables: how wide their columns are, and their rows as pieces."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from shared.paper.breaking import lines
from shared.paper.content import Table
from shared.paper.face import Face
from shared.paper.paging import Piece
from shared.paper.pen import Pen

_PADDING: Final = 3.0
_LEADING: Final = 1.4
_EM_MIN: Final = 4
"""As narrow as a column becomes, in characters."""

Row = Sequence[Sequence[str]]
"""The lines of each cell."""


def natural_widths(table: Table, face: Face, size: float) -> list[float]:
    """Of each column, where no line is broken that wasn't."""
    columns = zip(*(table.columns, *table.rows), strict=True)
    return [
        max(face.width(line) for cell in column for line in str(cell).split("\n")) * size + 2 * _PADDING
        for column in columns
    ]


def table_pieces(table: Table, face: Face, size: float, width: float, height: float) -> list[Piece]:
    """The rows of the table across `width`; one that is higher than a page (`height`) is continued."""
    widths = _fitted(natural_widths(table, face, size), width, _EM_MIN * size + 2 * _PADDING)
    numeric = [bool(table.rows) and isinstance(cell, int) for cell in (table.rows[0] if table.rows else ())]

    def cells(row: Sequence[str | int]) -> Row:
        return [
            lines(str(cell), face, size, wide - 2 * _PADDING) for cell, wide in zip(row, widths, strict=True)
        ]

    heads = cells(table.columns)
    header = Piece(_height(heads, size), partial(_draw, heads, widths, numeric, size, True))
    most = int((height - header.height - 2 * _PADDING) / (size * _LEADING))
    return [
        Piece(_height(part, size), partial(_draw, part, widths, numeric, size, False), header=header)
        for row in table.rows
        for part in _parts(cells(row), most)
    ]


def _fitted(natural: Sequence[float], width: float, least: float) -> list[float]:
    """Columns that together are as wide as the page; what is too wide gives way, the widest first."""
    total = sum(natural)
    if total <= width:
        return [wide * width / total for wide in natural]
    left, limits = width, [0.0] * len(natural)
    for place, index in enumerate(sorted(range(len(natural)), key=natural.__getitem__)):
        limits[index] = min(natural[index], max(left / (len(natural) - place), least))
        left -= limits[index]
    return [wide * width / sum(limits) for wide in limits]


def _height(row: Row, size: float) -> float:
    return max(len(cell) for cell in row) * size * _LEADING + 2 * _PADDING


def _parts(row: Row, most: int) -> list[Row]:
    """The row in parts of at most so many lines."""
    count = max(len(cell) for cell in row)
    return [[cell[start : start + most] for cell in row] for start in range(0, count, most)]


def _draw(
    row: Row, widths: Sequence[float], numeric: Sequence[bool], size: float, bold: bool, pen: Pen, top: float
) -> None:
    left, bottom = pen.left, top + _height(row, size)
    if bold:
        pen.shade(left, top, sum(widths), bottom - top)
        pen.rule(left, top, left + sum(widths))
    for index, (cell, wide) in enumerate(zip(row, widths, strict=True)):
        for number, line in enumerate(cell):
            at = top + _PADDING + (number * _LEADING + 1) * size
            if numeric and numeric[index]:
                pen.text_to(left + wide - _PADDING, at, line, size, bold=bold)
            else:
                pen.text(left + _PADDING, at, line, size, bold=bold)
        left += wide
    pen.rule(pen.left, bottom, left)
