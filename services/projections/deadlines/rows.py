"""The rows of clocks: one for each of which something is still to come."""

from collections.abc import Iterable
from typing import Final

from services.projections.deadlines.clocks import Clock
from services.projections.tables import Table
from services.projections.temporal import Row
from shared.events.case import Case

DEADLINES: Final = Table(
    name="deadlines",
    columns={
        "clock_id": "uuid",
        "case_id": "uuid",
        "timer": "text",
        "version": "int4",
        "position": "int8",
        "state": "text",
        "started_at": "timestamptz",
        "due_at": "timestamptz",
        "original_due_at": "timestamptz",
        "wake_at": "timestamptz",
        "holder_unit": "uuid",
        "origin_unit": "uuid",
        "seen_from": "int8",
    },
)


def deadline_rows(case: Case, clocks: Iterable[Clock], seen_from: int) -> tuple[Row, ...]:
    """`seen_from`: position since which the same people may know of the case.

    It is part of the rows so that they are told anew whenever somebody else may see them.
    """
    return tuple(
        Row(
            DEADLINES.name,
            (
                clock.clock_id,
                case.case_id,
                clock.deadline.timer,
                clock.deadline.version,
                clock.started.position,
                clock.deadline.state,
                clock.deadline.started_at,
                clock.deadline.due_at,
                clock.deadline.original_due_at,
                clock.deadline.wake_at,
                case.holder_unit,
                case.docket_unit,
                seen_from,
            ),
        )
        for clock in clocks
        if clock.deadline.live or clock.deadline.missed
    )
