"""A year of life in three towns, November 2024 to October 2025, with the stories told among it.

The year is a fixed one, so that the set is the same whenever and wherever it is loaded:
what the last months brought is still open at its end, at all three levels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from services.demo.haimen_places import TOWNS, Town
from services.demo.life import CIVIL, Beginning, Life, tell
from services.demo.lines import Body, Desk, Line, Person, in_time, made_id, midnight, moment, staged
from services.demo.matters import FINDINGS
from services.demo.names import full_name
from services.demo.places import Place, registering
from services.demo.stories import stories_of
from services.demo.turns import TURNS

_FROM, _UNTIL = moment(2024, 11, 1, 8), moment(2025, 10, 31, 18)
_ROSTERS_ON: Final = date(2024, 11, 1)


@dataclass(frozen=True, kw_only=True)
class Year:
    """How much happens in each of the three towns."""

    cases: int = 1_000
    visits: int = 1_600
    """Outside of cases."""
    services: int = 700
    """Done at once, without a case."""


FULL: Final = Year()
LINES: Final = 44_011
"""Of the full year."""

# How often a category comes up, and where from there is one: the procedure that it is handled in.
_CATEGORIES: Final = {
    "NEIGHBOUR": 21, "FAMILY": 17, "HILLS_AND_LAND": 11, "HOMESTEAD": 8, "LAND_ACQUISITION": 4,
    "COMPENSATION": 5, "CONTRACT": 4, "LABOUR": 4, "VILLAGE_AFFAIRS": 3, "FAMILY_PLANNING": 0.5,
    "ENVIRONMENT": 3, "TRAFFIC": 2.5, "MEDICAL": 1, "PROPERTY_MANAGEMENT": 1.5, "OTHER": 2,
    "FLOODING": 1, "ROADS": 1.5, "LIGHTING": 1.5, "BRIDGES": 0.5, "FARM_TRACKS": 1,
    "UNDERGROUND_CHANNELS": 0.5, "DRAINS": 1, "HARDSHIP_SUBSIDY": 1, "FUNERAL_GRANT": 0.4,
    "SERVICE_REQUEST": 4, "PUBLIC_SAFETY": 0.7,
}  # fmt: skip
_IN_NEIGHBOURHOODS: Final = {
    "PARKING": 6, "DOGS": 4, "STAIRWELL_CLUTTER": 5, "GREEN_SPACE_PLOTS": 4, "FEE_COLLECTION": 3,
    "UNMANAGED_ESTATE": 2, "PROPERTY_MANAGEMENT": 5,
}  # fmt: skip
_CHANNELS: Final = {
    "VISIT": 34, "WALK_IN": 22, "CHAT": 14, "HOTLINE": 9, "ONLINE": 8, "FORUM": 5, "SUGGESTION_BOX": 4,
    "FROM_ABOVE": 4,
}  # fmt: skip
_SERVICE_ITEMS: Final = (
    "HOUSEHOLD_REGISTRATION", "MEDICAL_INSURANCE", "PENSION", "SUBSIDY_APPLICATION", "CERTIFICATE",
    "PROXY_ERRAND", "HOME_CARE",
)  # fmt: skip


def haimen(year: Year = FULL, towns: Sequence[Town] = TOWNS) -> Iterator[Line]:
    """The lines of the year, town after town, each from its registration to the end of its import."""
    for town in towns:
        yield from _town(town, year)


def _town(town: Town, year: Year) -> Iterator[Line]:
    name = town.place.code
    import_id = made_id(_FROM, f"import/{name}")
    before = Desk(name=name, import_id=None)
    unit: Body = {"unit_id": town.place.unit_id, "kind": town.place.kind, "name": town.place.name}
    opening: Body = {"import_id": import_id, "unit": town.place.unit_id, "note": f"{town.place.name}一年数据"}
    desk = Desk(name=name, import_id=import_id)
    yield from staged(iter([before.line(_FROM, "town", "/v1/units", unit)]))
    yield before.line(_FROM, "import", "/v1/imports", opening, waits=True)
    yield from staged(registering(desk, _FROM, town.villages))
    yield from staged(registering(desk, _FROM, town.groups))
    yield from staged(_roster(desk, group) for group in town.groups)
    sources = [
        _visits(desk, town, year.visits),
        _services(desk, town, year.services),
        *stories_of(town, desk),
        *(
            tell(Life(desk, _beginning(town, number, year.cases)), TURNS, _UNTIL)
            for number in range(year.cases)
        ),
    ]
    yield from staged(in_time(sources))
    yield desk.line(_UNTIL, "import/close", f"/v1/imports/{import_id}/close", {}, waits=True)


# --- beside cases ------------------------------------------------------------------------------


def _households(group: Place) -> list[str]:
    count = Random(f"households/{group.code}").randint(28, 60)
    return [f"{group.code}-{number:02d}" for number in range(1, count + 1)]


def _roster(desk: Desk, group: Place) -> Line:
    body: Body = {
        "roster_id": made_id(midnight(_ROSTERS_ON), f"roster/{group.code}"),
        "unit": group.unit_id,
        "as_of_on": _ROSTERS_ON,
        "households": _households(group),
        "occurred_at": midnight(_ROSTERS_ON),
    }
    return desk.line(
        midnight(_ROSTERS_ON), f"roster/{group.code}", "/v1/rosters", body, actor=group.officer()
    )


def _spread(number: int, count: int) -> datetime:
    """The moment of one of so many things that happen evenly over the year, in daylight."""
    days = (_UNTIL - _FROM).days
    day, rest = divmod(number * days, count)
    return _FROM + timedelta(days=day, minutes=600 * rest / count)


def _visits(desk: Desk, town: Town, count: int) -> Iterator[Line]:
    dice = Random(f"visits/{desk.name}")
    for number in range(count):
        at, group = _spread(number, count), dice.choice(town.groups)
        key = f"visit/{number + 1}"
        by = group.staff() if dice.random() < 0.8 else group.village.someone("grid_worker")
        kind = dice.choices(("HOUSEHOLD", "PATROL", "FOLLOW_UP"), (85, 10, 5))[0]
        body: Body = {
            "visit_id": made_id(at, f"{desk.name}/{key}"),
            "unit": group.unit_id,
            "visit_kind": kind,
            "findings": dice.choice(FINDINGS).format(a=full_name(dice)),
            "occurred_at": at,
        }
        if kind != "PATROL":
            body["household_ref"] = dice.choice(_households(group))
        yield desk.line(at, key, "/v1/visits", body, actor=by)


def _services(desk: Desk, town: Town, count: int) -> Iterator[Line]:
    dice = Random(f"services/{desk.name}")
    for number in range(count):
        at, group = _spread(number, count), dice.choice(town.groups)
        key = f"service/{number + 1}"
        body: Body = {
            "service_id": made_id(at, f"{desk.name}/{key}"),
            "unit": group.unit_id,
            "item": dice.choice(_SERVICE_ITEMS),
            "beneficiary": {
                "person_ref": made_id(at, f"{desk.name}/{key}/beneficiary"),
                "role": "BENEFICIARY",
                "name": full_name(dice),
            },
            "detail": "组长上门代办，当场办结。",
            "occurred_at": at,
        }
        yield desk.line(at, key, "/v1/services", body, actor=group.staff())


# --- cases -------------------------------------------------------------------------------------


def _beginning(town: Town, number: int, count: int) -> Beginning:
    name = f"{town.place.code}/{number + 1}"
    dice = Random(f"beginning/{name}")
    origin = _origin(town, dice)
    mix = dict(_CATEGORIES)
    if origin.village.kind == "NEIGHBOURHOOD":
        mix = {category: mix[category] for category in ("NEIGHBOUR", "FAMILY", "SERVICE_REQUEST", "TRAFFIC")}
        mix |= _IN_NEIGHBOURHOODS
    elif origin.level == "TOWNSHIP":
        mix = {
            category: mix[category]
            for category in ("LAND_ACQUISITION", "LABOUR", "HILLS_AND_LAND", "CONTRACT")
        }
    category = dice.choices(tuple(mix), tuple(mix.values()))[0]
    channel = dice.choices(tuple(_CHANNELS), tuple(_CHANNELS.values()))[0]
    procedure = _procedure(category, channel, origin, dice)
    return Beginning(
        name=name,
        at=_spread(number, count),
        origin=origin,
        category=category,
        channel=channel,
        procedure=procedure,
        opener=_opener(channel, procedure, origin, dice),
        beside=_beside(town.groups, origin),
        beneath=tuple(town.villages) if origin.level == "TOWNSHIP" else (),
    )


def _origin(town: Town, dice: Random) -> Place:
    level = dice.choices(("GROUP", "VILLAGE", "TOWNSHIP"), (80, 14, 6))[0]
    if level == "TOWNSHIP":
        return town.place
    return dice.choice(town.groups if level == "GROUP" else town.villages)


def _beside(groups: Sequence[Place], origin: Place) -> tuple[Place, ...]:
    if origin.level != "GROUP":
        return ()
    return tuple(group for group in groups if group.parent == origin.parent and group != origin)


def _procedure(category: str, channel: str, origin: Place, dice: Random) -> str:
    if category == "SERVICE_REQUEST":
        return "SERVICE"
    if category == "PUBLIC_SAFETY":
        return "SAFETY_LEAD"
    if origin.level == "TOWNSHIP":
        return "PETITION"
    if channel == "HOTLINE":
        return "HOTLINE"
    if category == "VILLAGE_AFFAIRS" and origin.level == "GROUP" and dice.random() < 0.15:
        return "ACCUSATION"
    if category in CIVIL and dice.random() < 0.68:
        return "MEDIATION"
    return "GRID" if dice.random() < 0.15 else "SELF_GOVERNANCE"


def _opener(channel: str, procedure: str, origin: Place, dice: Random) -> Person:
    if procedure == "ACCUSATION" or (
        channel == "ONLINE" and origin.level == "GROUP" and procedure != "SAFETY_LEAD"
    ):
        return origin.someone("resident", dice.randrange(1, 40))
    if origin.level == "TOWNSHIP" or channel in ("HOTLINE", "FROM_ABOVE"):
        return origin.town.officer(2)
    if procedure == "GRID":
        return origin.village.someone("grid_worker")
    if channel in ("VISIT", "CHAT") or procedure == "SAFETY_LEAD":
        return origin.staff()
    return origin.village.officer(2)
