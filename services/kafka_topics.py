"""The topics that the product publishes to: making those that are missing, comparing those that are there.

A topic that exists is never altered. The partitions that `<prefix>.events` was made with count
from then on, since they say which partition a stream is in.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import msgspec
from kafka import KafkaAdminClient
from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, for_code

from services.projections.catalogue import PUBLISHED_VIEWS
from services.projections.shards import SHARDS
from shared.runtime.kafka import (
    client_options,
    events_topic,
    relay_topic,
    relayed_views_topic,
    view_topic,
)
from shared.runtime.settings import KafkaSettings

RECORD_BYTES_MAX: Final = 8 * 1024 * 1024
"""More than an event can have: a body of 1 MB, sealed."""

_REPLICAS_MAX: Final = 3
_FOR_GOOD: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_LAST_OF_EACH_KEY: Final = {"cleanup.policy": "compact"}
_LARGE: Final = {"max.message.bytes": str(RECORD_BYTES_MAX)}
_COMPARED: Final = ("cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes")
_READY_MS: Final = 20_000


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    partitions: int
    configs: Mapping[str, str]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a topic of the cluster isn't as `anjie kafka setup` would make it."""

    topic: str
    what: str
    """`missing`, `partitions`, or the name of a setting."""
    found: str | None
    expected: str | None


def expected_topics(kafka: KafkaSettings) -> list[Topic]:
    """The topics as they are made, but for replication, which depends on the cluster."""
    return [
        Topic(name=events_topic(kafka), partitions=SHARDS, configs=_FOR_GOOD | _LARGE),
        Topic(name=relay_topic(kafka), partitions=1, configs=_LAST_OF_EACH_KEY),
        Topic(name=relayed_views_topic(kafka), partitions=1, configs=_LAST_OF_EACH_KEY),
        *(
            Topic(name=view_topic(kafka, view), partitions=SHARDS, configs=_LAST_OF_EACH_KEY | _LARGE)
            for view in PUBLISHED_VIEWS
        ),
    ]


def create_missing(kafka: KafkaSettings) -> list[str]:
    """Makes the topics that aren't there, and answers their names once they can be written to.

    Raises: kafka.errors.KafkaError.
    """
    with _admin(kafka) as admin:
        present = set(admin.list_topics())
        missing = [topic for topic in expected_topics(kafka) if topic.name not in present]
        if missing:
            _create(admin, missing)
        return [topic.name for topic in missing]


def topic_ids(kafka: KafkaSettings, topics: Sequence[str]) -> dict[str, UUID]:
    """The ids of topics, by which one that was made anew can be told. Raises: kafka.errors.KafkaError."""
    with _admin(kafka) as admin:
        return {topic["name"]: UUID(str(topic["topic_id"])) for topic in admin.describe_topics(list(topics))}


def differences(kafka: KafkaSettings) -> list[Difference]:
    """What is missing or otherwise than it would be made. Raises: kafka.errors.KafkaError."""
    with _admin(kafka) as admin:
        present = set(admin.list_topics())
        expected = expected_topics(kafka)
        there = [topic for topic in expected if topic.name in present]
        described = admin.describe_topics([topic.name for topic in there]) if there else []
        partitions = {found["name"]: len(found["partitions"]) for found in described}
        settings = _settings(admin, there)
    found = [
        Difference(topic=topic.name, what="missing", found=None, expected=None)
        for topic in expected
        if topic.name not in present
    ]
    for topic in there:
        found += _compared(topic, partitions[topic.name], settings[topic.name])
    return found


def _compared(topic: Topic, partitions: int, settings: Mapping[str, str]) -> Iterator[Difference]:
    if partitions != topic.partitions:
        yield Difference(
            topic=topic.name, what="partitions", found=str(partitions), expected=str(topic.partitions)
        )
    for name in _COMPARED:
        expected = topic.configs.get(name)
        if expected is not None and settings[name] != expected:
            yield Difference(topic=topic.name, what=name, found=settings[name], expected=expected)


def _create(admin: Any, missing: Sequence[Topic]) -> None:
    replicas = min(_REPLICAS_MAX, len(admin.describe_cluster()["brokers"]))
    # With three replicas one may be away; with fewer, each broker that is away would stop the relay.
    in_sync = {"min.insync.replicas": "2"} if replicas == _REPLICAS_MAX else {}
    answer = admin.create_topics(
        {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": replicas,
                "configs": {**topic.configs, **in_sync},
            }
            for topic in missing
        },
        raise_errors=False,
    )
    for made in answer["topics"]:
        error = for_code(made["error_code"])
        # Another process may have been faster.
        if made["error_code"] != 0 and error is not TopicAlreadyExistsError:
            raise error(made.get("error_message"))
    admin.wait_for_topics([topic.name for topic in missing], timeout_ms=_READY_MS)


def _settings(admin: Any, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    if not topics:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    described = admin.describe_configs(resources, config_filter=ConfigFilterType.ALL)["topic"]
    return {
        name: {setting: entry["value"] for setting, entry in found.items()}
        for name, found in described.items()
    }


@contextmanager
def _admin(kafka: KafkaSettings) -> Iterator[Any]:
    admin = KafkaAdminClient(**client_options(kafka))
    try:
        yield admin
    finally:
        admin.close()
