"""What became of the facts of a figure between two positions, subject by subject."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from psycopg.rows import class_row, tuple_row
from psycopg.sql import SQL, Composable, Composed

from services.projections.figures.coverage import Snapshot
from services.projections.figures.facts import TOLD_BY_OTHERS
from services.projections.figures.queries import ALWAYS, OF_CATEGORY, Connection, Period, within

Change = Literal["CAME", "LEFT", "CHANGED"]
Key = tuple[str, UUID, str | None]
"""What a figure sees of a fact: its measure, unit, and level or timer."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that held at some position from the earlier moment to the later one."""

    measure: str
    unit_id: UUID
    level: str | None
    stream_id: UUID
    subject_kind: str
    subject_id: UUID
    subject_ref: str | None
    because: list[dict[str, Any]]
    known_from: int
    ended: int
    """The position from which it no longer held."""
    was: bool
    """Counted at the earlier moment."""
    holds: bool
    """Counted at the later one."""

    @property
    def key(self) -> Key:
        return self.measure, self.unit_id, self.level


class SubjectChange(msgspec.Struct, frozen=True, kw_only=True):
    """A subject of which a figure counts something else at the later moment."""

    subject_kind: str
    subject_id: UUID
    subject_ref: str | None
    change: Change
    positions: tuple[int, ...]
    """Of the events that made the difference, ascending; none where only the tree of units changed."""
    cases: frozenset[UUID]
    """The cases whose events make its facts so."""
    units: frozenset[UUID]
    """The units under which it counts or counted."""
    was: Counter[Key]
    holds: Counter[Key]


_ENDED: Final = SQL("gone_at")
_ENDED_ON: Final = SQL(
    "least(known_until, CASE WHEN occurred_until <= %(occurred)s THEN closed_at ELSE known_until END)"
)
_HELD: Final = SQL("""
    SELECT *, (known_from <= %(a)s AND unit_id = ANY(%(units_a)s)
            AND (%(last_a)s::date IS NULL OR on_day <= %(last_a)s)) AS was,
        (ended > %(b)s AND unit_id = ANY(%(units_b)s)) AS holds
    FROM (
        SELECT measure, unit_id, level, stream_id, subject_kind, subject_id, subject_ref, because,
            on_day, known_from, row_key, {ended} AS ended
        FROM views.facts
        WHERE measure = ANY(%(measures)s) AND unit_id = ANY(%(units)s) AND known_from <= %(b)s
            AND {narrower}
    ) AS facts
    WHERE ended > %(a)s
""")
"""The facts that held at some position from the earlier moment to the later one."""

# Two ranges, since between two positions little begins or ends beside what holds at both.
_BEGUN: Final = SQL("known_from > %(a)s")
_GONE: Final = SQL("known_from <= %(a)s AND gone_at <= %(b)s AND gone_at < 9223372036854775807")

_CHANGED: Final = SQL("""
    WITH differing AS MATERIALIZED (
        SELECT subject_id, stream_id, measure, unit_id, level, was, holds FROM ({held}) AS held
        WHERE was <> holds AND (%(after)s::uuid IS NULL OR subject_id > %(after)s)
    ), changed AS (
        SELECT DISTINCT subject_id FROM (
            SELECT subject_id FROM differing
            GROUP BY subject_id, measure, unit_id, level
            HAVING count(*) FILTER (WHERE was) <> count(*) FILTER (WHERE holds)
        ) AS counted
        ORDER BY subject_id LIMIT %(limit)s
    )
    SELECT DISTINCT subject_id, stream_id FROM differing JOIN changed USING (subject_id)
""")
_OF_SUBJECTS: Final = SQL("""
    SELECT measure, unit_id, level, stream_id, subject_kind, subject_id, subject_ref, because,
        known_from, ended, was, holds
    FROM ({held}) AS held
    WHERE subject_id = ANY(%(subjects)s) {told} ORDER BY subject_id, known_from, row_key
""")


