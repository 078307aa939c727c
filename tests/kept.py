"""What must hold of commands that were acknowledged while processes died: kept, not doubled, and told of."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random
from typing import Any, Final
from uuid import UUID

import psycopg

from shared.events.evolve import fold
from shared.events.ledger.reader import COLUMNS, recorded_of
from shared.events.recorded import Recorded
from shared.policy.clocks import told_by_clock
from shared.policy.jurisdiction import UnitTree, tree_of
from shared.policy.packs import pack_of
from tests.load import Load, Sent
from tests.soak.judgement import is_told, streams_of

_TOLD_S: Final = 90
"""How long the clock may take to come back and tell everything: a killed one is started anew ever later."""


def every_acknowledged_event_is_kept(events: Iterable[Recorded], acknowledged: Iterable[Sent]) -> None:
    """Each is where the answer said that it is."""
    kept = {str(event.event_id): (event.position, event.version, event.topic) for event in events}
    for sent in acknowledged:
        for named in sent.answer["events"]:
            found = kept.get(named["event_id"])
            assert found == (named["position"], named["version"], named["topic"]), f"lost: {named}, {found}"


def nothing_was_done_twice(events: Iterable[Recorded], acknowledged: Iterable[Sent]) -> None:
    """Each event of a case is one that an answer names, or one that a clock told."""
    named = {event["event_id"] for sent in acknowledged for event in sent.answer["events"]}
    for event in events:
        if event.topic.startswith("case.") and not is_told(event):
            assert str(event.event_id) in named, f"nobody was told of {event}"


def the_first_answer_is_given_again(load: Load, draw: Random, count: int) -> None:
    for sent in draw.sample(load.acknowledged, min(count, len(load.acknowledged))):
        assert load.send(sent) == sent.answer, f"another answer to {sent.path}"


def all_told(url: str, cases: Iterable[UUID], end: datetime) -> tuple[Sequence[Recorded], UnitTree]:
    """All events and the units, as soon as the clock has nothing left to say by the end."""
    waits_until = time.monotonic() + _TOLD_S
    while True:
        events = fetch_events(url)
        tree = _tree(url, events)
        streams = streams_of(events, cases)
        left = [
            case_id
            for case_id, stream in streams.items()
            if (case := fold(stream)) and told_by_clock(case, end, tree)
        ]
        if not left:
            return events, tree
        assert time.monotonic() < waits_until, f"the clock has not told of {len(left)} cases: {left[:3]}"
        time.sleep(1)


def fetch_events(url: str, event_ids: Sequence[str] | None = None) -> list[Recorded]:
    """Those of these ids, by default all, in order."""
    chosen = "TRUE" if event_ids is None else "event_id = ANY(%s::uuid[])"
    statement = f"SELECT {COLUMNS} FROM ledger.events WHERE {chosen} ORDER BY position"
    with psycopg.connect(url) as connection:
        rows = connection.cursor(binary=True).execute(
            statement.encode(), None if event_ids is None else [list(event_ids)]
        )
        return [recorded_of(row) for row in rows.fetchall()]


def _tree(url: str, events: Iterable[Recorded]) -> UnitTree:
    with psycopg.connect(url) as connection:
        packs: list[tuple[Any, ...]] = connection.execute(
            "SELECT hash, content FROM ledger.rule_packs"
        ).fetchall()
    policies = {found: pack_of(content).policy for found, content in packs}
    return tree_of([event for event in events if event.topic.startswith("unit.")], policies=policies)
