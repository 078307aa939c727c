"""Random lives of a small county: cases, clocks, visits, rosters, services, units, with late and tied events.

A history is a list of appends in the order of the ledger. Moves are drawn blindly and only
those that fit are made, so histories shrink well; what fits is decided by the fold alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from shared.events import cases, imports, inbox, rosters, services, units, visits
from shared.events.base import Event, Private
from shared.events.case import Case
from shared.events.deadlines import Deadline
from shared.events.evolve import evolve
from shared.events.recorded import Append, Metadata, NewEvent, Recorded
from shared.events.registry import encode
from shared.events.vocabulary import OPEN_STATES, Degree, Level, Procedure, Timer, UrgencyStatus
from shared.runtime.identifiers import new_id

START: Final = datetime(2026, 3, 1, 20, tzinfo=UTC)
"""Evening in UTC, so that days in Shanghai differ from days in UTC."""
SEALED: Final = Private(key=UUID(int=7), event=UUID(int=8), field="text", sealed=b"ciphertext")


@dataclass(frozen=True)
class Occurrence:
    """One event to be recorded."""

    position: int
    stream_id: UUID
    version: int
    event: Event
    occurred_at: datetime
    unit: UUID | None
    actor_ref: str


Appends = list[list[Occurrence]]
_OVERSEEING: Final = (cases.QueryRaised, cases.CorrectionDemanded, cases.AuditNoted)


@dataclass
class County:
    """The units of a history and what has happened in it so far."""

    township: UUID = field(default_factory=new_id)
    villages: tuple[UUID, ...] = field(default_factory=lambda: (new_id(), new_id()))
    groups: tuple[UUID, ...] = field(default_factory=lambda: (new_id(), new_id(), new_id()))
    neighbour: UUID | None = None
    """Another township, to which a village may move."""
    appends: Appends = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    imports: list[UUID] = field(default_factory=list)
    """Those that are open."""
    versions: dict[UUID, int] = field(default_factory=dict)
    now: datetime = START
    position: int = 0
    """Of the last event in the ledger."""

    @property
    def units(self) -> tuple[UUID, ...]:
        beside = () if self.neighbour is None else (self.neighbour,)
        return (self.township, *self.villages, *self.groups, *beside)

    def settle(self) -> None:
        """Registers the units: a township, two villages, three groups, and the township beside it if any."""
        self.add((self.township, units.UnitRegistered(kind="TOWNSHIP", name="余东镇")))
        if self.neighbour is not None:
            self.add((self.neighbour, units.UnitRegistered(kind="TOWNSHIP", name="三星镇")))
        for village in self.villages:
            registered = units.UnitRegistered(kind="VILLAGE", name="新河村", parent_id=self.township)
            self.add((village, registered))
        for place, group in enumerate(self.groups):
            parent = self.villages[place % 2]
            self.add((group, units.UnitRegistered(kind="GROUP", name="组", parent_id=parent)))

    def level(self, unit: UUID) -> Level:
        if unit in (self.township, self.neighbour):
            return "TOWNSHIP"
        return "VILLAGE" if unit in self.villages else "GROUP"

    def add(
        self, *parts: tuple[UUID, Event], late: timedelta = timedelta(), unit: UUID | None = None
    ) -> None:
        """Appends events together, and folds those of cases."""
        occurrences = []
        for stream_id, event in parts:
            version = self.versions.get(stream_id, 0) + 1
            self.versions[stream_id] = version
            occurred_at = self.now - late
            self.position += 1
            actor_ref = f"actor-{version % 3}"
            occurrences.append(
                Occurrence(self.position, stream_id, version, event, occurred_at, unit, actor_ref)
            )
        self.appends.append(occurrences)
        for occurrence in occurrences:
            self._fold(occurrence)

    def _fold(self, occurrence: Occurrence) -> None:
        if not isinstance(occurrence.event, cases.CaseEvent):
            return
        known = [case for case in self.cases if case.case_id == occurrence.stream_id]
        folded = evolve(known[0] if known else None, recorded_of(occurrence), occurrence.event)
        assert folded is not None
        if known:
            self.cases[self.cases.index(known[0])] = folded
        else:
            self.cases.append(folded)


def recorded_of(occurrence: Occurrence) -> Recorded:
    """The event as the ledger will give it back."""
    return Recorded(
        position=occurrence.position,
        stream_id=occurrence.stream_id,
        version=occurrence.version,
        event_id=UUID(int=(occurrence.stream_id.int + occurrence.version) % 2**128),
        topic=occurrence.event.topic,
        schema_version=1,
        occurred_at=occurrence.occurred_at,
        recorded_at=START,
        actor_ref=occurrence.actor_ref,
        actor_role="supervisor" if isinstance(occurrence.event, _OVERSEEING) else "mediator",
        unit=occurrence.unit,
        correlation_id=occurrence.stream_id,
        causation_id=None,
        traceparent=None,
        policy="builtin-1",
        import_id=None,
        imported_by=None,
        data=encode(occurrence.event),
    )


def recorded(appends: Sequence[Sequence[Occurrence]]) -> list[Recorded]:
    """The events of appends as the ledger will give them back."""
    return [recorded_of(occurrence) for append in appends for occurrence in append]


def append_of(occurrences: Sequence[Occurrence]) -> Append:
    """What the appender is given to record them."""
    events = [recorded_of(occurrence) for occurrence in occurrences]
    first = events[0]
    return Append(
        events=[
            NewEvent(
                originator_id=event.stream_id,
                originator_version=event.version,
                topic=event.topic,
                state=event.data,
                event_id=event.event_id,
                schema_version=event.schema_version,
            )
            for event in events
        ],
        metadata=Metadata(
            occurred_at=first.occurred_at,
            actor_ref=first.actor_ref,
            actor_role=first.actor_role,
            unit=first.unit,
            correlation_id=first.correlation_id,
            policy=first.policy,
        ),
    )


Move = tuple[str, int, int, int]
"""What is tried, on which case, with which unit or option, and how many hours late."""


def play(county: County, moves: Sequence[Move]) -> None:
    """Makes of the moves those that fit, an hour apart unless the option says at the same instant."""
    for name, which, option, late in moves:
        if option % 3:
            county.now += timedelta(hours=option)
        _MOVES[name](county, which, option, timedelta(hours=late))


def moves(size: int) -> st.SearchStrategy[list[Move]]:
    """Moves of which most are about cases and one in four is late, by hours or by days."""
    late = st.one_of(st.just(0), st.just(0), st.just(0), st.sampled_from((1, 2, 5, 30, 200)))
    move = st.tuples(st.sampled_from(_DRAWN), st.integers(0, 7), st.integers(0, 11), late)
    return st.lists(move, min_size=size // 2, max_size=size)


def any_moves(chance: Random, size: int) -> list[Move]:
    """Moves of every kind, as `moves` draws them."""
    return [
        (chance.choice(_DRAWN), chance.randrange(8), chance.randrange(12), chance.choice((0, 0, 0, 1, 30)))
        for _ in range(size)
    ]


def lively(chance: Random, size: int) -> list[Move]:
    """Moves after which much waits for somebody: cases that go up, are asked about, and are late."""
    return [
        (chance.choice(_LIVELY), chance.randrange(8), chance.randrange(12), chance.choice((0, 0, 0, 30)))
        for _ in range(size)
    ]


def _case(county: County, which: int, *states: str) -> Case | None:
    fitting = [case for case in county.cases if case.state in states]
    return fitting[which % len(fitting)] if fitting else None


def _open(county: County, which: int, option: int, late: timedelta) -> None:
    origin = county.groups[option % 3] if option % 4 else county.villages[option % 2]
    procedure: Procedure | None = _PROCEDURES[which]
    event = cases.CaseRegistered(
        channel="VISIT",
        category=("NEIGHBOUR", "ROADS")[option % 2],
        origin_unit=origin,
        origin_level=county.level(origin),
        holder_unit=origin,
        holder_level=county.level(origin),
        title=SEALED,
        description=SEALED,
        procedure=procedure,
    )
    county.add((new_id(), event), late=late, unit=origin)


def _act(event_of: Callable[[Case, int], Event], *states: str) -> Callable[..., None]:
    def act(county: County, which: int, option: int, late: timedelta) -> None:
        case = _case(county, which, *states)
        if case is not None:
            county.add((case.case_id, event_of(case, option)), late=late, unit=case.holder_unit)

    return act


def _escalate(county: County, which: int, option: int, late: timedelta) -> None:
    case = _case(county, which, "ACCEPTED", "IN_PROGRESS")
    if case is None or case.holder_level == "TOWNSHIP":
        return
    village = case.holder_level == "GROUP"
    unit = county.villages[option % 2] if village else county.township
    event = cases.CaseEscalated(to_level=county.level(unit), to_unit=unit, reason=SEALED)
    county.add((case.case_id, event), late=late, unit=case.holder_unit)


def _receive(county: County, which: int, option: int, late: timedelta) -> None:
    case = _case(county, which, "PENDING_ESCALATION")
    if case is None or case.pending_unit is None:
        return
    event: Event = cases.EscalationReturned(reason=SEALED)
    if option % 4:
        event = cases.EscalationAccepted(unit=case.pending_unit, level=county.level(case.pending_unit))
    county.add((case.case_id, event), late=late, unit=case.pending_unit)


def _transfer(county: County, which: int, option: int, late: timedelta) -> None:
    case = _case(county, which, "REGISTERED", "ACCEPTED", "IN_PROGRESS")
    if case is None:
        return
    event = cases.CaseTransferred(reason=SEALED, external_body=cases.ExternalBody(kind="COURT", name=SEALED))
    if option % 3 and case.holder_level == "GROUP":
        event = cases.CaseTransferred(reason=SEALED, to_unit=county.groups[option % 3], to_level="GROUP")
    county.add((case.case_id, event), late=late, unit=case.holder_unit)


def _merge(county: County, which: int, option: int, late: timedelta) -> None:
    duplicate = _case(county, which, *OPEN_STATES)
    primary = _case(county, option, *OPEN_STATES)
    if duplicate is None or primary is None or duplicate is primary:
        return
    absorbed = cases.AbsorbedCase(
        case_id=duplicate.case_id,
        docket_unit=duplicate.docket_unit,
        registered_at=duplicate.opened_at,
        registered_position=duplicate.registered.position,
        procedure=duplicate.procedure or "SELF_GOVERNANCE",
        category=duplicate.category,
        urgent=duplicate.urgent,
        urgency_status=duplicate.urgency_status,
        facets=duplicate.facets,
        clocks=_running(duplicate),
    )
    county.add(
        (duplicate.case_id, cases.CaseMerged(into_case_id=primary.case_id)),
        (primary.case_id, cases.CaseAbsorbed(absorbed=(absorbed, *duplicate.absorbed))),
        late=late,
        unit=primary.holder_unit,
    )


def _visit(county: County, which: int, option: int, late: timedelta) -> None:
    unit = county.units[option % len(county.units)]
    event = visits.VisitRecorded(
        unit=unit, visit_kind="HOUSEHOLD", household_ref=f"h{which}", findings=SEALED
    )
    county.add((new_id(), event), late=late, unit=unit)


def _roster(county: County, which: int, option: int, late: timedelta) -> None:
    households = tuple(f"h{number}" for number in range(which, which + 3))
    as_of_on = date(2026, 2, 1) + timedelta(days=option)
    unit = county.units[option % len(county.units)]
    event = rosters.RosterFiled(unit=unit, as_of_on=as_of_on, households=households)
    county.add((new_id(), event), late=late)


def _service(county: County, which: int, option: int, late: timedelta) -> None:
    unit = county.groups[option % 3]
    county.add((new_id(), services.ServiceRecorded(unit=unit, item="PENSION")), late=late, unit=unit)


def _midnight(county: County, days: int) -> datetime:
    """The end of a day in Shanghai, so many days from now."""
    return county.now.replace(hour=16) + timedelta(days=days)


def _running(case: Case) -> tuple[cases.RunningClock, ...]:
    return tuple(
        cases.RunningClock(
            timer=clock.timer,
            started_at=clock.started_at,
            started_on=clock.started_on,
            due_at=clock.due_at,
            original_due_at=clock.original_due_at or clock.due_at,
        )
        for clock in case.deadlines
        if clock.live and clock.due_at is not None
    )


def _start_clock(county: County, which: int, option: int, late: timedelta) -> None:
    case = _case(county, which, *OPEN_STATES, "RESOLVED")
    if case is None:
        return
    timer = _TIMERS[(which + option) % len(_TIMERS)]
    event = _started(county, timer, option, late)
    county.add((case.case_id, event), late=late, unit=case.holder_unit)


def _started(county: County, timer: Timer, option: int, late: timedelta) -> cases.DeadlineStarted:
    """A clock that starts now; a hotline's with a limit of some hours, or none."""
    due = None if option == 11 else _midnight(county, option % 4)
    limited = timer == "T14" and option % 5
    return cases.DeadlineStarted(
        timer=timer,
        started_on=county.now.date(),
        due_at=due,
        awaiting="CALENDAR" if due is None else None,
        contact_by=county.now - late + timedelta(hours=8 * option) if limited else None,
        warn_at=due and due - timedelta(hours=option),
        pack="builtin-1",
        calendar="2026",
    )


