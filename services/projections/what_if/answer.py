"""What a what-if is answered with: figures side by side, and the breaches that only one side has."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.projections.figures.measures import DUTIES, MEASURES, ON_TIME
from services.projections.figures.queries import Period
from services.projections.reads.case_items import known_cases
from services.projections.reads.moments import Moment
from services.projections.reads.shown import hidden
from services.projections.reads.values import measure_value
from services.projections.what_if.judged import MEASURED, OVERDUE, Breach, Judged
from services.projections.what_if.run import BATCH_CASES, judge_all, judge_few
from services.projections.what_if.scope import Scope, fetch_question
from services.projections.what_if.worker import Task
from shared.policy.actor import Actor
from shared.policy.packs import Pack
from shared.runtime.database import Pool
from shared.runtime.trees import Trees

_SIDES: Final = ("recorded", "replayed")

OnProgress = Callable[[int, int], None]
"""Told how many cases are done, and of how many."""


class TooManyCases(Exception):
    """More cases than whoever asks wants to wait for; `cases` says how many."""

    def __init__(self, cases: int) -> None:
        super().__init__(cases)
        self.cases = cases


class Asked(NamedTuple):
    pack: Pack
    unit: UUID | None
    """None: the whole."""
    period: Period
    moment: Moment
    limit: int


class WhatIf(NamedTuple):
    members: dict[str, Any]
    """Of the answer."""
    cases: frozenset[UUID]
    """Those that the reader was told of."""


async def read_what_if(
    pool: Pool,
    trees: Trees,
    asked: Asked,
    actor: Actor,
    *,
    processes: int,
    on_progress: OnProgress,
    cases_max: int | None = None,
) -> WhatIf:
    """The period as it was, and as if the unit had always had the pack's rules; nothing is written.

    Raises: TooManyCases, run.WorkerEnded; psycopg.Error.
    """
    moment = asked.moment
    async with pool.connection() as connection:
        question = await fetch_question(
            connection,
            trees,
            policy=asked.pack.policy,
            unit=asked.unit,
            period=asked.period,
            moment=moment,
            limit=asked.limit,
        )
        scope = Scope(question, moment)
        count = await scope.count(connection)
        if cases_max is not None and count > cases_max:
            raise TooManyCases(count)
        task = Task(str(pool.conninfo), question, moment.position, moment.occurred)
        batches = scope.batches(connection, BATCH_CASES)
        if count <= BATCH_CASES:
            judged = await judge_few(task, batches)
        else:
            judged = await judge_all(
                task, batches, processes=processes, on_progress=lambda done: on_progress(done, count)
            )
        tree = trees.at(moment.position, moment.occurred)
        listed = {breach.case_id for breach in (*judged.appear, *judged.vanish)}
        known = await known_cases(connection, listed, actor, tree, moment, trees.current)
    pack = {"name": asked.pack.name, "version": asked.pack.version, "hash": asked.pack.hash}
    return WhatIf({"pack": pack, "cases": judged.cases, **_told(judged, known)}, frozenset(known))


def _told(judged: Judged, known: set[UUID]) -> dict[str, Any]:
    sides = dict(zip(_SIDES, (judged.recorded, judged.replayed), strict=True))
    values = {
        name: {side: measure_value(measure, counts) for side, counts in sides.items()}
        for name, measure in MEASURED.items()
    }
    counts = judged.breaches
    by_timer = {
        timer: {name: counts[timer, name] for name in (*_SIDES, "appear", "vanish")}
        for timer in DUTIES
        if counts[timer, "recorded"] or counts[timer, "replayed"]
    }
    return {
        "breaches": {
            **{f"{side}_count": sum(each[side] for each in by_timer.values()) for side in _SIDES},
            **{f"{way}_count": sum(each[way] for each in by_timer.values()) for way in ("appear", "vanish")},
            "by_timer": by_timer,
            "appear": _items(judged.appear, known),
            "vanish": _items(judged.vanish, known),
        },
        "overdue": {side: counts[OVERDUE, None] for side, counts in sides.items()},
        "measures": {name: values[name] for name in MEASURES if name in values},
        "on_time_rate": {
            timer: {
                side: {due: values[measure.name][side][timer] for due, measure in ON_TIME.items()}
                for side in _SIDES
            }
            for timer in DUTIES
        },
    }


def _items(breaches: Sequence[Breach], known: set[UUID]) -> list[dict[str, Any]]:
    return [
        {
            "case_id": breach.case_id,
            "timer": breach.timer,
            "due_at": breach.due_at,
            "holder_unit": breach.holder_unit,
        }
        if breach.case_id in known
        else hidden(breach.position)
        for breach in breaches
    ]