async def list_changes(
    connection: Connection,
    measures: Sequence[str],
    earlier: Snapshot,
    later: Snapshot,
    periods: tuple[Period, Period] = (ALWAYS, ALWAYS),
    *,
    level: str | None = None,
    category: str | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> list[SubjectChange]:
    """The subjects of which the figure counts something else, by their ids; `after` is the last of a page.

    Both moments are of the same instant of occurrence, or of none. `periods`: the days that count at
    each; those of the earlier moment may end sooner.
    """
    sooner, period = periods
    occurred = later.as_of.occurred
    a, b = earlier.as_of.position, later.as_of.position
    parameters = {
        "measures": list(measures),
        "units": list({*earlier.units, *later.units}),
        "units_a": list(earlier.units),
        "units_b": list(later.units),
        "a": a,
        "b": b,
        "occurred": occurred,
        "first": period.first,
        "last": period.last,
        "last_a": sooner.last,
        "level": level,
        "category": category,
        "after": after,
        "limit": limit,
    }
    narrower = _narrower(period, level, category, occurred)
    held = _held(narrower, occurred)
    ranges = [held]
    if occurred is None and set(earlier.units) == set(later.units) and sooner == period:
        ranges = [_held([*narrower, each], occurred) for each in (_BEGUN, _GONE)]
    query = _CHANGED.format(held=SQL(" UNION ALL ").join(ranges))
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        found = await cursor.fetchall()
    if not found:
        return []
    subjects = {subject for subject, _ in found}
    parameters |= {"subjects": list(subjects), "streams": list({stream for _, stream in found} | subjects)}
    # The facts of a subject are told by the stream of its own name, or by the one that told what changed.
    told = SQL("" if TOLD_BY_OTHERS & set(measures) else "AND stream_id = ANY(%(streams)s)")
    async with connection.cursor(row_factory=class_row(Held)) as held_rows:
        await held_rows.execute(_OF_SUBJECTS.format(held=held, told=told), parameters)
        rows = await held_rows.fetchall()
    return [change_of(list(facts), a, b) for _, facts in groupby(rows, key=attrgetter("subject_id"))]


def _narrower(
    period: Period, level: str | None, category: str | None, occurred: datetime | None
) -> list[Composable]:
    clauses: list[Composable] = [
        SQL(
            "gone_at > %(a)s" if occurred is None else "known_until > %(a)s AND occurred_from <= %(occurred)s"
        )
    ]
    clauses += within(period)
    if level is not None:
        clauses.append(SQL("level = %(level)s"))
    if category is not None:
        clauses.append(OF_CATEGORY)
    return clauses


def _held(clauses: Sequence[Composable], occurred: datetime | None) -> Composed:
    ended = _ENDED if occurred is None else _ENDED_ON
    return _HELD.format(ended=ended, narrower=SQL(" AND ").join(clauses))


def change_of(rows: Sequence[Held], a: int, b: int) -> SubjectChange:
    """What became of one subject between two positions, by its facts that held from one to the other."""
    was = Counter(row.key for row in rows if row.was)
    holds = Counter(row.key for row in rows if row.holds)
    risen = holds - was
    named = {
        reason["position"] for row in rows if row.holds and row.key in risen for reason in row.because
    } | turning_points(rows, a, b)
    return SubjectChange(
        subject_kind=rows[0].subject_kind,
        subject_id=rows[0].subject_id,
        subject_ref=rows[0].subject_ref,
        change="CHANGED" if was and holds else "CAME" if holds else "LEFT",
        positions=tuple(sorted(position for position in named if a < position <= b)),
        cases=frozenset(row.stream_id for row in rows if _on_a_case(row)),
        units=frozenset(row.unit_id for row in rows if row.was or row.holds),
        was=was,
        holds=holds,
    )


def turning_points(rows: Sequence[Held], a: int, b: int) -> set[int]:
    """The positions after `a` up to `b` at which something else came to be counted."""
    turns: dict[int, Counter[Key]] = {}
    standing: Counter[Key] = Counter()
    for row in rows:
        begins = turns.setdefault(row.known_from, Counter()) if row.known_from > a else standing
        begins[row.key] += 1
        if row.ended <= b:
            turns.setdefault(row.ended, Counter())[row.key] -= 1
    found = set()
    for position in sorted(turns):
        before = standing.copy()
        standing.update(turns[position])
        if standing != before:
            found.add(position)
    return found


def _on_a_case(row: Held) -> bool:
    return any(reason["topic"].startswith("case.") for reason in row.because)