def _order(county: County, which: int, option: int, late: timedelta) -> None:
    """A hotline order is accepted where it was received."""
    case = _case(county, which, "REGISTERED")
    if case is not None:
        accepted = cases.CaseAccepted(procedure="HOTLINE")
        started = _started(county, "T14", option, late)
        county.add((case.case_id, accepted), (case.case_id, started), late=late, unit=case.holder_unit)


def _contact(county: County, which: int, option: int, late: timedelta) -> None:
    """A contact, mostly about an order."""
    orders = [case for case in county.cases if case.is_open and case.procedure == "HOTLINE"]
    case = orders[which % len(orders)] if orders and option % 4 else _case(county, which, *OPEN_STATES)
    if case is not None:
        event = cases.ContactRecorded(reached=option % 2 == 0, means="PHONE")
        county.add((case.case_id, event), late=late, unit=case.holder_unit)


def _turn_clock(
    event_of: Callable[[County, Deadline, int], Event], *states: str, due: bool = False
) -> Callable[..., None]:
    """Something happens to a clock; `due` at the instant at which it was due, if that has come."""

    def turn(county: County, which: int, option: int, late: timedelta) -> None:
        fitting = [(c, clock) for c in county.cases for clock in c.deadlines if clock.state in states]
        if not fitting:
            return
        case, clock = fitting[which % len(fitting)]
        if due and clock.due_at is not None and clock.due_at < county.now:
            late = county.now - clock.due_at
        county.add((case.case_id, event_of(county, clock, option)), late=late)

    return turn


