"""Drawing on a page: from its top left corner, in points."""

from typing import Final

from reportlab.pdfgen.canvas import Canvas

from shared.paper.face import Face
from shared.paper.images import Drawn

_BOLD: Final = 0.03
"""How thick the outline of bold text is, of its size. The font comes in one weight."""
_FILL_AND_STROKE: Final = 2
_RULE: Final = 0.5
_SHADE: Final = 0.93
_RING_INK: Final = 0.7


class Pen:
    def __init__(self, canvas: Canvas, face: Face, width: float, height: float, margin: float) -> None:
        """`width` and `height` are those of the paper."""
        self._canvas = canvas
        self._face = face
        self._height = height
        self.left = margin
        self.right = width - margin
        canvas.setPageSize((width, height))
        canvas.setLineWidth(_RULE)

    def text(
        self, left: float, base: float, words: str, size: float, *, bold: bool = False, ink: float = 0
    ) -> None:
        """`ink` is 0 for black up to 1 for white."""
        if not words:
            return
        is_plain = not (bold or ink)
        if not is_plain:
            self._canvas.saveState()
            self._canvas.setFillGray(ink)
            self._canvas.setLineWidth(size * _BOLD)
        run = self._canvas.beginText(left, self._height - base)
        run.setFont(self._face.name, size)
        if bold:
            run.setTextRenderMode(_FILL_AND_STROKE)
        run.textOut(self._face.shown(words))
        self._canvas.drawText(run)
        if not is_plain:
            self._canvas.restoreState()

    def text_to(
        self, right: float, base: float, words: str, size: float, *, bold: bool = False, ink: float = 0
    ) -> None:
        """The text with its end there."""
        self.text(right - self._face.width(words) * size, base, words, size, bold=bold, ink=ink)

    def rule(self, left: float, at: float, right: float) -> None:
        """From left to right."""
        self._canvas.line(left, self._height - at, right, self._height - at)

    def shade(self, left: float, top: float, width: float, height: float) -> None:
        self._canvas.saveState()
        self._canvas.setFillGray(_SHADE)
        self._canvas.rect(left, self._height - top - height, width, height, stroke=0, fill=1)
        self._canvas.restoreState()

    def ring(self, middle: float, centre: float, radius: float) -> None:
        self._canvas.saveState()
        self._canvas.setStrokeGray(_RING_INK)
        self._canvas.setDash(3, 3)
        self._canvas.circle(middle, self._height - centre, radius)
        self._canvas.restoreState()

    def image(self, left: float, bottom: float, drawn: Drawn) -> None:
        self._canvas.drawImage(drawn.reader, left, self._height - bottom, drawn.width, drawn.height)

    def turn(self) -> None:
        """The page is done."""
        self._canvas.showPage()
