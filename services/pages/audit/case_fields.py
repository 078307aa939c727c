"""A case field by field in words, and what is different between two states of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from services.pages.wording import Wording

Lines = dict[str, str]
"""What a field says, a line for each of its parts, by what tells the part from the others."""

Say = Callable[[Any, Wording], Lines]


class Described(NamedTuple):
    field: str
    lines: Lines


class Change(NamedTuple):
    """The lines of a field that are other ones in the later state."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def described(case: Mapping[str, Any], wording: Wording) -> list[Described]:
    """Every field that says something, in the order of the page."""
    return [
        Described(field, lines)
        for field, say in _FIELDS.items()
        if case[field] is not None and (lines := say(case[field], wording))
    ]


def changes(before: list[Described], after: list[Described]) -> list[Change]:
    """What differs, in the order of the page; a value that is masked in both can't be told apart."""
    was, holds = (dict(state) for state in (before, after))
    found = []
    for field in _FIELDS:
        earlier, later = was.get(field, {}), holds.get(field, {})
        left = tuple(line for key, line in earlier.items() if later.get(key) != line)
        came = tuple(line for key, line in later.items() if earlier.get(key) != line)
        if left or came:
            found.append(Change(field, left, came))
    return found


def _one(say: Callable[[Any, Wording], str]) -> Say:
    return lambda value, wording: {"": say(value, wording)}


def _each(key: Callable[[Any], str], say: Callable[[Any, Wording], str]) -> Say:
    return lambda items, wording: {key(item): say(item, wording) for item in items}


def _code(name: str) -> Say:
    return _one(lambda value, wording: wording.code(name, value))


def _person(person: Any, wording: Wording) -> str:
    role = wording.code("person_role", person["role"])
    named = f"{role} {wording.text(person['name'])}" if "name" in person else role
    # That there is more which the reader may not see would say nothing.
    more = (person.get(field) for field in ("phone", "address", "id_number"))
    return " · ".join((named, *(text for text in more if isinstance(text, str))))


def _mediation(mediation: Any, wording: Wording) -> Lines:
    consented, parties = len(mediation["consented"]), len(mediation["parties"])
    return {"": wording.say("audit_value.mediation", consented=consented, parties=parties)}


def _agreement(agreement: Any, wording: Wording) -> Lines:
    form = wording.code("agreement_form", agreement["form"])
    in_force = wording.say("audit_value.in_force") if agreement["effective"] else ""
    lines = {"": wording.joined(part for part in (form, in_force) if part)}
    for term in agreement["terms"]:
        state, due = wording.code("term", term["state"]), term["due_on"]
        text = wording.text(term["text"])
        said = wording.say("audit_value.term", no=term["term_no"], text=text, state=state)
        lines[str(term["term_no"])] = said if due is None else f"{said} ({wording.day(f'{due}T00:00+08:00')})"
    return lines


def _deadline(deadline: Any, wording: Wording) -> str:
    clock, state = (
        wording.code("timer", deadline["timer"]),
        wording.code("deadline_state", deadline["state"]),
    )
    if deadline["due_at"] is None:
        return wording.say("audit_value.clock_undated", clock=clock, state=state)
    return wording.say("audit_value.clock", clock=clock, state=state, due=wording.moment(deadline["due_at"]))


def _query(query: Any, wording: Wording) -> str:
    state = wording.code("query", query["state"])
    return wording.say("audit_value.query", asked=wording.moment(query["asked_at"]), state=state)


def _document(document: Any, wording: Wording) -> str:
    kind = wording.code("document", document["document_kind"])
    return f"{kind} ({wording.moment(document['attached_at'])})"


def _dossier(dossier: Any, wording: Wording) -> Lines:
    if dossier["complete"]:
        return {}
    missing = (
        wording.joined(wording.code("document", kind) for kind in either.split("|"))
        for either in dossier["missing"]
    )
    return {"": wording.say("audit_value.missing", documents=wording.joined(missing))}


def _external_body(body: Any, wording: Wording) -> str:
    return f"{wording.code('external_body', body['kind'])} {wording.text(body['name'])}"


_TEXT: Final = _one(lambda value, wording: wording.text(value))
_UNIT: Final = _one(lambda value, wording: wording.unit(value))
_MOMENT: Final = _one(lambda value, wording: wording.moment(value))
_YES: Final = _one(lambda value, wording: wording.yes_or_no(value))


def _if_so(value: Any, wording: Wording) -> Lines:
    return {"": wording.yes_or_no(True)} if value else {}


_FIELDS: Final[dict[str, Say]] = {
    "state": _code("state"),
    "procedure": _code("procedure"),
    "holder_unit": _UNIT,
    "holder_level": _code("level"),
    "pending_unit": _UNIT,
    "handler_ref": _TEXT,
    "mediator_ref": _TEXT,
    "category": _code("category"),
    "channel": _code("channel"),
    "item": _code("service_item"),
    "title": _TEXT,
    "description": _TEXT,
    "origin_unit": _UNIT,
    "opened_at": _MOMENT,
    "urgent": _YES,
    "urgency_status": _code("urgency_status"),
    "facets": _each(str, lambda facet, wording: wording.code("facet", facet)),
    "warning_level": _code("warning"),
    "collective": _if_so,
    "people": _each(lambda person: str(person["person_ref"]), _person),
    "deadlines": _each(lambda deadline: f"{deadline['timer']}/{deadline['version']}", _deadline),
    "mediation": _mediation,
    "agreement": _agreement,
    "documents": _each(lambda document: str(document["event_id"]), _document),
    "dossier": _dossier,
    "queries": _each(lambda query: str(query["query_id"]), _query),
    "external_body": _one(_external_body),
    "merged_into": _TEXT,
    "outcome": _code("outcome"),
    "degree": _code("degree"),
    "closed_at": _MOMENT,
    "archived_at": _MOMENT,
    "cycle": _one(lambda value, wording: str(value)),
    "final": _if_so,
}
"""By name, in the order of the page."""
UNIT_FIELDS: Final = ("origin_unit", "holder_unit", "pending_unit")
"""Those that name a unit."""
