"""Counting and listing facts as of any moment: every figure is one of these queries."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Placeholder

Connection = AsyncConnection[Any]


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """What was true on `occurred` (None: at the end) as known at `position`; both bounds included."""

    position: int
    occurred: datetime | None = None


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Days in Asia/Shanghai, both included; None leaves that side open."""

    first: date | None = None
    last: date | None = None

    def has(self, day: date | None) -> bool:
        """Whether a fact of that day falls into it; one without a day only where both sides are open."""
        if day is None:
            return self.first is None and self.last is None
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ALWAYS: Final = Period()


class Only(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases count; facts of no case are left out as soon as there is any such condition."""

    category: str | None = None
    holders: tuple[UUID, ...] | None = None
    """The units that may hold the case as of the moment asked for."""


ALL_CASES: Final = Only()


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that holds, as `explain` lists it."""

    measure: str
    stream_id: UUID
    """The stream whose events make it so; of a merged duplicate's, that of its primary."""
    unit_id: UUID
    subject_kind: str
    subject_id: UUID | None
    subject_ref: str | None
    on_day: date | None
    level: str | None
    because: list[dict[str, Any]]
    """`[{topic, position}]`, positions ascending."""
    cursor: tuple[int, UUID]
    """Where the list goes on after this one."""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's own open cases."""

    open: int
    urgent_open: int
    unclassified_open: int
    """May turn out to be urgent."""
    overdue: int
    """Those on which a breach stands."""
    oldest_opened_at: datetime | None


_LIVE: Final = SQL("(known_from <= {position} AND gone_at > {position})")
_PAST: Final = SQL(
    "(known_from <= {position} AND known_until > {position} AND occurred_from <= {occurred}"
    " AND (occurred_until > {occurred} OR closed_at > {position}))"
)


def _named(held: SQL, name: str) -> Composed:
    return held.format(position=Placeholder(f"{name}position"), occurred=Placeholder(f"{name}occurred"))


_UNNAMED: Final = _named(_LIVE, ""), _named(_PAST, "")


def valid(as_of: AsOf, name: str = "") -> tuple[Composed, dict[str, Any]]:
    """The predicate under which a row of any temporal table holds, and its parameters.

    Their names begin with `name`, so that one query may ask for two moments.
    """
    live, past = (_named(_LIVE, name), _named(_PAST, name)) if name else _UNNAMED
    if as_of.occurred is None:
        return live, {f"{name}position": as_of.position}
    return past, {f"{name}position": as_of.position, f"{name}occurred": as_of.occurred}


async def count_facts(
    connection: Connection,
    measures: Sequence[str],
    units: Sequence[UUID],
    as_of: AsOf,
    period: Period = ALWAYS,
    only: Only = ALL_CASES,
) -> Counter[tuple[str, str | None, UUID]]:
    """How many facts hold, by `(measure, level, unit)`."""
    where, parameters = _where(measures, units, as_of, period, only)
    query = SQL("SELECT measure, level, unit_id, count(*) FROM views.facts WHERE {} GROUP BY 1, 2, 3").format(
        where
    )
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        rows = await cursor.fetchall()
    return Counter({(measure, level, unit): n for measure, level, unit, n in rows})


async def list_facts(
    connection: Connection,
    measures: Sequence[str],
    units: Sequence[UUID],
    as_of: AsOf,
    period: Period = ALWAYS,
    only: Only = ALL_CASES,
    *,
    level: str | None = None,
    after: tuple[int, UUID] | None = None,
    limit: int = 100,
) -> list[Fact]:
    """The facts that a count adds up, in the order in which they became known; `after` is a cursor."""
    where, parameters = _where(measures, units, as_of, period, only)
    parameters |= {
        "level": level,
        "limit": limit,
        "after": after and after[0],
        "after_key": after and after[1],
    }
    query = SQL(
        "SELECT measure, stream_id, unit_id, subject_kind, subject_id, subject_ref, on_day, level, because,"
        " known_from, row_key FROM views.facts WHERE {} AND (%(level)s::text IS NULL OR level = %(level)s)"
        " AND (%(after)s::bigint IS NULL OR (known_from, row_key) > (%(after)s, %(after_key)s::uuid))"
        " ORDER BY known_from, row_key LIMIT %(limit)s"
    ).format(where)
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters)
        return [fact_of(row) for row in await cursor.fetchall()]


