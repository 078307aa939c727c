"""`make cluster`: the product as several machines run it, until Ctrl-C; its data is then removed."""

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

from infra.cluster.cluster import Cluster, Unready
from infra.kafka.broker import BrokerUnavailable
from infra.programs import ProgramUnavailable
from shared.runtime.parentage import end_with_parent
from shared.runtime.postgres import PostgresFailed

_LOOK_S: Final = 0.5


def main() -> None:
    """Its one argument, if there is any, is the number of the process to end with."""
    if len(sys.argv) > 1:
        end_with_parent(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        # A short name, since a socket lies in it.
        with tempfile.TemporaryDirectory(prefix="anjie-cluster-") as directory:
            _run(Path(directory))
    except KeyboardInterrupt:
        pass
    except (BrokerUnavailable, PostgresFailed, ProgramUnavailable, Unready) as error:
        sys.exit(f"cluster: {error}")


def _run(directory: Path) -> NoReturn:
    with Cluster(directory) as cluster:
        try:
            cluster.start(_say)
            print("\n".join(_addresses(cluster)), flush=True)
            while True:
                for line in cluster.tend():
                    _say(line)
                time.sleep(_LOOK_S)
        finally:
            # Everything ends in order; a second signal must not cut that off.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            _say("stopping")


def _addresses(cluster: Cluster) -> Iterator[str]:
    """Where everything is, and how to get in."""
    yield ""
    if cluster.proxy is not None:
        yield f"Proxy       {cluster.proxy.address}"
    for number, address in enumerate(cluster.addresses, start=1):
        yield f"API {number}       {address}"
    yield f"Kafka       {cluster.broker.bootstrap}"
    yield f"PostgreSQL  {cluster.postgres.url}"
    yield f"Logs        {cluster.directory}"
    data_dir = cluster.environment["ANJIE_DATA_DIR"]
    yield f"Token       ANJIE_DATA_DIR={data_dir} .venv/bin/anjie token --role operator"
    yield ""
    yield "Ctrl-C ends it and removes its data."


def _say(line: str) -> None:
    print(f"cluster: {line}", flush=True)


if __name__ == "__main__":
    main()
