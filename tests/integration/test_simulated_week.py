"""A week of a county in seconds: whatever strikes, the clocks record what the rules say, each thing once.

The seed is always the same here; `make soak` draws others and lets months go by.
"""

import asyncio

import pytest

from shared.events.cases import DeadlineBreached, DeadlineBreachVoided, LevelNotified
from tests.conftest import Database
from tests.soak.judgement import judge
from tests.soak.simulation import simulate


@pytest.mark.parametrize("seed", [20])
def test_a_week_with_faults_records_what_the_rules_say_and_nothing_twice(
    database: Database, seed: int
) -> None:
    history = asyncio.run(simulate(database, seed))
    told = judge(history)
    assert history.blows > 0
    assert {DeadlineBreached.topic, DeadlineBreachVoided.topic, LevelNotified.topic} <= told.keys()
