"""Judging cases, in this process or as one of several that an operator's command or a read starts.

`python -m services.projections.what_if.worker` is told by its standard input what is asked, then of one
batch of cases after the other, and answers each on its standard output. It ends with its input.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection, Cursor

from services.projections.what_if.judged import Judged, Question, judge
from services.projections.what_if.replay import Told, absorbed_in
from shared.events.evolve import TURNING
from shared.events.ledger.reader import COLUMNS, recorded_row
from shared.events.recorded import Recorded
from shared.events.registry import event_of
from shared.runtime.garbage import rarely_collected
from shared.runtime.messages import next_message, packed

_TOPICS: Final = [event.topic for event in TURNING]
"""What else is recorded on a case has no part in its clocks and figures."""
_STREAMS: Final = f"""
    SELECT {COLUMNS} FROM ledger.events
    WHERE stream_id = ANY(%(streams)s) AND topic = ANY(%(topics)s) AND position <= %(position)s
        AND (%(occurred)s::timestamptz IS NULL OR occurred_at <= %(occurred)s)
    ORDER BY stream_id, version
"""


class Task(NamedTuple):
    """What a process is given to begin with."""

    url: str
    question: Question
    position: int
    occurred: datetime | None


def judge_alone(task: Task, case_ids: Sequence[UUID]) -> Judged:
    """A batch on a connection of its own. Raises: psycopg.Error."""
    with _connect(task.url) as connection:
        return _judge(connection, task, case_ids)


def main() -> None:
    """Judges batches until there are no more."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    task = next_message(source)
    if task is None:
        return
    with _connect(task.url) as connection, rarely_collected():
        while (case_ids := next_message(source)) is not None:
            sink.write(packed(_judge(connection, task, case_ids)))
            sink.flush()


def _connect(url: str) -> Connection[Any]:
    options = "-c timezone=UTC -c default_transaction_read_only=on"
    return psycopg.connect(url, autocommit=True, application_name="anjie what-if", options=options)


def _judge(connection: Connection[Any], task: Task, case_ids: Sequence[UUID]) -> Judged:
    streams: dict[UUID, list[Told]] = {}
    wanted = set(case_ids)
    while wanted:
        found = _read(connection, task, wanted)
        streams |= found
        wanted = {each for stream in found.values() for each in absorbed_in(stream)} - streams.keys()
    return judge(task.question, case_ids, streams)


def _read(connection: Connection[Any], task: Task, case_ids: set[UUID]) -> Mapping[UUID, list[Told]]:
    """The streams, whole but for what changes no clock and no figure; empty where there is none."""
    streams: dict[UUID, list[Told]] = {case_id: [] for case_id in case_ids}
    parameters = {
        "streams": list(case_ids),
        "topics": _TOPICS,
        "position": task.position,
        "occurred": task.occurred,
    }
    with Cursor[Recorded](connection, row_factory=recorded_row) as cursor:
        cursor.execute(_STREAMS, parameters, binary=True, prepare=True)
        for recorded in cursor.fetchall():
            streams[recorded.stream_id].append((recorded, event_of(recorded)))
    return streams


if __name__ == "__main__":
    main()
