"""Cases, services and clocks as rows of a live view: told once, shown to many."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import UUID

from services.projections.cases.rows import CaseRow
from services.projections.reads.case_items import READABLE, case_told, sight_of_row
from services.projections.reads.deadline_items import DeadlineRow, clock_told, deadline_item
from services.projections.reads.frames import encode
from services.projections.reads.service_items import service_item, service_told
from services.projections.reads.shown import cover, hidden
from services.projections.services_ledger.rows import ServiceRow
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import CaseSight, Sight, own_person_refs, sight

Cases = Mapping[UUID, CaseRow]
"""The cases that services were performed in, or that clocks are of."""


class ListedCase:
    """What most readers are shown of a case is the same, so it is made and encoded once."""

    def __init__(self, unit: UUID, position: int, row: CaseRow) -> None:
        self.unit = unit
        """Under which it is found."""
        self.key = str(row.case_id)
        self.position = row.position
        self._row = row

    @cached_property
    def _seen(self) -> CaseSight:
        return sight_of_row(self._row)

    @cached_property
    def told(self) -> dict[str, Any]:
        """The whole row, every private value a leaf; here and below."""
        return case_told(self._row)

    @cached_property
    def _masked(self) -> bytes:
        return encode(cover(self.told, lambda value: False))

    def show(self, actor: Actor, tree: UnitTree, cases: Cases) -> bytes | dict[str, Any] | None:
        """The row, encoded or with leaves that the actor may open; None where they may not know of it."""
        what = sight(actor, self._seen, tree)
        if what not in READABLE:
            return None
        if what is Sight.CLEAR:
            return self.told
        own = own_person_refs(actor, self._seen)
        if not own:
            return self._masked
        covered: dict[str, Any] = cover(self.told, lambda value: value.key in own)
        return covered


class ListedService:
    def __init__(self, unit: UUID, position: int, row: ServiceRow) -> None:
        self.unit = unit
        self.key = str(row.service_id)
        self.position = position
        """From which it stands as it does."""
        self.case_id = row.case_id
        self._row = row

    @property
    def told(self) -> dict[str, Any]:
        return service_told(self._row)

    def show(self, actor: Actor, tree: UnitTree, cases: Cases) -> bytes | dict[str, Any] | None:
        item = service_item(self._row, self.position, actor, tree, cases)
        return None if "sealed" in item else item


class ListedDeadline:
    def __init__(self, row: DeadlineRow) -> None:
        self.unit = row.holder_unit
        self.key = f"{row.case_id}/{row.timer}/{row.version}"
        self.position = row.position
        self.case_id = row.case_id
        self._row = row

    @property
    def told(self) -> dict[str, Any]:
        return clock_told(self._row)

    def show(self, actor: Actor, tree: UnitTree, cases: Cases) -> bytes | dict[str, Any] | None:
        item = deadline_item(self._row, actor, tree, cases)
        return None if "sealed" in item else item


Listed = ListedCase | ListedService | ListedDeadline


def hidden_row(position: int) -> tuple[str, bytes]:
    """Key and row of what the reader may not know: known by its position only."""
    return f"sealed/{position}", encode(hidden(position))
