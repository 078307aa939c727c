"""Whatever happened, replayed: under the rules in force nothing changes, under others as if lived by them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.projections.figures.queries import ALWAYS
from services.projections.what_if.judged import Judged, Question, judge
from services.projections.what_if.replay import Course, Replays, Told
from services.projections.what_if.rules import Rules
from shared.events.deadlines import Deadline
from shared.events.units import WHOLE
from shared.policy.command import Command, Decision
from shared.policy.jurisdiction import Adoption, UnitTree
from shared.policy.packs import DEFAULT_POLICY, read_pack
from shared.policy.refusal import Refused
from tests.unit.casework import TOWNSHIP, TREE, VILLAGE, Docket
from tests.unit.sending import PROCEDURES
from tests.unit.test_clock_properties import BEGINNINGS, NEAR_THE_END, PASSING, lived
from tests.unit.test_deciding_properties import check, opened, sending

OTHER: Final = read_pack(
    """
name: other
version: 1
title: {zh: 别处规则, en: Other rules}
extends: cn-default
timers:
  T1: {length: {amount: 3, unit: WORKING_DAYS}}
  T4: {length: {amount: 20, unit: CALENDAR_DAYS}}
  T9: {length: {amount: 8, unit: CALENDAR_DAYS}}
  T16: {length: {amount: 3, unit: CALENDAR_DAYS}}
ladder:
  value:
    GROUP: {amount: 2, unit: CALENDAR_DAYS}
    VILLAGE: {amount: 7, unit: WORKING_DAYS}
    TOWNSHIP: {amount: 1, unit: WORKING_DAYS}
extensions:
  T13: {times: 3}
  T9: {at_most: {amount: 5, unit: CALENDAR_DAYS}}
suspensions:
  SURVEY: {shifts: []}
  COURT: {shifts: [T8, T13]}
partial_counts: {value: true}
calendar_years:
  2027: {holidays: [2027-01-01], workdays: [], source: 国务院办公厅通知}
