"""What cases come to as recorded and as replayed: figures, and the breaches that only one side has. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.projections.deadlines.clocks import Clock
from services.projections.figures.facts import case_facts, due_day
from services.projections.figures.measures import EXPLAINED, Measure
from services.projections.figures.queries import Period
from services.projections.figures.tallies import Counts
from services.projections.temporal import Row
from services.projections.what_if.replay import Course, Replays, Told
from services.projections.what_if.rules import Rules
from shared.events.case import Mark
from shared.events.vocabulary import Timer
from shared.policy.jurisdiction import UnitTree

OVERDUE: Final = "overdue_by_origin"
"""The fact of an open case on which a breach stands."""
MEASURED: Final[Mapping[str, Measure]] = {
    name: measure for name, measure in EXPLAINED.items() if "visit" not in measure.facts
}
"""The measures that are told of cases; no rule makes anybody visit more or less."""
_OVERDUE: Final = Measure(name="overdue", kind="COUNT", facts=(OVERDUE,), live=True, formula="")
_NOBODY: Final = UUID(int=0)
_SOME_EVENT: Final = Mark("", 0, datetime.min.replace(tzinfo=UTC), _NOBODY)
"""Stands for whatever made a clock what it is: facts are only counted here."""


class Question(NamedTuple):
    """What is asked of every case."""

    recorded: UnitTree
    """The units and rules in force, as known at the moment asked for."""
    rules: Rules
    units: frozenset[UUID]
    period: Period
    today: date
    until: datetime
    """The moment asked for: what falls due later isn't breached."""
    held: frozenset[UUID]
    """Units whose breaches are held while an import is open for them."""
    limit: int
    """How many breaches are listed at most, on either side."""


class Breach(NamedTuple):
    """A clock that was breached; the soonest due comes first."""

    due_at: datetime
    case_id: UUID
    timer: Timer
    started_on: date
    subject: UUID | None
    holder_unit: UUID
    """Who held the case when the clock began."""
    position: int
    """Of the event by which the clock is known to whoever may not know more."""

    @property
    def clock(self) -> tuple[Timer, date, UUID | None]:
        """By which a clock of one case is the same under any rules."""
        return self.timer, self.started_on, self.subject


class Judged(NamedTuple):
    """What cases come to; a sum of batches is one as well."""

    cases: int
    recorded: Counts
    replayed: Counts
    breaches: Counter[tuple[Timer, str]]
    """How many there are by timer: `recorded`, `replayed`, `appear`, `vanish`."""
    appear: list[Breach]
    """Soonest due first, at most as many as were asked for."""
    vanish: list[Breach]

    def plus(self, other: "Judged", limit: int) -> "Judged":
        return Judged(
            self.cases + other.cases,
            self.recorded + other.recorded,
            self.replayed + other.replayed,
            self.breaches + other.breaches,
            sorted(self.appear + other.appear)[:limit],
            sorted(self.vanish + other.vanish)[:limit],
        )


NOTHING: Final = Judged(0, Counter(), Counter(), Counter(), [], [])


def judge(question: Question, case_ids: Iterable[UUID], streams: Mapping[UUID, Sequence[Told]]) -> Judged:
    """The cases judged; `streams` are theirs and those of whatever was merged into them."""
    replays = Replays(streams, question.rules)
    tally = _Tally(question)
    breaches: Counter[tuple[Timer, str]] = Counter()
    appear: list[Breach] = []
    vanish: list[Breach] = []
    judged = 0
    for case_id in case_ids:
        recorded, replayed = Course(), replays.of(case_id)
        for told, event in streams[case_id]:
            recorded.take(told, event)
        if recorded.case is None or replayed.case is None:
            continue
        judged += 1
        if recorded.case.holder_unit not in question.held:
            recorded.settle(question.until, question.recorded)
            replayed.settle(question.until, question.rules.latest)
        tally.count(recorded, replayed)
        if recorded.case.docket_unit not in question.units:
            continue
        before, after = breached(recorded, question.period), breached(replayed, question.period)
        more, less = without(after, before), without(before, after)
        named = {"recorded": before, "replayed": after, "appear": more, "vanish": less}
        breaches.update((breach.timer, name) for name, each in named.items() for breach in each)
        appear += more
        vanish += less
    limit = question.limit
    return Judged(
        judged, tally.recorded, tally.replayed, breaches, sorted(appear)[:limit], sorted(vanish)[:limit]
    )


def breached(course: Course, period: Period) -> list[Breach]:
    """The breaches that stand, of the clocks that count to the period as the on-time rates have it."""
    case = course.case
    if case is None:
        return []
    return [
        Breach(
            deadline.due_at,
            case.case_id,
            deadline.timer,
            start.on,
            deadline.subject,
            start.holder,
            start.position,
        )
        for deadline, start in zip(case.deadlines, course.starts, strict=True)
        if deadline.state == "BREACHED"
        and deadline.due_at is not None
        and deadline.original_due_at is not None
        and period.has(due_day(deadline.original_due_at))
    ]


def without(breaches: Sequence[Breach], others: Sequence[Breach]) -> list[Breach]:
    """Those whose clock is breached on one side only."""
    left = Counter(breach.clock for breach in others)
    found = []
    for breach in breaches:
        if left[breach.clock]:
            left[breach.clock] -= 1
        else:
            found.append(breach)
    return found


class _Tally:
    """Counts facts as the figures do."""

    def __init__(self, question: Question) -> None:
        self._asked = {
            fact: measure.counted_in(question.period, question.today)
            for measure in (*MEASURED.values(), _OVERDUE)
            for fact in (*measure.facts, *measure.over, *measure.unclassified)
        }
        self._units = question.units
        self.recorded: Counts = Counter()
        self.replayed: Counts = Counter()

    def count(self, recorded: Course, replayed: Course) -> None:
        """Adds a case, on both sides."""
        if recorded.case is None or replayed.case is None:
            return
        self.recorded.update(self._counted(case_facts(recorded.case, _clocks(recorded))))
        self.replayed.update(self._counted(case_facts(replayed.case, _clocks(replayed))))

    def _counted(self, facts: Iterable[Row]) -> list[tuple[str, str | None]]:
        """Name and level of each fact that counts."""
        found: list[tuple[str, str | None]] = []
        for fact in facts:
            name, unit, _, _, _, on_day, previous_on, level, _, _ = fact.values
            asked = self._asked.get(name)
            if asked is None or unit not in self._units or not asked.has(on_day):
                continue
            # Of what counts once in a period, the first counts.
            if previous_on is None or not asked.has(previous_on):
                found.append((name, level))
        return found


def _clocks(course: Course) -> list[Clock]:
    """The clocks of a case, which it has, with no more of what made them so than their facts need."""
    assert course.case is not None
    return [
        Clock(
            _NOBODY,
            deadline,
            _SOME_EVENT._replace(occurred_at=start.at),
            breached=_SOME_EVENT if deadline.state == "BREACHED" else None,
        )
        for deadline, start in zip(course.case.deadlines, course.starts, strict=True)
    ]
