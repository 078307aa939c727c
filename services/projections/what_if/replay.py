"""A case as it was recorded, and as it would have gone under other rules. Pure.

What people did stays what it was, when it was. What the rules alone brought about is worked out
anew by the functions that the product itself uses: starts, pauses, breaches, lapses, and what a
suspension or a resolution in part took from the rules of its day.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from services.projections.what_if.rules import Rules
from shared.events import cases
from shared.events.base import Event
from shared.events.case import Case
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.policy.clocks import caught_up, clock_events, running_clocks, told_by_clock
from shared.policy.extensions import Extension, extended
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.policy.policy import Policy
from shared.policy.provisional import CLOCK, provisional_of_clock
from shared.policy.refusal import GuardFailed

Told = tuple[Recorded, Event]
HandedOn = Callable[[UUID], tuple[cases.RunningClock, ...] | None]
"""The clocks that ran on a duplicate when it was merged; None where nothing is known of it."""

_WORKED_OUT: Final = (cases.DeadlineStarted, cases.DeadlineShifted, cases.DeadlineBreachVoided)
"""What the rules make of an act, in its own append."""
_LOOKS: Final = (
    cases.DeadlineBreached,
    cases.RightLapsed,
    cases.DeadlineDated,
    cases.DeadlineStarted,
)
"""What tells that the clock had looked at the case by then."""
_JUST_AFTER: Final = timedelta(microseconds=1)


class Start(NamedTuple):
    """Where a clock began."""

    position: int
    """Of the event that tells of it, or of the act that would have started it."""
    on: date
    """The day in Asia/Shanghai after which its days are counted."""
    holder: UUID
    """Who held the case."""
    at: datetime


class Course:
    """A case so far, with the beginnings of its clocks in the order of its deadlines."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.starts: list[Start] = []

    def take(self, recorded: Recorded, event: Event) -> None:
        """Goes on by one event as it was recorded."""
        self._go_on(recorded, event, recorded.position)

    def settle(self, until: datetime, tree: UnitTree) -> None:
        """Goes on by all that the clock has still to record before an instant."""
        case = self.case
        if case is not None:
            self._told_by_clock(told_by_clock(case, until, tree), case.position)

    def _told_by_clock(self, told: Sequence[tuple[datetime, Event]], position: int) -> None:
        for at, event in told:
            assert self.case is not None, "the clock looks at cases that are there"
            self._go_on(provisional_of_clock(self.case, event, at), event, position)

    def _go_on(self, recorded: Recorded, event: Event, position: int) -> None:
        self.case = evolve(self.case, recorded, event)
        if self.case is not None and isinstance(event, cases.DeadlineStarted):
            self.starts.append(Start(position, event.started_on, self.case.holder_unit, recorded.occurred_at))


class Replay(Course):
    """A case as it goes under other rules, told by what was recorded of it."""

    def __init__(self, rules: Rules, handed_on: HandedOn) -> None:
        super().__init__()
        self._rules = rules
        self._handed_on = handed_on
        self.running_at_merge: tuple[cases.RunningClock, ...] | None = None
        """What it hands on to the primary that it was merged into."""

    def take(self, recorded: Recorded, event: Event) -> None:
        if (recorded.actor_ref, recorded.actor_role) == (CLOCK.ref, CLOCK.role):
            if self.case is not None and isinstance(event, _LOOKS):
                # It had recorded then what was due up to that instant, and with it.
                self.settle(recorded.occurred_at + _JUST_AFTER, self._rules.at(recorded.position))
        elif not isinstance(event, _WORKED_OUT):
            self._act(recorded, event)

    def _act(self, recorded: Recorded, event: Event) -> None:
        at, tree = recorded.occurred_at, self._rules.at(recorded.position)
        if self.case is not None and recorded.import_id is None:
            self.case, _ = caught_up(self.case, at, tree)
        if isinstance(event, cases.CaseMerged) and self.case is not None:
            self.running_at_merge = running_clocks(self.case, at)
        for each in self._as_ruled(recorded, event, tree):
            previous = self.case
            version = 1 if previous is None else previous.version + 1
            self._go_on(replace(recorded, version=version), each, recorded.position)
            if self.case is None or recorded.position < self._rules.clocks_from:
                continue
            for clock in list(clock_events(previous, self.case, each, at, tree)):
                self._go_on(provisional_of_clock(self.case, clock, at), clock, recorded.position)

    def _as_ruled(self, recorded: Recorded, event: Event, tree: UnitTree) -> tuple[Event, ...]:
        """The act with what it takes from the rules; nothing for an extension that they don't allow."""
        case = self.case
        if case is None:
            return (event,)
        match event:
            case cases.DeadlineExtended():
                try:
                    return extended(case, _extension(recorded, event), recorded.occurred_at, tree)
                except GuardFailed:
                    return ()
            case cases.CaseSuspended():
                ground = self._policy(case, recorded, tree).suspensions.get(event.ground)
                return (replace(event, pauses=() if ground is None else ground.shifts),)
            case cases.CaseResolved():
                counts = self._policy(case, recorded, tree).partial_counts
                return (replace(event, partial_counts=counts),)
            case cases.CaseAbsorbed():
                return (replace(event, absorbed=tuple(map(self._absorbed, event.absorbed))),)
        return (event,)

    def _policy(self, case: Case, recorded: Recorded, tree: UnitTree) -> Policy:
        return tree.policy(case.holder_unit, day_of(recorded.occurred_at))

    def _absorbed(self, duplicate: cases.AbsorbedCase) -> cases.AbsorbedCase:
        clocks = self._handed_on(duplicate.case_id)
        return duplicate if clocks is None else replace(duplicate, clocks=clocks)


def _extension(recorded: Recorded, event: cases.DeadlineExtended) -> Extension:
    return Extension(
        timer=event.timer,
        days=event.days,
        reason=event.reason,
        approved_by=event.approved_by,
        consenting=event.consenting,
        actor_ref=recorded.actor_ref,
        actor_unit=recorded.unit,
    )


class Replays:
    """The replays of some streams and of what was merged into them."""

    def __init__(self, streams: Mapping[UUID, Sequence[Told]], rules: Rules) -> None:
        self._streams = streams
        self._rules = rules
        self._played: dict[UUID, Replay] = {}

    def of(self, case_id: UUID) -> Replay:
        """The replay of a stream that was given; the same object each time."""
        replay = self._played.get(case_id)
        if replay is None:
            replay = self._played[case_id] = Replay(self._rules, self._handed_on)
            for recorded, event in self._streams[case_id]:
                replay.take(recorded, event)
        return replay

    def _handed_on(self, case_id: UUID) -> tuple[cases.RunningClock, ...] | None:
        return self.of(case_id).running_at_merge if case_id in self._streams else None


def absorbed_in(stream: Sequence[Told]) -> set[UUID]:
    """The duplicates whose clocks a stream was handed."""
    return {
        duplicate.case_id
        for _, event in stream
        if isinstance(event, cases.CaseAbsorbed)
        for duplicate in event.absorbed
    }
