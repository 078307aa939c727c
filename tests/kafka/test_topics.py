"""`anjie kafka setup`: makes what is missing, alters nothing, says what differs."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from kafka import KafkaAdminClient

from shared.runtime.settings import KafkaSettings
from tests.product import anjie

TOPICS = [
    *(
        "events",
        "relay",
        "relay.views",
        "views.case_timeline",
        "views.backlog_by_holder",
        "views.backlog_by_origin",
    ),
    *("views.urgent_board", "views.deadline_board", "views.visit_coverage", "views.campaign_kpi"),
    "views.service_ledger",
]


@pytest.fixture
def town(kafka: str) -> KafkaSettings:
    """Topics of a test's own."""
    return KafkaSettings(servers=kafka, prefix=f"test-{uuid4().hex}")


@pytest.fixture
def admin(kafka: str) -> Iterator[KafkaAdminClient]:
    with KafkaAdminClient(bootstrap_servers=kafka) as client:
        yield client


def setup(town: KafkaSettings, tmp_path: Path, *options: str) -> tuple[int, dict[str, list[object]]]:
    done = anjie(
        *("kafka", "setup", "--json", *options),
        data_dir=tmp_path,
        KAFKA_BOOTSTRAP_SERVERS=town.servers,
        ANJIE_KAFKA_PREFIX=town.prefix,
    )
    return done.returncode, msgspec.json.decode(done.stdout)


def test_what_is_missing_is_said_then_made_then_in_order(town: KafkaSettings, tmp_path: Path) -> None:
    names = [f"{town.prefix}.{name}" for name in TOPICS]

    code, checked = setup(town, tmp_path, "--check")
    assert code == 1
    assert checked["differences"] == [
        {"topic": name, "what": "missing", "found": None, "expected": None} for name in names
    ]
    assert setup(town, tmp_path) == (0, {"created": names})
    assert setup(town, tmp_path) == (0, {"created": []})
    assert setup(town, tmp_path, "--check") == (0, {"differences": []})


def test_a_topic_of_somebody_elses_making_is_told_and_left_alone(
    town: KafkaSettings, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    name = f"{town.prefix}.events"
    configs = {"cleanup.policy": "compact", "retention.ms": "60000"}
    admin.create_topics({name: {"num_partitions": 7, "replication_factor": 1, "configs": configs}})
    setup(town, tmp_path)

    code, checked = setup(town, tmp_path, "--check")

    assert code == 1
    differing = [("partitions", "7", "4"), ("cleanup.policy", "compact", "delete")]
    differing += [("retention.ms", "60000", "-1"), ("max.message.bytes", "1048588", "8388608")]
    assert checked["differences"] == [
        {"topic": name, "what": what, "found": found, "expected": expected}
        for what, found, expected in differing
    ]
    [topic] = admin.describe_topics([name])
    assert len(topic["partitions"]) == 7


def test_without_a_broker_the_reason_is_one_line(town: KafkaSettings, tmp_path: Path) -> None:
    done = anjie("kafka", "setup", data_dir=tmp_path, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
