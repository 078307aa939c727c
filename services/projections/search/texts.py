"""The sealed texts of a case that can be searched, and the township under whose key they are indexed."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from shared.events.base import Private
from shared.events.cases import RecordCorrected
from shared.events.evolve import fold
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.jurisdiction import UnitTree
from shared.runtime.sealing import private_values


class Place(NamedTuple):
    """Where a text stands in the ledger."""

    position: int
    field: str


class CaseTexts(NamedTuple):
    township: UUID
    texts: dict[Place, Private]


def case_texts(stream: Sequence[Recorded], tree: UnitTree) -> CaseTexts | None:
    """Every private value of a case's events but those that were corrected; None before it is opened."""
    case = fold(stream)
    if case is None:
        return None
    events = [(recorded, event_of(recorded)) for recorded in stream]
    corrected = {(event.event_id, event.field) for _, event in events if isinstance(event, RecordCorrected)}
    texts = {
        Place(recorded.position, value.field): value
        for recorded, event in events
        for value in private_values(event)
        if (recorded.event_id, value.field) not in corrected
    }
    return CaseTexts(_township(case.holder_unit, tree), texts)


def _township(unit: UUID, tree: UnitTree) -> UUID:
    """The township of a unit; where there is none above, what is topmost."""
    return tree.ancestor_at(unit, "TOWNSHIP") or (tree.path(unit) or (unit,))[-1]
