"""The cases that one may be merged into: by the domain's rule, which no list row can tell."""

from collections.abc import Sequence
from typing import NamedTuple

from services.projections.cases.rows import CaseRow
from services.projections.figures.queries import Connection
from services.projections.reads.moments import Moment
from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.reader import fetch_streams
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.merging import merge_fault


class Merging(NamedTuple):
    """Who would merge which case into another, by the units of the moment asked for."""

    duplicate: Case
    actor: Actor
    tree: UnitTree

    async def only(self, connection: Connection, rows: Sequence[CaseRow], moment: Moment) -> list[CaseRow]:
        """Those of the cases that may take it in."""
        streams = await fetch_streams(connection, [row.case_id for row in rows], moment.position)
        return [row for row in rows if self._may_take(fold(moment.happened(streams[row.case_id])))]

    def _may_take(self, primary: Case | None) -> bool:
        return merge_fault(self.duplicate, primary, self.actor, self.tree) is None
