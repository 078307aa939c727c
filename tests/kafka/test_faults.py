"""Two of each part under load, one fault at a time: what was acknowledged is there once, and all views equal.

`make chaos` does hundreds of these and of others, overlapping. Faults of a relay, a projector or the topic
alone are in the other files.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random, choice

import psutil
import pytest

from infra.cluster.cluster import Cluster
from infra.kafka.broker import BrokerUnavailable
from services.relay.standing import relay_status
from services.relay.worker import BATCH_EVENTS_MAX
from tests.chaos.faults import Stage, strike
from tests.chaos.judging import judge_all, settle
from tests.chaos.plan import Fault
from tests.load import Load

AWAY_S = 10.0
OPENINGS = 2_100
"""Each with an event for its clock, too: more than a relay has in hand and one batch read ahead."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    directory = Path(tempfile.mkdtemp(prefix="anjie-test-"))
    try:
        with Cluster(directory, durable=False) as cluster:
            cluster.start()
            secret = (directory / "shared" / "jwt.secret").read_bytes().strip()
            load = Load(lambda: choice(cluster.addresses), secret, Random(10), pause_s=0.1)
            load.start()
            yield Stage(cluster, load)
            load.stop()
    except BrokerUnavailable as error:
        pytest.skip(str(error))
    finally:
        shutil.rmtree(directory)


def all_holds(stage: Stage) -> None:
    """With nobody sending anything meanwhile; then the load goes on."""
    stage.load.stop()
    settle(stage)
    judge_all(stage, Random(1))
    stage.load.start()


def struck(stage: Stage, kind: str, target: str, away_s: float) -> None:
    """A fault that begins once commands flow and is taken back after a while."""
    acknowledged = len(stage.load.acknowledged)
    while len(stage.load.acknowledged) < acknowledged + 20:
        time.sleep(0.02)
    strike(stage, [Fault(kind, target, 0.0, away_s, 0, 0)])


def test_an_api_that_is_killed_leaves_its_clients_to_the_other(stage: Stage) -> None:
    struck(stage, "kill-api", "api-1", 1.0)

    assert stage.load.repeated["unanswered"] > 0
    all_holds(stage)


def test_a_database_that_dies_is_waited_for_by_all_parts(stage: Stage) -> None:
    before = list(stage.ended)
    struck(stage, "kill-postgres", "postgres", 1.0)
    struck(stage, "abort-postgres", "postgres", 0.0)

    all_holds(stage)
    assert stage.ended == before


def test_while_the_broker_is_away_more_is_accepted_than_the_relay_holds(stage: Stage) -> None:
    cluster, load = stage.cluster, stage.load
    cluster.broker.stop()
    gone = time.monotonic()
    load.burst(OPENINGS)
    load.await_bursts()
    acknowledged = len(load.acknowledged)
    time.sleep(max(0.0, gone + AWAY_S - time.monotonic()))
    assert len(load.acknowledged) > acknowledged
    behind = asyncio.run(relay_status(cluster.postgres.url))
    assert behind is not None
    assert behind.lag > 2 * BATCH_EVENTS_MAX
    cluster.broker.start()

    all_holds(stage)


def test_a_part_that_dies_by_itself_is_started_anew(stage: Stage) -> None:
    [clock, _] = [
        child for child in psutil.Process().children() if child.cmdline()[-2:] == ["--only", "clock"]
    ]
    clock.kill()
    clock.wait()
    stage.tend()

    settle(stage)
    assert any(line.startswith("clock-") for line in stage.ended)
