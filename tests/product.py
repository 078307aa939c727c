"""The product as a process of its own, the way an operator runs it."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from infra import processes

_ADDRESS: Final = re.compile(r"http://\S+?:\d+")
_START_S: Final = 60.0
_END_S: Final = 30.0


class Product:
    """A running `anjie serve`, ready to answer at `url`."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, data_dir: Path, errors: int) -> None:
        self.process = process
        self.url = url
        self.data_dir = data_dir
        self._errors = errors

    def descendants(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def log(self) -> bytes:
        """What it has logged so far."""
        return os.pread(self._errors, os.fstat(self._errors).st_size, 0)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(_END_S)


def environment(data_dir: Path, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment with any free port, no demo, and nothing of the tester's own."""
    settings = {"ANJIE_DATA_DIR": str(data_dir), "ANJIE_PORT": "0", "ANJIE_DEMO": "off", "ANJIE_LOG": "json"}
    return processes.environment(settings | dict(changes or {}))


def anjie(
    *arguments: str, data_dir: Path, stdin: str | None = None, **changes: str
) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself, run to its end."""
    return subprocess.run(
        processes.anjie(*arguments),
        env=environment(data_dir, changes),
        check=False,
        capture_output=True,
        input=stdin,
        text=True,
        timeout=_START_S,
    )


@contextmanager
def serving(data_dir: Path, *arguments: str, **changes: str) -> Iterator[Product]:
    """A product that answers; killed at the end of the block if it still lives."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            processes.anjie("serve", *arguments),
            env=environment(data_dir, changes),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Product(process, _address(process, errors.fileno()), data_dir, errors.fileno())
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_END_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _address(process: "subprocess.Popen[str]", errors: int) -> str:
    """Where it answers, as it says itself."""
    assert process.stdout is not None
    for line in process.stdout:
        found = _ADDRESS.search(line)
        if found:
            return found[0]
    process.wait(_END_S)
    raise AssertionError(
        f"anjie serve ended with {process.returncode}: {os.pread(errors, 4_000, 0).decode()}"
    )
