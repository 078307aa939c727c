"""Rows that hold for a while: a stream's states, told event by event, as rows with validity on both axes.

What holds is the pure function `rows` of a state. A row is valid on t as known at p when

    known_from <= p < known_until  and  occurred_from <= t  and  (t < occurred_until or p < closed_at)

which is: it is among `rows` of the fold of the events at positions up to p that had occurred
by t. An event in order ends rows and begins rows. A late one (it occurred before another
that is already told) changes what was true at every instant since. As it is the last of its
stream, each of those folds goes on by it, and only the rows that come out differently are
written anew.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.events.base import Event
from shared.events.recorded import Recorded

FOREVER: Final = 2**63 - 1
"""The position at which a row that still holds will have ended."""

S = TypeVar("S")
Told = tuple[Recorded, Event]
Segment = tuple["Row", datetime]
"""A row and the instant from which it was true."""


class Row(NamedTuple):
    """What holds, whenever it does: a table and the values of its own columns."""

    table: str
    values: tuple[Any, ...]


class Projector(Protocol[S]):
    """How the streams of one kind are folded, and which rows stand for a state; both pure."""

    @property
    def lasting(self) -> bool:
        """Whether streams go on after their first event, so that remembering them pays."""

    def alone(self, recorded: Recorded, event: Event) -> tuple[Row, ...]:
        """The rows that the event makes true by itself, from when it occurred for ever."""

    def evolve(self, state: S | None, recorded: Recorded, event: Event) -> S | None: ...

    def rows(self, state: S) -> tuple[Row, ...]: ...


class TemporalRow:
    """A row with its validity; instants are UTC, `occurred_until` is None while it is open."""

    __slots__ = (
        "closed_at",
        "known_from",
        "known_until",
        "occurred_from",
        "occurred_until",
        "ordinal",
        "row",
        "stored",
    )

    def __init__(self, row: Row, known_from: int, occurred_from: datetime, ordinal: int) -> None:
        self.row = row
        self.known_from = known_from
        self.ordinal = ordinal
        """Its place among the rows begun at the same position."""
        self.known_until = FOREVER
        self.occurred_from = occurred_from
        self.occurred_until: datetime | None = None
        self.closed_at = FOREVER
        self.stored = False
        """Whether its table already has it, so that a change of it is an update."""

    @property
    def key(self) -> UUID:
        """The same whenever the stream is told, so that a stored row is found again."""
        return UUID(int=self.known_from << 64 | self.ordinal)

    @property
    def empty(self) -> bool:
        """Whether it was true at no instant, which only what was known earlier still says."""
        return self.occurred_until is not None and self.occurred_until <= self.occurred_from

    @property
    def holds(self) -> bool:
        """Whether it is true at the end, as far as is known."""
        return self.known_until == self.closed_at == FOREVER

    def close(self, position: int, occurred: datetime) -> None:
        self.occurred_until = occurred
        self.closed_at = position


class LateEvent(Exception):
    """An event that occurred before another one already told: the stream's past is needed to go on."""


class Fold(NamedTuple, Generic[S]):
    """What had happened by an instant, as known after all that is told, until the next such instant."""

    occurred: datetime
    state: S | None
    rows: tuple[Row, ...]


