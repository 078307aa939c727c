"""Which screens there are, and for whom: each role's own comes first."""

from typing import Final, NamedTuple


class Screen(NamedTuple):
    name: str
    """Of its words: `screens.<name>` and `screens.<name>_what`."""
    path: str
    roles: frozenset[str]


PHONE: Final = Screen(
    "phone",
    "/m",
    frozenset(
        ("group_leader", "mediator", "grid_worker", "village_officer", "township_officer", "community_police")
    ),
)
AUDIT: Final = Screen("audit", "/audit", frozenset(("supervisor", "auditor", "privacy_officer")))
WALL: Final = Screen(
    "wall",
    "/wall",
    frozenset(("dashboard", "village_officer", "township_officer", "supervisor", "auditor")),
)
DESK: Final = Screen("desk", "/desk", frozenset(("village_officer", "township_officer")))
PEOPLE: Final = Screen(
    "people", "/desk/people", frozenset(("village_officer", "township_officer", "operator"))
)
SCREENS: Final = (DESK, PHONE, AUDIT, WALL, PEOPLE)


def screens_of(role: str) -> list[Screen]:
    return [screen for screen in SCREENS if role in screen.roles]
