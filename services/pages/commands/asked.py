"""What each command asks of people: one table, whatever page shows it."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal[
    "text",
    "line",
    "phone",
    "day",
    "number",
    "one",
    "select",
    "some",
    "yes",
    "sworn",
    "person",
    "people",
    "meeting",
    "fixed",
    "photo",
    "signature",
]
"""How it is answered: `one` of a few as tiles, `select` one of many, `some` of a few; `yes` or no; `sworn`:
to be ticked; a `meeting` asks for kinds of participants; `fixed` asks nothing; a `photo`, or a `signature`
that is drawn, goes to the case's documents."""


class Field(NamedTuple):
    """One question."""

    name: str
    """Path into the body, as the form sends it."""
    kind: Kind
    choices: str | None = None
    """Of which choices: a list of the reference, or one that the case has (`CaseChoices`)."""
    required: bool = True
    value: str | None = None
    """What is answered already."""
    words: str | None = None
    """Of its label, where it isn't called by the last part of its name: `ask.{words}`."""

    @property
    def label(self) -> str:
        return self.words or self.name.rpartition("/")[2]


def _text(name: str, *, required: bool = True) -> Field:
    return Field(name, "text", required=required)


_REASON: Final = _text("reason")
_DETAIL: Final = _text("detail")
_TERM: Final = Field("term_no", "select", "terms")
_BEHALF: Final = (
    Field("on_behalf_of/person_ref", "person", "people", words="for_whom"),
    Field("on_behalf_of/means", "one", "means_of_person", value="IN_PERSON", words="means"),
)
"""For holders and mediators, who record what somebody of the case did."""
_MEETING: Final = (Field("participants", "meeting", "participant"), _text("summary"))
PHOTO: Final = Field("photo", "photo", required=False, value="EVIDENCE")

