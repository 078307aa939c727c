"""Who was seen acting: for each actor, role and unit the sightings that say something new."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from shared.events.recorded import Recorded

ACTORS_REMEMBERED_MAX: Final = 100_000


class Sighting(NamedTuple):
    actor_ref: str
    role: str
    unit: UUID | None
    known_from: int
    occurred_from: datetime


class Sightings:
    """Notices, among events in order of position, who is new or was there earlier than known."""

    def __init__(self) -> None:
        self._earliest: OrderedDict[tuple[str, str, UUID | None], datetime] = OrderedDict()

    def notice(self, recorded: Recorded) -> Sighting | None:
        """The sighting, if it may be news; what was long forgotten is told again."""
        who = (recorded.actor_ref, recorded.actor_role, recorded.unit)
        earliest = self._earliest.get(who)
        if earliest is not None and earliest <= recorded.occurred_at:
            self._earliest.move_to_end(who)
            return None
        self._earliest[who] = recorded.occurred_at
        if len(self._earliest) > ACTORS_REMEMBERED_MAX:
            self._earliest.popitem(last=False)
        return Sighting(*who, recorded.position, recorded.occurred_at)

    def forget(self) -> None:
        """Takes nothing for known any more, after what was noticed may not have been stored."""
        self._earliest.clear()


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
    SELECT FROM (SELECT * FROM actors UNION ALL SELECT * FROM sightings) AS other
    WHERE other.actor_ref = sightings.actor_ref AND other.role = sightings.role
        AND other.unit IS NOT DISTINCT FROM sightings.unit
        AND other.known_from <= sightings.known_from AND other.occurred_from <= sightings.occurred_from
        AND (other.known_from < sightings.known_from OR other.occurred_from < sightings.occurred_from)
)
ON CONFLICT DO NOTHING
"""


async def store_sightings(connection: AsyncConnection[Any], sightings: Iterable[Sighting]) -> None:
    """Keeps of the sightings and those stored the ones that no other both precedes and predates."""
    columns = list(zip(*sightings, strict=True))
    if columns:
        await connection.execute(_STORE, [list(column) for column in columns])
