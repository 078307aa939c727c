"""One problem of the campaign: how it is registered, taken up, settled where it can be, and closed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random
from typing import Final
from uuid import UUID

from services.demo.lines import Body, Desk, Line, Person, made_id
from services.demo.matters import matter
from services.demo.names import full_name, telephone
from services.demo.places import Place


class Fate(Enum):
    """How a problem stands when the town reports."""

    URGENT = "resolved, and urgent"
    ORDINARY = "resolved, and not urgent"
    UNRESOLVED = "still open, and not classified"


_WORKS: Final = (
    "FLOODING", "ROADS", "MANHOLES", "LIGHTING", "ELDERLY_ROOMS", "EQUIPMENT", "BRIDGES", "FARM_TRACKS",
    "UNDERGROUND_CHANNELS", "DRAINS",
)  # fmt: skip
_ESTATES: Final = (
    "UNMANAGED_ESTATE", "FEE_COLLECTION", "STAIRWELL_CLUTTER", "PARKING", "GREEN_SPACE_PLOTS", "DOGS",
)  # fmt: skip
_RULES: Final = ("HIRING_AND_RETIREES", "CADRE_PAY", "HARDSHIP_SUBSIDY", "FUNERAL_GRANT", "STUDY_GRANT")
_TOWN_WORKS: Final = ("MANHOLES", "LIGHTING", "FLOODING", "EQUIPMENT", "ELDERLY_ROOMS", "ROADS")
"""Works that come up in a neighbourhood too; farm works don't."""

_CHANNELS: Final = {
    "VISIT": 46, "FORUM": 22, "OPINION_SLIP": 10, "SUGGESTION_BOX": 8, "CHAT": 7, "HOTLINE": 7,
}  # fmt: skip
_JOINT_MEETING: Final = (
    "NEIGHBOURHOOD_COMMITTEE", "PROPERTY_MANAGER", "OWNERS_COMMITTEE", "URBAN_MANAGEMENT", "HOUSING_OFFICE",
    "POLICE", "PARTNER_UNIT",
)  # fmt: skip
_FACETS: Final = ("JI", "NAN", "CHOU", "PAN")


@dataclass(frozen=True, kw_only=True)
class Problem:
    place: Place
    number: int
    """Within its unit, from 1."""
    fate: Fate
    channel: str
    category: str

    @classmethod
    def of(cls, place: Place, number: int, fate: Fate) -> "Problem":
        dice = Random(f"huinan/problem/{place.code}/{number}")
        channel = dice.choices(tuple(_CHANNELS), tuple(_CHANNELS.values()))[0]
        kinds: tuple[str, ...]
        if place.kind == "NEIGHBOURHOOD":
            kinds = _ESTATES if dice.random() < 0.65 else _TOWN_WORKS
        else:
            kinds = _WORKS if dice.random() < 0.6 else _RULES
        return cls(place=place, number=number, fate=fate, channel=channel, category=dice.choice(kinds))

    @property
    def name(self) -> str:
        return f"{self.place.code}/{self.number}"

    def case_id(self, at: datetime) -> UUID:
        return made_id(at, f"huinan/case/{self.name}")

    def opening(self, at: datetime) -> Body:
        """The body that opens its case at that moment."""
        dice = Random(f"huinan/people/{self.name}")
        complainant, other = full_name(dice), full_name(dice)
        title, story = matter(self.category, complainant, other, dice)
        return {
            "case_id": self.case_id(at),
            "channel": self.channel,
            "category": self.category,
            "origin_unit": self.place.unit_id,
            "title": title,
            "description": story,
            "procedure": "SELF_GOVERNANCE",
            "people": [
                {
                    "person_ref": made_id(at, f"huinan/person/{self.name}"),
                    "role": "COMPLAINANT",
                    "name": complainant,
                    "phone": telephone(dice),
                }
            ],
            "collective": self.category in _RULES,
        }


