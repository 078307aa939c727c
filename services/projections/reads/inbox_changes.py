"""Items of inboxes that changed, read once and told to each reader whom they wait for."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from psycopg.sql import SQL

from services.projections.cases.rows import CaseRow
from services.projections.figures.queries import AsOf, Connection, valid
from services.projections.reads.case_items import fetch_rows, sight_of_row
from services.projections.reads.inbox_items import Waiting
from shared.policy.actor import Actor
from shared.policy.jurisdiction import UnitTree
from shared.policy.waiting import Addressee, Audience, is_theirs

_ITEMS: Final = SQL(
    "SELECT item_id, case_id, kind, timer, since, due_at, false, audience, unit_id, left_out"
    " FROM views.inbox WHERE item_id = ANY(%(ids)s) AND {}"
)
_READERS: Final = SQL(
    "SELECT item_id, array_agg(reader) FROM views.seen WHERE item_id = ANY(%(ids)s) AND {} GROUP BY item_id"
)


class Changed(NamedTuple):
    """An item as it is now; `waiting` and `case` are None where it waits for nobody."""

    waiting: Waiting | None
    case: CaseRow | None
    addressees: Mapping[Addressee, Sequence[str]]
    """To the actors left out of each."""
    readers: Collection[str]
    """Who has seen it."""

    def as_it_waits_for(
        self, actor: Actor, audiences: Collection[Addressee], tree: UnitTree
    ) -> Waiting | None:
        """The item if it waits for the actor, whose audiences are given."""
        if self.waiting is None or self.case is None:
            return None
        addressed = any(
            addressee in audiences and actor.ref not in left_out
            for addressee, left_out in self.addressees.items()
        )
        if not addressed or not is_theirs(actor, sight_of_row(self.case), tree):
            return None
        return self.waiting._replace(seen=actor.ref in self.readers)


async def fetch_changed(connection: Connection, as_of: AsOf, ids: Collection[UUID]) -> dict[UUID, Changed]:
    """Each of these items as of a moment."""
    held, parameters = valid(as_of)
    parameters |= {"ids": list(ids)}
    rows = await (await connection.execute(_ITEMS.format(held), parameters)).fetchall()
    readers = dict(await (await connection.execute(_READERS.format(held), parameters)).fetchall())
    waiting = {row[0]: Waiting(*row[:7]) for row in rows}
    addressees: dict[UUID, dict[Addressee, Sequence[str]]] = {}
    for item_id, *_, audience, unit_id, left_out in rows:
        addressees.setdefault(item_id, {})[Addressee(Audience(audience), unit_id)] = left_out
    case_of = {item_id: item.case_id for item_id, item in waiting.items() if item.case_id is not None}
    cases = await fetch_rows(connection, set(case_of.values()), as_of) if case_of else {}
    return {
        item_id: Changed(
            waiting=waiting.get(item_id),
            case=cases.get(case_of[item_id]) if item_id in case_of else None,
            addressees=addressees.get(item_id, {}),
            readers=readers.get(item_id, ()),
        )
        for item_id in ids
    }
