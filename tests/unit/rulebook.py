"""The rule book's table and people in every relation, transcribed by hand.

So the table in code is held against something that it didn't make itself.
"""

from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

from msgspec.structs import replace

from shared.events.base import Person, Private
from shared.events.case import (
    Agreement,
    AgreementTerm,
    Author,
    Case,
    Demand,
    FollowUp,
    Mark,
    Mediation,
    Query,
    Review,
)
from shared.events.deadlines import Deadline
from shared.events.vocabulary import DeadlineState, Level, State, TermState, Timer
from shared.policy.actor import Actor
from shared.policy.command import Command, EventRef
from shared.policy.packs import DEFAULT_POLICY
from tests.unit.casework import (
    FAR_VILLAGE,
    GROUP,
    NOW,
    OTHER_VILLAGE,
    SISTER_GROUP,
    TOWNSHIP,
    TREE,
    VILLAGE,
    actor,
    body_of,
)

OPEN = "REGISTERED ACCEPTED IN_PROGRESS IN_MEDIATION PENDING_ESCALATION SUSPENDED"
ADDING = (
    "flag-risk confirm-warning stabilise-situation convene-consultation revise-policy hold-dialogue"
    " hold-joint-meeting refer-to-police notify-level decide-home-service perform-service add-person"
    " attach-document record-contact notify-complainant record-reply"
)
# command(s) | from | who: as the rule book has it
MATRIX = f"""
accept-case | REGISTERED | holder
reject-case | REGISTERED | higher
transfer-case | REGISTERED ACCEPTED IN_PROGRESS | holder
merge-case | {OPEN} | higher
assign-handler | ACCEPTED IN_PROGRESS | holder
{ADDING} | {OPEN} | holder notified
record-visit record-external-outcome | {OPEN} | holder notified police
change-procedure | ACCEPTED IN_PROGRESS | holder
classify-urgency | {OPEN} | holder above
extend-deadline | {OPEN} | head
offer-mediation | ACCEPTED IN_PROGRESS | mediator
consent-to-mediation refuse-mediation | ACCEPTED IN_PROGRESS | party
record-agreement | IN_MEDIATION | mediator
terminate-mediation | IN_MEDIATION | mediator party
escalate-case | ACCEPTED IN_PROGRESS | holder
accept-escalation return-escalation | PENDING_ESCALATION | receiver
delegate-case | IN_PROGRESS | upper
take-over-case | REGISTERED ACCEPTED IN_PROGRESS PENDING_ESCALATION | nextabove
object-jurisdiction | ACCEPTED IN_PROGRESS | holder
suspend-case | IN_PROGRESS IN_MEDIATION | upper
resume-case | SUSPENDED | upper
resolve-case | IN_PROGRESS | holder
withdraw-case | {OPEN} | complainant
record-follow-up | RESOLVED | followup
close-case | RESOLVED | higher
archive-case | CLOSED | higher
record-fulfilment record-breach record-breach-handled | RESOLVED CLOSED | mediator party
apply-judicial-confirmation record-confirmation-outcome | RESOLVED CLOSED | mediator party
request-review request-re-review | RESOLVED CLOSED | complainant
record-review-opinion | RESOLVED CLOSED | reviewer
reopen-case | RESOLVED CLOSED WITHDRAWN REJECTED | higher
raise-query demand-correction annotate-audit | any | supervisor
answer-query answer-demand | any | answerer
declare-conflict | any | reader
record-correction | any | superior
"""
ON_BEHALF = frozenset(
    [
        "consent-to-mediation",
        "refuse-mediation",
        "terminate-mediation",
        "withdraw-case",
        "record-fulfilment",
        "record-breach",
        "record-breach-handled",
        "apply-judicial-confirmation",
        "record-confirmation-outcome",
        "request-review",
        "request-re-review",
    ]
)
ADDS = frozenset(
    f"""{ADDING} record-visit record-external-outcome record-breach-handled raise-query answer-query
    demand-correction answer-demand annotate-audit declare-conflict record-correction""".split()
)
PETITIONS_ONLY = ["object-jurisdiction", "request-review", "request-re-review", "record-review-opinion"]

OPENERS = frozenset(
    [
        "resident",
        "group_leader",
        "mediator",
        "grid_worker",
        "village_officer",
        "township_officer",
        "community_police",
    ]
)