def _shift(county: County, clock: Deadline, option: int) -> Event:
    due, original = clock.due_at, clock.original_due_at
    return cases.DeadlineShifted(
        timer=clock.timer,
        started_version=clock.version,
        due_at=due and due + timedelta(days=1),
        original_due_at=original and original + timedelta(days=1),
        calendar="2026",
    )


def _extend(county: County, clock: Deadline, option: int) -> Event:
    due = (clock.due_at or _midnight(county, 0)) + timedelta(days=2)
    return cases.DeadlineExtended(
        timer=clock.timer, started_version=clock.version, days=2, due_at=due, calendar="2026", reason=SEALED
    )


def _date(county: County, clock: Deadline, option: int) -> Event:
    due = _midnight(county, option % 3)
    return cases.DeadlineDated(
        timer=clock.timer, started_version=clock.version, due_at=due, original_due_at=due, calendar="2027"
    )


def _of_due(kind: type[cases.DeadlineBreached | cases.DeadlineApproaching | cases.RightLapsed]) -> Any:
    def event_of(county: County, clock: Deadline, option: int) -> Event:
        due = clock.due_at or _midnight(county, 0)
        return kind(timer=clock.timer, started_version=clock.version, due_at=due)

    return event_of


def _void(county: County, clock: Deadline, option: int) -> Event:
    return cases.DeadlineBreachVoided(timer=clock.timer, started_version=clock.version)


