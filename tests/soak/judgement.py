"""What must hold of a simulated time: the clocks recorded what the rules say, once, whatever struck.

Three things may differ from one run to another, and nothing else:

- *Whether a warning was given.* A clock that looks too late finds the thing itself due, and doesn't warn.
- *Whether a breach was recorded that was voided later.* Who looks before an act in time is recorded finds a
  breach, who looks afterwards finds none; a clock that is told a time yet to come finds one, too. The notice
  to the level above that came with such a breach stays, as what was done because of it does.
- *Who recorded it*: a clock, or the command that came first after the due instant.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from shared.events import cases
from shared.events.base import Event
from shared.events.case import Case
from shared.events.deadlines import Deadline
from shared.events.evolve import evolve, fold
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.clock_starts import RIGHTS
from shared.policy.clocks import caught_up, told_by_clock
from shared.policy.jurisdiction import UnitTree
from shared.policy.provisional import CLOCK
from tests.soak.simulation import History, Look

Told = tuple[datetime, Event]
_OUTCOMES = (cases.DeadlineBreached, cases.RightLapsed)


def judge(history: History) -> Counter[str]:
    """How many events of each topic the clocks told and acts voided; fails where anything is amiss."""
    streams = streams_of(history.events, history.cases)
    for stream in streams.values():
        every_look_told_what_the_rules_say(stream, history)
        for look in history.undisturbed:
            nothing_was_left_to_say(stream, look, history.tree)
    for each in history.imports:
        for case_id in each.case_ids:
            early = [event for event in streams[case_id] if is_told(event) and event.position <= each.closed]
            assert not early, f"told while an import was open: {early}"
    return judge_outcomes(streams.values(), history.end, history.tree)


def judge_outcomes(streams: Iterable[Sequence[Recorded]], end: datetime, tree: UnitTree) -> Counter[str]:
    """The same of whole streams alone, of whose looks nothing is known but that there was one at the end."""
    told: Counter[str] = Counter()
    for stream in streams:
        what_stands_is_what_the_acts_alone_come_to(stream, end, tree)
        every_verdict_is_by_when_it_happened(stream, end)
        nothing_was_said_twice(stream)
        told.update(event.topic for event in stream if is_told(event) or is_void(event))
    return told


def streams_of(events: Iterable[Recorded], cases: Iterable[UUID]) -> dict[UUID, list[Recorded]]:
    streams: dict[UUID, list[Recorded]] = {case_id: [] for case_id in cases}
    for event in events:
        if event.stream_id in streams:
            streams[event.stream_id].append(event)
    return streams


def is_told(recorded: Recorded) -> bool:
    return recorded.actor_ref == CLOCK.ref


def is_void(recorded: Recorded) -> bool:
    return recorded.topic == cases.DeadlineBreachVoided.topic


def every_look_told_what_the_rules_say(stream: Sequence[Recorded], history: History) -> None:
    """Each append began with all that was to be said of the case then, at a time that a clock was told.

    A command's own begins with what fell due before it happened; under an import it does not.
    """
    case: Case | None = None
    for _, group in groupby(stream, key=lambda event: event.recorded_at):
        append = list(group)
        told = told_in(append)
        if case is not None and len(told) == len(append):
            since = max(at for at, _ in told)
            possible = (
                told_by_clock(case, now, history.tree) for now in sorted(history.times) if now >= since
            )
            assert told in possible, f"no look tells this: {told}"
        elif case is not None and append[0].import_id is None:
            own = append[len(told)]
            assert told == caught_up(case, own.occurred_at, history.tree)[1], own
        assert [at for at, _ in told] == sorted(at for at, _ in told), f"not in due order: {told}"
        case = fold(append, case)


def nothing_was_left_to_say(stream: Sequence[Recorded], look: Look, tree: UnitTree) -> None:
    """After a look that nothing disturbed everything is told that was due by then, warnings too."""
    known = [event for event in stream if event.position <= look.position]
    case = fold([*known, *_leading(stream[len(known) :])])
    left = told_by_clock(case, look.now, tree) if case is not None else []
    assert not left, f"left to say at {look.now}: {left}"


def what_stands_is_what_the_acts_alone_come_to(
    stream: Sequence[Recorded], end: datetime, tree: UnitTree
) -> None:
    """The acts played again with none of what the clocks told: due by due, each as of the due instant."""
    stands = standing((recorded.occurred_at, event_of(recorded)) for recorded in stream)
    expected = standing(acts_alone(stream, end, tree))
    assert stands == expected, f"{stands} stand instead of {expected}"


def every_verdict_is_by_when_it_happened(stream: Sequence[Recorded], end: datetime) -> None:
    """A duty is breached, a right lapsed, just if the due instant passed before it ended or stood still."""
    case = fold(stream)
    assert case is not None
    for clock in case.deadlines:
        if clock.due_at is not None:
            assert _is_late(clock) == (_ran_until(clock, end) > clock.due_at), (clock, end)
            assert (clock.state == "LAPSED") <= (clock.timer in RIGHTS)


def nothing_was_said_twice(stream: Sequence[Recorded]) -> None:
    """A clock is warned of and falls due once for each due instant that it has had.

    It falls due again where that was voided, as by a pause that was recorded late, and whose end was, too.
    """
    warned: set[tuple[int, datetime]] = set()
    due: set[tuple[int, datetime]] = set()
    for recorded in stream:
        event = event_of(recorded)
        if is_void(recorded):
            still = {told for told in due if told[0] != _started(event)}
            assert still != due, "voided without having been told"
            due = still
        elif isinstance(event, (*_OUTCOMES, cases.DeadlineApproaching)):
            said = warned if isinstance(event, cases.DeadlineApproaching) else due
            told = (event.started_version, event.due_at)
            assert told not in said, event
            said.add(told)


def told_in(append: Sequence[Recorded]) -> list[Told]:
    """What is told at the beginning of an append."""
    return [(event.occurred_at, event_of(event)) for event in _leading(append)]


def acts_alone(stream: Sequence[Recorded], end: datetime, tree: UnitTree) -> list[Told]:
    """What is told when nobody looks but those who act, and a clock once at the end; and what is voided.

    Only those acts void anything that did when they were recorded. Two things go by what was recorded before:
    a merge moves no clock whose breach stands, and a lapse is undone by the use of the right alone.
    """
    case: Case | None = None
    found: list[Told] = []
    looked_at = datetime.min.replace(tzinfo=UTC)
    for recorded in stream:
        event = event_of(recorded)
        if is_told(recorded):
            if isinstance(event, cases.RightLapsed):
                case = evolve(case, recorded, event)
                found.append((recorded.occurred_at, event))
            elif isinstance(event, cases.DeadlineBreached):
                looked_at = max(looked_at, recorded.occurred_at + timedelta(microseconds=1))
            continue
        if isinstance(event, cases.DeadlineBreachVoided):
            assert case is not None
            if not any(
                clock.version == event.started_version and _is_late(clock) for clock in case.deadlines
            ):
                continue
        elif case is not None and recorded.import_id is None and not isinstance(event, _OF_CLOCKS):
            merges = isinstance(event, cases.CaseAbsorbed)
            until = max(recorded.occurred_at, looked_at) if merges else recorded.occurred_at
            case, overdue = caught_up(case, until, tree)
            found += overdue
        case = evolve(case, recorded, event)
        found.append((recorded.occurred_at, event))
    assert case is not None
    return [*found, *caught_up(case, end, tree)[1]]


_OF_CLOCKS = (cases.ClockEvent, cases.DeadlineStarted)


def standing(events: Iterable[Told]) -> Counter[tuple[str, int, datetime, datetime]]:
    """The breaches and lapses that were not voided: topic, clock, due instant, and as of when."""
    found: dict[int, tuple[str, int, datetime, datetime]] = {}
    for at, event in events:
        if isinstance(event, _OUTCOMES):
            found[event.started_version] = event.topic, event.started_version, event.due_at, at
        elif isinstance(event, cases.DeadlineBreachVoided):
            found.pop(event.started_version, None)
    assert all(due == at for *_, due, at in found.values())
    return Counter(found.values())


def _ran_until(clock: Deadline, end: datetime) -> datetime:
    """When it ended or stood still, whichever was first."""
    still = [pause.paused_at for pause in clock.pauses if pause.resumed_at is None]
    # A right that has lapsed has ended at the instant at which it was due.
    ended = clock.ended_at if clock.state != "LAPSED" else None
    return min([end if ended is None else ended, *still])


def _is_late(clock: Deadline) -> bool:
    return clock.state in ("BREACHED", "LAPSED")


def _leading(append: Iterable[Recorded]) -> Iterator[Recorded]:
    for event in append:
        if not is_told(event):
            return
        yield event


def _started(event: Event) -> int:
    assert isinstance(event, (*_OUTCOMES, cases.DeadlineBreachVoided))
    return event.started_version
