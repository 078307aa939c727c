"""Images of signatures, made small before they are put on paper."""

import io
from typing import Final, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError
from reportlab.lib.utils import ImageReader

_PIXELS_MAX: Final = 16_000_000
"""Of a few bytes each while it is made small: some 250 MB at the most."""
_DOTS: Final = 3
"""For each point: about 200 dpi."""


class Drawn(NamedTuple):
    """An image, and how large it stands on the paper, in points."""

    reader: ImageReader
    width: float
    height: float


def drawn_in(content: bytes | None, width: float, height: float) -> Drawn | None:
    """The image as large as it fits; None for none, and for what can't be shown as one."""
    if content is None:
        return None
    try:
        image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP"))
        # Draws large photos small from the beginning, where the format can.
        image.draft("L", (int(width * _DOTS), int(height * _DOTS)))
        if image.width * image.height > _PIXELS_MAX:
            return None
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None
    paper = Image.new("RGBA", upright.size, "white")
    ink = Image.alpha_composite(paper, upright).convert("L")
    ink.thumbnail((int(width * _DOTS), int(height * _DOTS)))
    scale = min(width / ink.width, height / ink.height)
    return Drawn(ImageReader(ink), ink.width * scale, ink.height * scale)
