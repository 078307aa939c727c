"""Whatever is sent in whatever order: decisions are pure, refusals the rules' own, every history folds."""

from collections.abc import Sequence
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
from shared.events.vocabulary import LEVELS
from shared.policy.command import Command, Decision
from shared.policy.refusal import Forbidden, GuardFailed, Refused, Unknown, WrongState
from shared.policy.transitions import ALWAYS, HANDLING_TOPICS, TRANSITIONS
from tests.unit.casework import (
    CLOCK_TOPICS,
    GROUP,
    LEADER,
    NEIGHBOUR,
    NOW,
    OTHER_VILLAGE,
    POLICE,
    RESIDENT,
    SUPERVISOR,
    TOWNSHIP,
    TOWNSHIP_MEDIATOR,
    TOWNSHIP_OFFICER,
    VILLAGE,
    VILLAGE_MEDIATOR,
    VILLAGE_OFFICER,
    Docket,
    actor,
    unit_id,
)
from tests.unit.rulebook import BODIES, ON_BEHALF

FIRST, SECOND = UUID(int=101), UUID(int=102)
QUERY, DEMAND = UUID(int=103), UUID(int=104)
SENDERS = (
    LEADER,
    VILLAGE_OFFICER,
    VILLAGE_MEDIATOR,
    TOWNSHIP_OFFICER,
    TOWNSHIP_MEDIATOR,
    SUPERVISOR,
    RESIDENT,
    NEIGHBOUR,
    POLICE,
    actor("auditor", "auditor", TOWNSHIP, "ACCUSATION"),
)
PROCEDURES = (None, None, None, "MEDIATION", "PETITION", "SERVICE", "SAFETY_LEAD", "ACCUSATION")
VARIANTS: dict[str, Sequence[dict[str, Any]]] = {
    "accept-case": [{}, {"procedure": "PETITION"}],
    "transfer-case": [
        BODIES["transfer-case"],
        *({"to_unit": unit, "reason": "移送"} for unit in (VILLAGE, OTHER_VILLAGE, unit_id(112))),
    ],
    "merge-case": [{"into_case_id": UUID(int=200)}],
    "assign-handler": [{"handler_ref": ref} for ref in ("leader", "village-officer", "somebody")],
    "change-procedure": [
        {"procedure": procedure, "reason": "改", "parties_informed": True}
        for procedure in ("GRID", "PETITION", "SAFETY_LEAD")
    ],
    "offer-mediation": [
        {"parties": [FIRST, SECOND], "requested_by": asked, "mediator_ref": ref}
        for asked in ([], [FIRST, SECOND])
        for ref in (None, "village-mediator")
    ],
    "consent-to-mediation": [{"person_ref": FIRST}, {"person_ref": SECOND}],
    "refuse-mediation": [{"person_ref": SECOND}],
    "terminate-mediation": [
        {"ground": ground, "remedies_notified": True} for ground in ("REFUSED", "FAILED")
    ],
    "escalate-case": [
        *({"to_level": level, "reason": "上报"} for level in LEVELS),
        {"to_level": "TOWNSHIP", "reason": "急", "emergency": True, "notify_levels": ["VILLAGE"]},
    ],
    "delegate-case": [{"reason": "下派"}, {"reason": "下派", "to_unit": OTHER_VILLAGE}],
    "notify-level": [{"level": level} for level in LEVELS],
    "extend-deadline": [
        {**BODIES["extend-deadline"], "timer": timer, "days": days, "consenting": [FIRST, SECOND]}
        for timer in ("T1", "T4", "T9", "T13")
        for days in (1, 10)
    ],
    "record-follow-up": [
        {"reached": False},
        {"reached": True, "solved": True, "satisfied": True},
        {"reached": True, "solved": False, "satisfied": False},
    ],
    "apply-judicial-confirmation": [{"applicants": [FIRST, SECOND], "court": "法院"}],
    "reopen-case": [{"ground": ground, "reason": "重开"} for ground in ("NEW_FACT", "BREACH", "UNSATISFIED")],
    "record-review-opinion": [{"opinion": "维持", "final": final} for final in (False, True)],
    "raise-query": [{"query_id": QUERY, "question": "为何?"}],
    "answer-query": [{"query_id": QUERY, "answer": "因为"}],
    "demand-correction": [{"demand_id": DEMAND, "demand": "改"}],
    "answer-demand": [{"demand_id": DEMAND, "outcome": "CORRECTED", "detail": "已改"}],
}
WEIGHTS = dict.fromkeys(
    ("reject-case", "transfer-case", "merge-case", "withdraw-case"), 0.05
) | dict.fromkeys(
    ("offer-mediation", "consent-to-mediation", "record-agreement", "record-breach-handled", "close-case"), 4
)
"""Histories that go deep are worth more than those that end early."""
CONFLICT = "declare-conflict"
"""Rare: whoever declares one is out of the game."""
COMMANDS = [name for name in TRANSITIONS if name not in ("open-case", CONFLICT)]


def sending(draw: Random, docket: Docket, case_id: UUID) -> Command:
    """Something to send: three times out of four what its sender may send, rather moving than adding."""
    by = draw.choice(SENDERS)
    allowed = [name for name in docket.allowed(case_id, by) if name != CONFLICT]
    if draw.random() < 0.01:
        name = CONFLICT
    elif allowed and draw.random() < 0.75:
        weights = [WEIGHTS.get(name, 0.03 if TRANSITIONS[name].adds else 1) for name in allowed]
        [name] = draw.choices(allowed, weights)
    else:
        name = draw.choice(COMMANDS)
    fields = dict(draw.choice(VARIANTS.get(name, [BODIES.get(name, {})])))
    if name in ON_BEHALF and by.role != "resident" and draw.random() < 0.8:
        fields["on_behalf_of"] = {"person_ref": fields.get("person_ref", FIRST), "means": "PHONE"}
    return docket.command(case_id, name, by, **fields)


def plain(decided: Decision) -> Any:
    """A decision as plain values, texts in the clear, to be compared."""
    return msgspec.to_builtins(
        decided, enc_hook=lambda value: value.text if isinstance(value, Clear) else value
    )


def opened(procedure: str | None, at: datetime = NOW) -> tuple[Docket, UUID]:
    docket = Docket()
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
    docket.open(VILLAGE_OFFICER, case_id=UUID(int=200))
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
@settings(max_examples=200, deadline=None)
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
