"""Where lines end.

Chinese is broken between any two characters, save that no line begins with a closing mark or ends with an
opening one; words of other scripts stay whole as long as they fit. Source: 中文排版需求 (W3C clreq), 3.1.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.paper.face import Face

_CLOSING: Final = "、。，．：；！？）》」』】〉〕〗”’…—～·%％"
_OPENING: Final = "（《「『【〈〔〖“‘"
_UNIT: Final = re.compile(rf"[{_OPENING}]*(?:[!-~À-ɏ]+|\S)[{_CLOSING}]*|\s", re.DOTALL)
"""What is never parted; together they are the whole text."""


def lines(text: str, face: Face, size: float, width: float, *, indent: float = 0) -> list[str]:
    """The text in lines no wider than `width` points, the first of each paragraph by `indent` less."""
    broken: list[str] = []
    for paragraph in text.split("\n"):
        broken += _broken(paragraph, face, width / size, indent / size)
    return broken


def _broken(paragraph: str, face: Face, width: float, indent: float) -> Iterator[str]:
    line, left = "", width - indent
    for unit in _units(paragraph, face, width - indent):
        wide = face.width(unit)
        if wide > left and line:
            yield line.rstrip()
            line, left = "", width
            if unit.isspace():
                continue
        line += unit
        left -= wide
    yield line.rstrip()


def _units(paragraph: str, face: Face, width: float) -> Iterator[str]:
    """The units, those that are too long for a line by their characters."""
    for unit in _UNIT.findall(paragraph):
        if face.width(unit) > width:
            yield from unit
        else:
            yield unit
