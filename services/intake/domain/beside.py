"""Bodies of what is recorded beside cases: units, visits, services, rosters, imports."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from services.intake.domain.commands import OpenCase, PersonFields
from shared.events.vocabulary import PersonRole, UnitKind, VisitKind
from shared.policy.bodies import Body, Code, Fault, Name, Ref, ServerMade, Text


class RegisterUnit(Body, frozen=True, kw_only=True):
    unit_id: ServerMade = None
    kind: UnitKind
    name: Name
    parent_id: UUID | None = None
    """Absent for a township, which has nothing above it."""


class RenameUnit(Body, frozen=True, kw_only=True):
    name: Name


class MoveUnit(Body, frozen=True, kw_only=True):
    parent_id: UUID


class CloseUnit(Body, frozen=True, kw_only=True):
    pass


class RegisterVisit(Body, frozen=True, kw_only=True):
    visit_id: ServerMade = None
    unit: UUID
    visit_kind: VisitKind
    household_ref: Ref | None = None
    people: Annotated[tuple[PersonFields, ...], Meta(max_length=100)] = ()
    findings: Text
    case_id: UUID | None = None
    opens_case: OpenCase | None = None

    def faults(self) -> Iterator[Fault]:
        if self.case_id is not None and self.opens_case is not None:
            yield Fault("/case_id", "not-both")


class BeneficiaryFields(PersonFields, frozen=True, kw_only=True):
    """Whom a service is for, which says their role."""

    role: PersonRole = "BENEFICIARY"


class RecordService(Body, frozen=True, kw_only=True):
    service_id: ServerMade = None
    unit: UUID
    item: Code
    beneficiary: BeneficiaryFields | None = None
    detail: Text | None = None


class FileRoster(Body, frozen=True, kw_only=True):
    roster_id: ServerMade = None
    unit: UUID
    as_of_on: date
    households: Annotated[tuple[Ref, ...], Meta(max_length=20_000)]

    def faults(self) -> Iterator[Fault]:
        if len(set(self.households)) < len(self.households):
            yield Fault("/households", "repeated")


class OpenImport(Body, frozen=True, kw_only=True):
    import_id: ServerMade = None
    unit: UUID
    note: Text


class CloseImport(Body, frozen=True, kw_only=True):
    pass
