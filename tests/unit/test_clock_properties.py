"""Whatever happens in whatever order, late or in time: what always holds of the clocks of a case."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.events.case import Case
from shared.events.cases import DeadlineExtended
from shared.events.evolve import evolve
from shared.policy.clock_starts import RIGHTS
from shared.policy.clocks import falls_due
from shared.policy.spans import in_time, last_day_of
from tests.unit.casework import Docket
from tests.unit.sending import PROCEDURES
from tests.unit.test_deciding_properties import check, opened, sending

BEGINNINGS = (datetime(2024, 9, 20, 2, tzinfo=UTC), datetime(2025, 1, 20, 2, tzinfo=UTC))
PASSING = (*[timedelta(0)] * 4, timedelta(hours=7), timedelta(days=1), timedelta(days=9))
NEAR_THE_END = datetime(2026, 11, 20, 2, tzinfo=UTC)
"""Of the calendar."""


def lived(
    draw: Random, steps: int, meanwhile: Callable[[Docket], None] = lambda docket: None
) -> tuple[Docket, UUID]:
    """A case to which things happen for a while, some recorded late, and the clock not always at hand."""
    docket, case_id = opened(draw.choice(PROCEDURES), at=draw.choice((*BEGINNINGS, NEAR_THE_END)))
    for _ in range(steps):
        docket.now += draw.choice(PASSING)
        meanwhile(docket)
        if draw.random() < 0.6:
            docket.wait_until(docket.now)
            holds(docket, case_id)
        command = sending(draw, docket, case_id)
        if draw.random() < 0.3:
            earlier = docket.now - timedelta(hours=draw.randrange(100))
            command = replace(command, occurred_at=earlier)
        docket.catch_up(case_id, command.occurred_at)
        before = docket.cases[case_id]
        decided = check(docket, command)
        if decided is None:
            continue
        docket.take(command, decided)
        holds(docket, case_id)
        _only_forward(before, docket.cases[case_id])
        if any(isinstance(event, DeadlineExtended) for event in decided.events):
            _never_shorter(before, docket.cases[case_id])
    return docket, case_id


def holds(docket: Docket, case_id: UUID) -> None:
    case = docket.cases[case_id]
    live = Counter((clock.timer, clock.subject) for clock in case.deadlines if clock.live)
    assert not live or max(live.values()) == 1, "one of a kind, or of a query or demand"
    waiting = case.state == "PENDING_ESCALATION"
    assert live["T13", None] == (case.is_open and not waiting)
    assert live["T16", None] == waiting
    mediating = "IN_MEDIATION" in (case.state, case.suspended_from if case.state == "SUSPENDED" else None)
    assert live["T9", None] == mediating
    for clock in case.deadlines:
        assert (clock.due_at is None) == (clock.original_due_at is None)
        if clock.due_at is not None and clock.original_due_at is not None:
            assert last_day_of(clock.original_due_at) > clock.started_on
            assert clock.due_at >= clock.original_due_at
        if clock.live:
            assert clock.state in ("RUNNING", "SUSPENDED", "AWAITING", "BREACHED")
            assert clock.paused <= (case.state in ("SUSPENDED", "IN_MEDIATION"))
        else:
            assert clock.state in ("STOPPED", "CANCELLED", "LAPSED", "BREACHED", "VOIDED")
        assert (clock.timer in RIGHTS) >= (clock.state == "LAPSED")
        assert (clock.timer not in RIGHTS) >= (clock.state == "BREACHED")


def _only_forward(before: Case, after: Case) -> None:
    """Clocks are never forgotten, and one that ended stays so; at most it is cleared of its breach."""
    for old, new in zip(before.deadlines, after.deadlines, strict=False):
        assert (old.timer, old.version, old.pack) == (new.timer, new.version, new.pack)
        if not old.live:
            assert replace(new, state=old.state) == old
            assert new.state in (old.state, "VOIDED")
        elif old.due_at is None and new.live:
            assert new.state == "AWAITING"


def _never_shorter(before: Case, after: Case) -> None:
    for old, new in zip(before.deadlines, after.deadlines, strict=True):
        if new.extensions > old.extensions:
            assert old.due_at is not None
            assert new.due_at is not None
            assert new.due_at > old.due_at
            assert new.original_due_at == old.original_due_at
        else:
            assert new == old


@given(st.integers(0, 2**32))
@settings(max_examples=150)
def test_what_always_holds(seed: int) -> None:
    lived(Random(seed), 60)


@given(st.integers(0, 2**32))
@settings(max_examples=60)
def test_any_part_of_a_history_folds(seed: int) -> None:
    draw = Random(seed)
    docket, case_id = lived(draw, 40)
    stream = docket.streams[case_id]
    for kept_share in (0.3, 0.7, 0.95):
        kept = [pair for pair in stream if draw.random() < kept_share]
        case = None
        for recorded, event in kept:
            case = evolve(case, recorded, event)
        if case is not None:
            assert case.version == kept[-1][0].version


@given(st.integers(0, 2**32), st.integers(0, 200))
@settings(max_examples=60)
def test_catching_up_leaves_nothing_due_and_does_nothing_twice(seed: int, days: int) -> None:
    docket, case_id = lived(Random(seed), 20)
    docket.wait_until(docket.now + timedelta(days=days))
    case = docket.cases[case_id]
    assert list(falls_due(case, docket.now, docket.tree)) == []
    for clock in case.deadlines:
        if clock.state == "RUNNING":
            assert clock.due_at is not None
            assert in_time(docket.now, clock.due_at)
    docket.wait_until(docket.now)
    assert docket.cases[case_id] is case