# Who stands how to a case of group 37, by the level that holds it; `receiver` and `abovereceiver` while it
# is escalated.
PEOPLE: dict[str, tuple[Actor, dict[str, str]]] = {
    "leader": (actor("leader", "group_leader", GROUP), {"GROUP": "holder mediator followup reader"}),
    "group mediator": (actor("gm", "mediator", GROUP), {"GROUP": "holder mediator followup reader"}),
    "village officer": (
        actor("vo", "village_officer", VILLAGE),
        {
            "GROUP": "higher above nextabove head followup answerer superior receiver reader",
            "VILLAGE": "holder upper higher head followup answerer superior reader",
            "TOWNSHIP": "answerer superior reader",
        },
    ),
    "village mediator": (
        actor("vm", "mediator", VILLAGE),
        {"GROUP": "mediator receiver reader", "VILLAGE": "holder upper mediator followup reader"},
    ),
    "township officer": (
        actor("to", "township_officer", TOWNSHIP),
        {
            "GROUP": "higher above abovereceiver followup reviewer superior reader",
            "VILLAGE": "higher above nextabove followup reviewer superior receiver reader",
            "TOWNSHIP": "holder upper higher head followup answerer reviewer superior reader",
        },
    ),
    "township mediator": (
        actor("tm", "mediator", TOWNSHIP),
        {
            "GROUP": "mediator reader",
            "VILLAGE": "mediator receiver reader",
            "TOWNSHIP": "holder upper mediator followup reader",
        },
    ),
    "handler at the group": (actor("handler", "group_leader", GROUP), {"GROUP": "holder mediator reader"}),
    "handler at the village": (
        actor("handler", "village_officer", VILLAGE),
        {
            "GROUP": "higher above nextabove head answerer superior receiver reader",
            "VILLAGE": "holder upper higher head answerer superior reader",
            "TOWNSHIP": "answerer superior reader",
        },
    ),
    "notified officer": (actor("no", "village_officer", OTHER_VILLAGE), {"*": "notified reader"}),
    "mediator beside the notified": (actor("nm", "mediator", OTHER_VILLAGE), {}),
    "police it was referred to": (actor("rp", "community_police", OTHER_VILLAGE), {"*": "police reader"}),
    "police of the village": (actor("vp", "community_police", VILLAGE), {"*": "reader"}),
    "opener": (actor("opener", "grid_worker", VILLAGE), {"*": "reader"}),
    "complainant": (actor("resident", "resident", GROUP), {"*": "complainant party reader"}),
    "respondent far away": (actor("neighbour", "resident", FAR_VILLAGE), {"*": "party reader"}),
    "stranger": (actor("stranger", "resident", GROUP), {}),
    "village supervisor": (actor("sv", "supervisor", VILLAGE), {"*": "supervisor reader"}),
    "township supervisor": (actor("st", "supervisor", TOWNSHIP), {"*": "supervisor reader"}),
    "supervisor elsewhere": (actor("so", "supervisor", OTHER_VILLAGE), {}),
    "supervisor who once handled it": (actor("former", "supervisor", VILLAGE), {"*": "reader"}),
    "leader of another group": (actor("ol", "group_leader", SISTER_GROUP), {}),
    "officer of another town": (actor("fo", "village_officer", FAR_VILLAGE), {}),
    "barred officer": (actor("barred", "village_officer", VILLAGE), {"*": "reader"}),
    "officer who supervised it": (actor("watcher", "village_officer", VILLAGE), {"*": "reader"}),
    "auditor": (actor("au", "auditor", None), {"*": "reader"}),
    "privacy officer": (actor("po", "privacy_officer", VILLAGE), {"*": "reader"}),
    "operator": (actor("op", "operator", None), {}),
    "dashboard": (actor("da", "dashboard", TOWNSHIP), {}),
}
# A group leader or group mediator keeps reading, as one of the origin, when it is held further up.
for _name in ("leader", "group mediator", "handler at the group", "village mediator"):
    PEOPLE[_name][1].setdefault("*", "reader")

