"""The campaign of a town of 52 units: every household visit, and what was found and done about it.

The pilots filed their rosters in September 2013, the others in January 2014. Visits and
problems are those that the town's report of 2014 counts: all of them fall into that year,
the pilots beginning earlier. Some visited households are in no roster (tenants), so
coverage is less than visits by households.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from services.demo.huinan_case import Fate, Problem, life
from services.demo.huinan_places import PILOTS, TOWN, UNITS
from services.demo.lines import Body, Desk, Line, in_time, made_id, midnight, moment, staged
from services.demo.matters import FINDINGS
from services.demo.names import full_name
from services.demo.places import Place, registering
from services.demo.shares import shares

_OPENED_AT: Final = moment(2013, 9, 2, 8)
_CLOSED_AT: Final = moment(2014, 12, 31, 18)
_PILOTS_FROM, _OTHERS_FROM, _UNTIL = date(2014, 1, 6), date(2014, 2, 17), date(2014, 11, 21)
_DAY_BEGINS, _WORKING_DAY = timedelta(hours=8, minutes=30), timedelta(hours=9)
_TENANT_EVERY: Final = 16
"""One visited household in so many is in no roster."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """How large a campaign is; all of its urgent cases are resolved ones."""

    households: int = 87_188
    visits: int = 74_670
    cases: int = 736
    resolved: int = 597
    urgent: int = 341


FULL: Final = Campaign()
LINES: Final = 79_630
"""Of the full campaign."""


def huinan(campaign: Campaign = FULL) -> Iterator[Line]:
    """The lines of the campaign, from the town's registration to the end of its import."""
    import_id = made_id(_OPENED_AT, "import/huinan")
    yield Desk(name="huinan", import_id=None).line(
        _OPENED_AT, "town", "/v1/units", {"unit_id": TOWN.unit_id, "kind": TOWN.kind, "name": TOWN.name}
    )
    yield Desk(name="huinan", import_id=None).line(
        _OPENED_AT,
        "import",
        "/v1/imports",
        {"import_id": import_id, "unit": TOWN.unit_id, "note": "惠南镇村(居)民自治工作历史数据"},
        waits=True,
    )
    desk = Desk(name="huinan", import_id=import_id)
    yield from staged(registering(desk, _OPENED_AT, UNITS))
    units = tuple(_plans(campaign))
    yield from staged(_roster(desk, unit) for unit in units)
    sources = (source for unit in units for source in (_visits(desk, unit), *_lives(desk, unit)))
    yield from staged(in_time(sources))
    yield desk.line(_CLOSED_AT, "import/close", f"/v1/imports/{import_id}/close", {}, waits=True)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What falls to one unit."""

    place: Place
    households: int
    visits: int
    problems: dict[int, Problem]
    """By the number of the visit at whose time each came up."""

    def visited_at(self, number: int) -> datetime:
        """When a visit takes place, spread evenly over the unit's working days."""
        first = _PILOTS_FROM if self.place.unit_id in PILOTS else _OTHERS_FROM
        days = (_UNTIL - first).days
        day, part = divmod(number * days, self.visits)
        return midnight(first + timedelta(days=day)) + _DAY_BEGINS + _WORKING_DAY * (part / self.visits)


def _plans(campaign: Campaign) -> Iterator[_Plan]:
    dice = Random("huinan")
    households = shares(campaign.households, [dice.uniform(0.6, 1.4) for _ in UNITS])
    visits = shares(campaign.visits, [count * dice.uniform(0.94, 1.06) for count in households])
    cases = shares(campaign.cases, [dice.uniform(0.7, 1.3) for _ in UNITS])
    fates = (
        [Fate.URGENT] * campaign.urgent
        + [Fate.ORDINARY] * (campaign.resolved - campaign.urgent)
        + [Fate.UNRESOLVED] * (campaign.cases - campaign.resolved)
    )
    dice.shuffle(fates)
    for number, place in enumerate(UNITS):
        problems = {
            (2 * index + 1) * visits[number] // (2 * cases[number]): Problem.of(place, index + 1, fates.pop())
            for index in range(cases[number])
        }
        yield _Plan(place=place, households=households[number], visits=visits[number], problems=problems)


def _household(place: Place, number: int) -> str:
    return f"{place.code}-{number:04d}"


def _roster(desk: Desk, plan: _Plan) -> Line:
    place = plan.place
    as_of_on = date(2013, 9, 1) if place.unit_id in PILOTS else date(2014, 1, 1)
    body: Body = {
        "roster_id": made_id(midnight(as_of_on), f"roster/{place.code}"),
        "unit": place.unit_id,
        "as_of_on": as_of_on,
        "households": [_household(place, number) for number in range(1, plan.households + 1)],
        "occurred_at": midnight(as_of_on),
    }
    return desk.line(midnight(as_of_on), f"roster/{place.code}", "/v1/rosters", body)


def _visits(desk: Desk, plan: _Plan) -> Iterator[Line]:
    place, dice = plan.place, Random(f"huinan/visits/{plan.place.code}")
    visitors = [place.someone("village_officer", number) for number in range(1, 6)]
    for number in range(plan.visits):
        at = plan.visited_at(number)
        block, rest = divmod(number, _TENANT_EVERY)
        known = number - block
        is_tenant = rest == _TENANT_EVERY - 1 or known >= plan.households
        key = f"visit/{place.code}/{number + 1}"
        body: Body = {
            "visit_id": _visit_id(at, key),
            "unit": place.unit_id,
            "visit_kind": "HOUSEHOLD",
            "household_ref": f"{place.code}-T{number:04d}" if is_tenant else _household(place, known + 1),
            "findings": dice.choice(FINDINGS).format(a=full_name(dice)),
            "occurred_at": at,
        }
        problem = plan.problems.get(number)
        if problem is not None and problem.channel == "VISIT":
            body["opens_case"] = problem.opening(at)
        yield desk.line(at, key, "/v1/visits", body, actor=visitors[number % len(visitors)])


def _visit_id(at: datetime, key: str) -> UUID:
    return made_id(at, f"huinan/{key}")


def _lives(desk: Desk, plan: _Plan) -> Iterator[Iterator[Line]]:
    for number, problem in plan.problems.items():
        yield life(desk, problem, plan.visited_at(number))
