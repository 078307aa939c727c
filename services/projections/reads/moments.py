"""As of which moment an answer is given: what a read asks for, and what that comes to."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from services.projections.figures.queries import AsOf
from services.projections.reads.progress import WAIT_MAX_S, Progress
from shared.events.ledger.reader import Head, fetch_head, fetch_range, position_at
from shared.events.recorded import Recorded
from shared.runtime.database import Pool
from shared.runtime.problems import Problem, Text, invalid
from shared.runtime.trees import Trees

_UNITS_POSITION: Final = "SELECT max(position) FROM ledger.events WHERE topic LIKE 'unit.%'"
_POLL_S: Final = 0.02
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for when nothing was recorded yet."""

_ONE_OF = Text("and at_position exclude each other", "与 at_position 只能给出一个")
_BEYOND = Text("lies beyond the head of the ledger", "超出账本的最后位置")
_BACKWARDS = Text("lies after b", "晚于较晚的时刻")
_FUTURE = Text("lies in the future", "在将来")


class Asked(Protocol):
    """The parameters that every read takes."""

    @property
    def at_position(self) -> int | None: ...
    @property
    def at_recorded(self) -> datetime | None: ...
    @property
    def at_occurred(self) -> datetime | None: ...
    @property
    def min_position(self) -> int | None: ...


class _At(msgspec.Struct, frozen=True, kw_only=True):
    """A position that has a name of its own, as a read asks for it."""

    at_position: int
    at_occurred: datetime | None
    at_recorded: None = None
    min_position: None = None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What was true on `occurred` (None: at the end) as known at `position`."""

    position: int
    instant: datetime
    """UTC; when the position was recorded, or now for an answer as known now."""
    occurred: datetime | None
    live: bool
    """Whether the answer is of now on both axes."""
    head: int
    """The latest position there is to know of: of the ledger or of the read models."""

    @classmethod
    def now_at(cls, position: int) -> "Moment":
        """Now, as far as the read models are."""
        return cls(position=position, instant=datetime.now(UTC), occurred=None, live=True, head=position)

    @property
    def as_of(self) -> AsOf:
        return AsOf(position=self.position, occurred=self.occurred)

    def happened(self, events: Sequence[Recorded]) -> Sequence[Recorded]:
        """Those of some known events that had happened by then."""
        if self.occurred is None:
            return events
        return [recorded for recorded in events if recorded.occurred_at <= self.occurred]

    @property
    def known_now(self) -> bool:
        return self.position == self.head

    def stamp(self) -> dict[str, object]:
        """The members that every answer has."""
        return {"as_of_position": self.position, "as_of_instant": self.instant}


class Moments:
    """Finds the moment that a read asks for."""

    def __init__(self, pool: Pool, trees: Trees, progress: Progress) -> None:
        self._pool = pool
        self._trees = trees
        self._progress = progress

    async def of_ledger(self, asked: Asked) -> Moment:
        """For what is read from the ledger itself, which is never behind.

        Raises: Problem, 422 beyond the head or in the future, 503 when `min_position` isn't reached.
        """
        _check(asked)
        head = await self._head(asked.min_position or 0)
        return await self._moment(asked, head, head.position)

    async def of_views(self, asked: Asked) -> Moment:
        """For what is read from the read models: as of the position that all of them have reached.

        Raises: as `of_ledger`, and Problem 503 when the position asked for isn't reached in time.
        """
        _check(asked)
        past = asked.at_position is not None or asked.at_recorded is not None
        if not past:
            stand = await self._progress.reach(asked.min_position or 0)
            return msgspec.structs.replace(
                Moment.now_at(stand.position), occurred=asked.at_occurred, live=asked.at_occurred is None
            )
        head = await self._head(0)
        moment = await self._moment(asked, head, head.position)
        stand = await self._progress.reach(max(moment.position, asked.min_position or 0))
        return msgspec.structs.replace(moment, head=max(stand.position, moment.position))

    async def of_two(self, a: int, b: int, occurred: datetime | None) -> tuple[Moment, Moment]:
        """Of the read models at two positions, as of the same instant of occurrence.

        Raises: Problem, 422 that names the position which is beyond the head or later than the other, and
        as `of_views`.
        """
        if a > b:
            raise invalid("a", "range", _BACKWARDS)
        earlier = await self.of_position("a", a, occurred)
        return earlier, await self.of_position("b", b, occurred)

    async def of_position(self, name: str, position: int, occurred: datetime | None = None) -> Moment:
        """Of the read models at a position that stands in the field `name`.

        Raises: Problem, 422 that names the field where the position is beyond the head, and as `of_views`.
        """
        head = await self._head(0)
        if position > head.position:
            raise invalid(name, "range", _BEYOND)
        return await self.of_views(_At(at_position=position, at_occurred=occurred))

    async def _moment(self, asked: Asked, head: Head, latest: int) -> Moment:
        position, instant = latest, datetime.now(UTC)
        if asked.at_position is not None or asked.at_recorded is not None:
            async with self._pool.connection() as connection:
                if asked.at_recorded is not None:
                    position = await position_at(connection, asked.at_recorded)
                else:
                    position = asked.at_position or 0
                    if position > head.position:
                        raise invalid("at_position", "range", _BEYOND)
                last = await fetch_range(connection, position - 1, 1, position)
            instant = last[0].recorded_at if last else _BEGINNING
        known_now = asked.at_position is None and asked.at_recorded is None
        return Moment(
            position=position,
            instant=instant,
            occurred=asked.at_occurred,
            live=known_now and asked.at_occurred is None,
            head=latest,
        )

    async def _head(self, position: int) -> Head:
        """The head of the ledger, once it is at the position or beyond."""
        give_up_at = time.monotonic() + WAIT_MAX_S
        while True:
            async with self._pool.connection() as connection:
                head = await fetch_head(connection)
                units = await (await connection.execute(_UNITS_POSITION, prepare=True)).fetchone()
            await self._trees.reach((units and units[0]) or 0)
            if head.position >= position:
                return head
            if time.monotonic() >= give_up_at:
                raise Problem("behind", headers={"Retry-After": "1"})
            await asyncio.sleep(_POLL_S)


def _check(asked: Asked) -> None:
    if asked.at_position is not None and asked.at_recorded is not None:
        raise invalid("at_recorded", "exclusive", _ONE_OF)
    now = datetime.now(UTC)
    for name in ("at_recorded", "at_occurred"):
        instant = getattr(asked, name)
        if instant is not None and instant > now:
            raise invalid(name, "range", _FUTURE)
