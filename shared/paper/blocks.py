"""Each kind of block as pieces of a page."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from shared.paper.breaking import lines
from shared.paper.content import (
    Block,
    Field,
    Fields,
    Heading,
    Seal,
    Signature,
    Signatures,
    Table,
    Text,
    Title,
)
from shared.paper.face import Face
from shared.paper.images import drawn_in
from shared.paper.paging import Piece
from shared.paper.pen import Pen
from shared.paper.tables import table_pieces

_LEADING: Final = 1.65
_TITLE: Final = 1.7
_SOFT: Final = 0.8
_SOFT_INK: Final = 0.35
_GAP: Final = 1.0
"""Between fields, in characters."""
_SIGNED_HEIGHT: Final = 36.0
_ROWS_WITH_SEAL: Final = 4
_SEAL: Final = 119.0
"""42 mm, as wide as the seal of a committee is."""


class Frame(NamedTuple):
    """Of a page, what the text has, in points."""

    face: Face
    size: float
    width: float
    height: float


def pieces(blocks: Iterable[Block], frame: Frame) -> Iterator[Piece]:
    for block in blocks:
        match block:
            case Title(text):
                yield from _title(text, frame)
            case Heading(text):
                yield _space(frame.size * 0.6, with_next=True)
                yield from _text(Text(text), frame, bold=True)
            case Text():
                yield from _text(block, frame)
            case Fields(rows):
                yield from (_fields(row, frame) for row in rows)
                yield _space(frame.size * 0.6)
            case Table():
                yield from table_pieces(block, frame.face, frame.size, frame.width, frame.height)
                yield _space(frame.size)
            case Signatures(places):
                yield from _signatures(places, frame)
            case Seal(label, day):
                yield _seal(label, day, frame)


def _space(height: float, *, with_next: bool = False) -> Piece:
    return Piece(height, lambda pen, top: None, with_next)


def _title(text: str, frame: Frame) -> Iterator[Piece]:
    size = frame.size * _TITLE

    def draw(line: str, pen: Pen, top: float) -> None:
        wide = frame.face.width(line) * size
        pen.text(pen.left + (frame.width - wide) / 2, top + size, line, size, bold=True)

    for line in lines(text, frame.face, size, frame.width):
        yield Piece(size * 1.4, partial(draw, line), with_next=True)
    yield _space(size * 0.4, with_next=True)


def _text(block: Text, frame: Frame, *, bold: bool = False) -> Iterator[Piece]:
    size = frame.size * (_SOFT if block.soft else 1)
    ink = _SOFT_INK if block.soft else 0
    indent = 2 * size if block.indented else 0.0

    def draw(line: str, left: float, pen: Pen, top: float) -> None:
        if block.align == "right":
            left = frame.width - frame.face.width(line) * size
        pen.text(pen.left + left, top + size * 1.2, line, size, bold=bold, ink=ink)

    for paragraph in block.text.split("\n"):
        for number, line in enumerate(lines(paragraph, frame.face, size, frame.width, indent=indent)):
            yield Piece(size * _LEADING, partial(draw, line, 0.0 if number else indent), with_next=bold)


def _fields(row: Sequence[Field], frame: Frame) -> Piece:
    """Each value on its line, and on more of them where it is long."""
    face, size, leading = frame.face, frame.size, frame.size * _LEADING
    shares = sum(field.share for field in row)
    placed = []
    left = 0.0
    for field in row:
        wide = frame.width * field.share / shares
        begins = left + face.width(field.label) * size + size * _GAP / 2
        ends = left + wide - (size * _GAP if field is not row[-1] else 0)
        placed.append((field.label, left, lines(field.value, face, size, ends - begins), begins, ends))
        left += wide

    def draw(pen: Pen, top: float) -> None:
        for label, left, values, begins, ends in placed:
            pen.text(pen.left + left, top + size * 1.2, label, size)
            for number, value in enumerate(values):
                at = top + number * leading + size * 1.2
                pen.text(pen.left + begins, at, value, size)
                pen.rule(pen.left + begins, at + size * 0.3, pen.left + ends)

    return Piece(leading * max(len(values) for _, _, values, _, _ in placed), draw)


def _signatures(places: Sequence[Signature], frame: Frame) -> Iterator[Piece]:
    yield _space(frame.size, with_next=True)
    for start in range(0, len(places), 2):
        with_seal = start + 2 * _ROWS_WITH_SEAL >= len(places)
        yield _signature_row(places[start : start + 2], frame, with_next=with_seal)


def _signature_row(pair: Sequence[Signature], frame: Frame, *, with_next: bool) -> Piece:
    face, size = frame.face, frame.size
    wide = frame.width / 2 - size
    placed = [
        (lines(place.label, face, size, wide), drawn_in(place.drawn, wide, _SIGNED_HEIGHT)) for place in pair
    ]
    label_height = max(len(label) for label, _ in placed) * size * 1.5

    def draw(pen: Pen, top: float) -> None:
        left, line_at = pen.left, top + label_height + _SIGNED_HEIGHT
        for label, image in placed:
            for number, words in enumerate(label):
                pen.text(left, top + (number * 1.5 + 1) * size, words, size)
            if image is not None:
                pen.image(left, line_at, image)
            pen.rule(left, line_at, left + wide)
            left += wide + 2 * size

    return Piece(label_height + _SIGNED_HEIGHT + size, draw, with_next)


def _seal(label: str, day: str, frame: Frame) -> Piece:
    face, size = frame.face, frame.size * _SOFT
    inside = lines(label, face, size, _SEAL * 0.8)

    def draw(pen: Pen, top: float) -> None:
        middle, centre = pen.right - _SEAL / 2, top + _SEAL / 2
        pen.ring(middle, centre, _SEAL / 2)
        for number, words in enumerate(inside):
            at = centre - (len(inside) - number - 0.5) * size * 1.4
            pen.text(middle - face.width(words) * size / 2, at, words, size, ink=_SOFT_INK)
        pen.text_to(middle + face.width(day) * frame.size / 2, centre + frame.size * 1.2, day, frame.size)

    return Piece(_SEAL, draw)
