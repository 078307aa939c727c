"""Whatever is sent in whatever order: decisions are pure, refusals the rules' own, every history folds."""

from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.base import Clear, Event
from shared.events.evolve import evolve
from shared.events.recorded import Recorded
from shared.policy.command import Command, Decision
from shared.policy.refusal import Forbidden, GuardFailed, Refused, Unknown, WrongState
from shared.policy.transitions import ALWAYS, HANDLING_TOPICS, TRANSITIONS
from tests.unit.casework import (
    CLOCK_TOPICS,
    GROUP,
    LEADER,
    NEIGHBOUR,
    NOW,
    RESIDENT,
    VILLAGE_OFFICER,
    Docket,
)
from tests.unit.sending import FIRST, OTHER_CASE, PROCEDURES, SECOND, anything


def sending(draw: Random, docket: Docket, case_id: UUID) -> Command:
    name, by, fields = anything(draw, lambda sender: docket.allowed(case_id, sender))
    return docket.command(case_id, name, by, **fields)


def plain(decided: Decision) -> Any:
    """A decision as plain values, texts in the clear, to be compared."""
    return msgspec.to_builtins(
        decided, enc_hook=lambda value: value.text if isinstance(value, Clear) else value
    )


def opened(procedure: str | None, at: datetime = NOW, docket: Docket | None = None) -> tuple[Docket, UUID]:
    docket = docket or Docket()
    docket.now = at
    people = [
        {"person_ref": FIRST, "role": "COMPLAINANT", "actor_ref": RESIDENT.ref, "name": "甲"},
        {"person_ref": SECOND, "role": "RESPONDENT", "actor_ref": NEIGHBOUR.ref, "name": "乙"},
    ]
    opening: dict[str, Any] = {"people": people, "origin_unit": GROUP, "note": "备注"}
    if procedure is not None:
        opening["procedure"] = procedure
    if procedure == "ACCUSATION":
        opening["accused"] = {"actor_ref": "accused", "role": "group_leader", "unit_id": GROUP}
    case_id = docket.open(RESIDENT, **opening)
    docket.open(VILLAGE_OFFICER, case_id=OTHER_CASE)
    return docket, case_id


def check(docket: Docket, command: Command) -> Decision | None:
    """What holds of one command, taken or refused."""
    case = docket.cases[command.case_id]
    row = TRANSITIONS[command.name]
    allowed = command.name in docket.allowed(command.case_id, command.actor)
    try:
        decided, refusal = docket.decide(command), None
    except Refused as refused:
        decided, refusal = None, refused
    if isinstance(refusal, GuardFailed):
        assert refusal.code in (*row.guards, *ALWAYS)
    if isinstance(refusal, Unknown | Forbidden | WrongState):
        # An act for somebody else is refused of those who may only act for themselves, or the other way.
        assert not allowed or row.on_behalf or row.command == "record-correction", refusal.code
    if decided is None:
        return None
    assert allowed
    assert plain(decided) == plain(docket.decide(command)), "the same again"
    assert docket.cases[command.case_id] is case
    topics = {event.topic for event in (*decided.events, *decided.primary_events)}
    assert topics <= {*row.topics, *CLOCK_TOPICS}
    assert row.adds == topics.isdisjoint(HANDLING_TOPICS)
    return decided


@given(st.integers(0, 2**32))
@settings(max_examples=200)
def test_random_histories(seed: int) -> None:
    draw = Random(seed)
    docket, case_id = opened(draw.choice(PROCEDURES))
    for _ in range(80):
        decided = check(docket, command := sending(draw, docket, case_id))
        if decided is None:
            continue
        docket.take(command, decided)
        case = docket.cases[case_id]
        assert case.version == len(docket.streams[case_id])
        assert case.holder_unit in case.held_units
        assert (case.pending_unit is not None) == (case.state == "PENDING_ESCALATION")
        assert case.cycle == 1 + len(case.reopenings)
        assert (case.state == "IN_MEDIATION") <= (case.mediation is not None)
        if case.procedure == "ACCUSATION":
            assert not docket.allowed(case_id, LEADER)
            for unit in (*case.held_units, *case.notified_units, case.pending_unit):
                assert not docket.tree.within(unit, GROUP), "never on the side of the accused"
    _folds(draw, docket.streams[case_id])


def _folds(draw: Random, stream: list[tuple[Recorded, Event]]) -> None:
    """Any subsequence folds, and its case is as old as the last event kept."""
    for kept_share in (0.3, 0.7, 0.95):
        kept = [pair for pair in stream if draw.random() < kept_share]
        case = None
        for recorded, event in kept:
            case = evolve(case, recorded, event)
        if case is not None:
            assert case.version == kept[-1][0].version