class Story(Generic[S]):
    """One stream as told so far: its state and the rows that stand for it.

    A whole story remembers the fold up to every instant and the rows that have ended, as
    late events need; one that was shortened only what now holds.
    """

    __slots__ = ("_alone", "_ended", "_folds", "_holding", "_projector", "occurred_max", "state", "version")

    def __init__(self, projector: Projector[S]) -> None:
        self._projector = projector
        self.state: S | None = None
        self.version = 0
        self.occurred_max: datetime | None = None
        self._alone: list[TemporalRow] = []
        self._holding: list[TemporalRow] = []
        self._ended: list[TemporalRow] = []
        self._folds: list[Fold[S]] | None = []

    @property
    def rows(self) -> list[TemporalRow]:
        """All rows ever begun; of a shortened story those that may still end."""
        return self._alone + self._ended + self._holding

    def tell(self, recorded: Recorded, event: Event) -> list[TemporalRow]:
        """Goes on by one event and returns the rows that it began or ended.

        Raises: LateEvent, with nothing changed, when only a whole story can go on.
        """
        late = self.occurred_max is not None and recorded.occurred_at < self.occurred_max
        if late and self._folds is None:
            raise LateEvent
        position, occurred = recorded.position, recorded.occurred_at
        alone = self._projector.alone(recorded, event)
        begun = [TemporalRow(row, position, occurred, place) for place, row in enumerate(alone)]
        if self._folds is None:
            last = self._fold(self.state, recorded, event, occurred)
        else:
            last = self._fold_since(self._folds, recorded, event)
            self._alone.extend(begun)
        if late and self._folds is not None:
            touched = self._rewrite(position, segments(self._folds), len(begun))
        else:
            touched = self._go_on(position, occurred, last.rows, len(begun))
            self.occurred_max = occurred
        self.state = last.state
        self.version = recorded.version
        return begun + touched

    def _fold(self, state: S | None, recorded: Recorded, event: Event, occurred: datetime) -> Fold[S]:
        state = self._projector.evolve(state, recorded, event)
        return Fold(occurred, state, () if state is None else self._projector.rows(state))

    def _fold_since(self, folds: list[Fold[S]], recorded: Recorded, event: Event) -> Fold[S]:
        """Lets every fold from the event's instant on go on by it, and answers the last of them."""
        occurred = recorded.occurred_at
        if not folds or folds[-1].occurred < occurred:
            folds.append(self._fold(folds[-1].state if folds else None, recorded, event, occurred))
            return folds[-1]
        place = bisect_left(folds, recorded.occurred_at, key=_occurred)
        if place == len(folds) or folds[place].occurred != recorded.occurred_at:
            before = folds[place - 1].state if place else None
            folds.insert(place, Fold(recorded.occurred_at, before, ()))
        for later in range(place, len(folds)):
            folds[later] = self._fold(folds[later].state, recorded, event, folds[later].occurred)
        return folds[-1]

    def shorten(self) -> None:
        """Forgets the past: folds, and rows that have ended or never will."""
        self._folds = None
        self._alone = []
        self._ended = []

    def _go_on(
        self, position: int, occurred: datetime, wanted: tuple[Row, ...], ordinal: int
    ) -> list[TemporalRow]:
        touched, holding = [], []
        missing = list(wanted)
        for row in self._holding:
            if row.row in missing:
                missing.remove(row.row)
                holding.append(row)
            else:
                row.close(position, occurred)
                touched.append(row)
        if self._folds is not None:
            self._ended.extend(touched)
        begun = [TemporalRow(row, position, occurred, place) for place, row in enumerate(missing, ordinal)]
        self._holding = holding + begun
        return touched + begun

    def _rewrite(
        self, position: int, wanted: dict[Segment, datetime | None], ordinal: int
    ) -> list[TemporalRow]:
        touched = []
        rows = self._ended + self._holding
        for row in rows:
            if row.known_until != FOREVER or row.empty:
                continue
            segment = (row.row, row.occurred_from)
            if segment in wanted and wanted[segment] == row.occurred_until:
                del wanted[segment]
                continue
            until = wanted.get(segment)
            if until is not None and row.occurred_until is None:
                row.close(position, until)
                del wanted[segment]
            else:
                row.known_until = position
            touched.append(row)
        for place, ((content, occurred_from), until) in enumerate(wanted.items(), ordinal):
            row = TemporalRow(content, position, occurred_from, place)
            if until is not None:
                row.close(position, until)
            touched.append(row)
            rows.append(row)
        self._holding = [row for row in rows if row.holds]
        self._ended = [row for row in rows if not row.holds]
        return touched


def history(projector: Projector[S], stream: Iterable[Told]) -> list[TemporalRow]:
    """All rows of a stream, told from its beginning: what its tables hold, by definition."""
    story = Story(projector)
    for recorded, event in stream:
        story.tell(recorded, event)
    return story.rows


def segments(folds: Sequence[Fold[S]]) -> dict[Segment, datetime | None]:
    """When each row was true, by folds in order of their instants; an open one to None."""
    ended: dict[Segment, datetime | None] = {}
    running: dict[Row, datetime] = {}
    for occurred, _, rows in folds:
        held = dict.fromkeys(rows)
        for row in [row for row in running if row not in held]:
            ended[row, running.pop(row)] = occurred
        for row in held:
            running.setdefault(row, occurred)
    ended.update(((row, occurred_from), None) for row, occurred_from in running.items())
    return ended


_occurred = attrgetter("occurred")
