"""What changes in the published views from one position to a later one."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import DecodeError

from services.projections.figures.measures import EXPLAINED
from services.projections.figures.queries import Connection
from services.projections.published.rows import READ_FROM_ROWS, At
from services.projections.reads.case_answer import timeline_item
from services.projections.reads.frames import encode
from services.projections.reads.live_views import CAMPAIGN_KPI, CASE_TIMELINE, UNIT_VIEWS, UNITS
from services.projections.reads.sources import summary
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Recorded
from shared.events.registry import UnknownEvent
from shared.policy.jurisdiction import UnitTree
from shared.policy.moments import day_of
from shared.runtime.trees import Trees

_COVERAGE: Final = "visit_coverage"
_LANGUAGE: Final = "en"
"""Of the summaries: as in a read that asks for none."""
_BEGINNING: Final = date(1970, 1, 1)

_RIPE: Final = [
    fact for measure in EXPLAINED.values() if measure.ripe for fact in (*measure.facts, *measure.over)
]

_TOUCHED: Final = """
    SELECT view, key, max(position) FROM views.changes
    WHERE position > %(after)s AND position <= %(to)s AND view = ANY(%(views)s)
    GROUP BY view, key
    UNION ALL
    SELECT 'units', stream_id, max(position) FROM ledger.events
    WHERE position > %(after)s AND position <= %(to)s AND topic LIKE 'unit.%%'
    GROUP BY stream_id
"""
_RIPENED: Final = """
    SELECT DISTINCT unit_id FROM views.facts
    WHERE measure = ANY(%(measures)s) AND on_day >= %(first)s AND on_day < %(end)s
"""


class Change(NamedTuple):
    """A row as it is from a position on; None where there is none any more."""

    view: str
    key: str
    row: bytes | None
    position: int


Touched = Counter[UUID]
"""Where each subject was touched last."""


async def at_position(connection: Connection, trees: Trees, position: int) -> At:
    """The moment of a position that is in the ledger, or of 0, when nothing was."""
    last = await fetch_range(connection, position - 1, 1, position)
    today = day_of(last[0].recorded_at) if last else _BEGINNING
    return At(connection=connection, position=position, tree=trees.at(position), today=today)


async def changes_between(earlier: At, later: At, trees: Trees, views: Collection[str]) -> list[Change]:
    """What turns the rows of these views as they were into what they came to be, in order of position.

    A row that changed more than once is told as it came to stand, under the last position at which its
    unit, case, clock or service was touched.
    """
    touched = await _touched(earlier, later)
    changes = await _lines(earlier, later, trees) if CASE_TIMELINE in views else []
    for name in views:
        if name in READ_FROM_ROWS and touched[name]:
            changes += await _changes(name, touched[name], earlier, later)
    return sorted(changes, key=lambda change: change.position)


async def whole(at: At, name: str) -> AsyncIterator[list[Change]]:
    """All rows of a view as of a position, some at a time."""
    view = READ_FROM_ROWS[name]
    async for subjects in view.pages(at):
        rows = await view.rows(at, subjects)
        yield [Change(name, key, row.content, at.position) for key, row in rows.items()]


async def _changes(name: str, touched: Touched, earlier: At, later: At) -> list[Change]:
    view = READ_FROM_ROWS[name]
    before = await view.rows(earlier, touched)
    after = await view.rows(later, touched)
    changes = []
    for key in before.keys() | after.keys():
        was, row = before.get(key), after.get(key)
        if row != was:
            subject = (row or before[key]).subject
            changes.append(Change(name, key, row and row.content, touched[subject]))
    return changes


async def _lines(earlier: At, later: At, trees: Trees) -> list[Change]:
    """The new lines of timelines. A line is as of its own event, so it never changes."""
    after, to = earlier.position, later.position
    events = await fetch_range(later.connection, after, to - after, to)
    return [
        Change(
            CASE_TIMELINE,
            f"{event.stream_id}/{event.version}",
            encode(timeline_item(event, _summary(event, trees.at(event.position)))),
            event.position,
        )
        for event in events
        if event.topic.startswith("case.")
    ]


def _summary(event: Recorded, tree: UnitTree) -> str:
    """Of an event that this program can't read, its topic: the line is told all the same."""
    try:
        return summary(event, _LANGUAGE, tree)
    except (UnknownEvent, DecodeError):
        return event.topic


async def _touched(earlier: At, later: At) -> Mapping[str, Touched]:
    """The subjects of each view whose rows may be others."""
    parameters = {"after": earlier.position, "to": later.position, "views": list(READ_FROM_ROWS)}
    found = await later.connection.execute(_TOUCHED, parameters)
    touched: defaultdict[str, Touched] = defaultdict(Touched)
    for name, key, position in await found.fetchall():
        touched[name][key] = position
    units = touched[UNITS]
    # A row has the name of its unit, and may depend on who stands beneath it.
    for name, view in UNIT_VIEWS.items():
        for unit, position in (touched[name] | units).items():
            around = view.touched(earlier.tree, [unit]) | view.touched(later.tree, [unit])
            touched[name] |= Touched(dict.fromkeys(around, position))
    touched[CAMPAIGN_KPI] |= touched[_COVERAGE] | await _ripened(earlier, later)
    return touched


async def _ripened(earlier: At, later: At) -> Touched:
    """Units of which something counts since a day has run out."""
    if earlier.today == later.today:
        return Touched()
    parameters = {"measures": _RIPE, "first": earlier.today, "end": later.today}
    found = await later.connection.execute(_RIPENED, parameters)
    return Touched({unit: later.position for (unit,) in await found.fetchall()})
