"""The rows of one case's timeline, kept up to date with its events."""

from uuid import UUID

from services.projections.figures.queries import Connection
from services.projections.reads.boards import OutOfSight, Scope, Step
from services.projections.reads.case_answer import timeline_item
from services.projections.reads.case_items import READABLE, may_open
from services.projections.reads.frames import Delta, Rows, encode
from services.projections.reads.live_views import Own
from services.projections.reads.shown import cover, leaves, opened
from services.projections.reads.sources import Sources, summary
from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.reader import fetch_stream
from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.sight import Sight, own_person_refs, sight, sight_of


class TimelineBoard:
    """A row for each event of one case, as its reader may see it."""

    def __init__(self, scope: Scope, sources: Sources) -> None:
        assert scope.reader is not None
        assert scope.case_id is not None
        self._language = scope.language
        self._reader: Actor = scope.reader
        self._case_id: UUID = scope.case_id
        self._sources = sources
        self._case: Case | None = None

    async def load(self, connection: Connection, tree: UnitTree, position: int, own: Own) -> Rows:
        stream = await fetch_stream(connection, self._case_id, to_position=position)
        self._case = fold(stream)
        if self._sight(self._case, tree)[0] not in READABLE:
            raise OutOfSight
        return await self._rows(stream, tree)

    async def change(self, step: Step) -> Delta | None:
        assert self._case is not None
        before = self._sight(self._case, step.tree)
        stream = await fetch_stream(step.connection, self._case_id, to_position=step.position)
        later = stream[self._case.version :]
        self._case = fold(later, self._case)
        if self._sight(self._case, step.tree) != before:
            return None
        return await self._rows(later, step.tree)

    async def missed(self, step: Step, rows: Rows) -> Delta | None:
        stream = await fetch_stream(step.connection, self._case_id, to_position=step.after)
        if self._sight(fold(stream), step.tree) != self._sight(self._case, step.tree):
            return None
        return dict(list(rows.items())[len(stream) :])

    def _sight(self, case: Case | None, tree: UnitTree) -> tuple[Sight, frozenset[UUID]]:
        """What the reader may know of the case, and which people on it they are."""
        if case is None:
            return Sight.HIDDEN, frozenset()
        seen = sight_of(case)
        return sight(self._reader, seen, tree), own_person_refs(self._reader, seen)

    async def _rows(self, stream: list[Recorded], tree: UnitTree) -> Rows:
        assert self._case is not None
        may = may_open(self._reader, sight_of(self._case), tree)
        items = {
            f"{recorded.stream_id}/{recorded.version}": cover(
                timeline_item(recorded, summary(recorded, self._language, tree)), may
            )
            for recorded in stream
        }
        texts = await self._sources.vault.open_many(leaves(list(items.values())))
        return {key: encode(opened(item, texts)) for key, item in items.items()}
