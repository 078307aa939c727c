"""Every command, from every state, at every level, by everybody: allowed exactly where the rule book says."""

from datetime import UTC, datetime
from itertools import product
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.intake.domain.commands import BODIES as INTAKE
from services.intake.domain.decide import decide as decide_intake
from services.resolution.domain.commands import BODIES as RESOLUTION
from services.resolution.domain.decide import decide as decide_resolution
from shared.events.case import Case
from shared.events.vocabulary import Procedure, State
from shared.policy.command import Command
from shared.policy.deciding import allowed_commands
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.refusal import Forbidden, Refused, Unknown, WrongState
from shared.policy.transitions import TRANSITIONS
from tests.unit.casework import FAR_VILLAGE, GROUP, NOW, TOWNSHIP, TREE, VILLAGE, body_of, unit_id
from tests.unit.rulebook import (
    ADDS,
    LEVELS,
    ON_BEHALF,
    OPENERS,
    PEOPLE,
    PETITIONS_ONLY,
    SETTINGS,
    A,
    case_at,
    command_of,
    possible,
    relations_at,
    rows,
)


def outcome(command: Command, case: Case) -> str:
    """What comes of it: `ok`, `who` (refused for the sender), `state`, or a guard's code."""
    try:
        decide = decide_intake if command.name in INTAKE else decide_resolution
        decide(case, command, DEFAULT_POLICY)
    except (Forbidden, Unknown):
        return "who"
    except WrongState as refused:
        return "state" if refused.extra["state"] == case.state else "another state"
    except Refused as refused:
        return refused.code
    return "ok"


@pytest.mark.parametrize("command", sorted(rows()))
def test_a_command_is_allowed_exactly_where_the_rule_book_says(command: str) -> None:
    states, who = rows()[command]
    for level, state, person in product(LEVELS, get_args(State), PEOPLE):
        if not possible(level, state) or (command == "escalate-case" and level == "TOWNSHIP"):
            continue
        by = PEOPLE[person][0]
        procedure: Procedure = "PETITION" if command in PETITIONS_ONLY else "SELF_GOVERNANCE"
        case = case_at(level, state, procedure=procedure, **SETTINGS.get(command, {}))
        held = relations_at(person, level, state)
        related = bool(held & who)
        behalf = command in ON_BEHALF and bool(held & {"holder", "mediator"})
        expected = "who" if not related else "ok" if state in states else "state"
        where = f"{command} by {person} at {level} from {state}"
        assert outcome(command_of(command, case, by), case) == expected, where
        listed = command in allowed_commands(case, by, TREE, DEFAULT_POLICY)
        assert listed == ((related or behalf) and state in states), where
        if command in ON_BEHALF:
            for_them = {"on_behalf_of": {"person_ref": A, "means": "PHONE"}}
            expected = "who" if not behalf else "ok" if state in states else "state"
            assert outcome(command_of(command, case, by, **for_them, **_for_a(command)), case) == expected, (
                where
            )


def _for_a(command: str) -> dict[str, Any]:
    return {"person_ref": A} if command in ("consent-to-mediation", "refuse-mediation") else {}


def test_nothing_is_missing_from_either_table() -> None:
    assert set(rows()) | {"open-case"} == set(TRANSITIONS) == set(INTAKE) | set(RESOLUTION)
    for row in TRANSITIONS.values():
        assert row.adds == (row.command in ADDS), row.command
        assert row.on_behalf == (row.command in ON_BEHALF), row.command
        assert (row.command in INTAKE) == (row.service == "intake")


@pytest.mark.parametrize("procedure", get_args(Procedure))
def test_procedures_limit_mediation_and_reviews(procedure: Procedure) -> None:
    mediator, complainant = PEOPLE["township mediator"][0], PEOPLE["complainant"][0]
    clear = replace(mediator, clearances=frozenset(("SAFETY_LEAD", "ACCUSATION")))
    case = case_at("TOWNSHIP", "IN_PROGRESS", procedure=procedure)
    unmediable = procedure in ("SERVICE", "SAFETY_LEAD", "ACCUSATION")
    assert outcome(command_of("offer-mediation", case, clear), case) == ("state" if unmediable else "ok")
    resolved = case_at("TOWNSHIP", "RESOLVED", procedure=procedure)
    assert outcome(command_of("request-review", resolved, complainant), resolved) == (
        "ok" if procedure == "PETITION" else "state"
    )


@pytest.mark.parametrize("state", get_args(State))
def test_once_named_nobody_else_mediates(state: State) -> None:
    case = case_at("VILLAGE", state, mediator_ref="gm", handler_refs=("gm",))
    for person, (by, _) in PEOPLE.items():
        allowed = allowed_commands(case, by, TREE, DEFAULT_POLICY)
        expected = person == "group mediator" and state == "IN_MEDIATION"
        assert ("record-agreement" in allowed) == expected, person


def test_after_a_conflict_the_next_level_may_escalate() -> None:
    body = {"to_level": "VILLAGE", "reason": "组长回避"}
    for since, expected in ((None, "who"), (9, "ok")):
        case = case_at("GROUP", "IN_PROGRESS", conflict_since=since)
        officer = PEOPLE["village officer"][0]
        assert outcome(command_of("escalate-case", case, officer, **body), case) == expected
        assert (
            outcome(command_of("escalate-case", case, PEOPLE["township officer"][0], **body), case) == "who"
        )


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_open_a_case_and_where(person: str) -> None:
    openers = OPENERS
    by = PEOPLE[person][0]
    for origin in (GROUP, VILLAGE, TOWNSHIP, FAR_VILLAGE, unit_id(2)):
        command = Command(
            name="open-case",
            case_id=UUID(int=11),
            body=body_of(
                "open-case",
                {
                    "channel": "WALK_IN",
                    "category": "ROADS",
                    "origin_unit": origin,
                    "title": "路",
                    "description": "坑",
                },
            ),
            actor=by,
            occurred_at=datetime(2024, 1, 1, tzinfo=UTC),
            now=NOW,
            tree=TREE,
        )
        within = by.unit == origin if by.role == "resident" else by.unit in TREE.path(origin)
        try:
            decide_intake(None, command, DEFAULT_POLICY)
            opened = True
        except Forbidden:
            opened = False
        assert opened == (by.role in openers and within), (person, origin)