""",
    file="other.yaml",
).policy
UNDATED: Final = replace(OTHER, id="undated@1+0", calendar_years={})
"""Without the calendar that would date, at some moment, what awaits it."""
IMPORT: Final = UUID(int=9)


def judged(
    streams: Mapping[UUID, Sequence[Told]], now: datetime, tree: UnitTree, rules: Rules, **changes: Any
) -> Judged:
    question = Question(
        recorded=tree,
        rules=rules,
        units=frozenset(unit.unit_id for unit in tree),
        period=ALWAYS,
        today=date(2030, 1, 1),
        until=now,
        held=frozenset(),
        limit=100,
    )._replace(**changes)
    return judge(question, list(streams), streams)


def changes_nothing(found: Judged) -> bool:
    return not found.appear and not found.vanish and found.recorded == found.replayed


def plain(deadline: Deadline) -> Deadline:
    """A clock without what only its own stream says of it: versions, and warnings still to be given."""
    return replace(deadline, version=0, warn_at=None)


def course(stream: Sequence[Told]) -> Course:
    found = Course()
    for told, event in stream:
        found.take(told, event)
    return found


def same(before: Course, after: Course) -> None:
    assert before.case is not None
    assert after.case is not None
    assert [*map(plain, before.case.deadlines)] == [*map(plain, after.case.deadlines)]
    begun = [[(start.on, start.holder) for start in course.starts] for course in (before, after)]
    assert begun[0] == begun[1]


@given(st.integers(0, 2**32), st.sampled_from((None, TOWNSHIP, VILLAGE)), st.integers(0, 90))
@settings(max_examples=200)
def test_the_rules_in_force_change_nothing(seed: int, unit: UUID | None, days: int) -> None:
    docket, _ = lived(Random(seed), 60)
    rules = Rules([(0, docket.tree)]).ruled_by(DEFAULT_POLICY, unit)
    replays = Replays(docket.streams, rules)
    for case_id, stream in docket.streams.items():
        same(course(stream), replays.of(case_id))
    assert changes_nothing(judged(docket.streams, docket.now + timedelta(days=days), docket.tree, rules))


@given(st.integers(0, 2**32))
@settings(max_examples=100)
def test_what_was_adopted_meanwhile_counts_from_when_it_was_known(seed: int) -> None:
    draw = Random(seed)
    eras = [(0, TREE.ruled_by(DEFAULT_POLICY, WHOLE))]
    adoptions: list[Adoption] = []

    def meanwhile(docket: Docket) -> None:
        """Now and then the township adopts rules, from a day on that is past already."""
        if draw.random() < 0.1:
            since = (docket.now - timedelta(days=20)).date()
            adoptions.append(Adoption(since, draw.choice((UNDATED, DEFAULT_POLICY))))
            units = {unit.unit_id: unit for unit in TREE}
            docket.tree = UnitTree(units, {TOWNSHIP: tuple(adoptions)})
            eras.append((1 + sum(map(len, docket.streams.values())), docket.tree))

    docket, _ = lived(draw, 60, meanwhile)
    rules = Rules(eras)
    replays = Replays(docket.streams, rules)
    for case_id, stream in docket.streams.items():
        same(course(stream), replays.of(case_id))
    assert changes_nothing(judged(docket.streams, docket.now, docket.tree, rules))


@given(st.integers(0, 2**32), st.integers(0, 90))
@settings(max_examples=100)
def test_a_year_that_was_imported_has_no_false_breach(seed: int, days: int) -> None:
    draw = Random(seed)
    docket, case_id = opened(draw.choice(PROCEDURES), at=draw.choice(BEGINNINGS))
    for _ in range(60):
        docket.now += draw.choice(PASSING)
        command = sending(draw, docket, case_id)
        decided = check(docket, command)
        if decided is not None:
            docket.take(command, decided)
    streams = {
        stream_id: [(replace(told, import_id=IMPORT), event) for told, event in stream]
        for stream_id, stream in docket.streams.items()
    }
    rules = Rules([(0, docket.tree)])
    until = docket.now + timedelta(days=days)
    assert changes_nothing(judged(streams, until, docket.tree, rules))
    held = frozenset(unit.unit_id for unit in TREE)
    while_open = judged(streams, until, docket.tree, rules, held=held)
    assert changes_nothing(while_open)
    assert not while_open.breaches
    for stream_id in tuple(docket.cases):
        docket.catch_up(stream_id, until)
        streams[stream_id] += docket.streams[stream_id][len(streams[stream_id]) :]
    assert changes_nothing(judged(streams, until, docket.tree, rules))


class Witnessed(Docket):
    """A docket that remembers what was taken, and when the clock looked."""

    def __init__(self, tree: UnitTree) -> None:
        super().__init__(tree)
        self.taken: list[Command] = []

    def take(self, command: Command, decided: Decision) -> None:
        self.taken.append(command)
        super().take(command, decided)


@given(st.integers(0, 2**32))
@settings(max_examples=200)
def test_under_other_rules_it_goes_as_if_it_had_been_lived_under_them(seed: int) -> None:
    draw = Random(seed)
    docket = Witnessed(TREE)
    _, case_id = opened(draw.choice(PROCEDURES), draw.choice((*BEGINNINGS, NEAR_THE_END)), docket)
    for _ in range(40):
        docket.now += draw.choice(PASSING)
        docket.wait_until(docket.now)
        command = sending(draw, docket, case_id)
        decided = check(docket, command)
        if decided is not None:
            docket.take(command, decided)
    rules = Rules([(0, TREE)]).ruled_by(OTHER, TOWNSHIP)
    other = Docket(rules.latest)
    for command in docket.taken:
        other.wait_until(command.now)
        if not _sent_again(command, other):
            return
    replays = Replays(docket.streams, rules)
    for stream_id, stream in other.streams.items():
        replay = replays.of(stream_id)
        replay.settle(docket.now, rules.latest)
        other.catch_up(stream_id, docket.now)
        same(course(stream), replay)


def _sent_again(command: Command, other: Docket) -> bool:
    """Whether what follows is comparable: nobody would have been refused what they did, extensions aside."""
    into = None if command.into is None else other.cases[command.into.case_id]
    again = replace(command, tree=other.tree, into=into)
    try:
        other.take(again, other.decide(again))
    except Refused:
        return command.name == "extend-deadline"
    return True
