"""One case of a year of life: where it stands, whom it is about, who handles it, what time it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from services.demo.lines import Body, Desk, Line, Person, made_id
from services.demo.matters import matter
from services.demo.names import address, full_name, id_number, telephone
from services.demo.places import Place

_FIRST_HOUR, _LAST_HOUR = 8, 18

CIVIL: Final = frozenset(
    (
        "FAMILY", "NEIGHBOUR", "HOMESTEAD", "COMPENSATION", "CONTRACT", "HILLS_AND_LAND", "LAND_ACQUISITION",
        "LABOUR", "ENVIRONMENT", "TRAFFIC", "MEDICAL", "PROPERTY_MANAGEMENT", "OTHER",
    )
)  # fmt: skip
"""Categories that may be mediated."""


class Resident(NamedTuple):
    """Somebody a case is about."""

    person_ref: UUID
    name: str
    account: Person | None
    """Who they are to the system, if they use it themselves."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """How a case comes in: `name` is unique within its set."""

    name: str
    at: datetime
    origin: Place
    category: str
    channel: str
    procedure: str
    opener: Person
    beside: tuple[Place, ...]
    """Other units of its level to which it may be transferred."""
    beneath: tuple[Place, ...]
    """For a case of a township: its villages, to which it may be handed down."""


class Life:
    """A case as the people in it see it; each command moves its clock on."""

    def __init__(self, desk: Desk, beginning: Beginning) -> None:
        self.beginning = beginning
        self.dice = Random(f"life/{beginning.name}")
        self.desk = desk
        self.at = beginning.at
        self.case_id = made_id(beginning.at, f"case/{beginning.name}")
        self.procedure = beginning.procedure
        self.holder = beginning.origin.above if beginning.procedure == "ACCUSATION" else beginning.origin
        self.pending: Place | None = None
        self.handler: Person | None = None
        self.complainant = self._resident("complainant", owns_account=beginning.opener.role == "resident")
        self.respondent = self._resident("respondent", owns_account=False)
        self.agreement: str | None = None
        """DUE, BREACHED or DONE."""
        self.attached: set[str] = set()
        self.done: set[str] = set()
        """What happens once only, by the names of the moves."""
        self.returns = 0
        self._number = 0
        self._others_wait = False

    @property
    def civil(self) -> bool:
        return self.beginning.category in CIVIL

    @property
    def level(self) -> str:
        return self.holder.level

    @property
    def mediator(self) -> Person:
        """Who mediates where it is held: the group's leader, above that a mediator."""
        return self.holder.staff() if self.level == "GROUP" else self.holder.someone("mediator")

    @property
    def parties(self) -> tuple[Resident, Resident]:
        return self.complainant, self.respondent

    def _resident(self, part: str, *, owns_account: bool) -> Resident:
        return Resident(
            person_ref=made_id(self.at, f"person/{self.beginning.name}/{part}"),
            name=full_name(self.dice),
            account=self.beginning.opener if owns_account else None,
        )

    # --- time ----------------------------------------------------------------------------------

    def later(self, days_min: float, days_max: float) -> None:
        """Lets so many days go by, until some working hour."""
        self.at += timedelta(days=self.dice.uniform(days_min, days_max), minutes=5)
        if not _FIRST_HOUR <= self.at.hour < _LAST_HOUR:
            days = 1 if self.at.hour >= _LAST_HOUR else 0
            morning = self.at.replace(hour=_FIRST_HOUR, minute=self.dice.randrange(60))
            self.at = morning + timedelta(days=days)

    @property
    def today(self) -> date:
        return self.at.date()

    # --- lines ---------------------------------------------------------------------------------

    def adds(self, command: str, actor: Person, **body: object) -> Line:
        """A command that only adds to the case."""
        return self._command(command, actor, body, moves=False)

    def moves(self, command: str, actor: Person, **body: object) -> Line:
        """A command that moves or changes the case."""
        return self._command(command, actor, body, moves=True)

    def of_party(self, command: str, resident: Resident, **body: object) -> Line:
        """An act of a party: their own, or recorded for them by the holder."""
        if resident.account is not None:
            return self.moves(command, resident.account, **body)
        means = self.dice.choice(("IN_PERSON", "IN_PERSON", "PHONE", "WRITTEN"))
        behalf = {"person_ref": resident.person_ref, "means": means}
        return self.moves(command, self.holder.staff(), on_behalf_of=behalf, **body)

    def others_wait(self) -> None:
        """Makes the next line wait: another stream's line has written to this case."""
        self._others_wait = True

    def key(self) -> str:
        """The key of its next line."""
        self._number += 1
        return f"case/{self.beginning.name}/{self._number}"

    def _command(self, command: str, actor: Person, body: Body, *, moves: bool) -> Line:
        waits, self._others_wait = self._others_wait, False
        body.setdefault("occurred_at", self.at)
        path = f"/v1/cases/{self.case_id}/{command}"
        return self.desk.line(self.at, self.key(), path, body, actor=actor, moves=moves, waits=waits)

    # --- opening -------------------------------------------------------------------------------

    def opening(self, case_id: UUID) -> Body:
        """The body that opens the case, or under another id a second case about the same."""
        start = self.beginning
        title, story = matter(start.category, self.complainant.name, self.respondent.name, self.dice)
        body: Body = {
            "case_id": case_id,
            "channel": start.channel,
            "category": start.category,
            "origin_unit": start.origin.unit_id,
            "title": title,
            "description": story,
            "people": self._people() if case_id == self.case_id else [],
            "occurred_at": self.at,
        }
        if start.procedure in ("SERVICE", "SAFETY_LEAD", "ACCUSATION"):
            body["procedure"] = start.procedure
        if start.procedure == "SERVICE":
            body["item"] = "MEDICAL_INSURANCE" if "医保" in title else "CERTIFICATE"
        if start.procedure == "ACCUSATION":
            body["accused"] = {"role": "group_leader", "unit_id": start.origin.unit_id}
        if start.channel == "HOTLINE":
            body["source"] = {"kind": "HOTLINE", "id": f"{start.at:%Y%m%d}{self.dice.randrange(100_000):05d}"}
        return body

    def _people(self) -> list[Body]:
        role, other = _ROLES.get(self.procedure, ("COMPLAINANT", "RESPONDENT"))
        complainant: Body = {
            "person_ref": self.complainant.person_ref,
            "role": role,
            "name": self.complainant.name,
            "phone": telephone(self.dice),
            "id_number": id_number(self.dice),
        }
        if self.complainant.account is not None:
            complainant["actor_ref"] = self.complainant.account.sub
        if not (self.civil and other):
            return [complainant]
        return [
            complainant,
            {
                "person_ref": self.respondent.person_ref,
                "role": other,
                "name": self.respondent.name,
                "address": address(self.dice),
            },
        ]


_ROLES: Final = {"SERVICE": ("BENEFICIARY", ""), "SAFETY_LEAD": ("INVOLVED", "")}

Lines = Iterator[Line]
Move = Callable[[Life], Lines]
When = Callable[[Life], bool]


def once(move: Move) -> Move:
    """The same move, remembered in `done` under its name, so that turns can ask for it."""

    def first(life: Life) -> Lines:
        life.done.add(move.__name__)
        yield from move(life)

    first.__name__ = move.__name__
    return first


def always(life: Life) -> bool:
    return True


class Turn(NamedTuple):
    """One way on from a situation, as likely as its weight among those that are possible."""

    weight: float
    moves: tuple[Move, ...]
    then: str
    when: When = always


def tell(life: Life, turns: dict[str, tuple[Turn, ...]], until: datetime) -> Iterator[Line]:
    """The lines of a life from NEW to OVER, or as far as it has come by `until`."""
    situation = "NEW"
    while situation != "OVER":
        possible = [turn for turn in turns[situation] if turn.when(life)]
        turn = life.dice.choices(possible, [turn.weight for turn in possible])[0]
        for move in turn.moves:
            for line in move(life):
                if line.at > until:
                    return
                yield line
        situation = turn.then
