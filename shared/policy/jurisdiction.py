"""The tree of units: who stands under whom, as of any moment."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.events.units import (
    WHOLE,
    RulePackAdopted,
    UnitClosed,
    UnitMoved,
    UnitRegistered,
    UnitRenamed,
)
from shared.events.vocabulary import Level, UnitKind, level_of
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.policy import Policy


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


_IN_FORCE_MAX: Final = 65_536
"""For how many units and days a tree remembers what it found."""


class Adoption(NamedTuple):
    """From which day on which rules hold for a unit."""

    from_on: date
    policy: Policy


Adoptions = Mapping[UUID, tuple[Adoption, ...]]
"""By unit, or `WHOLE`, in the order in which they were adopted."""


class UnitTree:
    """An immutable tree of units; a unit it doesn't know has no level, no path and nothing beneath it."""

    def __init__(self, units: Mapping[UUID, Unit], adoptions: Adoptions | None = None) -> None:
        self._units = dict(units)
        self._adoptions = adoptions or {}
        self._in_force: dict[tuple[UUID | None, date], Policy] = {}
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

    def policy(self, unit_id: UUID | None, on: date) -> Policy:
        """The rules in force for a unit (None: for nobody in particular) on a day in Asia/Shanghai.

        The nearest unit on the way up decides that has adopted any by then, and of what it adopted the
        latest to come into force, of two from the same day the one adopted last.
        """
        found = self._in_force.get((unit_id, on))
        if found is None:
            if len(self._in_force) >= _IN_FORCE_MAX:
                self._in_force.clear()
            found = self._in_force[unit_id, on] = self._find_policy(unit_id, on)
        return found

    def adoption(self, unit_id: UUID | None, on: date) -> tuple[UUID, Adoption] | None:
        """By whom the rules in force for the unit on that day were adopted, and from when on they hold.

        None where nobody adopted any by then, so that the built-in ones hold.
        """
        for unit in (*self.path(unit_id), WHOLE):
            begun = [adoption for adoption in self._adoptions.get(unit, ()) if adoption.from_on <= on]
            if begun:
                latest = max(adoption.from_on for adoption in begun)
                return unit, next(each for each in reversed(begun) if each.from_on == latest)
        return None

    def _find_policy(self, unit_id: UUID | None, on: date) -> Policy:
        found = self.adoption(unit_id, on)
        return DEFAULT_POLICY if found is None else found[1].policy

    def rules(self, policy_id: str) -> Policy:
        """Rules by their id: some that were adopted, else the built-in ones."""
        adopted = (adoption.policy for each in self._adoptions.values() for adoption in each)
        return next((policy for policy in adopted if policy.id == policy_id), DEFAULT_POLICY)

    def ruled_by(self, policy: Policy, unit_id: UUID) -> "UnitTree":
        """The same units, as if that unit, or `WHOLE`, had always had these rules and adopted no others.

        Units beneath it that adopted rules of their own keep them.
        """
        always = (Adoption(date.min, policy),)
        return UnitTree(self._units, {**self._adoptions, unit_id: always})

    @property
    def has_adoptions(self) -> bool:
        """Whether any unit has ever adopted rules."""
        return bool(self._adoptions)

    @property
    def policies(self) -> frozenset[Policy]:
        """All rules that may hold for some unit on some day."""
        adopted = (adoption.policy for each in self._adoptions.values() for adoption in each)
        return frozenset((DEFAULT_POLICY, *adopted))

    def has_rules(self, unit_id: UUID) -> bool:
        """Whether the unit itself, or `WHOLE`, has ever adopted any."""
        return unit_id in self._adoptions

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


def tree_of(
    stream: Iterable[Recorded],
    *,
    at_occurred: datetime | None = None,
    policies: Mapping[str, Policy] | None = None,
) -> UnitTree:
    """The tree that unit events, in order of position, add up to; `policies` are the adopted ones by hash.

    On the axis of occurrence a unit has stood from the beginning under its first name and
    parent; renames, moves and closings count from their `occurred_at`. Rules hold from the day
    that their adoption names.
    """
    units: dict[UUID, Unit] = {}
    adoptions: dict[UUID, tuple[Adoption, ...]] = {}
    for recorded in stream:
        event = event_of(recorded)
        if isinstance(event, UnitRegistered):
            units[recorded.stream_id] = Unit(
                unit_id=recorded.stream_id, kind=event.kind, name=event.name, parent_id=event.parent_id
            )
            continue
        if isinstance(event, RulePackAdopted) and policies is not None:
            adopted = Adoption(event.from_on, policies[event.hash])
            adoptions[recorded.stream_id] = (*adoptions.get(recorded.stream_id, ()), adopted)
        unit = units.get(recorded.stream_id)
        if unit is None or (at_occurred is not None and recorded.occurred_at > at_occurred):
            continue
        if isinstance(event, UnitRenamed):
            unit = replace(unit, name=event.name)
        elif isinstance(event, UnitMoved):
            unit = replace(unit, parent_id=event.parent_id)
        elif isinstance(event, UnitClosed):
            unit = replace(unit, closed=True)
        units[recorded.stream_id] = replace(unit, version=recorded.version)
    return UnitTree(units, adoptions)