ASKED: Final[Mapping[str, tuple[Field, ...]]] = {
    "accept-case": (Field("procedure", "select", "procedure_of_acceptance", required=False),),
    "reject-case": (_REASON, _text("alternative_route")),
    "transfer-case": (Field("to_unit", "select", "beside"), _REASON),
    "transfer-outside": (
        Field("external_body/kind", "select", "external_body", words="external_kind"),
        Field("external_body/name", "line", words="external_name"),
        _REASON,
    ),
    "assign-handler": (Field("handler_ref", "select", "colleagues"),),
    "add-person": (
        Field("role", "select", "person_role", value="PARTY"),
        Field("name", "line"),
        Field("phone", "phone", required=False),
        Field("address", "line", required=False),
    ),
    "record-visit": (
        Field("visit_kind", "one", "visit_kind", value="HOUSEHOLD"),
        _text("findings"),
        PHOTO,
    ),
    "flag-risk": (Field("risk", "one", "risk"), _DETAIL),
    "confirm-warning": (Field("level", "one", "warning", words="warning"), _REASON),
    "stabilise-situation": (_DETAIL,),
    "revise-policy": (_DETAIL,),
    "decide-home-service": (_DETAIL,),
    "convene-consultation": _MEETING,
    "hold-dialogue": _MEETING,
    "hold-joint-meeting": _MEETING,
    "refer-to-police": (_REASON,),
    "notify-level": (Field("level", "one", "levels_above"),),
    "perform-service": (
        Field("item", "select", "service_item"),
        Field("beneficiary", "person", "people", required=False),
    ),
    "record-external-outcome": (
        Field("kind", "select", "external_outcome", words="external_outcome"),
        Field("body", "line"),
        Field("subject/person_ref", "person", "people", required=False, words="subject"),
        _DETAIL,
    ),
    "record-reply": (_text("text"), Field("delivered_on", "day")),
    "attach-document": (
        Field("document_kind", "select", "document", value="EVIDENCE"),
        Field("photo", "photo", value="EVIDENCE"),
    ),
    "record-contact": (Field("reached", "yes"), Field("means", "one", "means", value="PHONE")),
    "notify-complainant": (
        Field("notice", "one", "notice", value="ACCEPTANCE"),
        Field("delivered_on", "day"),
        Field("means", "one", "means", value="IN_PERSON"),
    ),
    "change-procedure": (
        Field("procedure", "select", "procedure_of_acceptance"),
        _REASON,
        Field("parties_informed", "sworn"),
    ),
    "classify-urgency": (
        Field("urgent", "yes"),
        Field("facets", "some", "facet", required=False),
        _REASON,
    ),
    "offer-mediation": (Field("parties", "people", "people"),),
    "refuse-mediation": (
        Field("person_ref", "person", "parties", words="for_whom"),
        _text("reason", required=False),
    ),
    "terminate-mediation": (
        Field("ground", "one", "mediation_end"),
        Field("remedies_notified", "sworn"),
    ),
    "accept-escalation": (),
    "return-escalation": (_REASON,),
    "delegate-case": (Field("to_unit", "select", "beneath", required=False), _REASON),
    "take-over-case": (_REASON,),
    "object-jurisdiction": (_REASON,),
    "extend-deadline": (
        Field("timer", "select", "timers"),
        Field("days", "number"),
        _REASON,
        Field("complainant_informed", "sworn"),
        Field("approved_by", "line", required=False),
        Field("consenting", "people", "parties", required=False),
    ),
    "suspend-case": (
        Field("ground", "select", "suspension", words="suspension"),
        _REASON,
        Field("approved_by", "line", required=False),
    ),
    "resume-case": (),
    "resolve-case": (
        Field("outcome", "select", "outcome"),
        Field("degree", "one", "degree", required=False, value="FULL"),
        Field("detail", "text", words="outcome_detail"),
        _text("rule", required=False),
    ),
    "withdraw-case": (*_BEHALF, _text("statement")),
    "record-follow-up": (
        Field("reached", "yes"),
        Field("solved", "yes", required=False),
        Field("satisfied", "yes", required=False),
    ),
    "close-case": (),
    "archive-case": (),
    "record-fulfilment": (_TERM, _DETAIL),
    "record-breach": (_TERM, _DETAIL),
    "record-breach-handled": (_TERM, _DETAIL),
    "apply-judicial-confirmation": (
        Field("applicants", "people", "parties"),
        Field("court", "line"),
    ),
    "record-confirmation-outcome": (
        Field("granted", "yes"),
        Field("court", "line"),
        Field("decided_on", "day"),
    ),
    "request-review": (*_BEHALF, _text("grounds")),
    "request-re-review": (*_BEHALF, _text("grounds")),
    "record-review-opinion": (_text("opinion"), Field("final", "yes")),
    "reopen-case": (Field("ground", "one", "reopen_ground", words="reopen_ground"), _REASON),
    "raise-query": (_text("question"),),
    "answer-query": (Field("query_id", "select", "queries"), _text("answer")),
    "demand-correction": (_text("demand"),),
    "answer-demand": (
        Field("demand_id", "select", "demands"),
        Field("outcome", "one", "demand_outcome", words="demand_outcome"),
        _DETAIL,
    ),
    "annotate-audit": (Field("text", "text", words="remark"),),
    "declare-conflict": (_REASON,),
    "record-correction": (
        Field("event_id", "select", "records"),
        Field("field", "select", "record_fields"),
        _text("correction"),
    ),
}
"""The questions of each command that the forms of pages send, by its name, in the order of a form.

A case is transferred in two ways that ask for different things, so `transfer-outside` stands beside.
"""

OVERSIGHT: Final = ("raise-query", "demand-correction", "annotate-audit", "declare-conflict")
"""What those who oversee may send."""

LIKELIEST: Final = (
    "accept-escalation",
    "accept-case",
    "consent-to-mediation",
    "record-agreement",
    "resume-case",
    "record-visit",
    "offer-mediation",
    "escalate-case",
    "resolve-case",
    "record-follow-up",
    "close-case",
    "record-fulfilment",
    "return-escalation",
    "attach-document",
    "add-person",
    "assign-handler",
    "terminate-mediation",
    "record-breach",
)
"""What people do most comes first; the rest follows in the order of a case's life."""