LEVELS: dict[Level, tuple[UUID, ...]] = {
    "GROUP": (GROUP,),
    "VILLAGE": (GROUP, VILLAGE),
    "TOWNSHIP": (GROUP, VILLAGE, TOWNSHIP),
}
A, B = UUID(int=1), UUID(int=2)
EVENT, QUERY, DEMAND, PRIMARY, FILE = (UUID(int=n) for n in range(3, 8))
TEXT = {"detail": "经过", "reason": "理由"}
PARTICIPANTS = {"participants": [{"kind": "RESIDENTS"}], "summary": "经过"}
BODIES: dict[str, dict[str, Any]] = {
    "reject-case": {"reason": "不属范围", "alternative_route": "法院"},
    "transfer-case": {"external_body": {"kind": "COURT", "name": "法院"}, "reason": "诉讼"},
    "merge-case": {"into_case_id": PRIMARY},
    "assign-handler": {"handler_ref": "somebody"},
    "flag-risk": {"risk": "OTHER", "detail": "风险"},
    "confirm-warning": {"level": "BLUE", "reason": "潜在"},
    "convene-consultation": PARTICIPANTS,
    "hold-dialogue": PARTICIPANTS,
    "hold-joint-meeting": PARTICIPANTS,
    "notify-level": {"level": "TOWNSHIP"},
    "perform-service": {"item": "OTHER"},
    "add-person": {"role": "WITNESS"},
    "attach-document": {"document_kind": "OTHER", "paper_location": "柜一"},
    "record-contact": {"reached": True, "means": "PHONE"},
    "notify-complainant": {"notice": "REPLY", "delivered_on": "2024-05-01", "means": "PHONE"},
    "record-reply": {"text": "答复", "delivered_on": "2024-05-01"},
    "record-visit": {"visit_kind": "PATROL", "findings": "情况"},
    "record-external-outcome": {"kind": "OTHER", "body": "公安", "detail": "结果"},
    "change-procedure": {"procedure": "GRID", "reason": "理由", "parties_informed": True},
    "classify-urgency": {"urgent": True, "reason": "老人"},
    "offer-mediation": {"parties": [A, B]},
    "record-agreement": {
        "form": "ORAL",
        "facts": "事实",
        "responsibilities": "责任",
        "terms": [{"text": "清沟"}],
    },
    "terminate-mediation": {"ground": "FAILED", "remedies_notified": True},
    "take-over-case": {"reason": "逾期"},
    "object-jurisdiction": {"reason": "不属本村"},
    "extend-deadline": {
        "timer": "T13",
        "days": 1,
        "reason": "情况复杂",
        "complainant_informed": True,
        "approved_by": "somebody",
    },
    "suspend-case": {"ground": "COURT", "reason": "诉讼", "approved_by": "to"},
    "resolve-case": {"outcome": "EXTERNAL", "detail": "结果"},
    "withdraw-case": {"statement": "撤回"},
    "record-follow-up": {"reached": False},
    "record-fulfilment": {"term_no": 1, "detail": "已付"},
    "record-breach": {"term_no": 1, "detail": "未付"},
    "record-breach-handled": {"term_no": 1, "detail": "已调"},
    "apply-judicial-confirmation": {"applicants": [A, B], "court": "海门法院"},
    "record-confirmation-outcome": {"granted": True, "court": "海门法院", "decided_on": "2024-05-01"},
    "request-review": {"grounds": "不服"},
    "request-re-review": {"grounds": "不服"},
    "record-review-opinion": {"opinion": "维持", "final": False},
    "reopen-case": {"ground": "NEW_FACT", "reason": "新事实"},
    "raise-query": {"question": "为何?"},
    "answer-query": {"query_id": QUERY, "answer": "因为"},
    "demand-correction": {"demand": "改"},
    "answer-demand": {"demand_id": DEMAND, "outcome": "REFUSED", "detail": "无误"},
    "annotate-audit": {"text": "记"},
    "record-correction": {"event_id": EVENT, "field": "title", "correction": "更名"},
    **{name: {"reason": "理由"} for name in ("refer-to-police", "return-escalation", "declare-conflict")},
    **{name: {"detail": "经过"} for name in ("stabilise-situation", "revise-policy", "decide-home-service")},
}
SEALED = Private(key=UUID(int=9), sealed=b"x")
MARK = Mark("case.registered", 1, NOW, EVENT)
REACHED = FollowUp(cycle=1, reached=True, solved=True, satisfied=True, mark=MARK)


def rows() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Command to the states it may be sent from and the relations that may send it."""
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for line in MATRIX.strip().splitlines():
        commands, states, who = (set(part.split()) for part in line.split("|"))
        from_states = frozenset(get_args(State) if states == {"any"} else states)
        found |= dict.fromkeys(commands, (from_states, frozenset(who)))
    return found


def agreement(state: TermState, confirmation: str | None = None) -> Agreement:
    term = AgreementTerm(term_no=1, text=SEALED, due_on=None, state=state)
    return Agreement(
        form="ORAL",
        terms=(term,),
        signers=(A, B),
        parties=(A, B),
        reached=MARK,
        effective=True,
        confirmation=confirmation,
    )


def clock(timer: Timer, state: DeadlineState) -> Deadline:
    """One that is due the day after now."""
    due = NOW + timedelta(days=1)
    return Deadline(
        timer=timer,
        version=5,
        started_at=NOW,
        started_on=NOW.date(),
        due_at=due,
        original_due_at=due,
        state=state,
        pack=DEFAULT_POLICY.id,
    )


SETTINGS: dict[str, dict[str, Any]] = {
    "change-procedure": {"mediation": None},
    "take-over-case": {"deadlines": (clock("T13", "BREACHED"), clock("T16", "BREACHED"))},
    "object-jurisdiction": {"delegated_from": TOWNSHIP},
    "extend-deadline": {"deadlines": (clock("T13", "RUNNING"),)},
    "close-case": {"follow_ups": (REACHED,)},
    "record-fulfilment": {"agreement": agreement("DUE")},
    "record-breach": {"agreement": agreement("DUE")},
    "record-breach-handled": {"agreement": agreement("BREACHED")},
    "apply-judicial-confirmation": {"agreement": agreement("DUE")},
    "record-confirmation-outcome": {"agreement": agreement("DUE", "APPLIED")},
    "request-re-review": {"review": Review(stage="REVIEW", answered=True)},
    "record-review-opinion": {"review": Review(stage="REVIEW", answered=False)},
    "answer-query": {"queries": (Query(query_id=QUERY, event_id=EVENT, state="OPEN", asked_at=NOW),)},
    "answer-demand": {"demands": (Demand(demand_id=DEMAND, event_id=EVENT, asked_at=NOW),)},
}
"""What a command's guards want of the case."""


