"""The closed lists of words that events use, as types.

Lists that rule packs may extend (categories, service items) are plain text here and
are checked against the rules by `decide`.
"""

from typing import Literal, get_args

Level = Literal["GROUP", "VILLAGE", "TOWNSHIP"]
UnitKind = Literal["TOWNSHIP", "VILLAGE", "NEIGHBOURHOOD", "GROUP"]
State = Literal[
    "REGISTERED", "ACCEPTED", "IN_PROGRESS", "IN_MEDIATION", "PENDING_ESCALATION", "SUSPENDED",
    "RESOLVED", "CLOSED", "REJECTED", "TRANSFERRED", "MERGED", "WITHDRAWN",
]  # fmt: skip
Channel = Literal[
    "VISIT", "FORUM", "SUGGESTION_BOX", "HOTLINE", "CHAT", "OPINION_SLIP", "WALK_IN", "ONLINE", "FROM_ABOVE",
]  # fmt: skip
Procedure = Literal[
    "SELF_GOVERNANCE", "MEDIATION", "PETITION", "HOTLINE", "GRID", "SERVICE", "SAFETY_LEAD", "ACCUSATION",
]  # fmt: skip
PersonRole = Literal["COMPLAINANT", "RESPONDENT", "PARTY", "BENEFICIARY", "WITNESS", "INVOLVED", "ACCUSED"]
Role = Literal[
    "resident", "group_leader", "mediator", "grid_worker", "village_officer", "township_officer",
    "supervisor", "auditor", "community_police", "privacy_officer", "dashboard", "operator",
]  # fmt: skip
Risk = Literal["SKIP_LEVEL_PETITION", "COLLECTIVE_ACTION", "VIOLENCE", "SELF_HARM", "SAFETY_HAZARD", "OTHER"]
WarningLevel = Literal["RED", "ORANGE", "YELLOW", "BLUE"]
ParticipantKind = Literal[
    "VILLAGE_COMMITTEE", "NEIGHBOURHOOD_COMMITTEE", "PROPERTY_MANAGER", "OWNERS_COMMITTEE",
    "URBAN_MANAGEMENT", "HOUSING_OFFICE", "POLICE",
    "PARTNER_UNIT", "DEPARTMENT", "RESIDENTS", "LAWYER", "EXPERT",
]  # fmt: skip
VisitKind = Literal["HOUSEHOLD", "PATROL", "FOLLOW_UP"]
SuspensionGround = Literal["HEARING", "COURT", "SURVEY", "EXPERT_OPINION"]
MediationEnd = Literal["REFUSED", "FAILED", "EXPIRED"]
Outcome = Literal["SETTLED", "BY_RULE", "SERVICE_DONE", "EXPLAINED", "UNFOUNDED", "EXTERNAL"]
Degree = Literal["FULL", "PARTIAL"]
ExternalOutcome = Literal[
    "CRIMINAL_DETENTION", "ADMINISTRATIVE_PENALTY", "COURT_JUDGMENT", "COURT_MEDIATION", "OTHER"
]
SubjectKind = Literal["LANDLORD", "EMPLOYER", "OTHER"]
SignatureKind = Literal["SIGNED", "SEALED", "FINGERPRINT"]
ExternalBodyKind = Literal["COUNTY", "COURT", "POLICE", "DEPARTMENT", "OTHER"]
Means = Literal["IN_PERSON", "PHONE", "WRITTEN", "ONLINE"]
BehalfMeans = Literal["IN_PERSON", "PHONE", "WRITTEN"]
Notice = Literal["ACCEPTANCE", "REFUSAL", "EXTENSION", "REPLY"]
DocumentKind = Literal[
    "APPLICATION", "ACCEPTANCE_REGISTER", "RIGHTS_NOTICE", "IDENTITY_PROOF", "MEDIATION_RECORD", "AGREEMENT",
    "INVESTIGATION_RECORD", "EVIDENCE", "PERFORMANCE_PROOF", "FOLLOW_UP_RECORD", "COURT_PAPER", "OTHER",
]  # fmt: skip
Facet = Literal["JI", "NAN", "CHOU", "PAN"]
UrgencyStatus = Literal["PROPOSED", "CONFIRMED"]
AgreementForm = Literal["WRITTEN", "ORAL"]
TermState = Literal["DUE", "FULFILLED", "BREACHED", "HANDLED"]
ReopenGround = Literal["NEW_FACT", "BREACH", "UNSATISFIED"]
DemandOutcome = Literal["CORRECTED", "REFUSED"]
QueryState = Literal["OPEN", "ANSWERED"]
Timer = Literal[
    "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "T13", "T14", "T15", "T16"
]
InboxKind = Literal["ESCALATION", "BREACH", "APPROACHING", "QUERY", "DEMAND", "CALENDAR"]
STARTED_TIMERS: tuple[Timer, ...] = tuple(timer for timer in get_args(Timer) if timer != "T15")
"""Those that a case can have; disclosures aren't cases."""
DeadlineState = Literal[
    "RUNNING", "SUSPENDED", "AWAITING", "STOPPED", "BREACHED", "VOIDED", "CANCELLED", "LAPSED"
]
Awaited = Literal["CALENDAR"]

LEVELS: tuple[Level, ...] = ("GROUP", "VILLAGE", "TOWNSHIP")
"""From the ground up."""

OPEN_STATES: frozenset[State] = frozenset(
    ("REGISTERED", "ACCEPTED", "IN_PROGRESS", "IN_MEDIATION", "PENDING_ESCALATION", "SUSPENDED")
)


def level_of(kind: UnitKind) -> Level:
    """The level a kind of unit stands at: a neighbourhood beside the villages."""
    return "VILLAGE" if kind == "NEIGHBOURHOOD" else kind