async def fetch_backlog(
    connection: Connection, by: str, units: Sequence[UUID], as_of: AsOf
) -> dict[UUID, Backlog]:
    """The open cases of each unit that has any; `by` is `holder` or `origin`."""
    named = {name: f"{name}_by_{by}" for name in ("open", "urgent_open", "unclassified_open", "overdue")}
    where, parameters = _where([*named.values()], units, as_of, ALWAYS)
    query = SQL(
        "SELECT unit_id, count(*) FILTER (WHERE measure = %(open)s),"
        " count(*) FILTER (WHERE measure = %(urgent_open)s),"
        " count(*) FILTER (WHERE measure = %(unclassified_open)s),"
        " count(*) FILTER (WHERE measure = %(overdue)s), min(opened_at)"
        " FROM views.facts WHERE {} GROUP BY 1"
    ).format(where)
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(query, parameters | named)
        return {
            unit: Backlog(
                open=open_,
                urgent_open=urgent,
                unclassified_open=unclassified,
                overdue=overdue,
                oldest_opened_at=oldest,
            )
            for unit, open_, urgent, unclassified, overdue, oldest in await cursor.fetchall()
        }


def _where(
    measures: Sequence[str], units: Sequence[UUID], as_of: AsOf, period: Period, only: Only = ALL_CASES
) -> tuple[Composed, dict[str, Any]]:
    held, parameters = valid(as_of)
    parameters |= {
        "measures": list(measures),
        "units": list(units),
        "first": period.first,
        "last": period.last,
    }
    clauses = [SQL("measure = ANY(%(measures)s) AND unit_id = ANY(%(units)s)"), held, *within(period)]
    if only.category is not None:
        clauses.append(OF_CATEGORY)
        parameters["category"] = only.category
    if only.holders is not None:
        clauses.append(_HELD_BY.format(of_case=_OF_CASE, held=held))
        parameters["holders"] = list(only.holders)
    return SQL(" AND ").join(clauses), parameters


_OF_CASE: Final = SQL("CASE subject_kind WHEN 'case' THEN subject_id ELSE stream_id END")
"""The case that a fact is about, if any."""
OF_CATEGORY: Final = SQL(
    "{} IN (SELECT case_id FROM views.cases WHERE version = 1 AND category = %(category)s)"
).format(_OF_CASE)
"""The clause under which a fact is about a case of a category, which never changes."""
_HELD_BY: Final = SQL(
    "{of_case} IN (SELECT case_id FROM views.cases WHERE holder_unit = ANY(%(holders)s) AND {held})"
)


def within(period: Period) -> list[SQL]:
    """The clauses under which a fact counts in a period, whose parameters are `first` and `last`."""
    if period.first is None:
        clauses = [SQL("previous_on IS NULL")]
    else:
        clauses = [SQL("on_day >= %(first)s AND (previous_on IS NULL OR previous_on < %(first)s)")]
    if period.last is not None:
        clauses.append(SQL("on_day <= %(last)s"))
    return clauses


def fact_of(row: tuple[Any, ...]) -> Fact:
    """The fact of a row of `measure … because, known_from, row_key` in the order of the class."""
    measure, stream, unit, kind, subject, ref, on_day, level, because, known_from, key = row
    return Fact(
        measure=measure,
        stream_id=stream,
        unit_id=unit,
        subject_kind=kind,
        subject_id=subject,
        subject_ref=ref,
        on_day=on_day,
        level=level,
        because=because,
        cursor=(known_from, key),
    )
