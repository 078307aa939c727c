"""Whom the operator of a demo may sign in as: people of the place where the first story is told."""

from typing import NamedTuple

from services.demo.lines import Person
from services.demo.places import Place
from services.demo.stories import GROUP_37


class Known(NamedTuple):
    """A person to sign in as, and what to call their unit."""

    person: Person
    unit_name: str


def people() -> dict[str, Known]:
    """Role to person: a mediator in the group, officers of its village and town, the village's supervisor,
    and the town's wall.
    """
    village, town = GROUP_37.village, GROUP_37.town
    return {
        "mediator": _known(GROUP_37, "mediator"),
        "village_officer": _known(village, "village_officer"),
        "township_officer": _known(town, "township_officer"),
        "supervisor": _known(village, "supervisor"),
        "dashboard": _known(town, "dashboard"),
    }


def _known(place: Place, role: str) -> Known:
    return Known(place.someone(role), place.name)