def _import(county: County, which: int, option: int, late: timedelta) -> None:
    if county.imports and option % 2:
        county.add((county.imports.pop(which % len(county.imports)), imports.ImportClosed()), late=late)
        return
    import_id = new_id()
    county.imports.append(import_id)
    county.add((import_id, imports.ImportOpened(unit=county.units[option % len(county.units)])), late=late)


def _move_unit(county: County, which: int, option: int, late: timedelta) -> None:
    """A group goes to another village, or a village to another township."""
    if option % 4 < 2:
        moved, parent = county.groups[which % 3], county.villages[option % 2]
    else:
        parent = county.township if option % 2 else county.neighbour or county.township
        moved = county.villages[which % 2]
    county.add((moved, units.UnitMoved(parent_id=parent)), late=late)


def _urgency(case: Case, option: int) -> Event:
    status: UrgencyStatus = "CONFIRMED" if option % 2 else "PROPOSED"
    return cases.UrgencyClassified(urgent=option % 4 != 3, status=status, reason=SEALED)


def _resolution(case: Case, option: int) -> Event:
    degree: Degree = "FULL" if option % 4 else "PARTIAL"
    return cases.CaseResolved(outcome="SETTLED", degree=degree, detail=SEALED)


def _mediate(county: County, which: int, option: int, late: timedelta) -> None:
    """An offer and the consent of its one party."""
    case = _case(county, which, *_GOING)
    if case is None:
        return
    party = new_id()
    offered = cases.MediationOffered(parties=(party,))
    consented = cases.MediationConsented(person_ref=party)
    county.add((case.case_id, offered), (case.case_id, consented), late=late, unit=case.holder_unit)


