"""From a document to the bytes of its PDF."""

import io
from datetime import datetime
from threading import Lock
from typing import Final

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from shared.paper.blocks import Frame, pieces
from shared.paper.breaking import lines
from shared.paper.content import Document, Table
from shared.paper.face import Face, face
from shared.paper.paging import Placed, paged
from shared.paper.pen import Pen
from shared.paper.tables import natural_widths
from shared.policy.moments import SHANGHAI

# As bytes: as text they would be a quarter longer, and take a while.
rl_config.useA85 = 0

MEDIA_TYPE: Final = b"application/pdf"
_MADE_WITH: Final = "安结 Anjie"
_FOOT: Final = 0.62
"""The size of what stands at the foot, against the text's."""
_FOOT_MIN: Final = 7.5
_FOOT_INK: Final = 0.3
_FOOT_AT: Final = 0.6
"""Above the paper's edge, as a part of the margin."""

_one_at_a_time = Lock()
"""The font is read from while a document is written, and isn't made for two."""


def printed(document: Document) -> bytes:
    """A PDF of A4 pages: the same bytes for the same document, with only the characters that it has."""
    with _one_at_a_time:
        return _printed(document, face())


def _printed(document: Document, letters: Face) -> bytes:
    layout = document.layout
    short, long = A4
    lies = layout.may_lie and any(
        sum(natural_widths(block, letters, layout.size)) > short - 2 * layout.margin
        for block in document.blocks
        if isinstance(block, Table)
    )
    width, height = (long, short) if lies else (short, long)
    frame = Frame(letters, layout.size, width - 2 * layout.margin, height - 2 * layout.margin)
    pages = paged(pieces(document.blocks, frame), frame.height)
    content = io.BytesIO()
    canvas = Canvas(content, invariant=True, lang=document.language)
    canvas.setTitle(document.name)
    canvas.setAuthor(_MADE_WITH)
    canvas.setCreator(_MADE_WITH)
    canvas.setSubject(document.stamp)
    canvas.setDateFormatter(lambda *_: _pdf_date(document.as_of))
    for number, page in enumerate(pages, 1):
        pen = Pen(canvas, letters, width, height, layout.margin)
        _draw(page, pen, layout.margin)
        said = document.page_of.format(page=number, pages=len(pages))
        size = max(layout.size * _FOOT, _FOOT_MIN)
        _foot(pen, document.stamp, said, height - layout.margin * _FOOT_AT, letters, size)
        pen.turn()
    canvas.save()
    return content.getvalue()


def _draw(page: list[Placed], pen: Pen, margin: float) -> None:
    for top, piece in page:
        piece.draw(pen, margin + top)


def _foot(pen: Pen, stamp: str, said: str, base: float, letters: Face, size: float) -> None:
    room = pen.right - pen.left - (letters.width(said) + 2) * size
    for number, line in enumerate(lines(stamp, letters, size, room)):
        pen.text(pen.left, base + number * size * 1.2, line, size, ink=_FOOT_INK)
    pen.text_to(pen.right, base, said, size, ink=_FOOT_INK)


def _pdf_date(instant: datetime) -> str:
    """As in ISO 32000, 7.9.4."""
    return f"D:{instant.astimezone(SHANGHAI):%Y%m%d%H%M%S}+08'00'"
