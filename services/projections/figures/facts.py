"""Which facts hold for a state: the figures are their numbers. All functions here are pure.

A case counts under its docket unit, on the day it was registered, unless said otherwise.
Its facts follow its own stream only: a merged duplicate is disposed of by the events of
the primary, which the primary's stream tells.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, Final
from uuid import UUID

from services.projections.deadlines.clocks import Clock
from services.projections.figures.measures import OUTSIDE
from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.case import Agreement, Case, FollowUp, Mark
from shared.events.cases import AbsorbedCase
from shared.events.recorded import Recorded
from shared.events.rosters import RosterFiled
from shared.events.visits import VisitRecorded
from shared.policy.clock_starts import RIGHTS

FACTS: Final = Table(
    name="facts",
    columns={
        "measure": "text",
        "unit_id": "uuid",
        "subject_kind": "text",
        "subject_id": "uuid",
        "subject_ref": "text",
        "on_day": "date",
        "previous_on": "date",
        "level": "text",
        "opened_at": "timestamptz",
        "because": "jsonb",
    },
)

SHANGHAI: Final = timezone(timedelta(hours=8))
"""Its offset since 1992; days of figures are its days."""
_NOT_IN_R: Final = frozenset(("SERVICE", "SAFETY_LEAD"))
_REMOVED: Final = frozenset(("REJECTED", "MERGED", "TRANSFERRED", "WITHDRAWN"))

TOLD_BY_OTHERS: Final = frozenset(("disposed",))
"""Facts of a case that the stream of another one may tell: a duplicate is disposed of by its primary."""

_JUDGED: Final = frozenset(("STOPPED", "VOIDED", "BREACHED"))
"""Clocks of which it is known whether they were kept."""
_DAY: Final = timedelta(days=1)

_URGENCIES: Final = {None: "unclassified", True: "urgent", False: None}
"""How the facts of a classification begin; a case that isn't urgent has none."""

_occurred: Final = attrgetter("occurred_at")

Because = tuple[tuple[str, int], ...]
"""Topic and position of each event that makes it so, positions ascending."""


