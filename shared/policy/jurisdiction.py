"""The tree of units: who stands under whom, as of any moment."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.events.units import UnitClosed, UnitMoved, UnitRegistered, UnitRenamed
from shared.events.vocabulary import Level, UnitKind, level_of


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    unit_id: UUID
    kind: UnitKind
    name: str
    parent_id: UUID | None
    closed: bool = False
    version: int = 1

    @property
    def level(self) -> Level:
        return level_of(self.kind)


class UnitTree:
    """An immutable tree of units; a unit it doesn't know has no level, no path and nothing beneath it."""

    def __init__(self, units: Mapping[UUID, Unit]) -> None:
        self._units = dict(units)
        self._children: dict[UUID | None, list[UUID]] = {}
        self._paths: dict[UUID | None, tuple[UUID, ...]] = {}
        for unit in self._units.values():
            self._children.setdefault(unit.parent_id, []).append(unit.unit_id)

    def __len__(self) -> int:
        return len(self._units)

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def get(self, unit_id: UUID | None) -> Unit | None:
        return None if unit_id is None else self._units.get(unit_id)

    def children(self, unit_id: UUID | None) -> list[UUID]:
        """The units directly under it, in order of registration; None: those at the top."""
        return list(self._children.get(unit_id, ()))

    def path(self, unit_id: UUID | None) -> tuple[UUID, ...]:
        """From the unit itself up to its root."""
        path = self._paths.get(unit_id)
        if path is None:
            steps: list[UUID] = []
            above = unit_id
            while (unit := self.get(above)) is not None and unit.unit_id not in steps:
                steps.append(unit.unit_id)
                above = unit.parent_id
            path = tuple(steps)
            if path:
                self._paths[unit_id] = path
        return path

    def within(self, unit_id: UUID | None, ancestor: UUID | None) -> bool:
        """Whether the unit is the ancestor or stands anywhere under it; None as ancestor is the whole."""
        if ancestor is None:
            return True
        return unit_id == ancestor or ancestor in self.path(unit_id)

    def subtree(self, unit_id: UUID) -> list[UUID]:
        """The unit and everything beneath it, parents before children."""
        found = [unit_id]
        for parent in found:
            found.extend(self._children.get(parent, ()))
        return found

    def ancestor_at(self, unit_id: UUID | None, level: Level) -> UUID | None:
        """The unit of that level on the way from the unit (itself included) to its root."""
        return next((ref for ref in self.path(unit_id) if self._units[ref].level == level), None)


EMPTY_TREE = UnitTree({})


def tree_of(stream: Iterable[Recorded], *, at_occurred: datetime | None = None) -> UnitTree:
    """The tree that unit events, in order of position, add up to.

    On the axis of occurrence a unit has stood from the beginning under its first name and
    parent; renames, moves and closings count from their `occurred_at`.
    """
    units: dict[UUID, Unit] = {}
    for recorded in stream:
        event = event_of(recorded)
        if isinstance(event, UnitRegistered):
            units[recorded.stream_id] = Unit(
                unit_id=recorded.stream_id, kind=event.kind, name=event.name, parent_id=event.parent_id
            )
            continue
        unit = units.get(recorded.stream_id)
        if unit is None or (at_occurred is not None and recorded.occurred_at > at_occurred):
            continue
        if isinstance(event, UnitRenamed):
            unit = replace(unit, name=event.name, version=recorded.version)
        elif isinstance(event, UnitMoved):
            unit = replace(unit, parent_id=event.parent_id, version=recorded.version)
        elif isinstance(event, UnitClosed):
            unit = replace(unit, closed=True, version=recorded.version)
        units[recorded.stream_id] = unit
    return UnitTree(units)
