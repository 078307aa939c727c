"""Every word that the product uses has a label in both languages, and only such words."""

from typing import Any, get_args
from uuid import UUID

import pytest

from shared.events import vocabulary as words
from shared.events.registry import EVENT_CLASSES
from shared.policy.guards import STATE_GUARDS
from shared.policy.labels import RELATIONS
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.reference import lists, reference
from shared.policy.relations import Relation
from shared.policy.rules import GUARDS
from shared.policy.topics import TOPICS, summarise
from shared.policy.transitions import ALWAYS, TRANSITIONS
from tests.contract.samples import filled

LISTS = lists(DEFAULT_POLICY)
TYPES: dict[str, Any] = {
    "channel": words.Channel,
    "procedure": words.Procedure,
    "risk": words.Risk,
    "warning": words.WarningLevel,
    "participant": words.ParticipantKind,
    "suspension": words.SuspensionGround,
    "mediation_end": words.MediationEnd,
    "outcome": words.Outcome,
    "external_outcome": words.ExternalOutcome,
    "signature": words.SignatureKind,
    "external_body": words.ExternalBodyKind,
    "means": words.Means,
    "query": words.QueryState,
    "term": words.TermState,
    "document": words.DocumentKind,
    "level": words.Level,
    "unit_kind": words.UnitKind,
    "person_role": words.PersonRole,
    "visit_kind": words.VisitKind,
    "notice": words.Notice,
    "facet": words.Facet,
    "urgency_status": words.UrgencyStatus,
    "agreement_form": words.AgreementForm,
    "degree": words.Degree,
    "subject": words.SubjectKind,
    "reopen_ground": words.ReopenGround,
    "demand_outcome": words.DemandOutcome,
    "role": words.Role,
    "state": words.State,
}


@pytest.mark.parametrize("name", TYPES)
def test_a_list_has_exactly_the_words_of_its_type(name: str) -> None:
    assert set(LISTS[name]) == set(get_args(TYPES[name]))


def test_everything_else_is_labelled() -> None:
    assert set(LISTS["command"]) == set(TRANSITIONS)
    assert set(LISTS["topic"]) == set(TOPICS) == set(EVENT_CLASSES)
    assert set(RELATIONS) == set(Relation)
    assert len(LISTS["category"]) == 15 + 10 + 6 + 5 + 2
    civil = {code for code, category in DEFAULT_POLICY.categories.items() if category.civil}
    assert len(civil) == 13
    assert civil.isdisjoint({"FAMILY_PLANNING", "VILLAGE_AFFAIRS"})
    for items in LISTS.values():
        assert all(label.zh and label.en for label in items.values())


def test_every_list_says_which_rules_it_comes_from() -> None:
    answer = reference(DEFAULT_POLICY)
    assert answer["version"] == DEFAULT_POLICY.id
    assert {found["version"] for found in answer["lists"].values()} == {DEFAULT_POLICY.id}
    family = answer["lists"]["category"]["items"][0]
    assert family == {
        "code": "FAMILY",
        "zh": "婚姻家庭",
        "en": "Family and inheritance",
        "group": "DISPUTE",
        "civil": True,
    }


def test_guards_of_the_table_are_known_rules() -> None:
    named = {code for row in TRANSITIONS.values() for code in row.guards} | set(ALWAYS)
    assert named <= set(GUARDS)
    for command, guards in STATE_GUARDS.items():
        assert set(guards) <= set(TRANSITIONS[command].guards), command


@pytest.mark.parametrize("topic", EVENT_CLASSES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_summary_tells_codes_by_their_labels_and_nothing_private(topic: str, language: str) -> None:
    event = filled(EVENT_CLASSES[topic])
    told = summarise(event, language, LISTS, lambda unit: f"单位{unit.int}" if isinstance(unit, UUID) else "")
    words_of = TOPICS[topic]
    assert told.startswith(words_of.zh if language == "zh" else words_of.en)
    assert "{" not in told
    assert "Private" not in told
    if topic == "case.escalated":
        assert told == {"zh": "上报: 单位3", "en": "Escalated: 单位3"}[language]
    if topic == "case.risk_flagged":
        assert told == {"zh": "风险提示: 其他", "en": "Risk flagged: Other"}[language]
