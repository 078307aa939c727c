"""What a what-if asks: of which cases, under which rules, as of which moment."""

from collections.abc import AsyncGenerator, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncServerCursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL

from services.projections.figures.facts import SHANGHAI
from services.projections.figures.queries import Connection, Period, valid
from services.projections.imports.rows import fetch_open_imports
from services.projections.reads.moments import Moment
from services.projections.reads.rollups import units_of
from services.projections.what_if.judged import Question
from services.projections.what_if.rules import Rules
from shared.events.vocabulary import OPEN_STATES
from shared.policy.moments import day_of
from shared.policy.policy import Policy, Span
from shared.runtime.trees import Trees

_NAME: Final = "cases of a what-if"
_JUST_AFTER: Final = timedelta(microseconds=1)
_DAYS_AT_MOST: Final = {"CALENDAR_DAYS": (1, 0), "WORKING_DAYS": (2, 15), "MONTHS": (31, 0)}
"""For each of a unit and once: the longest holiday is one of working days."""


async def fetch_question(
    connection: Connection,
    trees: Trees,
    *,
    policy: Policy,
    unit: UUID | None,
    period: Period,
    moment: Moment,
    limit: int,
) -> Question:
    """What is asked of every case, if the unit (None: the whole) had always had these rules."""
    rules = Rules(trees.eras(moment.position))
    tree = trees.at(moment.position, moment.occurred)
    # What an import holds is known of now only; what it was then is settled long since.
    open_for = await fetch_open_imports(connection) if moment.known_now else set()
    until = moment.instant if moment.occurred is None else min(moment.instant, moment.occurred + _JUST_AFTER)
    return Question(
        recorded=rules.latest,
        rules=rules.ruled_by(policy, unit),
        units=frozenset(units_of(tree, unit)),
        period=period,
        today=day_of(moment.instant),
        until=until,
        held=frozenset(held for each in open_for for held in rules.latest.subtree(each)),
        limit=limit,
    )


class Scope:
    """The cases that may count to the period under any of the rules, or are open as of the moment.

    A clock is due no later than its longest span after an event of its case, so what ended long
    before the period is left out.
    """

    def __init__(self, question: Question, moment: Moment) -> None:
        period = question.period
        held, parameters = valid(moment.as_of)
        begun = None if period.first is None else period.first - timedelta(days=_longest(question))
        self._parameters: dict[str, Any] = parameters | {
            "units": list(question.units),
            "open": list(OPEN_STATES),
            "touched": None if begun is None else _midnight(begun),
            "opened": None if period.last is None else _midnight(period.last + timedelta(days=1)),
            "first": period.first,
            "last": period.last,
        }
        self._query = SQL(
            "SELECT case_id FROM views.cases WHERE origin_unit = ANY(%(units)s) AND {held} AND"
            " (state = ANY(%(open)s) OR ((%(opened)s::timestamptz IS NULL OR opened_at < %(opened)s)"
            " AND (%(touched)s::timestamptz IS NULL OR occurred_from >= %(touched)s)))"
            # Primaries elsewhere, which tell that a duplicate is disposed of.
            " UNION SELECT stream_id FROM views.facts WHERE measure = 'disposed' AND subject_id <> stream_id"
            " AND unit_id = ANY(%(units)s) AND {held}"
            " AND (%(first)s::date IS NULL OR on_day >= %(first)s)"
            " AND (%(last)s::date IS NULL OR on_day <= %(last)s)"
        ).format(held=held)

    async def count(self, connection: Connection) -> int:
        query = SQL("SELECT count(*) FROM ({}) AS scope").format(self._query)
        async with connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(query, self._parameters)
            [(count,)] = await cursor.fetchall()
        return int(count)

    async def batches(self, connection: Connection, size: int) -> AsyncGenerator[list[UUID]]:
        """Their ids in order, so many at a time."""
        query = SQL("{} ORDER BY 1").format(self._query)
        cursor = AsyncServerCursor[tuple[UUID]](connection, _NAME, row_factory=tuple_row, withhold=True)
        async with cursor:
            await cursor.execute(query, self._parameters)
            while found := await cursor.fetchmany(size):
                yield [case_id for (case_id,) in found]


def _longest(question: Question) -> int:
    """In days, the longest that a clock can run under any of the rules, pauses and extensions aside."""
    policies = {*question.recorded.policies, *question.rules.latest.policies}
    return max(_days(span) for policy in policies for span in _spans(policy))


def _spans(policy: Policy) -> Iterator[Span]:
    yield from policy.ladder.values()
    yield from (rule.length for rule in policy.timers.values() if rule.length != "LADDER")


def _days(span: Span) -> int:
    each, once = _DAYS_AT_MOST[span.unit]
    return span.amount * each + once


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
