"""The product as several machines run it: all that the compose file has, as plain processes of this one.

All of them listen on 127.0.0.1 or on a socket in the cluster's directory, where each part's output is, too.
"""

import http.client
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from infra.cluster.postgres import Postgres
from infra.kafka.broker import Broker, installation
from infra.processes import Process, anjie, environment, free_ports
from infra.programs import ProgramUnavailable
from infra.proxy.proxy import Proxy
from services.children import Delay

EACH: Final = 2
"""How many there are of each part of the product."""
_SERVICES: Final = "intake,resolution,projections"
_WORKERS: Final = ("projector", "relay", "clock")
_READY_S: Final = 60.0
_ASK_S: Final = 5.0
_LOOK_S: Final = 0.05

Tell = Callable[[str], None]


class Unready(Exception):
    """The cluster, or a part of it, doesn't come up; the message says which and why in one line."""


class Part(Protocol):
    """What all parts have in common."""

    def start(self) -> None: ...
    def running(self) -> bool: ...
    def ended(self) -> bool: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Cluster:
    """Parts by their names, in the order in which they start: `postgres broker projector-1 … api-2 proxy`.

    Everything ends with the block, and with the process and the thread that started it, even if that is
    killed. All calls are to come from that thread.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Raises: BrokerUnavailable."""
        self.directory = directory
        self.postgres = Postgres(directory, durable=durable)
        self.broker = Broker(installation(), directory / "kafka")
        self.environment = environment(
            {
                "ANJIE_DATA_DIR": str(directory / "shared"),
                "ANJIE_LOG": "json",
                "DATABASE_URL": self.postgres.url,
                "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            }
        )
        """What every part of the product starts with; secrets and files are in one directory."""
        names = [f"{worker}-{number}" for worker in _WORKERS for number in range(1, EACH + 1)]
        self.products = {name: self.product(name, name.partition("-")[0]) for name in names}
        self._ports = {f"api-{number}": port for number, port in enumerate(free_ports(EACH), start=1)}
        for name, port in self._ports.items():
            self.products[name] = self.product(name, _SERVICES, ANJIE_PORT=str(port))
        self.parts: dict[str, Part] = {"postgres": self.postgres, "broker": self.broker, **self.products}
        self.proxy, self.without_proxy = self._proxy()
        if self.proxy is not None:
            self.parts["proxy"] = self.proxy
        self._delays = {name: Delay() for name in self.parts}
        self._due: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def addresses(self) -> list[str]:
        """Of each API, as a URL without a path."""
        return [f"http://127.0.0.1:{port}" for port in self._ports.values()]

    def _proxy(self) -> tuple[Proxy | None, str]:
        """The proxy in front of the APIs, or none and why."""
        try:
            return Proxy(self.directory, [f"127.0.0.1:{port}" for port in self._ports.values()]), ""
        except ProgramUnavailable as error:
            return None, str(error)

    def product(self, name: str, only: str, **settings: str) -> Process:
        """A process of the product's, not yet started, which the caller ends; `only` says what it runs."""
        command = anjie("serve", "--only", only)
        return Process(command, self.directory / f"{name}.log", self.environment | settings)

    def start(self, tell: Tell = lambda line: None) -> None:
        """Starts everything and waits until it answers, saying each step.

        Raises: Unready, BrokerUnavailable, PostgresFailed, ProgramUnavailable.
        """
        self.postgres.start()
        tell("PostgreSQL answers")
        migrated = self.anjie("migrate", DATABASE_OWNER_URL=self.postgres.owner_url)
        if migrated.returncode != 0:
            raise Unready(f"anjie migrate: {migrated.stderr.strip()}")
        tell("the database is migrated")
        self.broker.start()
        tell(f"{installation()} listens")
        for name, part in self.products.items():
            part.start()
            tell(f"{name} is started")
        self.await_ready()
        tell("every API is ready")
        if self.proxy is None:
            tell(f"nothing is in front of them: {self.without_proxy}")
        else:
            self.proxy.start()
            tell("the proxy listens")

    def await_ready(self) -> None:
        """Waits until every API answers that it is ready. Raises: Unready."""
        ends = time.monotonic() + _READY_S
        while unready := self.unready():
            for name in unready:
                if self.products[name].ended() or time.monotonic() > ends:
                    raise Unready(f"{name}: {self.products[name].last_words()}")
            time.sleep(_LOOK_S)

    def unready(self) -> list[str]:
        """The APIs that don't answer that they are ready."""
        return [name for name, port in self._ports.items() if not _ready(port)]

    def tend(self) -> Iterator[str]:
        """Starts anew whatever ended by itself, each time after a longer pause; says what, in a line each.

        Raises: BrokerUnavailable, PostgresFailed, ProgramUnavailable.
        """
        for name, part in self.parts.items():
            if not part.ended():
                continue
            if name not in self._due:
                delay_s = self._delays[name].after_end()
                self._due[name] = time.monotonic() + delay_s
                yield f"{name} ended; it is started anew in {delay_s} s"
            elif time.monotonic() >= self._due[name]:
                del self._due[name]
                self._delays[name].started()
                part.start()

    def stop(self) -> None:
        """Ends everything, the product before what it stands on."""
        for part in self.products.values():
            part.terminate()
        for name in reversed(self.parts):
            self.parts[name].stop()

    def anjie(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """A command of the product's that ends by itself, run to its end."""
        return subprocess.run(
            anjie(*arguments),
            env=self.environment | settings,
            check=False,
            capture_output=True,
            text=True,
        )


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ASK_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
