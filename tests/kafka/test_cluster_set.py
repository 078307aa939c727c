"""`make cluster` and the compose file start the very same set."""

from collections import Counter
from pathlib import Path

from infra.cluster.cluster import Cluster
from infra.kafka.broker import Broker
from tests.infra import compose


def test_plain_processes_are_the_set_of_the_compose_file(broker: Broker, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    assert Counter(process.command[-1] for process in cluster.products.values()) == compose.served()
    others = compose.services().keys() - compose.products().keys()
    assert others == {"postgres", "kafka", "proxy"}
    assert cluster.parts.keys() - cluster.products.keys() >= {"postgres", "broker"}
    assert (cluster.proxy is None) == bool(cluster.without_proxy)
