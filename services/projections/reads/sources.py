"""What the reads are made from, gathered once per process."""

from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from services.projections.reads.progress import Progress
from services.projections.reads.visited import VisitedMemory
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.policy.reference import lists
from shared.policy.topics import summarise
from shared.runtime.database import Pool
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault


@dataclass(frozen=True, kw_only=True)
class Sources:
    pool: Pool
    trees: Trees
    vault: Vault
    progress: Progress
    visited: VisitedMemory = field(default_factory=VisitedMemory)


def summary(recorded: Recorded, language: str, tree: UnitTree) -> str:
    """What a timeline says of an event, in Chinese or English; units by their names in the tree."""

    def name(unit_id: UUID) -> str:
        unit = tree.get(unit_id)
        return str(unit_id) if unit is None else unit.name

    policy = tree.policy(recorded.unit, day_of(recorded.occurred_at))
    return summarise(event_of(recorded), language, _lists(policy), name)


_lists = lru_cache(maxsize=64)(lists)