def _agree(county: County, which: int, option: int, late: timedelta) -> None:
    case = _case(county, which, "IN_MEDIATION")
    if case is None:
        return
    today = START.date()
    due = (None, today + timedelta(days=option - 4), today)[: 1 + option % 3]
    terms = tuple(cases.Term(term_no=no, text=SEALED, due_on=day) for no, day in enumerate(due, 1))
    reached = cases.AgreementReached(form="ORAL", facts=SEALED, responsibilities=SEALED, terms=terms)
    effective = cases.AgreementEffective()
    county.add((case.case_id, reached), (case.case_id, effective), late=late, unit=case.holder_unit)


def _keep_terms(county: County, which: int, option: int, late: timedelta) -> None:
    """The terms of an agreement fulfilled one after the other, the last one now and then breached."""
    fitting = [case for case in county.cases if case.agreement is not None and case.agreement.terms]
    if not fitting:
        return
    case = fitting[which % len(fitting)]
    numbers = [term.term_no for term in case.agreement.terms] if case.agreement else []
    events: list[Event] = [cases.AgreementFulfilled(term_no=no, detail=SEALED) for no in numbers]
    if option % 3 == 0:
        events[-1] = cases.AgreementBreached(term_no=numbers[-1], detail=SEALED)
    county.add(*((case.case_id, event) for event in events), late=late, unit=case.holder_unit)


def _follow_up(case: Case, option: int) -> Event:
    if option % 3 == 0:
        return cases.FollowUpRecorded(reached=False)
    return cases.FollowUpRecorded(reached=True, solved=option % 2 == 0, satisfied=option % 3 == 1)


def _visit_on_case(case: Case, option: int) -> Event:
    return cases.VisitRecorded(visit_kind="PATROL", household_ref=f"h{option}", findings=SEALED)


def _ask(case: Case, option: int) -> Event:
    if option % 2:
        return cases.QueryRaised(query_id=new_id(), question=SEALED)
    return cases.CorrectionDemanded(demand_id=new_id(), demand=SEALED)


def _answer(county: County, which: int, option: int, late: timedelta) -> None:
    """A query or a demand answered that is open."""
    open_ones: list[tuple[Case, Event]] = []
    for case in county.cases:
        for query in case.queries:
            if query.state == "OPEN":
                open_ones.append((case, cases.QueryAnswered(query_id=query.query_id, answer=SEALED)))
        for demand in case.demands:
            if demand.outcome is None:
                answered = cases.DemandAnswered(demand_id=demand.demand_id, outcome="REFUSED", detail=SEALED)
                open_ones.append((case, answered))
    if open_ones:
        case, event = open_ones[which % len(open_ones)]
        county.add((case.case_id, event), late=late, unit=case.holder_unit)


def _see(county: County, which: int, option: int, late: timedelta) -> None:
    """Actor 1 has seen what last became of a case, whether or not it waits for them."""
    if county.cases:
        case = county.cases[which % len(county.cases)]
        ids = [*(q.event_id for q in case.queries), *(d.event_id for d in case.demands), case.stated.event_id]
        item_id = ids[option % len(ids)]
        county.add((new_id(), inbox.ItemSeen(item_id=item_id)), late=late, unit=case.holder_unit)


