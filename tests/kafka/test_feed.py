"""Read models fed by Kafka: the rows are those that the ledger makes, whatever the topic does."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import psutil
import pytest
import uvloop
from hypothesis import HealthCheck, Phase, given, settings
from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from psycopg import AsyncConnection

from services.projections import kafka_process
from services.projections.kafka_process import KafkaProcess
from services.projections.operations import rebuild, status
from services.projections.worker import project
from shared.events.units import UnitRegistered
from shared.runtime.identifiers import new_id
from shared.runtime.settings import KafkaSettings
from tests.conftest import Database
from tests.histories import County, Move, moves
from tests.integration.test_projection_equality import grow
from tests.kafka.feeding import (
    caught_up,
    divide,
    fed,
    forget_rows,
    ledger_of,
    parked_of,
    positions_of,
    publish,
    town_at,
)
from tests.kafka.meddling import cut_off, everything, move_offsets, position_of, replaced, say_published, send
from tests.product import environment
from tests.projecting import appending, following, must_hold, project_all, record, rows_of

EXAMPLES = settings(
    max_examples=5,
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


def test_what_is_delivered_again_changes_nothing(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(1, 150))
        await publish(database.url, town)
        async with fed(database.url, town):
            await caught_up(database.url)
            before = await rows_of(database.url)
            # Everything once more, and again, among what is new.
            await asyncio.to_thread(send, town, await asyncio.to_thread(everything, town))
            await grow(database.url, drawn_by(2, 60))
            await publish(database.url, town, batch=7)
            await asyncio.to_thread(send, town, await asyncio.to_thread(everything, town))
            await caught_up(database.url)
            await asyncio.sleep(0.5)
        await must_hold(database.url)
        assert await parked_of(database.url) == []
        assert len((await rows_of(database.url))["cases"]) >= len(before["cases"])

    asyncio.run(told())


@pytest.mark.parametrize("offset", [0, 17])
def test_offsets_are_a_hint_that_anybody_may_move(database: Database, kafka: str, offset: int) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(3, 100))
        await publish(database.url, town)
        async with fed(database.url, town):
            await caught_up(database.url)
            await asyncio.sleep(1.2)
            await grow(database.url, drawn_by(4, 100))
            await publish(database.url, town, batch=20)
        # Somewhere in the middle of the second half, or before it.
        await asyncio.to_thread(move_offsets, town, offset)
        async with fed(database.url, town):
            await caught_up(database.url)
        # The database, too, may be set back: the hint then speaks of positions that were never told.
        await forget_rows(database.url)
        async with fed(database.url, town):
            await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


def test_workers_share_the_shards_and_pass_them_on_in_the_middle_of_batches(
    database: Database, kafka: str
) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(5, 250))
        publishing = asyncio.create_task(publish(database.url, town, batch=5))
        async with fed(database.url, town):
            for pause_s in (0.3, 1.0, 0.5):
                async with fed(database.url, town):
                    await asyncio.sleep(pause_s)
            async with fed(database.url, town), fed(database.url, town):
                await publishing
                await grow(database.url, drawn_by(6, 60))
                await publish(database.url, town, batch=9)
                await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


def test_a_shard_without_traffic_moves_on_with_the_others(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = town_at(kafka)
        async with fed(database.url, town):
            await grow(database.url, drawn_by(7, 30))
            head = await publish(database.url, town)
            await caught_up(database.url)
            county = County(position=head)
            for turn in range(1, 4):
                county.add((county.township, UnitRegistered(kind="TOWNSHIP", name="余东镇")), unit=None)
                async with appending(database.url) as appender:
                    await record(appender, county.appends[-1:])
                county.township = new_id()
                await publish(database.url, town)
                await caught_up(database.url)
                assert await positions_of(database.url) == [head + turn] * 4

    asyncio.run(told())


def test_foreign_and_corrupt_records_are_parked_and_the_rest_flows_on(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(8, 80))
        head = await publish(database.url, town)
        [*originals] = await asyncio.to_thread(everything, town)
        last = max(originals, key=position_of)
        bad = [
            replaced(last, headers={}, key=None, value=b"\x00"),
            replaced(last, headers={"ce_source": "/ledgers/another"}),
            replaced(last, headers={"ce_position": str(head + 1_000)}),
            replaced(last, headers={"ce_position": "many"}),
            replaced(last, headers={"ce_position": str(head), "ce_id": str(new_id())}),
            replaced(last, headers={"ce_dataschema": last.headers["ce_dataschema"] + "9"}),
            replaced(last, headers={"ce_version": "1" + 30 * "0"}),
            replaced(last, headers={"ce_time": "0001-01-01T00:00:00+14:00"}),
            replaced(last, value=last.value[:-1]),
            replaced(last, value=last.value.replace(b"{", b"{ ", 1)),
            replaced(last, headers={"ce_time": "2020-01-01T00:00:00Z"}),
            replaced(last, partition=(last.partition + 1) % 4),
        ]
        # A topic where they come before the events themselves, some in the place of one.
        other = town_at(kafka)
        await asyncio.to_thread(send, other, bad)
        await publish(database.url, other, batch=10)
        await asyncio.to_thread(send, other, bad)
        async with fed(database.url, other):
            await caught_up(database.url)
            await grow(database.url, drawn_by(9, 40))
            await publish(database.url, other, batch=10)
            await caught_up(database.url)
            async with asyncio.timeout(10):
                # Whatever had been told by then is not looked at again, foreign or not.
                while len(await parked_of(database.url)) < len(bad) + 5:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        await must_hold(database.url)
        parked = await parked_of(database.url)
        assert {each.topic for each in parked} == {f"{other.prefix}.events"}
        reasons = {each.reason for each in parked}
        for reason in (
            "not from this ledger",
            "its position is above the ledger's head",
            "unreadable header: invalid literal for int() with base 10: b'many'",
            "unreadable header: date value out of range",
            "no version of a stream",
            "not the event at its position",
            "in another partition than its stream's",
        ):
            assert reason in reasons
        assert any(reason.startswith("unknown event") for reason in reasons)
        assert any(reason.startswith("unreadable data") for reason in reasons)

    asyncio.run(told())


def test_a_damaged_record_is_parked_and_its_event_told_from_the_ledger(
    database: Database, kafka: str
) -> None:
    async def told() -> None:
        town, damaged = town_at(kafka), town_at(kafka)
        await grow(database.url, drawn_by(14, 60))
        head = await publish(database.url, town)
        records = await asyncio.to_thread(everything, town)
        torn = [
            replaced(each, value=each.value[:-1]) if position_of(each) == head else each for each in records
        ]
        await asyncio.to_thread(send, damaged, torn)
        await asyncio.to_thread(say_published, damaged, await ledger_of(database.url), head)
        async with fed(database.url, damaged):
            await caught_up(database.url)
        await must_hold(database.url)
        [parked] = await parked_of(database.url)
        assert (parked.position, str(parked.stream_id).encode()) == (head, max(records, key=position_of).key)

    asyncio.run(told())


def test_a_projection_may_change_its_source_back_and_forth(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = town_at(kafka)
        for seed in range(15, 19):
            await grow(database.url, drawn_by(seed, 40))
            if seed % 2:
                await publish(database.url, town)
                async with fed(database.url, town):
                    await caught_up(database.url)
            else:
                async with following(database.url):
                    await caught_up(database.url)
        assert (await status(database.url)).generation == 1
        await must_hold(database.url)

    asyncio.run(told())


def test_the_shards_become_as_many_as_the_topic_has_partitions(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = KafkaSettings(servers=kafka, prefix=f"test-{new_id().hex}")
        await asyncio.to_thread(divide, town, 3)
        await grow(database.url, drawn_by(19, 60))
        await publish(database.url, town)
        working = asyncio.create_task(project(database.url, town))
        try:
            while len(await positions_of(database.url)) != 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await grow(database.url, drawn_by(20, 60))
            await publish(database.url, town)
            await caught_up(database.url)
        finally:
            working.cancel()
            await asyncio.wait([working])
        await must_hold(database.url)

    asyncio.run(told())


@pytest.mark.parametrize("part", [0.5, 1])
def test_what_the_topic_no_longer_has_is_told_from_the_ledger(
    database: Database, kafka: str, part: float
) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(10, 120))
        await publish(database.url, town)
        await asyncio.to_thread(cut_off, town, part)
        async with fed(database.url, town):
            await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


@pytest.mark.parametrize("version", [1, 2])
def test_a_record_that_is_missing_before_others_of_its_stream_is_noticed(
    database: Database, kafka: str, version: int
) -> None:
    async def told() -> None:
        town, holed = town_at(kafka), town_at(kafka)
        await grow(database.url, drawn_by(11, 120))
        await publish(database.url, town)
        records = await asyncio.to_thread(everything, town)
        versions = {(each.key, int(each.headers["ce_version"])) for each in records}
        withheld = {(key, version) for key, _ in versions if (key, version + 1) in versions}
        kept = [each for each in records if (each.key, int(each.headers["ce_version"])) not in withheld]
        assert len(kept) < len(records)
        await asyncio.to_thread(send, holed, kept)
        await asyncio.to_thread(say_published, holed, await ledger_of(database.url), len(records))
        async with fed(database.url, holed):
            await caught_up(database.url)
        await must_hold(database.url)

    asyncio.run(told())


def test_a_worker_killed_and_one_that_was_paused_lose_and_double_nothing(
    database: Database, kafka: str, tmp_path: Path
) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(12, 200))
        publishing = asyncio.create_task(publish(database.url, town, batch=10))
        killed = worker(database.url, town, tmp_path)
        paused = worker(database.url, town, tmp_path)
        try:
            while max(await positions_of(database.url)) == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            orphans = psutil.Process(killed.pid).children()
            assert orphans, "it reads Kafka in a process of its own"
            killed.kill()
            paused.send_signal(signal.SIGSTOP)
            assert psutil.wait_procs(orphans, timeout=10)[1] == []
            await publishing
            async with fed(database.url, town):
                await caught_up(database.url)
                # A zombie goes on with what it had in hand, and finds itself overtaken.
                paused.send_signal(signal.SIGCONT)
                await grow(database.url, drawn_by(13, 60))
                await publish(database.url, town, batch=10)
                await caught_up(database.url)
            await caught_up(database.url)
        finally:
            for process in (killed, paused):
                process.kill()
                process.wait()
        await must_hold(database.url)

    asyncio.run(told())


def test_a_worker_whose_reader_dies_takes_another(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(21, 60))
        await publish(database.url, town)
        async with fed(database.url, town):
            await caught_up(database.url)
            [reader] = readers()
            reader.kill()
            await grow(database.url, drawn_by(22, 60))
            await publish(database.url, town)
            await caught_up(database.url)
            [other] = readers()
            assert other.pid != reader.pid
        assert readers() == []
        await must_hold(database.url)

    asyncio.run(told())


def test_a_worker_that_waits_for_its_database_stays_in_its_group(database: Database, kafka: str) -> None:
    async def told() -> None:
        town = town_at(kafka)
        await grow(database.url, drawn_by(23, 60))
        await publish(database.url, town)
        async with fed(database.url, town):
            await caught_up(database.url)
            before = await asyncio.to_thread(members, town)
            async with await AsyncConnection.connect(database.url) as other:
                await other.execute("SELECT FROM views.positions FOR UPDATE")
                await grow(database.url, drawn_by(24, 60))
                await publish(database.url, town)
                await asyncio.sleep(8)  # a session takes six seconds
                assert await asyncio.to_thread(members, town) == before
            await caught_up(database.url)
        assert len(before) == 1
        await must_hold(database.url)

    asyncio.run(told())


def test_a_reader_that_died_between_two_calls_is_noticed_at_the_next(kafka: str) -> None:
    async def told() -> None:
        reader = await KafkaProcess.open(town_at(kafka), records_max=1)
        try:
            [process] = readers()
            process.kill()
            for _ in range(2):
                # The loop, too, has noticed by then.
                await asyncio.sleep(0.2)
                with pytest.raises(KafkaError):
                    await reader.shards()
        finally:
            await reader.close()

    # The loop that workers have, for it answers broken pipes in a way of its own.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(told())


def test_a_reader_ends_though_whoever_lets_go_of_it_does_not_wait(kafka: str) -> None:
    async def told() -> None:
        reader = await KafkaProcess.open(town_at(kafka), records_max=1)
        [process] = readers()
        calling = asyncio.create_task(reader.shards())
        await asyncio.sleep(0)
        closing = asyncio.create_task(reader.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([calling, closing])
        assert psutil.wait_procs([process], timeout=5)[1] == []

    asyncio.run(told())


def members(town: KafkaSettings) -> list[str]:
    """Of the group of those who are fed by the topic."""
    group = f"{town.prefix}.projections"
    with KafkaAdminClient(bootstrap_servers=town.servers) as admin:
        return [member["member_id"] for member in admin.describe_groups([group])[group]["members"]]


def readers() -> list[psutil.Process]:
    """Processes of this one that read Kafka."""
    return [child for child in psutil.Process().children() if kafka_process.__name__ in child.cmdline()]


def drawn_by(seed: int, size: int) -> list[Move]:
    """Moves that are the same at every run."""
    chance = Random(seed)
    names = ("open", "open", "accept", "resolve", "merge", "visit", "escalate", "receive", "classify", "note")
    return [
        (chance.choice(names), chance.randrange(8), chance.randrange(12), chance.choice((0, 0, 0, 5, 90)))
        for _ in range(size)
    ]


def worker(url: str, town: KafkaSettings, tmp_path: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "services.cli", "serve", "--only", "projector"],
        env=environment(
            tmp_path,
            {
                "DATABASE_URL": url,
                "KAFKA_BOOTSTRAP_SERVERS": town.servers,
                "ANJIE_KAFKA_PREFIX": town.prefix,
            },
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
