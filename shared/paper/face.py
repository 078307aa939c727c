"""The font that everything is printed in, and what becomes of a character that it lacks."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics, ttfonts
from reportlab.pdfbase.ttfonts import TTFont

from shared.web.assets import PACKAGES

_FILE: Final = PACKAGES / "@expo-google-fonts/noto-serif-sc/400Regular/NotoSerifSC_400Regular.ttf"
_WITHOUT_SHAPE: Final = frozenset(("Cc", "Cf"))
_VARIATIONS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""They choose among shapes of the character before them."""
_NOT_UTF_16: Final = re.compile("<([0-9A-F]{5,6})>")


_told_wrongly = ttfonts.makeToUnicodeCMap


def _to_unicode(fontname: str, subset: Sequence[int]) -> str:
    """What each glyph says, to whoever copies it: in UTF-16, where ReportLab has only the number."""

    def pair(number: re.Match[str]) -> str:
        return f"<{chr(int(number[1], 16)).encode('utf-16-be').hex()}>"

    return _NOT_UTF_16.sub(pair, _told_wrongly(fontname, subset))


ttfonts.makeToUnicodeCMap = _to_unicode


class Face:
    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        font = TTFont(name, str(file))
        pdfmetrics.registerFont(font)
        self._shown = _Shown(font.face.charToGlyph)
        self._widths = _Widths(font.face.charWidths, self._shown)

    def shown(self, text: str) -> str:
        """The text as it is printed: what the font lacks is told by its number, so that nothing is lost."""
        return "".join([self._shown[character] for character in text])

    def width(self, text: str) -> float:
        """How wide the text is printed, as a part of its size."""
        return sum([self._widths[character] for character in text]) / 1000


class _Shown(dict[str, str]):
    """By character, filled as they come."""

    def __init__(self, drawable: Collection[int]) -> None:
        super().__init__()
        self._drawable = drawable

    def __missing__(self, character: str) -> str:
        self[character] = shown = self._told(character)
        return shown

    def _told(self, character: str) -> str:
        code = ord(character)
        if character.isspace():
            return character if code in self._drawable else " "
        if unicodedata.category(character) in _WITHOUT_SHAPE or any(code in codes for codes in _VARIATIONS):
            return ""
        return character if code in self._drawable else f"[U+{code:04X}]"


class _Widths(dict[str, float]):
    """By character, in thousandths of the size, filled as they come."""

    def __init__(self, widths: dict[int, float], shown: _Shown) -> None:
        super().__init__()
        self._of_font = widths
        self._as_shown = shown

    def __missing__(self, character: str) -> float:
        self[character] = width = sum(self._of_font[ord(shown)] for shown in self._as_shown[character])
        return width


@cache
def face() -> Face:
    """Read once. Raises: OSError where the packages aren't installed."""
    return Face("NotoSerifSC", _FILE)