def case_at(level: Level, state: State, **fields: Any) -> Case:
    """A case of group 37 that the given level holds, in the given state."""
    held = LEVELS[level]
    case = Case(
        case_id=UUID(int=10),
        version=9,
        position=9,
        state=state,
        procedure="SELF_GOVERNANCE",
        category="NEIGHBOUR",
        channel="VISIT",
        title=SEALED,
        description=SEALED,
        item=None,
        source=None,
        collective=False,
        accused=None,
        opener_ref="opener",
        opened_at=NOW,
        origin_unit=GROUP,
        origin_level="GROUP",
        docket_unit=GROUP,
        holder_unit=held[-1],
        holder_level=level,
        held_units=held,
        held_levels=tuple(LEVELS)[: len(held)],
        notified_units=(OTHER_VILLAGE,),
        police_units=(OTHER_VILLAGE,),
        handler_ref="handler",
        handler_refs=("handler", "former"),
        authors=(Author("opener", "grid_worker", VILLAGE), Author("watcher", "supervisor", VILLAGE)),
        barred=("barred",),
        people=(
            Person(person_ref=A, role="COMPLAINANT", actor_ref="resident"),
            Person(person_ref=B, role="RESPONDENT", actor_ref="neighbour"),
        ),
        mediation=Mediation(
            parties=(A, B), mediator_ref=None, state="STARTED" if state == "IN_MEDIATION" else "OFFERED"
        ),
        registered=MARK,
        held=MARK,
        stated=MARK,
        reached=tuple((reached, MARK) for reached in tuple(LEVELS)[: len(held)]),
    )
    if state == "PENDING_ESCALATION":
        pending: dict[Level, tuple[UUID | None, Level | None]] = {
            "GROUP": (VILLAGE, "VILLAGE"),
            "VILLAGE": (TOWNSHIP, "TOWNSHIP"),
            "TOWNSHIP": (None, None),
        }
        unit, above = pending[level]
        case = replace(case, pending_unit=unit, pending_level=above)
    return replace(case, **fields)


def fields_of(command: str, level: Level, by: Actor) -> dict[str, Any]:
    match command:
        case "consent-to-mediation" | "refuse-mediation":
            return {"person_ref": B if by.ref == "neighbour" else A}
        case "escalate-case":
            return {"to_level": "VILLAGE" if level == "GROUP" else "TOWNSHIP", "reason": "上报"}
        case "delegate-case":
            return {"reason": "下派"}
        case "notify-level" if level == "TOWNSHIP":
            return {"level": "VILLAGE"}
    return BODIES.get(command, {})


def command_of(command: str, case: Case, by: Actor, **fields: Any) -> Command:
    primary = replace(case_at("GROUP", "IN_PROGRESS"), case_id=PRIMARY, barred=())
    return Command(
        name=command,
        case_id=case.case_id,
        body=body_of(command, fields_of(command, case.holder_level, by) | fields),
        actor=by,
        occurred_at=NOW,
        now=NOW,
        tree=TREE,
        into=primary if command == "merge-case" else None,
        event=EventRef(event_id=EVENT, topic="case.registered", author_ref="opener", author_unit=VILLAGE)
        if command == "record-correction"
        else None,
    )


def relations_at(person: str, level: Level, state: State) -> frozenset[str]:
    standing = PEOPLE[person][1]
    held = set(standing.get(level, standing.get("*", "")).split())
    if state != "PENDING_ESCALATION":
        return frozenset(held - {"receiver", "abovereceiver"})
    return frozenset(held | {"nextabove"} if "abovereceiver" in held else held)


def possible(level: Level, state: State) -> bool:
    """A township escalates nowhere."""
    return not (level == "TOWNSHIP" and state == "PENDING_ESCALATION")
