"""Bodies of the commands that bring a case in: one struct each, fields as the API names them."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.events.base import Person, Private
from shared.events.vocabulary import (
    Channel,
    DocumentKind,
    ExternalBodyKind,
    Means,
    Notice,
    PersonRole,
    Procedure,
    Role,
    VisitKind,
)
from shared.policy.bodies import Body, Code, Fault, Name, OpeningBody, Ref, ServerMade, Shape, Text

Short = Annotated[str, Meta(min_length=1, max_length=64)]
Address = Annotated[str, Meta(min_length=1, max_length=500)]


class PersonFields(Shape, frozen=True, kw_only=True):
    """Somebody a case is about, as a client gives them."""

    person_ref: ServerMade = None
    role: PersonRole
    name: Name | None = None
    phone: Short | None = None
    address: Address | None = None
    id_number: Short | None = None
    actor_ref: Ref | None = None


class SourceFields(Shape, frozen=True, kw_only=True):
    kind: Code
    id: Ref


class AccusedFields(Shape, frozen=True, kw_only=True):
    actor_ref: Ref | None = None
    role: Role
    unit_id: UUID


class ExternalBodyFields(Shape, frozen=True, kw_only=True):
    kind: ExternalBodyKind
    name: Name


class OpenCase(OpeningBody, frozen=True, kw_only=True):
    case_id: ServerMade = None
    channel: Channel
    category: Code
    title: Name
    description: Text
    procedure: Procedure | None = None
    people: Annotated[tuple[PersonFields, ...], Meta(max_length=100)] = ()
    collective: bool = False
    source: SourceFields | None = None
    item: Code | None = None
    accused: AccusedFields | None = None

    def faults(self) -> Iterator[Fault]:
        if self.procedure == "ACCUSATION" and self.accused is None:
            yield Fault("/accused", "accused-needed")
        if self.procedure != "ACCUSATION" and self.accused is not None:
            yield Fault("/accused", "accused-unwanted")
        seen: set[UUID | None] = {None}
        for index, person in enumerate(self.people):
            if person.person_ref in seen and person.person_ref is not None:
                yield Fault(f"/people/{index}/person_ref", "repeated")
            seen.add(person.person_ref)


class AcceptCase(Body, frozen=True, kw_only=True):
    procedure: Procedure | None = None


class RejectCase(Body, frozen=True, kw_only=True):
    reason: Text
    alternative_route: Text


class TransferCase(Body, frozen=True, kw_only=True):
    to_unit: UUID | None = None
    external_body: ExternalBodyFields | None = None
    reason: Text

    def faults(self) -> Iterator[Fault]:
        if (self.to_unit is None) == (self.external_body is None):
            yield Fault("/to_unit", "one-of-two")


class MergeCase(Body, frozen=True, kw_only=True):
    into_case_id: UUID
    into_version: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    reason: Text | None = None


class AddPerson(Body, frozen=True, kw_only=True):
    """One person, with the fields of `PersonFields` (a struct can't inherit from both)."""

    person_ref: ServerMade = None
    role: PersonRole
    name: Name | None = None
    phone: Short | None = None
    address: Address | None = None
    id_number: Short | None = None
    actor_ref: Ref | None = None


def person_of(fields: PersonFields | AddPerson) -> Person:
    """The person of an event, personal values still in the clear; `person_ref` must be filled in."""
    assert fields.person_ref is not None
    return Person(
        person_ref=fields.person_ref,
        role=fields.role,
        actor_ref=fields.actor_ref,
        name=Private.maybe(fields.name),
        phone=Private.maybe(fields.phone),
        address=Private.maybe(fields.address),
        id_number=Private.maybe(fields.id_number),
    )


class RecordVisit(Body, frozen=True, kw_only=True):
    visit_kind: VisitKind
    household_ref: Ref | None = None
    findings: Text


class AttachDocument(Body, frozen=True, kw_only=True):
    document_kind: DocumentKind
    file_id: UUID | None = None
    paper_location: Text | None = None
    person_ref: UUID | None = None

    @property
    def files(self) -> tuple[UUID, ...]:
        return () if self.file_id is None else (self.file_id,)

    def faults(self) -> Iterator[Fault]:
        if (self.file_id is None) == (self.paper_location is None):
            yield Fault("/file_id", "one-of-two")


class RecordContact(Body, frozen=True, kw_only=True):
    reached: bool
    means: Means


class NotifyComplainant(Body, frozen=True, kw_only=True):
    notice: Notice
    delivered_on: date
    means: Means


BODIES: dict[str, type[Body]] = {
    body.command: body
    for body in (
        OpenCase,
        AcceptCase,
        RejectCase,
        TransferCase,
        MergeCase,
        AddPerson,
        RecordVisit,
        AttachDocument,
        RecordContact,
        NotifyComplainant,
    )
}
"""Command name to body."""