@lru_cache(maxsize=4_096)
def day_of(instant: datetime) -> date:
    """The day in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI).date()


def due_day(original_due_at: datetime) -> date:
    """The day to which a clock counts: the last one that it had at first."""
    return day_of(original_due_at) - _DAY


_DECISIVE: Final = attrgetter(
    *(
        "is_open",
        "is_resolved",
        "procedure",
        "degree",
        "partial_counts",
        "urgent",
        "urgency_status",
        "resolved_level",
    ),
    *("docket_unit", "holder_unit", "opened_at", "absorbed"),
    *("registered", "held", "classified", "resolutions", "reopenings", "reached", "absorptions"),
    *("follow_ups", "agreement", "earlier_agreements", "terminations", "contacts"),
)


def decisive(case: Case) -> tuple[Any, ...]:
    """All that `case_facts` looks at beside clocks: cases that are equal in this have the same facts."""
    return case.stated if case.state in _REMOVED else None, _DECISIVE(case)


def telling(clocks: Sequence[Clock]) -> tuple[Clock, ...]:
    """The clocks that `case_facts` looks at."""
    return tuple(
        clock for clock in clocks if clock.deadline.state in _JUDGED or clock.deadline.contact_by is not None
    )


def case_facts(case: Case, clocks: Sequence[Clock] = ()) -> tuple[Row, ...]:
    """The facts of a case but for its visits."""
    facts = _CaseFacts(case, clocks)
    facts.tell(disposed=case.is_resolved and (case.degree != "PARTIAL" or case.partial_counts))
    return tuple(facts.rows)


class _CaseFacts:
    """Gathers the facts of one case."""

    __slots__ = (
        "_case",
        "_case_id",
        "_clocks",
        "_day",
        "_in_r",
        "_registered",
        "_resolution",
        "_unit",
        "rows",
    )

    def __init__(self, case: Case, clocks: Sequence[Clock]) -> None:
        self.rows: list[Row] = []
        self._case = case
        self._clocks = clocks
        self._case_id = case.case_id
        self._unit = case.docket_unit
        self._day = day_of(case.opened_at)
        self._in_r = case.procedure not in _NOT_IN_R
        self._registered = case.registered
        self._resolution = case.resolutions[-1:]

    def tell(self, *, disposed: bool) -> None:
        if self._case.is_open:
            self._backlog(self._case)
        self._urgency(self._case, "" if self._in_r else OUTSIDE)
        if self._in_r:
            self._statistics(self._case)
        if disposed:
            self._disposed(self._case)
        self._levels(self._case)
        for clock in self._clocks:
            self._on_time(clock)
        self._order(self._case.contacts)
        self._once("resolution", self._case.resolutions)
        self._once("reopening", self._case.reopenings)
        for termination in self._case.terminations:
            self._on(day_of(termination.occurred_at), "terminated", _because(termination))
        for agreement in self._case.agreements:
            self._agreement(agreement)
        if self._case.follow_ups and self._case.procedure != "SAFETY_LEAD":
            self._follow_ups(self._case.follow_ups)

    def _backlog(self, case: Case) -> None:
        arrived = _because(self._registered, case.held)
        self._open("open_by_holder", case.holder_unit, arrived)
        self._open("open_by_origin", self._unit, _because(self._registered))
        name = _URGENCIES[case.urgent]
        if name is not None:
            classified = () if case.classified is None else (case.classified,)
            because = _because(self._registered, case.held, *classified)
            self._open(f"{name}_open_by_holder", case.holder_unit, because)
            self._open(f"{name}_open_by_origin", self._unit, _because(self._registered, *classified))
        breaches = [clock.breached for clock in self._clocks if clock.breached and clock.deadline.overdue]
        if breaches:
            self._open(
                "overdue_by_holder", case.holder_unit, _because(self._registered, case.held, *breaches)
            )
            self._open("overdue_by_origin", self._unit, _because(self._registered, *breaches))

    def _urgency(self, case: Case, ending: str) -> None:
        """The urgent counts by state, and beside each the cases that nobody has classified."""
        name = _URGENCIES[case.urgent]
        if name is None:
            return
        marks = (self._registered,) if case.classified is None else (self._registered, case.classified)
        because = _because(*marks)
        self._add(("urgent_registered" if case.urgent else "urgent_unclassified") + ending, because)
        if case.urgent and case.urgency_status == "PROPOSED":
            self._add("urgent_unconfirmed" + ending, because)
        if case.is_open:
            self._add(f"{name}_open{ending}", because)
        elif case.is_resolved:
            self._add(f"{name}_resolved{ending}", _because(*marks, *self._resolution))

    def _statistics(self, case: Case) -> None:
        registered = _because(self._registered)
        self._add("registered", registered)
        if case.state in _REMOVED:
            self._add("removed", _because(self._registered, case.stated))
        else:
            self._add("registered_net", registered)
        if case.is_resolved:
            self._add("resolved", _because(self._registered, *self._resolution))

    def _disposed(self, case: Case) -> None:
        if self._in_r:
            because = _because(self._registered, *self._resolution)
            self._add("disposed", because)
            self._add("disposed_net", because)
        for duplicate, absorbed in zip(case.absorbed, case.absorptions, strict=True):
            if duplicate.procedure not in _NOT_IN_R:
                self.rows.append(_disposed_with(duplicate, absorbed, *self._resolution))

    def _levels(self, case: Case) -> None:
        for level, mark in case.reached:
            self._add("reached", _because(mark), level)
        if case.is_resolved and case.resolved_level is not None:
            self._add("contained", _because(*self._resolution), case.resolved_level)

    def _agreement(self, agreement: Agreement) -> None:
        """That it was reached; and on its last due day, which may be still to come, that it is due."""
        reached = agreement.reached
        self._on(day_of(reached.occurred_at), "agreed", _because(reached))
        due_on = max((term.due_on for term in agreement.terms if term.due_on is not None), default=None)
        if due_on is None:
            return
        because = _because(reached, *(term.mark for term in agreement.terms if term.mark is not None))
        self._on(due_on, "agreement_due", because)
        if all(term.state == "FULFILLED" for term in agreement.terms):
            self._on(due_on, "agreement_fulfilled", because)

    def _follow_ups(self, attempts: Sequence[FollowUp]) -> None:
        """Each answer on its own day; what a cycle came to on the day of its last attempt."""
        cycles: dict[int, tuple[FollowUp, FollowUp | None]] = {}
        for attempt in attempts:
            _, answer = cycles.get(attempt.cycle, (None, None))
            cycles[attempt.cycle] = attempt, attempt if attempt.reached else answer
            if attempt.reached:
                said = "told_solved" if attempt.solved else "told_unsolved"
                self._on(day_of(attempt.mark.occurred_at), said, _because(attempt.mark))
        for last, answer in cycles.values():
            day = day_of(last.mark.occurred_at)
            if answer is None:
                self._on(day, "unanswered", _because(last.mark))
            else:
                because = _because(answer.mark, last.mark)
                self._on(day, "satisfied" if answer.satisfied else "unsatisfied", because)

    def _on_time(self, clock: Clock) -> None:
        """A duty that was done, or whose breach was recorded; on the day on which it was due at first."""
        deadline = clock.deadline
        due, original = deadline.due_at, deadline.original_due_at
        if deadline.timer in RIGHTS or deadline.state not in _JUDGED or due is None or original is None:
            return
        judged = clock.breached if deadline.state == "BREACHED" else clock.ended
        because = _because(clock.started, *([] if judged is None else [judged]))
        day = due_day(original)
        self._on(day, "duty", because, deadline.timer)
        until = deadline.ran_until
        if deadline.state == "BREACHED" or until is None:
            return
        in_time = deadline.state == "VOIDED" or until <= due
        if in_time:
            self._on(day, "duty_in_time", because, deadline.timer)
        if until <= original or (in_time and original == due):
            self._on(day, "duty_in_original_time", because, deadline.timer)

    def _order(self, contacts: Sequence[Mark]) -> None:
        """A hotline order, once, on the day of its first clock; and whether it was answered in time."""
        for clock in self._clocks:
            limit, started = clock.deadline.contact_by, clock.started
            if limit is None:
                continue
            day = day_of(started.occurred_at)
            self._on(day, "hotline_order", _because(started))
            for contact in contacts:
                if started.occurred_at <= contact.occurred_at <= limit:
                    self._on(day, "hotline_contacted", _because(started, contact))
                    break
            return

    def _add(self, measure: str, because: Because, level: str | None = None) -> None:
        """A fact of the day on which the case was registered."""
        values = (measure, self._unit, "case", self._case_id, None, self._day, None, level, None, because)
        self.rows.append(Row("facts", values))

    def _on(self, day: date, measure: str, because: Because, timer: str | None = None) -> None:
        values = (measure, self._unit, "case", self._case_id, None, day, None, timer, None, because)
        self.rows.append(Row("facts", values))

    def _once(self, measure: str, marks: Sequence[Mark]) -> None:
        """Facts of which the first in a period counts, each with the day of the one before it."""
        previous_on = None
        for mark in sorted(marks, key=_occurred) if len(marks) > 1 else marks:
            day, because = day_of(mark.occurred_at), _because(mark)
            values = (measure, self._unit, "case", self._case_id, None, day, previous_on, None, None, because)
            self.rows.append(Row("facts", values))
            previous_on = day

    def _open(self, measure: str, unit: UUID, because: Because) -> None:
        """A fact as of the answer."""
        opened_at = self._case.opened_at
        values = (measure, unit, "case", self._case_id, None, None, None, None, opened_at, because)
        self.rows.append(Row("facts", values))


def _disposed_with(duplicate: AbsorbedCase, *marks: Mark) -> Row:
    """A duplicate, under its own unit and day, disposed of with its primary."""
    registered = ("case.registered", duplicate.registered_position)
    day = day_of(duplicate.registered_at)
    because = _because(registered, *marks)
    unit, case_id = duplicate.docket_unit, duplicate.case_id
    return Row("facts", ("disposed", unit, "case", case_id, None, day, None, None, None, because))


def visit_fact(recorded: Recorded, unit: UUID, household_ref: str | None, visit_id: UUID) -> Row:
    """A visit, under the unit that made it, on the day it was made."""
    because = ((recorded.topic, recorded.position),)
    day = day_of(recorded.occurred_at)
    return Row("facts", ("visit", unit, "visit", visit_id, household_ref, day, None, None, None, because))


def visit_facts(recorded: Recorded, event: VisitRecorded) -> tuple[Row, ...]:
    return (visit_fact(recorded, event.unit, event.household_ref, recorded.stream_id),)


def roster_facts(recorded: Recorded, event: RosterFiled) -> tuple[Row, ...]:
    """The households of a roster, each once."""
    because = ((recorded.topic, recorded.position),)
    shared = (event.as_of_on, None, None, None, because)
    return tuple(
        Row("facts", ("roster", event.unit, "household", recorded.stream_id, household_ref, *shared))
        for household_ref in dict.fromkeys(event.households)
    )


def _because(*marks: Mark | tuple[str, int]) -> Because:
    reasons = [mark[:2] for mark in marks]
    if len(reasons) > 1:
        reasons = sorted(set(reasons), key=itemgetter(1))
    return tuple(reasons)
