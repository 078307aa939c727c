"""Who was seen acting: for each actor, role and unit the sightings that say something new."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from shared.events.cases import CaseRegistered, CaseWithdrawn, ConflictDeclared
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.policy.provisional import CLOCK

ACTORS_REMEMBERED_MAX: Final = 100_000

_ON_ANY_CASE: Final = frozenset((CaseWithdrawn.topic, ConflictDeclared.topic))
"""What a resident may record on an accusation, once it is registered, as on any other case."""

_CLOCKS: Final = "case.deadline_"
"""What the clock records, or an act records of clocks: nobody's own doing."""

Who = tuple[str, str, UUID | None]
Moment = tuple[int, datetime]
"""The position and the instant of a sighting."""


class Sighting(NamedTuple):
    actor_ref: str
    role: str
    unit: UUID | None
    known_from: int
    occurred_from: datetime


class Sightings:
    """Notices who is new, or was there earlier than known; events may come in any order."""

    def __init__(self) -> None:
        self._known: OrderedDict[Who, list[Moment]] = OrderedDict()

    def notice(self, recorded: Recorded) -> Sighting | None:
        """The sighting, if it may be news; what was long forgotten is told again."""
        by_clock = recorded.actor_role == CLOCK.role or recorded.topic.startswith(_CLOCKS)
        if by_clock or _may_give_an_accuser_away(recorded):
            return None
        who = (recorded.actor_ref, recorded.actor_role, recorded.unit)
        seen = (recorded.position, recorded.occurred_at)
        known = self._known.get(who)
        if known is None:
            self._known[who] = [seen]
            if len(self._known) > ACTORS_REMEMBERED_MAX:
                self._known.popitem(last=False)
        elif any(position <= seen[0] and occurred <= seen[1] for position, occurred in known):
            return None
        else:
            known[:] = earliest([*known, seen])
        return Sighting(*who, *seen)

    def forget(self) -> None:
        """Takes nothing for known any more, after what was noticed may not have been stored."""
        self._known.clear()


def _may_give_an_accuser_away(recorded: Recorded) -> bool:
    """Whether it is an act of a resident on what is, or may be, an accusation: then nobody was seen."""
    if recorded.actor_role != "resident":
        return False
    if recorded.topic != CaseRegistered.topic:
        return recorded.topic in _ON_ANY_CASE
    try:
        registered = event_of(recorded)
    except Exception:  # Its stream stands still, which the teller sees to.
        return True
    return isinstance(registered, CaseRegistered) and registered.procedure == "ACCUSATION"


def earliest(moments: Iterable[Moment]) -> list[Moment]:
    """Those that no other both precedes and predates, in order of position."""
    kept: list[Moment] = []
    for position, occurred in sorted(moments):
        if not kept or occurred < kept[-1][1]:
            kept.append((position, occurred))
    return kept


_STORE: Final = """
WITH sightings AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::bigint[], %s::timestamptz[])
        AS sighting (actor_ref, role, unit, known_from, occurred_from)
), outdone AS (
    DELETE FROM actors USING sightings
    WHERE actors.actor_ref = sightings.actor_ref AND actors.role = sightings.role
        AND actors.unit IS NOT DISTINCT FROM sightings.unit
        AND actors.known_from > sightings.known_from AND actors.occurred_from >= sightings.occurred_from
)
INSERT INTO actors
SELECT * FROM sightings
WHERE NOT EXISTS (
    SELECT FROM actors
    WHERE actors.actor_ref = sightings.actor_ref AND actors.role = sightings.role
        AND actors.unit IS NOT DISTINCT FROM sightings.unit
        AND actors.known_from <= sightings.known_from AND actors.occurred_from <= sightings.occurred_from
)
"""


async def store_sightings(connection: AsyncConnection[Any], sightings: Iterable[Sighting]) -> None:
    """Keeps of the sightings and those stored the ones that no other both precedes and predates."""
    by_actor: dict[Who, list[Moment]] = {}
    for sighting in sightings:
        by_actor.setdefault(sighting[:3], []).append(sighting[3:])
    rows = [(*who, *moment) for who, moments in by_actor.items() for moment in earliest(moments)]
    columns = list(zip(*rows, strict=True))
    if columns:
        # Workers that divide the shards come to positions in any order; each must see what others keep.
        await connection.execute("LOCK TABLE actors IN SHARE ROW EXCLUSIVE MODE")
        await connection.execute(_STORE, [list(column) for column in columns])
