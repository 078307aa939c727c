"""A table as it is shown on a page and as it is taken along: the same words in both."""

from collections.abc import Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    words: str | int
    """A whole number stays one."""
    href: str | None = None
    kind: str = ""
    """Of a badge, where it is one."""
    parts: Sequence[tuple[str, str]] = ()
    """The words in parts, each with where it leads."""


class Table(NamedTuple):
    name: str
    """Of its words: `audit_table.<name>`."""
    columns: Sequence[str]
    """Of its headings: `audit_column.<name>`."""
    rows: Sequence[Sequence[Cell]]
