"""One case and its timeline, folded from the ledger as of any moment."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.reads.access import check_case, refuse_dashboard
from services.projections.reads.case_answer import case_answer, timeline_item
from services.projections.reads.case_items import may_open
from services.projections.reads.moments import Asked, Moment, Moments
from services.projections.reads.shown import MayOpen, cover, leaves, opened
from services.projections.reads.sources import Sources, summary
from shared.events.case import Case
from shared.events.evolve import fold
from shared.events.ledger.reader import fetch_stream
from shared.events.recorded import Recorded
from shared.policy.actor import Actor
from shared.policy.deciding import allowed_commands
from shared.policy.guards import missing_documents
from shared.policy.jurisdiction import UnitTree
from shared.policy.merging import merge_fault, primary_after
from shared.policy.moments import day_of
from shared.policy.rules import failed
from shared.policy.sight import HIDDEN_PROCEDURES, Sight, sight, sight_of
from shared.policy.unmasking import may_unmask
from shared.runtime.problems import Problem, Text

_FOR_OVERSEERS: Final = Text(
    "For a supervisor, an auditor or a privacy officer of a unit at or above the origin, who has neither "
    "acted on the case nor declared a conflict and, for a confidential one, has the clearance",
    "仅供发生单位或其上级单位的监督员、审计人员、隐私专员查看；未办理过本案、未声明回避；保密案件还须有相应授权",
)


class Told(NamedTuple):
    """A case as of a moment, with the events that make it."""

    moment: Moment
    case: Case
    now: Case
    """As it stands now."""
    events: Sequence[Recorded]
    may_open: MayOpen
    tree: UnitTree


class CaseReads:
    def __init__(self, sources: Sources, moments: Moments) -> None:
        self._sources = sources
        self._moments = moments

    async def case(self, case_id: UUID, actor: Actor, asked: Asked) -> tuple[Moment, dict[str, Any]]:
        """Raises: Problem, 404 where it isn't there or not to be known of, 403 where it isn't theirs."""
        told = await self._told(case_id, actor, asked)
        return told.moment, await self._case(told, actor)

    async def timeline(
        self, case_id: UUID, actor: Actor, asked: Asked, language: str, *, after: int, limit: int
    ) -> tuple[Moment, list[dict[str, Any]], bool]:
        """Events after version `after`, and whether there are more. Raises: as `case`."""
        told = await self._told(case_id, actor, asked)
        rest = [recorded for recorded in told.events if recorded.version > after]
        return told.moment, await self._items(told, rest[:limit], language), len(rest) > limit

    async def merged(
        self, case_id: UUID, into: UUID, actor: Actor, asked: Asked
    ) -> tuple[Moment, dict[str, Any]]:
        """The second case as it will stand if the first is merged into it.

        Raises: as `case` for either, and GuardFailed where the actor may not merge the one into the other.
        """
        told = await self._told(case_id, actor, asked)
        primary = await self.told_at(into, actor, told.moment)
        fault = merge_fault(told.case, primary.case, actor, told.tree)
        if fault is not None:
            raise failed(fault, "into")
        at = told.moment.occurred or told.moment.instant
        after = primary_after(told.case, primary.case, actor, at, told.tree)
        return told.moment, await self._case(primary._replace(case=after), actor)

    async def to_unmask(self, case_id: UUID, actor: Actor, asked: Asked) -> Told:
        """The case as of a moment with everything to be opened, for `unmasked`, once that is on record.

        Raises: as `case`, and Problem 403 where it isn't the actor's to see in the clear.
        """
        told = await self._told(case_id, actor, asked)
        tree = self._sources.trees.current
        if not all(may_unmask(actor, case, tree) for case in (told.now, told.case)):
            raise Problem("forbidden", _FOR_OVERSEERS)
        return told._replace(may_open=lambda value: True)

    async def unmasked(
        self, told: Told, actor: Actor, language: str, *, after: int, limit: int
    ) -> dict[str, Any]:
        """The case and its events after version `after`, in the clear, and which of all these are."""
        rest = [recorded for recorded in told.events if recorded.version > after]
        case = await self._case(told, actor)
        return {
            "case": case,
            "items": await self._items(told, rest[:limit], language),
            "more": len(rest) > limit,
            "before": len(told.events) - len(rest),
            "total": len(told.events),
            **told.moment.stamp(),
        }

    async def readable(self, case_id: UUID, actor: Actor) -> Case:
        """The case as it stands. Raises: Problem, 404 or 403 where the actor may not read it."""
        async with self._sources.pool.connection() as connection:
            case = fold(await fetch_stream(connection, case_id))
        if case is None:
            raise Problem("not-found")
        check_case(sight(actor, sight_of(case), self._sources.trees.current))
        return case

    async def _case(self, told: Told, actor: Actor) -> dict[str, Any]:
        tree = self._sources.trees.current
        policy = told.tree.policy(told.case.holder_unit, day_of(told.moment.occurred or told.moment.instant))
        missing = missing_documents(told.case, policy)
        answer = cover(case_answer(told.case, missing, told.moment.instant, policy), told.may_open)
        answer = opened(answer, await self._sources.vault.open_many(leaves(answer)))
        allowed = allowed_commands(told.case, actor, tree, policy) if told.moment.live else []
        return {**answer, "allowed_commands": allowed, **told.moment.stamp()}

    async def _items(self, told: Told, events: Sequence[Recorded], language: str) -> list[dict[str, Any]]:
        items = [timeline_item(recorded, summary(recorded, language, told.tree)) for recorded in events]
        items = cover(items, told.may_open)
        shown: list[dict[str, Any]] = opened(items, await self._sources.vault.open_many(leaves(items)))
        return shown

    async def _told(self, case_id: UUID, actor: Actor, asked: Asked) -> Told:
        refuse_dashboard(actor)
        return await self.told_at(case_id, actor, await self._moments.of_ledger(asked))

    async def told_at(self, case_id: UUID, actor: Actor, moment: Moment) -> Told:
        """The case as of a moment. Raises: as `case`."""
        async with self._sources.pool.connection() as connection:
            stream = await fetch_stream(connection, case_id, to_position=moment.head)
        known = stream if moment.live else [each for each in stream if each.position <= moment.position]
        events = moment.happened(known)
        case = fold(events)
        # What only leaves the end out is gone on with; a fold of a thousand events is most of a read's work.
        now = fold(stream[len(events) :], case) if moment.occurred is None else fold(stream)
        if now is None or case is None:
            raise Problem("not-found")
        standing = sight(actor, sight_of(now), self._sources.trees.current)
        tree = self._sources.trees.at(moment.position, moment.occurred)
        seen = sight_of(case)
        if standing is Sight.HIDDEN and (moment.live or seen.procedure not in HIDDEN_PROCEDURES):
            raise Problem("not-found")
        stood = sight(actor, seen, tree)
        # A past answer stays what it was, so what of it is shown is judged by how things stood then. Whose
        # it has become since may read it too; what was made confidential since is so in its past as well.
        check_case(standing if stood is Sight.OUTSIDE else stood)
        return Told(moment, case, now, events, may_open(actor, seen, tree), tree)
