"""What must hold once all is well again: nobody is stuck, nothing is lost, doubled or told otherwise."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final

import msgspec

from infra.cluster.cluster import Cluster
from services.projections.operations import status, verify
from services.relay.standing import relay_status
from shared.runtime.kafka import events_topic
from tests.chaos.faults import Stage
from tests.kafka.reading import assert_published_once
from tests.kafka.test_views import assert_each_change_once
from tests.kept import (
    all_told,
    every_acknowledged_event_is_kept,
    fetch_events,
    nothing_was_done_twice,
    the_first_answer_is_given_again,
)
from tests.load import Sent
from tests.soak.judgement import judge_outcomes, streams_of

_SETTLED_S: Final = 120.0
"""How long after the last fault everything may take to catch up with what had been recorded by then."""
_LOOK_S: Final = 0.1
_REPEATED: Final = 10
_REPEATED_OF_ALL: Final = 50


def settle(stage: Stage) -> None:
    """Waits until every part runs and has caught up with what is recorded by now; fails if one doesn't."""
    stage.load.await_bursts()
    url = stage.cluster.postgres.url
    head = asyncio.run(status(url)).head
    ends = time.monotonic() + _SETTLED_S
    while amiss := _amiss(stage.cluster, url, head):
        assert time.monotonic() < ends, f"stuck before position {head}: {amiss}"
        stage.tend()
        time.sleep(_LOOK_S)
    assert not stage.load.failed, stage.load.failed


def _amiss(cluster: Cluster, url: str, head: int) -> list[str]:
    """Who doesn't run, isn't ready, or hasn't come to this position yet."""
    amiss = [name for name, part in cluster.parts.items() if not part.running()] or cluster.unready()
    if not amiss:
        relay = asyncio.run(relay_status(url))
        standing = {f"shard {shard.shard}": shard.position for shard in asyncio.run(status(url)).projections}
        standing["relay"] = relay.position if relay else 0
        standing["views"] = relay.views_position if relay else 0
        amiss = [f"{name} at {position}" for name, position in standing.items() if position < head]
    return amiss


def judge_lately(stage: Stage, acknowledged: Sequence[Sent], draw: Random) -> None:
    """What is cheap to see after each round, of the commands acknowledged since the last one."""
    named = [event["event_id"] for sent in acknowledged for event in sent.answer["events"]]
    every_acknowledged_event_is_kept(fetch_events(stage.cluster.postgres.url, named), acknowledged)
    the_first_answer_is_given_again(stage.load, draw, _REPEATED)
    told = asyncio.run(status(stage.cluster.postgres.url))
    assert not told.parked, f"stand still: {told.parked}"
    parked = {(record.partition, record.offset) for record in told.records}
    assert stage.false <= parked <= stage.ours, f"parked: {parked}, false: {stage.false}"


def judge_all(stage: Stage, draw: Random) -> None:
    """The whole ledger, all topics and all read models; no command may be under way."""
    url = stage.cluster.postgres.url
    events = fetch_events(url)
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    every_acknowledged_event_is_kept(events, stage.load.acknowledged)
    nothing_was_done_twice(events, stage.load.acknowledged)
    the_first_answer_is_given_again(stage.load, draw, _REPEATED_OF_ALL)
    assert_published_once(stage.town.servers, events_topic(stage.town), url, left_out=stage.ours)
    assert_each_change_once(stage.town, whole_again=_whole_again(stage.cluster))
    report = asyncio.run(verify(url))
    assert report.holds, report
    assert report.parked == 0


def _whole_again(cluster: Cluster) -> set[str]:
    """The topics in which the broker left a transaction hanging."""
    lines = [line for log in cluster.directory.glob("relay-*.log") for line in log.read_text().splitlines()]
    told = [msgspec.json.decode(line) for line in lines if '"hanging_ended"' in line]
    return {topic for ended in told for topic in ended["topics"]}


def judge_clocks(stage: Stage) -> Counter[str]:
    """Whether the clocks told what the rules say, once, as soon as they have told everything."""
    end = datetime.now(UTC)
    events, tree = all_told(stage.cluster.postgres.url, stage.load.cases, end)
    return judge_outcomes(streams_of(events, stage.load.cases).values(), end, tree)
