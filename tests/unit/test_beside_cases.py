"""Units, visits, services, rosters, imports: who records them, and what the tree allows."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.intake.domain import beside, records, units
from shared.events.imports import ImportClosed
from shared.policy.actor import Actor
from shared.policy.bodies import Body, with_ids
from shared.policy.imports import Import, check_import
from shared.policy.jurisdiction import Unit, UnitTree
from shared.policy.packs import DEFAULT_POLICY
from shared.policy.refusal import Forbidden, GuardFailed, Unknown
from tests.unit.casework import (
    FAR_VILLAGE,
    GROUP,
    LEADER,
    NEIGHBOURHOOD,
    OTHER_VILLAGE,
    POLICE,
    RESIDENT,
    SUPERVISOR,
    TOWNSHIP,
    TOWNSHIP_OFFICER,
    TREE,
    VILLAGE,
    VILLAGE_OFFICER,
    Docket,
    actor,
    new_id,
    unit_id,
)
from tests.unit.test_stories import refused

OPERATOR = actor("operator", "operator", None)


def made(kind: type[Body], /, **fields: Any) -> Any:
    return with_ids(msgspec.convert(fields, kind, strict=False), new_id)


@pytest.mark.parametrize(
    ("kind", "parent", "fits"),
    [
        ("TOWNSHIP", None, True),
        ("TOWNSHIP", TOWNSHIP, False),
        ("VILLAGE", TOWNSHIP, True),
        ("NEIGHBOURHOOD", TOWNSHIP, True),
        ("VILLAGE", None, False),
        ("VILLAGE", VILLAGE, False),
        ("GROUP", VILLAGE, True),
        ("GROUP", NEIGHBOURHOOD, True),
        ("GROUP", TOWNSHIP, False),
        ("GROUP", GROUP, False),
    ],
)
def test_kinds_nest(kind: str, parent: UUID | None, fits: bool) -> None:
    body = made(beside.RegisterUnit, kind=kind, name="新", parent_id=parent)
    if fits:
        assert units.register_unit(body, OPERATOR, TREE).parent_id == parent
    else:
        with refused(GuardFailed, "nesting"):
            units.register_unit(body, OPERATOR, TREE)


def test_siblings_have_names_of_their_own() -> None:
    with refused(GuardFailed, "name-taken"):
        units.register_unit(
            made(beside.RegisterUnit, kind="GROUP", name="37组", parent_id=VILLAGE), OPERATOR, TREE
        )
    units.register_unit(
        made(beside.RegisterUnit, kind="GROUP", name="37组", parent_id=OTHER_VILLAGE), OPERATOR, TREE
    )
    with refused(GuardFailed, "name-taken"):
        units.rename_unit(unit_id(112), made(beside.RenameUnit, name="37组"), OPERATOR, TREE)
    units.rename_unit(GROUP, made(beside.RenameUnit, name="37组"), OPERATOR, TREE)


def test_units_move_and_close_within_the_rules() -> None:
    units.move_unit(GROUP, made(beside.MoveUnit, parent_id=OTHER_VILLAGE), OPERATOR, TREE)
    for unit, parent in ((GROUP, TOWNSHIP), (VILLAGE, VILLAGE), (TOWNSHIP, VILLAGE)):
        with refused(GuardFailed, "nesting"):
            units.move_unit(unit, made(beside.MoveUnit, parent_id=parent), OPERATOR, TREE)
    with refused(GuardFailed, "not-empty"):
        units.close_unit(VILLAGE, made(beside.CloseUnit), OPERATOR, TREE)
    units.close_unit(GROUP, made(beside.CloseUnit), OPERATOR, TREE)
    with refused(Unknown, "unknown"):
        units.close_unit(new_id(), made(beside.CloseUnit), OPERATOR, TREE)
    closed = UnitTree({GROUP: Unit(unit_id=GROUP, kind="GROUP", name="37组", parent_id=None, closed=True)})
    with refused(GuardFailed, "unit-closed"):
        units.close_unit(GROUP, made(beside.CloseUnit), OPERATOR, closed)
    with refused(GuardFailed, "unit-closed"):
        Docket(closed).open(LEADER)


def test_only_the_operator_keeps_the_tree() -> None:
    body = made(beside.RegisterUnit, kind="GROUP", name="新", parent_id=VILLAGE)
    for by in (VILLAGE_OFFICER, TOWNSHIP_OFFICER, RESIDENT, SUPERVISOR):
        with refused(Forbidden, "no-relation"):
            units.register_unit(body, by, TREE)
        with refused(Forbidden, "no-relation"):
            units.close_unit(GROUP, made(beside.CloseUnit), by, TREE)


RECORDERS: list[tuple[Actor, UUID, bool]] = [
    (LEADER, GROUP, True),
    (LEADER, VILLAGE, False),
    (VILLAGE_OFFICER, GROUP, True),
    (TOWNSHIP_OFFICER, GROUP, True),
    (POLICE, GROUP, True),
    (actor("gw", "grid_worker", VILLAGE), VILLAGE, True),
    (actor("gw", "grid_worker", VILLAGE), OTHER_VILLAGE, False),
    (RESIDENT, GROUP, False),
    (SUPERVISOR, VILLAGE, False),
    (OPERATOR, GROUP, False),
]


@pytest.mark.parametrize(("by", "unit", "may"), RECORDERS)
def test_visits_and_services_are_recorded_within_one_s_own_unit(by: Actor, unit: UUID, may: bool) -> None:
    visit = made(beside.RegisterVisit, unit=unit, visit_kind="HOUSEHOLD", findings="情况")
    service = made(beside.RecordService, unit=unit, item="OTHER")
    if may:
        assert records.record_visit(visit, by, TREE, None).unit == unit
        assert records.record_service(service, by, TREE, DEFAULT_POLICY).unit == unit
    else:
        with refused(Forbidden, "outside"):
            records.record_visit(visit, by, TREE, None)
        with refused(Forbidden, "outside"):
            records.record_service(service, by, TREE, DEFAULT_POLICY)


def test_a_service_is_of_the_list() -> None:
    with refused(GuardFailed, "item-unknown"):
        body = made(beside.RecordService, unit=GROUP, item="HAIRCUT")
        records.record_service(body, LEADER, TREE, DEFAULT_POLICY)


def test_whom_a_service_is_for_is_its_beneficiary() -> None:
    body = made(beside.RecordService, unit=GROUP, item="OTHER", beneficiary={"name": "黄某"})
    served = records.record_service(body, LEADER, TREE, DEFAULT_POLICY).beneficiary
    assert served is not None
    assert served.role == "BENEFICIARY"


def test_a_visit_s_case_is_one_that_its_recorder_may_know_of() -> None:
    docket = Docket()
    own, lead = docket.open(LEADER), docket.open(LEADER, procedure="SAFETY_LEAD")
    body = made(beside.RegisterVisit, unit=GROUP, visit_kind="PATROL", findings="情况", case_id=own)
    worker = actor("gw", "grid_worker", VILLAGE)
    assert records.record_visit(body, worker, TREE, docket.cases[own]).case_id == own
    with refused(Unknown, "unknown-case"):
        records.record_visit(body, worker, TREE, docket.cases[lead])
    with refused(Unknown, "unknown-case"):
        records.record_visit(body, worker, TREE, None)
    stranger = actor("gw", "grid_worker", FAR_VILLAGE)
    afar = made(beside.RegisterVisit, unit=FAR_VILLAGE, visit_kind="PATROL", findings="情况", case_id=own)
    with refused(Forbidden, "outside"):
        records.record_visit(afar, stranger, TREE, docket.cases[own])


def test_a_visit_opens_a_case_of_its_own_unit() -> None:
    opening = {"channel": "VISIT", "category": "ROADS", "title": "路", "description": "坑"}
    fields = {"visit_kind": "HOUSEHOLD", "findings": "情况"}
    body = made(beside.RegisterVisit, unit=VILLAGE, opens_case=opening | {"origin_unit": GROUP}, **fields)
    assert records.record_visit(body, VILLAGE_OFFICER, TREE, None).case_id == body.opens_case.case_id
    other = made(beside.RegisterVisit, unit=GROUP, opens_case=opening | {"origin_unit": VILLAGE}, **fields)
    with refused(GuardFailed, "same-unit"):
        records.record_visit(other, VILLAGE_OFFICER, TREE, None)


def test_rosters_are_filed_by_operator_and_village_officer() -> None:
    body = made(beside.FileRoster, unit=VILLAGE, as_of_on="2024-01-01", households=["1", "2"])
    for by in (OPERATOR, VILLAGE_OFFICER):
        assert records.file_roster(body, by, TREE).households == ("1", "2")
    with refused(Forbidden, "no-relation"):
        records.file_roster(body, TOWNSHIP_OFFICER, TREE)
    with refused(Forbidden, "outside"):
        records.file_roster(body, actor("ovo", "village_officer", OTHER_VILLAGE), TREE)


def test_imports_are_the_operator_s_and_reach_one_unit() -> None:
    opening = made(beside.OpenImport, unit=TOWNSHIP, note="旧账")
    assert records.open_import(opening, OPERATOR, TREE).note is not None
    with refused(Forbidden, "no-relation"):
        records.open_import(opening, TOWNSHIP_OFFICER, TREE)
    standing = Import(import_id=new_id(), unit=TOWNSHIP, version=1)
    check_import(standing, LEADER, TREE)
    check_import(standing, OPERATOR, TREE)
    with refused(Forbidden, "outside-import"):
        check_import(standing, actor("fo", "village_officer", FAR_VILLAGE), TREE)
    with refused(Unknown, "unknown"):
        check_import(None, LEADER, TREE)
    assert records.close_import(standing, OPERATOR) == ImportClosed()
    closed = Import(import_id=new_id(), unit=TOWNSHIP, version=2, closed=True)
    with refused(GuardFailed, "import-closed"):
        check_import(closed, LEADER, TREE)
    with refused(GuardFailed, "import-closed"):
        records.close_import(closed, OPERATOR)


def test_files_are_stored_by_those_who_serve_a_unit() -> None:
    records.may_store_files(LEADER, TREE)
    for by in (RESIDENT, SUPERVISOR, OPERATOR):
        with refused(Forbidden, "outside"):
            records.may_store_files(by, TREE)
