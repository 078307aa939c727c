"""Which facts hold for a state: the figures are their numbers. All functions here are pure.

A case counts under its docket unit, on the day it was registered, unless said otherwise.
Its facts follow its own stream only: a merged duplicate is disposed of by the events of
the primary, which the primary's stream tells.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from services.projections.cases.file import CaseFile
from services.projections.figures.measures import OUTSIDE
from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.case import Case, Mark
from shared.events.cases import AbsorbedCase
from shared.events.recorded import Recorded
from shared.events.rosters import RosterFiled
from shared.events.visits import VisitRecorded

FACTS: Final = Table(
    name="facts",
    columns={
        "measure": "text",
        "unit_id": "uuid",
        "subject_kind": "text",
        "subject_id": "uuid",
        "subject_ref": "text",
        "on_day": "date",
        "level": "text",
        "opened_at": "timestamptz",
        "because": "jsonb",
    },
)

SHANGHAI: Final = timezone(timedelta(hours=8))
"""Its offset since 1992; days of figures are its days."""
_NOT_IN_R: Final = frozenset(("SERVICE", "SAFETY_LEAD"))
_REMOVED: Final = frozenset(("REJECTED", "MERGED", "TRANSFERRED", "WITHDRAWN"))

_URGENCIES: Final = {None: "unclassified", True: "urgent", False: None}
"""How the facts of a classification begin; a case that isn't urgent has none."""

Because = tuple[tuple[str, int], ...]
"""Topic and position of each event that makes it so, positions ascending."""


