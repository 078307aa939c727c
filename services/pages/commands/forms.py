"""The forms of a case's commands: those that are allowed now, the likeliest first, with their choices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.pages.clock_words import Say
from services.pages.commands.asked import ASKED, LIKELIEST, Field
from shared.policy.transitions import TRANSITIONS

Choice = tuple[str, str]
"""A code and its words."""
CHOSEN_HERE: Final = {
    "procedure_of_acceptance": ("procedure", ("SELF_GOVERNANCE", "MEDIATION", "PETITION", "HOTLINE", "GRID")),
    "means_of_person": ("means", ("IN_PERSON", "PHONE", "WRITTEN")),
}
"""Parts of lists of the reference."""
_ABOVE: Final = {"GROUP": "VILLAGE", "VILLAGE": "TOWNSHIP"}
_SERIOUS: Final = frozenset(("reject-case", "withdraw-case", "terminate-mediation", "declare-conflict"))


class Question(NamedTuple):
    """A field as it stands on a page."""

    id: str
    asked: Field
    label: str
    choices: Sequence[Choice]


class Form(NamedTuple):
    """A command as somebody may send it now."""

    key: str
    """Unique on its page."""
    command: str
    path: str
    version: int | None
    """None where it only adds to the case."""
    title: str
    questions: Sequence[Question]
    grave: bool
    rank: int


class Variant(NamedTuple):
    """One way of sending a command: what is fixed, and what it is called."""

    name: str
    """Of its words: `act.{name}`."""
    values: Mapping[str, str]
    fields: Sequence[Field]
    said: Mapping[str, str]
    """What is filled into its words."""


class CaseForms:
    """The forms of a case; `choices` are the lists that it has, by name, with those of the reference."""

    def __init__(
        self, case: Mapping[str, Any], me: str, choices: Mapping[str, Sequence[Choice]], say: Say
    ) -> None:
        self._case = case
        self._me = me
        self._choices = choices
        self.say = say

    def allowed(self) -> list[Form]:
        """Those whose every needed choice has something to choose."""
        forms = [form for command in self._case["allowed_commands"] for form in self._forms(command)]
        answerable = [form for form in forms if all(map(_answerable, form.questions))]
        return sorted(answerable, key=lambda form: form.rank)

    def of(self, command: str) -> list[Form]:
        """Those of one command, where it may be sent."""
        return self._forms(command) if command in self._case["allowed_commands"] else []

    def _forms(self, command: str) -> list[Form]:
        return [self._form(command, variant) for variant in self._variants(command)]

    def _variants(self, command: str) -> Iterator[Variant]:
        fields = ASKED.get(command)
        match command:
            case "consent-to-mediation":
                yield from self._consents()
            case "escalate-case":
                yield from self._escalations()
            case "assign-handler" if self._case["handler_ref"] != self._me:
                yield Variant("assign-myself", {"handler_ref": self._me}, (), {})
                yield Variant(command, {}, fields or (), {})
            case "transfer-case":
                yield Variant(command, {}, fields or (), {})
                yield Variant("transfer-outside", {}, ASKED["transfer-outside"], {})
            case "offer-mediation":
                yield Variant(command, {"mediator_ref": self._me}, fields or (), {})
            case _ if fields is not None:
                yield Variant(command, {}, fields, {})

    def _escalations(self) -> Iterator[Variant]:
        reason = Field("reason", "text")
        level = _ABOVE.get(self._case["holder_level"])
        if level is None:
            return
        yield Variant("escalate-case", {"to_level": level}, (reason,), {"level": self._level(level)})
        if level == "VILLAGE":
            values = {"to_level": "TOWNSHIP", "emergency": "true", "notify_levels": "VILLAGE"}
            yield Variant("escalate-urgently", values, (reason,), {"level": self._level("TOWNSHIP")})

    def _consents(self) -> Iterator[Variant]:
        offer = self._case["mediation"] or {"parties": [], "consented": []}
        names = dict(self._choices["people"])
        for person in offer["parties"]:
            if person not in offer["consented"] and person in names:
                values = {"person_ref": person, "on_behalf_of/person_ref": person}
                fields = (
                    Field("on_behalf_of/means", "one", "means_of_person", value="IN_PERSON", words="means"),
                    Field("signature", "signature", required=False, value="RIGHTS_NOTICE"),
                )
                yield Variant("consent-to-mediation", values, fields, {"who": names[person]})

    def _level(self, level: str) -> str:
        return self.say(f"act.level_{level}")

    def _form(self, command: str, variant: Variant) -> Form:
        key = "-".join((variant.name, *list(variant.values.values())[:1]))
        fixed = [Field(name, "fixed", value=value) for name, value in variant.values.items()]
        return Form(
            key=key,
            command=command,
            path=f"/v1/cases/{self._case['case_id']}/{command}",
            version=None if TRANSITIONS[command].adds else self._case["version"],
            title=self.say(f"act.{variant.name}", **variant.said),
            questions=[self._question(key, asked) for asked in (*fixed, *variant.fields)],
            grave=command in _SERIOUS,
            rank=LIKELIEST.index(command) if command in LIKELIEST else len(LIKELIEST),
        )

    def _question(self, key: str, asked: Field) -> Question:
        choices: Sequence[Choice] = () if asked.choices is None else self._choices[asked.choices]
        label = "" if asked.kind == "fixed" else self.say(f"ask.{asked.label}")
        return Question(f"{key}-{asked.name.replace('/', '-')}", asked, label, choices)


def _answerable(question: Question) -> bool:
    asked = question.asked
    return bool(question.choices) or asked.choices is None or not asked.required
