"""The PostgreSQL of a cluster: the embedded server as a part that can be ended and started again."""

import os
import signal
import time
from pathlib import Path
from typing import Final

from shared.runtime.migrations import SERVICE_ROLE
from shared.runtime.postgres import EmbeddedPostgres

_LOOK_S: Final = 0.02


class Postgres:
    """A server with its data in `directory`, on a unix socket there."""

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._server = EmbeddedPostgres(directory, durable=durable)
        self._pid_file = directory / "postgres" / "postmaster.pid"
        self._started = False

    @property
    def url(self) -> str:
        """Logs in as the role of the services."""
        return self._server.url(SERVICE_ROLE)

    @property
    def owner_url(self) -> str:
        """Logs in as the owner of every object, for migrations."""
        return self._server.url()

    def start(self) -> None:
        """Starts it, with the data that it has, and waits until it answers. Raises: PostgresFailed."""
        self._server.start()
        self._started = True

    def running(self) -> bool:
        return self._server.running()

    def ended(self) -> bool:
        """Whether it ended by itself, or by somebody else's hand, since it was started last."""
        return self._started and not self.running()

    def stop(self) -> None:
        """Ends all sessions and shuts it down; does nothing if it doesn't run."""
        self._started = False
        self._server.stop()

    def kill(self) -> None:
        """Ends it as a power cut would; its data stays."""
        self._end(signal.SIGKILL)

    def abort(self) -> None:
        """Its immediate shutdown: every session is cut off, and the next start recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        self._started = False
        os.kill(int(self._pid_file.read_text().split("\n", 1)[0]), number)
        while self.running():
            time.sleep(_LOOK_S)
