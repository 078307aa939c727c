"""What goes on which page: pieces one below the other, none of them broken."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from shared.paper.pen import Pen


class Piece(NamedTuple):
    """Something that is drawn across the page; `draw` is given its top, in points from the page's."""

    height: float
    draw: Callable[[Pen, float], None]
    with_next: bool = False
    """Whether it is on the page of what follows it."""
    header: "Piece | None" = None
    """What stands above it, and above the first of its kind on every other page."""


class Placed(NamedTuple):
    top: float
    piece: Piece


def paged(pieces: Iterable[Piece], height: float) -> list[list[Placed]]:
    """Pages of that height, at least one. A piece that is higher than a page has one of its own."""
    pages: list[list[Placed]] = [[]]
    used, header = 0.0, None
    for group in _groups(pieces):
        needed = sum(piece.height for piece in group)
        for piece in group:
            above = piece.header if piece.header is not header else None
            room = height - used - (above.height if above else 0)
            if used and min(needed if piece is group[0] else piece.height, height) > room:
                pages.append([])
                used, above = 0.0, piece.header
            if above is not None:
                pages[-1].append(Placed(used, above))
                used += above.height
            pages[-1].append(Placed(used, piece))
            used += piece.height
            needed -= piece.height
            header = piece.header
    return pages


def _groups(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Those that stay together."""
    group: list[Piece] = []
    for piece in pieces:
        group.append(piece)
        if not piece.with_next:
            yield group
            group = []
    if group:
        yield group