_PROCEDURES: Final[tuple[Procedure | None, ...]] = (
    *(None, None, None, "MEDIATION"),
    *("SERVICE", "SAFETY_LEAD", "PETITION", "HOTLINE"),
)
_TIMERS: Final[tuple[Timer, ...]] = ("T13", "T4", "T1", "T14", "T5", "T16", "T6")
_GOING: Final = ("ACCEPTED", "IN_PROGRESS")
_MOVES: Final[dict[str, Callable[[County, int, int, timedelta], None]]] = {
    "open": _open,
    "accept": _act(lambda c, o: cases.CaseAccepted(procedure=c.procedure or "SELF_GOVERNANCE"), "REGISTERED"),
    "assign": _act(lambda c, o: cases.HandlerAssigned(handler_ref=f"actor-{o % 3}"), *_GOING),
    "reject": _act(lambda c, o: cases.CaseRejected(reason=SEALED, alternative_route=SEALED), "REGISTERED"),
    "procedure": _act(lambda c, o: cases.ProcedureChanged(procedure="SERVICE", reason=SEALED), *_GOING),
    "classify": _act(_urgency, *OPEN_STATES),
    "escalate": _escalate,
    "receive": _receive,
    "transfer": _transfer,
    "merge": _merge,
    "suspend": _act(
        lambda c, o: cases.CaseSuspended(ground="COURT", reason=SEALED, pauses=_TIMERS[: o % 4]),
        "IN_PROGRESS",
    ),
    "resume": _act(lambda c, o: cases.CaseResumed(), "SUSPENDED"),
    "resolve": _act(_resolution, *_GOING),
    "mediate": _mediate,
    "agree": _agree,
    "keep_terms": _keep_terms,
    "terminate": _act(lambda c, o: cases.MediationTerminated(ground="FAILED"), "IN_MEDIATION"),
    "follow_up": _act(_follow_up, "RESOLVED", "CLOSED"),
    "close": _act(lambda c, o: cases.CaseClosed(), "RESOLVED"),
    "reopen": _act(lambda c, o: cases.CaseReopened(ground="NEW_FACT", reason=SEALED), "RESOLVED", "CLOSED"),
    "withdraw": _act(lambda c, o: cases.CaseWithdrawn(statement=SEALED), *OPEN_STATES),
    "visit_on_case": _act(_visit_on_case, *OPEN_STATES),
    "perform": _act(lambda c, o: cases.ServicePerformed(item="PENSION"), *OPEN_STATES),
    "note": _act(lambda c, o: cases.AuditNoted(text=SEALED), *OPEN_STATES, "RESOLVED", "CLOSED"),
    "order": _order,
    "contact": _contact,
    "ask": _act(_ask, *OPEN_STATES, "RESOLVED", "CLOSED"),
    "answer": _answer,
    "conflict": _act(lambda c, o: cases.ConflictDeclared(reason=SEALED), *OPEN_STATES),
    "see": _see,
    "start_clock": _start_clock,
    "breach": _turn_clock(_of_due(cases.DeadlineBreached), "RUNNING", due=True),
    "void": _turn_clock(_void, "BREACHED"),
    "lapse": _turn_clock(_of_due(cases.RightLapsed), "RUNNING", due=True),
    "warn": _turn_clock(_of_due(cases.DeadlineApproaching), "RUNNING"),
    "shift": _turn_clock(_shift, "RUNNING"),
    "extend": _turn_clock(_extend, "RUNNING", "BREACHED"),
    "date": _turn_clock(_date, "AWAITING"),
    "notify": _act(
        lambda c, o: cases.ComplainantNotified(notice="REPLY", delivered_on=START.date(), means="PHONE"),
        *OPEN_STATES,
    ),
    "import": _import,
    "visit": _visit,
    "roster": _roster,
    "service": _service,
    "move_unit": _move_unit,
}
_USUAL: Final = ("open", "accept", "assign", "classify", "escalate", "receive", "resolve", "merge")
_CLOCKS: Final = ("start_clock", "start_clock", "breach", "warn")
_WAITING: Final = ("ask", "escalate", "see", "see")
_AFTERWARDS: Final = ("mediate", "mediate", "mediate", "agree", "agree", "keep_terms", "follow_up")
_HOTLINE: Final = ("order", "contact", "contact", "contact")
_OFTEN: Final = (*_USUAL, *_USUAL, *_CLOCKS, *_WAITING, *_AFTERWARDS, *_HOTLINE)
_DRAWN: Final = [*_MOVES, *_OFTEN, "open", "resolve"]
"""What happens often is drawn often, so that cases live to see more than their end."""
_LIVELY: Final = (
    *("open", "open", "accept", "assign", "escalate", "escalate", "receive", "resolve", "conflict", "note"),
    *("start_clock", "start_clock", "breach", "breach", "warn", "shift", "extend", "void"),
    *("ask", "answer", "see", "see"),
)
