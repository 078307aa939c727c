"""What a body may hold beyond its types, ids that the server makes, and when a command happened."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.intake.domain import beside
from services.intake.domain.commands import BODIES as INTAKE
from services.intake.domain.commands import OpenCase
from services.resolution.domain.commands import BODIES as RESOLUTION
from shared.policy.bodies import Body, check_text, with_ids
from shared.policy.moments import day_of, moment
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.refusal import GuardFailed
from shared.policy.rules import FAULTS
from tests.unit.casework import GROUP, NOW
from tests.unit.test_stories import refused

OPENING = {
    "channel": "VISIT",
    "category": "ROADS",
    "origin_unit": str(GROUP),
    "title": "路",
    "description": "坑",
}
AGREED = {"facts": "事实", "responsibilities": "责任", "terms": [{"text": "拆墙"}]}


def faults(name: str, **fields: Any) -> list[tuple[str, str]]:
    body = msgspec.convert(fields, (INTAKE | RESOLUTION)[name], strict=False)
    return [(fault.pointer, fault.code) for fault in check_text(body)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"title": " \t"}, [("/title", "blank")]),
        ({"description": "a\0b"}, [("/description", "nul")]),
        ({"note": "\ud800"}, [("/note", "surrogate")]),
        ({"people": [{"role": "PARTY", "name": "　"}]}, [("/people/0/name", "blank")]),
        ({"source": {"kind": "12345", "id": "\0"}}, [("/source/id", "nul")]),
        ({"occurred_at": "1700-01-01T00:00:00Z"}, [("/occurred_at", "absurd-date")]),
        ({"procedure": "ACCUSATION"}, [("/accused", "accused-needed")]),
        ({"accused": {"role": "mediator", "unit_id": str(GROUP)}}, [("/accused", "accused-unwanted")]),
        (
            {"people": [{"role": "PARTY", "person_ref": str(GROUP)}] * 2},
            [("/people/1/person_ref", "repeated")],
        ),
    ],
)
def test_faults_of_an_opening(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults("open-case", **(OPENING | fields)) == expected


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("transfer-case", {"reason": "移"}, [("/to_unit", "one-of-two")]),
        ("attach-document", {"document_kind": "OTHER"}, [("/file_id", "one-of-two")]),
        ("resolve-case", {"outcome": "EXTERNAL", "detail": "完"}, []),
        ("resolve-case", {"outcome": "SETTLED", "detail": "完"}, [("/degree", "degree-needed")]),
        (
            "resolve-case",
            {"outcome": "BY_RULE", "degree": "FULL", "detail": "完"},
            [("/rule", "rule-needed")],
        ),
        ("record-agreement", AGREED | {"form": "ORAL"}, []),
        (
            "record-agreement",
            AGREED | {"form": "WRITTEN", "mediator_signed": False},
            [("/signatures", "needed-in-writing"), ("/committee_sealed", "needed-in-writing")],
        ),
        (
            "record-agreement",
            AGREED
            | {"form": "WRITTEN", "signatures": [], "mediator_signed": False, "committee_sealed": False},
            [],
        ),
        ("record-follow-up", {"reached": False}, []),
        ("record-follow-up", {"reached": True, "solved": True}, [("/satisfied", "answer-when-reached")]),
        ("record-follow-up", {"reached": False, "solved": True}, [("/solved", "answer-when-reached")]),
        ("offer-mediation", {"parties": [str(GROUP)] * 2}, [("/parties", "repeated")]),
        (
            "record-external-outcome",
            {"kind": "OTHER", "body": "公安", "detail": "果", "subject": {}},
            [("/subject/person_ref", "one-of-two")],
        ),
        ("record-reply", {"text": "答", "delivered_on": "0001-01-01"}, [("/delivered_on", "absurd-date")]),
    ],
)
def test_fields_that_need_each_other(
    name: str, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(name, **fields) == expected
    assert all(code in FAULTS for _, code in expected)


def test_faults_of_decoded_json_point_into_it() -> None:
    assert check_text({"a/b": [{"~": "\ud800"}]}) == [("/a~1b/0/~0", "surrogate")]


@pytest.mark.parametrize("body", [*INTAKE.values(), *RESOLUTION.values(), beside.RegisterVisit])
def test_no_body_takes_an_unknown_field(body: type[Body]) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"surprise": 1}', type=body)
    assert {"occurred_at", "note", "about"} <= set(body.__struct_fields__)


def test_the_server_makes_what_ids_the_client_left_out() -> None:
    given = str(UUID(int=1))
    visit = msgspec.convert(
        {
            "unit": str(GROUP),
            "visit_kind": "HOUSEHOLD",
            "findings": "情况",
            "people": [{"role": "PARTY"}, {"role": "PARTY", "person_ref": given}],
            "opens_case": OPENING | {"people": [{"role": "WITNESS"}]},
        },
        beside.RegisterVisit,
        strict=False,
    )
    numbers = iter(range(100, 200))
    made = with_ids(visit, lambda: UUID(int=next(numbers)))
    assert made.case_id is None, "a case that a visit belongs to is named, never made"
    assert made.people[1].person_ref == UUID(given)
    assert isinstance(made.opens_case, OpenCase)
    ids = [
        made.visit_id,
        made.people[0].person_ref,
        made.opens_case.case_id,
        made.opens_case.people[0].person_ref,
    ]
    assert sorted(str(made_id) for made_id in ids) == [str(UUID(int=n)) for n in range(100, 104)]
    assert with_ids(made, lambda: UUID(int=0)) == made, "nothing is made twice"


@pytest.mark.parametrize(
    ("ago", "imported", "expected"),
    [
        (None, False, timedelta(0)),
        (timedelta(seconds=-120), False, timedelta(0)),
        (timedelta(seconds=-121), False, "ahead-of-time"),
        (timedelta(seconds=-121), True, "ahead-of-time"),
        (timedelta(days=30), False, timedelta(days=30)),
        (timedelta(days=30, seconds=1), False, "too-late"),
        (timedelta(days=4000), True, timedelta(days=4000)),
    ],
)
def test_when_a_command_happened(ago: timedelta | None, imported: bool, expected: timedelta | str) -> None:
    said = None if ago is None else NOW - ago
    if isinstance(expected, str):
        with refused(GuardFailed, expected):
            moment(said, NOW, DEFAULT_POLICY, imported=imported)
    else:
        assert moment(said, NOW, DEFAULT_POLICY, imported=imported) == NOW - expected


def test_days_are_those_of_shanghai() -> None:
    assert day_of(datetime(2024, 5, 5, 15, 59, tzinfo=UTC)).day == 5
    assert day_of(datetime(2024, 5, 5, 16, 0, tzinfo=UTC)).day == 6
