"""The embedded PostgreSQL: durable, alone in its directory, whole after whatever ended it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from shared.runtime.postgres import EmbeddedPostgres, PostgresFailed

_START_AND_WAIT = """
import sys, time
from pathlib import Path
from shared.runtime.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=sys.argv[2] == "durable")
server.start()
print(server._process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as path:
        yield Path(path)


@contextmanager
def running(directory: Path, *, durable: bool = False) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(directory, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def add(server: EmbeddedPostgres) -> int:
    """How many rows there are after one more was added."""
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_what_was_committed_is_there_at_the_next_start(directory: Path) -> None:
    with running(directory, durable=True) as server:
        with psycopg.connect(server.url()) as connection:
            shown = [
                connection.execute(f"SHOW {name}".encode()).fetchone()
                for name in ("fsync", "synchronous_commit")
            ]
        assert shown == [("on",), ("on",)]
        assert add(server) == 1
    with running(directory) as server:
        assert add(server) == 2


def test_only_the_product_reaches_it(directory: Path) -> None:
    with running(directory) as server, psycopg.connect(server.url()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert (directory / "postgres").stat().st_mode & 0o077 == 0
        superuser = connection.execute(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert superuser == (False,)


def test_it_dies_with_its_parent_and_starts_again_whole(directory: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _START_AND_WAIT, str(directory), "durable"], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        postmaster = int(parent.stdout.readline())
        assert add(EmbeddedPostgres(directory)) == 1
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{postmaster}/cmdline").exists() and time.monotonic() < deadline:
        if not Path(f"/proc/{postmaster}/cmdline").read_bytes():
            break  # a zombie that nobody in this container collects
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{postmaster}").exists()
    with running(directory) as server:
        assert add(server) == 2


def test_one_left_running_is_stopped_by_the_next_start(directory: Path) -> None:
    left = EmbeddedPostgres(directory, durable=False)
    left.start()
    assert add(left) == 1
    with running(directory) as server:
        assert not left.running()
        assert add(server) == 2


def test_it_starts_after_its_main_process_was_killed(directory: Path) -> None:
    killed = EmbeddedPostgres(directory, durable=True)
    killed.start()
    with psycopg.connect(killed.url()) as session:
        assert add(killed) == 1
        postmaster = int((directory / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)
        # A session outlives the main process by a moment, and holds its memory.
        with running(directory) as server:
            assert add(server) == 2
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")


def test_a_start_that_was_cut_off_leaves_nothing_behind(directory: Path) -> None:
    half = directory / "postgres.discarded-x"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with running(directory):
        assert not half.exists()


def test_a_path_too_long_for_a_socket(directory: Path) -> None:
    with running(directory / ("x" * 100)) as server:
        assert add(server) == 1
        sockets = Path(str(conninfo_to_dict(server.url())["host"]))
        assert sockets.exists()
    assert not sockets.exists()


def test_removing_it_takes_the_data_and_a_running_server_with_it(directory: Path) -> None:
    left = EmbeddedPostgres(directory, durable=False)
    left.start()
    assert add(left) == 1
    EmbeddedPostgres(directory, durable=False).remove()
    assert not left.running()
    assert {path.name for path in directory.iterdir()} == {"postgres.log"}
    with running(directory) as server:
        assert add(server) == 1


def test_a_damaged_cluster_is_reported_in_one_line(directory: Path) -> None:
    with running(directory):
        pass
    (directory / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(PostgresFailed) as failure, running(directory):
        pass
    assert "\n" not in str(failure.value)
    assert "incompatible" in str(failure.value)
