"""The units that a demo set is about, and who works there."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from services.demo.lines import Desk, Line, Person, made_id

LEVELS: Final = ("GROUP", "VILLAGE", "TOWNSHIP")
"""From the ground up."""

_OFFICERS: Final = {"VILLAGE": "village_officer", "TOWNSHIP": "township_officer"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A unit: `code` is its short name in actor refs and keys, unique over all sets."""

    unit_id: UUID
    kind: str
    name: str
    code: str
    parent: "Place | None" = None

    @property
    def level(self) -> str:
        return "VILLAGE" if self.kind == "NEIGHBOURHOOD" else self.kind

    @property
    def town(self) -> "Place":
        return self if self.parent is None else self.parent.town

    @property
    def above(self) -> "Place":
        """The unit one level up. Raises: LookupError at the top."""
        if self.parent is None:
            raise LookupError(f"nothing stands above {self.name}")
        return self.parent

    @property
    def village(self) -> "Place":
        """The unit itself, or for a group its village or neighbourhood."""
        return self.above if self.level == "GROUP" else self

    def at(self, level: str) -> "Place":
        """Its ancestor of that level, itself included."""
        return self if self.level == level else self.above.at(level)

    def someone(self, role: str, number: int = 1) -> Person:
        """A person who works or lives there, known by nothing but unit, role and number."""
        return Person(sub=f"{self.code}-{role}-{number}", role=role, unit=self.unit_id)

    def officer(self, number: int = 1) -> Person:
        """An officer of a village or township, for a group of its village."""
        place = self.village
        return place.someone(_OFFICERS[place.level], number)

    def staff(self, number: int = 1) -> Person:
        """Who acts for the unit while it holds a case."""
        if self.level == "GROUP":
            return self.someone("group_leader" if number == 1 else "mediator", max(1, number - 1))
        return self.officer(number)


def place(since: datetime, kind: str, name: str, code: str, parent: Place | None = None) -> Place:
    """A unit with the id that follows from its code."""
    return Place(unit_id=made_id(since, f"unit/{code}"), kind=kind, name=name, code=code, parent=parent)


def registering(desk: Desk, at: datetime, places: Iterable[Place]) -> Iterator[Line]:
    """The lines that register units; parents must come in an earlier stage."""
    for unit in places:
        body = {"unit_id": unit.unit_id, "kind": unit.kind, "name": unit.name}
        if unit.parent is not None:
            body["parent_id"] = unit.parent.unit_id
        yield desk.line(at, f"unit/{unit.code}", "/v1/units", body)
