"""Read models fed by Kafka: the rows are those that the ledger makes, whatever the topic does."""

import asyncio

from hypothesis import HealthCheck, Phase, given, settings

from services.projections.operations import rebuild
from tests.conftest import Database
from tests.histories import Move, moves
from tests.integration.test_projection_equality import grow
from tests.kafka.feeding import caught_up, fed, forget_rows, must_hold, publish, town_at
from tests.projecting import project_all, rows_of

EXAMPLES = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@EXAMPLES
@given(drawn=moves(120))
def test_rows_fed_by_kafka_equal_those_fed_by_the_ledger_and_those_made_anew(
    database: Database, kafka: str, drawn: list[Move]
) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn)
        await publish(database.url, town)
        async with fed(database.url, town):
            await caught_up(database.url)
        by_kafka = await rows_of(database.url)
        await must_hold(database.url)
        await forget_rows(database.url)
        await project_all(database.url)
        assert await rows_of(database.url) == by_kafka
        await rebuild(database.url)
        assert await rows_of(database.url) == by_kafka

    asyncio.run(told())