class _Life:
    """The clock of one case, and the lines that it has come to."""

    def __init__(self, desk: Desk, problem: Problem, at: datetime) -> None:
        self.dice = Random(f"huinan/life/{problem.name}")
        self.at = at
        self._desk = desk
        self._problem = problem
        self._path = f"/v1/cases/{problem.case_id(at)}"
        self._number = 0

    def open(self) -> Line:
        problem = self._problem
        body = problem.opening(self.at) | {"occurred_at": self.at}
        who = problem.place.officer(2)
        return self._desk.line(self.at, f"case/{problem.name}/open", "/v1/cases", body, actor=who)

    def then(
        self, days_max: float, command: str, actor: Person, *, adds: bool = False, **body: object
    ) -> Line:
        """The next command, some working hours to so many days later."""
        self.at += timedelta(hours=2) + timedelta(days=days_max) * self.dice.random()
        self._number += 1
        return self._desk.line(
            self.at,
            f"case/{self._problem.name}/{self._number}",
            f"{self._path}/{command}",
            body | {"occurred_at": self.at},
            actor=actor,
            moves=not adds,
        )


def life(desk: Desk, problem: Problem, at: datetime) -> Iterator[Line]:
    """All lines of a problem's case; where a visit opens it, all but the opening."""
    case = _Life(desk, problem, at)
    if problem.channel != "VISIT":
        yield case.open()
    if problem.fate is Fate.UNRESOLVED:
        yield from _unresolved(case, problem.place)
        return
    place, dice = problem.place, case.dice
    yield case.then(1, "accept-case", place.officer(1))
    yield _classified(case, place, urgent=problem.fate is Fate.URGENT)
    if problem.category in _ESTATES:
        yield case.then(
            7,
            "hold-joint-meeting",
            place.officer(1),
            adds=True,
            participants=[{"kind": kind} for kind in _JOINT_MEETING],
            summary="联席会议共商，明确各方分工和完成时限。",
        )
        yield case.then(1, "assign-handler", place.officer(1), handler_ref=place.officer(2).sub)
        holder, settled = place, _settled("联席会议议定事项已落实。")
    elif problem.category in _RULES:
        yield case.then(1, "assign-handler", place.officer(1), handler_ref=place.officer(2).sub)
        yield case.then(
            10,
            "convene-consultation",
            place.officer(1),
            adds=True,
            participants=[{"kind": "VILLAGE_COMMITTEE"}, {"kind": "RESIDENTS"}],
            summary="征询村民代表意见，量力而行拟定标准。",
        )
        holder = place
        settled = _settled("已写入自治章程实施细则。")
        settled |= {"outcome": "BY_RULE", "rule": "《自治章程实施细则》"}
    elif dice.random() < 0.55:
        yield from _escalated(case, place)
        holder, settled = place.town, _settled("镇级实施工程，已完工验收。")
    else:
        yield case.then(2, "assign-handler", place.officer(1), handler_ref=place.officer(2).sub)
        holder, settled = place, _settled("已组织施工，现场验收合格。")
    yield case.then(14, "resolve-case", holder.officer(2), **settled)
    yield case.then(
        5, "record-follow-up", holder.officer(1), reached=True, solved=True, satisfied=dice.random() < 0.94
    )
    if dice.random() < 0.85:
        yield case.then(2, "close-case", holder.officer(1))


def _settled(detail: str) -> Body:
    return {"outcome": "SETTLED", "degree": "FULL", "detail": detail}


def _classified(case: _Life, place: Place, *, urgent: bool) -> Line:
    reason = "属急难愁盼事项，应优先办理。" if urgent else "属一般事项，按序办理。"
    facets = case.dice.sample(_FACETS, case.dice.randint(1, 2)) if urgent else []
    return case.then(1, "classify-urgency", place.officer(1), urgent=urgent, facets=facets, reason=reason)


def _escalated(case: _Life, place: Place) -> Iterator[Line]:
    town = place.town
    reason = "超出村居能力，请镇里协调资金和施工。"
    yield case.then(3, "escalate-case", place.officer(1), to_level="TOWNSHIP", reason=reason)
    yield case.then(2, "accept-escalation", town.officer(1))
    yield case.then(1, "assign-handler", town.officer(1), handler_ref=town.officer(2).sub)


def _unresolved(case: _Life, place: Place) -> Iterator[Line]:
    """As far as it has come: anything from just registered to lying with the town."""
    reached = case.dice.choices(range(5), (8, 22, 32, 10, 28))[0]
    if reached >= 1:
        yield case.then(1, "accept-case", place.officer(1))
    if reached == 2:
        yield case.then(2, "assign-handler", place.officer(1), handler_ref=place.officer(2).sub)
    if reached == 3:
        yield case.then(
            3, "escalate-case", place.officer(1), to_level="TOWNSHIP", reason="需镇里统一规划，请求上级承接。"
        )
    if reached == 4:
        yield from _escalated(case, place)
