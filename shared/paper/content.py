"""What is to be printed: plain data, without a place or a size."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple


class Title(NamedTuple):
    """What the document is, large in the middle."""

    text: str


class Heading(NamedTuple):
    """Stays with what follows it."""

    text: str


class Text(NamedTuple):
    """A paragraph; a line break in it begins another."""

    text: str
    align: Literal["left", "right"] = "left"
    indented: bool = False
    """By two characters in the first line of each paragraph, as is the custom in Chinese."""
    soft: bool = False
    """Smaller and grey: said beside the matter."""


class Field(NamedTuple):
    """A value on a line of its own length, to be written by hand where it is empty."""

    label: str
    value: str = ""
    share: float = 1.0
    """Of the width of its row, against those of the others."""


class Fields(NamedTuple):
    rows: Sequence[Sequence[Field]]


class Table(NamedTuple):
    """Its columns are named again on every page."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | int]]


class Signature(NamedTuple):
    """A place to sign at."""

    label: str
    drawn: bytes | None = None
    """The signature as an image, which then stands on the line."""


class Signatures(NamedTuple):
    """Two in a row; the last of them are on the page of the seal."""

    places: Sequence[Signature]


class Seal(NamedTuple):
    """Where a round seal is put, over the day."""

    label: str
    day: str


Block = Title | Heading | Text | Fields | Table | Signatures | Seal


class Layout(NamedTuple):
    size: float
    """Of its text, in points."""
    margin: float
    """Around it, in points."""
    may_lie: bool = False
    """Whether the paper is turned for a table that is too wide for it."""


_MM = 72 / 25.4
DEED = Layout(size=12, margin=22 * _MM)
"""What people sign or keep."""
LISTING = Layout(size=8.5, margin=15 * _MM, may_lie=True)
"""What is looked things up in."""


class Document(NamedTuple):
    name: str
    """What it is, for the file's own data: without anything personal."""
    language: str
    """As in BCP 47: `zh-CN`."""
    as_of: datetime
    """Stands as the instant at which the file was made."""
    stamp: str
    """At the foot of every page: as of when, at which position."""
    page_of: str
    """At the foot of every page, with `{page}` and `{pages}`."""
    layout: Layout
    blocks: Sequence[Block]