@lru_cache(maxsize=4_096)
def day_of(instant: datetime) -> date:
    """The day in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI).date()


_DECISIVE: Final = attrgetter(
    *("is_open", "is_resolved", "procedure", "degree", "urgent", "urgency_status", "resolved_level"),
    *("docket_unit", "holder_unit", "opened_at", "absorbed"),
    *("registered", "held", "classified", "resolutions", "reopenings", "reached", "absorptions"),
)


def decisive(file: CaseFile) -> tuple[Any, ...]:
    """All that `case_facts` looks at: files that are equal in this have the same facts."""
    case = file.case
    if case is None:
        return (file.visits,)
    return file.visits, case.stated if case.state in _REMOVED else None, _DECISIVE(case)


def case_facts(file: CaseFile, *, partial_counts: bool) -> Iterator[Row]:
    """The facts of a case; `partial_counts`: a PARTIAL resolution counts as disposed of."""
    for visit in file.visits:
        yield visit_fact(visit.unit, visit.household_ref, visit.visit_id, visit.mark)
    case = file.case
    if case is None:
        return
    if case.is_open:
        yield from _backlog(case)
    yield from _urgency(case, "" if case.procedure not in _NOT_IN_R else OUTSIDE)
    if case.procedure not in _NOT_IN_R:
        yield from _statistics(case)
    disposed = case.is_resolved and (case.degree != "PARTIAL" or partial_counts)
    if disposed:
        for duplicate, absorbed in zip(case.absorbed, case.absorptions, strict=True):
            if duplicate.procedure not in _NOT_IN_R:
                yield _disposed_with(case, duplicate, absorbed)
        if case.procedure not in _NOT_IN_R:
            yield _of_case(case, "disposed", case.registered, *case.resolutions[-1:])
            yield _of_case(case, "disposed_net", case.registered, *case.resolutions[-1:])
    yield from _levels(case)
    for resolution in case.resolutions:
        yield _of_case(case, "resolution", resolution, on_day=day_of(resolution.occurred_at))
    for reopening in case.reopenings:
        yield _of_case(case, "reopening", reopening, on_day=day_of(reopening.occurred_at))


def _backlog(case: Case) -> Iterator[Row]:
    registered, held = case.registered, case.held
    yield _open("open_by_holder", case, case.holder_unit, registered, held)
    yield _open("open_by_origin", case, case.docket_unit, registered)
    name = _URGENCIES[case.urgent]
    if name is not None:
        classified = () if case.classified is None else (case.classified,)
        yield _open(f"{name}_open_by_holder", case, case.holder_unit, registered, held, *classified)
        yield _open(f"{name}_open_by_origin", case, case.docket_unit, registered, *classified)


def _urgency(case: Case, ending: str) -> Iterator[Row]:
    """The urgent counts by state, and beside each the cases that nobody has classified."""
    marks = (case.registered, *(() if case.classified is None else (case.classified,)))
    if case.urgent is None:
        yield _of_case(case, "urgent_unclassified" + ending, *marks)
    elif case.urgent:
        yield _of_case(case, "urgent_registered" + ending, *marks)
        if case.urgency_status == "PROPOSED":
            yield _of_case(case, "urgent_unconfirmed" + ending, *marks)
    name = _URGENCIES[case.urgent]
    if name is not None and case.is_open:
        yield _of_case(case, f"{name}_open{ending}", *marks)
    elif name is not None and case.is_resolved:
        yield _of_case(case, f"{name}_resolved{ending}", *marks, *case.resolutions[-1:])


def _statistics(case: Case) -> Iterator[Row]:
    yield _of_case(case, "registered", case.registered)
    if case.state in _REMOVED:
        yield _of_case(case, "removed", case.registered, case.stated)
    else:
        yield _of_case(case, "registered_net", case.registered)
    if case.is_resolved:
        yield _of_case(case, "resolved", case.registered, *case.resolutions[-1:])


def _levels(case: Case) -> Iterator[Row]:
    for level, mark in case.reached:
        yield _of_case(case, "reached", mark, level=level)
    if case.is_resolved and case.resolved_level is not None:
        yield _of_case(case, "contained", *case.resolutions[-1:], level=case.resolved_level)


def _disposed_with(primary: Case, duplicate: AbsorbedCase, absorbed: Mark) -> Row:
    registration = ("case.registered", duplicate.registered_position)
    because = (registration, *_because(absorbed, *primary.resolutions[-1:]))
    return _row(
        "disposed",
        duplicate.docket_unit,
        subject_id=duplicate.case_id,
        on_day=day_of(duplicate.registered_at),
        because=tuple(sorted(because, key=lambda reason: reason[1])),
    )


def visit_fact(unit: UUID, household_ref: str | None, visit_id: UUID, mark: Mark) -> Row:
    """A visit, under the unit that made it, on the day it was made."""
    return _row(
        "visit",
        unit,
        subject_kind="visit",
        subject_id=visit_id,
        subject_ref=household_ref,
        on_day=day_of(mark.occurred_at),
        because=_because(mark),
    )


def visit_facts(recorded: Recorded, event: VisitRecorded) -> tuple[Row, ...]:
    mark = Mark(recorded.topic, recorded.position, recorded.occurred_at)
    return (visit_fact(event.unit, event.household_ref, recorded.stream_id, mark),)


def roster_facts(recorded: Recorded, event: RosterFiled) -> tuple[Row, ...]:
    """The households of a roster, each once."""
    because = ((recorded.topic, recorded.position),)
    return tuple(
        _row(
            "roster",
            event.unit,
            subject_kind="household",
            subject_id=recorded.stream_id,
            subject_ref=household_ref,
            on_day=event.as_of_on,
            because=because,
        )
        for household_ref in dict.fromkeys(event.households)
    )


def _open(measure: str, case: Case, unit: UUID, *marks: Mark) -> Row:
    return _row(measure, unit, subject_id=case.case_id, opened_at=case.opened_at, because=_because(*marks))


def _of_case(
    case: Case, measure: str, *marks: Mark, on_day: date | None = None, level: str | None = None
) -> Row:
    return _row(
        measure,
        case.docket_unit,
        subject_id=case.case_id,
        on_day=on_day or day_of(case.opened_at),
        level=level,
        because=_because(*marks),
    )


def _because(*marks: Mark) -> Because:
    if len(marks) == 1:
        return ((marks[0].topic, marks[0].position),)
    return tuple(sorted({(mark.topic, mark.position) for mark in marks}, key=lambda reason: reason[1]))


def _row(
    measure: str,
    unit: UUID,
    *,
    subject_kind: str = "case",
    subject_id: UUID,
    subject_ref: str | None = None,
    on_day: date | None = None,
    level: str | None = None,
    opened_at: datetime | None = None,
    because: Because,
) -> Row:
    values = (measure, unit, subject_kind, subject_id, subject_ref, on_day, level, opened_at, because)
    return Row(FACTS.name, values)
