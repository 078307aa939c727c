"""What people may come up with sending about a case: anything, but rather what they may send than not."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import UUID

from shared.events.vocabulary import LEVELS
from shared.policy.actor import Actor
from shared.policy.transitions import TRANSITIONS
from tests.unit.casework import (
    LEADER,
    NEIGHBOUR,
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
    actor,
    unit_id,
)
from tests.unit.rulebook import BODIES, ON_BEHALF

FIRST, SECOND = UUID(int=101), UUID(int=102)
QUERY, DEMAND = UUID(int=103), UUID(int=104)
OTHER_CASE = UUID(int=200)
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
    "merge-case": [{"into_case_id": OTHER_CASE}],
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


def anything(draw: Random, allowed: Callable[[Actor], Sequence[str]]) -> tuple[str, Actor, dict[str, Any]]:
    """A command, its sender and its body: three times out of four one that its sender may send, rather
    moving than adding. The people, queries and other cases it names are those of this module."""
    by = draw.choice(SENDERS)
    possible = [name for name in allowed(by) if name != CONFLICT]
    if draw.random() < 0.01:
        name = CONFLICT
    elif possible and draw.random() < 0.75:
        weights = [WEIGHTS.get(name, 0.03 if TRANSITIONS[name].adds else 1) for name in possible]
        [name] = draw.choices(possible, weights)
    else:
        name = draw.choice(COMMANDS)
    fields = dict(draw.choice(VARIANTS.get(name, [BODIES.get(name, {})])))
    if name in ON_BEHALF and by.role != "resident" and draw.random() < 0.8:
        fields["on_behalf_of"] = {"person_ref": fields.get("person_ref", FIRST), "means": "PHONE"}
    return name, by, fields
