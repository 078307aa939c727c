"""HAProxy in front of the two APIs, as a process of this machine."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.processes import Process, free_ports
from infra.programs import ProgramUnavailable, obtain

CONFIGURATION: Final = Path(__file__).with_name("haproxy.cfg")

_START_S: Final = 30.0


@functools.cache
def haproxy() -> Path:
    """Where HAProxy is. Raises: ProgramUnavailable."""
    return obtain("haproxy", "haproxy")


class Proxy(Process):
    """A proxy that logs into `directory`, at the same address for as long as the object lives."""

    def __init__(self, directory: Path, apis: Sequence[str]) -> None:
        """`apis`: the two behind it, as host:port. Raises: ProgramUnavailable."""
        [self._port] = free_ports(1)
        first, second = apis
        addresses = {"PROXY_BIND": f"127.0.0.1:{self._port}", "API_1": first, "API_2": second}
        command = [str(haproxy()), "-db", "-f", str(CONFIGURATION)]
        super().__init__(command, directory / "proxy.log", os.environ | addresses)

    @property
    def address(self) -> str:
        """Where clients find it, as a URL without a path."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it and waits until it listens. Raises: ProgramUnavailable."""
        super().start()
        if not self.await_listening(self._port, _START_S):
            raise ProgramUnavailable(f"the proxy didn't start: {self.last_words()}")
