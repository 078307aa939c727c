"""Processes of this machine that are ended and started again, each with its output in a file."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import randrange
from typing import Final

from shared.runtime.parentage import signal_at_parents_death

_STOP_S: Final = 30.0
_LOOK_S: Final = 0.02
_PORTS: Final = (20_000, 32_000)
"""Below those of the near ends of connections, of which one might take the port of a server that is down."""


class Process:
    """A process that may be started again and again, the same each time.

    It ends with the process and the thread that started it, even if that is killed.
    """

    def __init__(
        self, command: Sequence[str], output: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.output = output
        """Where what it says is added."""

    def start(self) -> None:
        """Starts it; does nothing if it runs. Raises: OSError."""
        if self.running():
            return
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C on the terminal is for whoever started it, who then stops it in order.
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, which takes no lock
            )

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ended(self) -> bool:
        """Whether it ended by itself, or by somebody else's hand, since it was started last."""
        return self._process is not None and self._process.poll() is not None

    def terminate(self) -> None:
        """Asks it to end; does nothing if it doesn't run."""
        if self.running():
            self._send(signal.SIGTERM)

    def stop(self) -> None:
        """Asks it to end and waits until it has; does nothing if it doesn't run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Lets it hold every connection and do nothing."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def await_listening(self, port: int, seconds: float) -> bool:
        """Whether it came to listen on a port of 127.0.0.1 in time; one that didn't is killed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return True
            except OSError:
                if not self.running():
                    break
                time.sleep(_LOOK_S)
        self.kill()
        return False

    def last_words(self) -> str:
        """The last line of its output."""
        return last_line(self.output.read_text(errors="replace"))

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None, "it was never started"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        # One that is paused would never come to it.
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def anjie(*arguments: str) -> list[str]:
    """The command line of `anjie …`."""
    return [sys.executable, "-m", "services.cli", *arguments]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """These settings of the product in an environment with no others of its own."""
    own = ("ANJIE_", "DATABASE_", "KAFKA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)} | dict(settings)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens, and which no connection is given for its own end."""
    found: list[int] = []
    while len(found) < count:
        port = randrange(*_PORTS)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
    return found


def last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _end_with_parent() -> None:
    signal_at_parents_death(signal.SIGKILL)
