"""The list row of a case."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.base import Private
from shared.events.case import Case
from shared.events.vocabulary import (
    Channel,
    Facet,
    Level,
    Procedure,
    State,
    UrgencyStatus,
    WarningLevel,
)
from shared.policy.sight import CaseSight, sight_of

CASES: Final = Table(
    name="cases",
    columns={
        "case_id": "uuid",
        "state": "text",
        "procedure": "text",
        "category": "text",
        "origin_unit": "uuid",
        "holder_unit": "uuid",
        "pending_unit": "uuid",
        "handler_ref": "text",
        "mediator_ref": "text",
        "urgent": "bool",
        "overdue": "bool",
        "calls": "int2",
        "settled_by": "text",
        "opened_at": "timestamptz",
        "reach": "uuid[]",
        "known_to": "text[]",
        "version": "int4",
        "position": "int8",
        "row": "bytea",
    },
)


class CaseRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A case in a list: what is shown of it, and what decides who may see that.

    Stored as msgspec JSON; instants are UTC, personal values sealed.
    """

    case_id: UUID
    version: int
    position: int
    """Of its last event."""
    state: State
    procedure: Procedure | None
    category: str
    channel: Channel
    title: Private
    item: str | None
    collective: bool
    origin_unit: UUID
    docket_unit: UUID
    holder_unit: UUID
    holder_level: Level
    pending_unit: UUID | None
    pending_level: Level | None
    handler_ref: str | None
    mediator_ref: str | None
    urgent: bool | None
    urgency_status: UrgencyStatus | None
    facets: tuple[Facet, ...]
    warning_level: WarningLevel | None
    opened_at: datetime
    closed_at: datetime | None
    cycle: int
    final: bool
    merged_into: UUID | None

    sight: CaseSight
    overdue: bool = False
    """Whether a breach stands."""


encode_row = msgspec.json.Encoder().encode
decode_row = msgspec.json.Decoder(CaseRow).decode


def case_row(case: Case) -> Row:
    calls = _calls(case)
    return Row(
        CASES.name,
        (
            case.case_id,
            case.state,
            case.procedure,
            case.category,
            case.docket_unit,
            case.holder_unit,
            case.pending_unit,
            case.handler_ref,
            case.mediator_ref,
            case.urgent,
            _overdue(case),
            calls,
            None if calls is None else case.handler_ref or case.resolver_ref,
            case.opened_at,
            _reach(case),
            _known_to(case),
            case.version,
            case.position,
            encode_row(_listed(case)),
        ),
    )


def _reach(case: Case) -> tuple[UUID, ...]:
    """In whose lists the case is; an accusation is in none below the unit that hears it."""
    began = () if case.procedure == "ACCUSATION" else (case.origin_unit,)
    return tuple(dict.fromkeys((*began, case.docket_unit, *case.held_units)))


def _known_to(case: Case) -> tuple[str, ...]:
    """In whose own lists it is: the opener's and those of its people, the accused of an accusation aside."""
    hidden_from = ("ACCUSED",) if case.procedure == "ACCUSATION" else ()
    people = (p.actor_ref for p in case.people if p.actor_ref and p.role not in hidden_from)
    return tuple(dict.fromkeys((case.opener_ref, *people)))


def _listed(case: Case) -> CaseRow:
    return CaseRow(
        case_id=case.case_id,
        version=case.version,
        position=case.position,
        state=case.state,
        procedure=case.procedure,
        category=case.category,
        channel=case.channel,
        title=case.title,
        item=case.item,
        collective=case.collective,
        origin_unit=case.origin_unit,
        docket_unit=case.docket_unit,
        holder_unit=case.holder_unit,
        holder_level=case.holder_level,
        pending_unit=case.pending_unit,
        pending_level=case.pending_level,
        handler_ref=case.handler_ref,
        mediator_ref=case.mediator_ref,
        urgent=case.urgent,
        urgency_status=case.urgency_status,
        facets=case.facets,
        warning_level=case.warning_level,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        cycle=case.cycle,
        final=case.final,
        merged_into=case.merged_into,
        sight=sight_of(case),
        overdue=_overdue(case),
    )


def _overdue(case: Case) -> bool:
    return any(deadline.overdue for deadline in case.deadlines)


def _calls(case: Case) -> int | None:
    """Attempts of this cycle to reach the complainant of a settled case; None where nobody is to be."""
    if case.state != "RESOLVED" or case.procedure == "SAFETY_LEAD":
        return None
    attempts = [attempt for attempt in case.follow_ups if attempt.cycle == case.cycle]
    return None if any(attempt.reached for attempt in attempts) else len(attempts)
