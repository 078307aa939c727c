"""What is wrong with a rule pack, told so that its author finds the place."""

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    file: str
    line: int
    """From 1."""
    field: str
    """The keys down to it, joined by dots; `pack` for the whole."""
    message: str

    def __str__(self) -> str:
        told = f"{self.file}:{self.line}: {self.field}: {self.message}"
        return "".join(letter if letter.isprintable() else " " for letter in told)


class PackBroken(Exception):
    """A rule pack can't be used; `faults` are all that was found, and each is a line of the message."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
