"""`anjie serve` as a process: starting, being killed, being refused, ending."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psutil
import psycopg
import pytest

from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.postgres import EmbeddedPostgres
from tests.product import Product, anjie, environment, serving

TOWN = "惠南镇"
EVENTS = 4
"""Rules, a township, a case, its clock."""


def new_directory() -> Path:
    """Not pytest's own: the name of that is too long for a socket."""
    return Path(tempfile.mkdtemp(prefix="anjie-test-"))


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = new_directory()
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """A product that serves, with a town and a case in its ledger."""
    directory = new_directory()
    with serving(directory / "data") as served:
        open_case(served, register_town(served))
        yield served
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def killed() -> Iterator[Path]:
    """The data directory of a product that was killed right after it had acknowledged something."""
    directory = new_directory()
    with serving(directory / "data") as served:
        open_case(served, register_town(served))
        children = served.descendants()
        served.process.kill()
        served.process.wait()
        assert eventually(lambda: not any(alive(child) for child in children))
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture
def history(killed: Path, data_dir: Path) -> Path:
    """A copy of it, of a test's own."""
    data_dir.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(killed), str(data_dir)], check=True)
    return data_dir


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def arguments(process: psutil.Process) -> list[str]:
    """Of a process that may have ended: the database's own come and go."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def eventually(holds: Callable[[], object], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def running(product: Product, word: str) -> list[psutil.Process]:
    """Living children whose command has the word in it."""
    return [child for child in product.descendants() if alive(child) and word in " ".join(arguments(child))]


def ready(product: Product) -> bool:
    try:
        return httpx.get(f"{product.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def token(data_dir: Path, role: Role, unit: str | None = None) -> str:
    """One under the product's own secret."""
    secret = (data_dir / "jwt.secret").read_bytes().strip()
    return issue_token(secret, sub=role, role=role, unit=None if unit is None else UUID(unit))


def post(product: Product, bearer: str, path: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": path}
    return httpx.post(product.url + path, json=body, headers=headers, timeout=30)


def register_town(product: Product) -> str:
    """Registers it under always the same key."""
    answer = post(
        product, token(product.data_dir, "operator"), "/v1/units", {"kind": "TOWNSHIP", "name": TOWN}
    )
    assert answer.is_success, answer.text
    return str(answer.json()["unit_id"])


def open_case(product: Product, town: str) -> None:
    officer = token(product.data_dir, "township_officer", town)
    body = {"channel": "WALK_IN", "category": "NEIGHBOUR", "title": "漏水", "description": "楼上漏水"}
    answer = post(product, officer, "/v1/cases", body | {"origin_unit": town})
    assert answer.status_code == 201, answer.text


def events(data_dir: Path) -> int:
    """How many stand in the ledger of a running product."""
    with psycopg.connect(EmbeddedPostgres(data_dir).url()) as connection:
        row = connection.execute("SELECT count(*) FROM ledger.events").fetchone()
    assert row is not None
    return int(row[0])


def test_what_was_acknowledged_survives_a_kill_and_a_signal_ends_everything(history: Path) -> None:
    with serving(history) as product:
        assert ready(product)
        before = events(history)
        # The same key again gives the first answer, and adds nothing.
        register_town(product)
        assert events(history) == before == EVENTS
        for word in ("--only projector", "--only clock", f"postgres -D {history}"):
            assert eventually(partial(running, product, word))
        children = product.descendants()
        assert product.stop(signal.SIGINT) == 0
        assert not any(alive(child) for child in children)


def test_starting_over_empties_the_ledger_and_keeps_demos_out(history: Path) -> None:
    assert anjie("serve", "--fresh", data_dir=history).returncode == 1  # nobody said yes
    with serving(history, "--fresh", "--yes", ANJIE_DEMO="") as product:
        assert ready(product)
        assert events(history) == 1, "the rules that hold for everybody"
        assert product.stop(signal.SIGTERM) == 0
    assert (history / "no-demo").exists()


def test_a_master_key_that_does_not_open_the_stored_ones_is_refused(history: Path) -> None:
    refused = anjie("serve", data_dir=history, ANJIE_MASTER_KEY="00" * 32)
    assert refused.returncode == 2
    assert refused.stderr.startswith("anjie: the master key does not open the keys")


def test_a_stream_that_is_followed_does_not_hold_up_the_end(history: Path) -> None:
    auditor = token(history, "auditor")
    headers = {"Authorization": f"Bearer {auditor}"}
    with (
        serving(history) as product,
        httpx.stream("GET", f"{product.url}/v1/events?follow=true", headers=headers, timeout=30) as followed,
    ):
        lines = followed.iter_lines()
        assert "rule_pack_adopted" in next(lines)
        assert TOWN in next(lines)
        started = time.monotonic()
        assert product.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 9
        assert len(list(lines)) == EVENTS - 2


def test_a_killed_worker_or_database_comes_back(product: Product) -> None:
    def replaced(word: str, killed: psutil.Process) -> bool:
        return any(process.pid != killed.pid for process in running(product, word))

    for word in ("--only projector", "--only clock", "postgres -D"):
        assert eventually(partial(running, product, word))
        (process,) = running(product, word)
        process.kill()
        assert eventually(partial(replaced, word, process))
    assert eventually(lambda: ready(product))
    register_town(product)


def test_a_second_start_on_the_same_directory_is_refused(product: Product) -> None:
    second = anjie("serve", data_dir=product.data_dir)
    assert second.returncode == 2
    assert second.stderr == (
        f"anjie: {product.data_dir} is in use by a running anjie (process {product.process.pid})\n"
    )
    assert ready(product)


def test_commands_reach_the_running_product(product: Product) -> None:
    assert anjie("migrate", "--json", data_dir=product.data_dir).stdout == '{"applied":[]}\n'
    town = register_town(product)
    assert eventually(lambda: lags(product) == [0, 0, 0, 0])
    for unit in (TOWN, town):
        arguments = ("--role", "village_officer", "--unit", unit, "--person", "李四")
        made = anjie("token", *arguments, data_dir=product.data_dir)
        assert made.returncode == 0, made.stderr
        answer = httpx.get(f"{product.url}/v1/me", headers={"Authorization": f"Bearer {made.stdout.strip()}"})
        assert answer.status_code == 200, answer.text
        me = answer.json()
        assert (me["sub"], me["role"], me["unit"]) == ("李四", "village_officer", town)
    exposed = httpx.get(f"{product.url}/metrics").text.splitlines()
    told = (f"anjie_ledger_head {EVENTS}.0", 'anjie_projection_lag{projection="views",shard="3"} 0.0')
    assert set(exposed) >= {*told, "anjie_parked_records 0.0", "anjie_sse_clients 0.0"}
    verified = anjie("verify", "--json", data_dir=product.data_dir)
    assert (verified.returncode, msgspec.json.decode(verified.stdout)["holds"]) == (0, True)
    rebuilt = anjie("rebuild", "backlog_by_holder", data_dir=product.data_dir)
    assert (rebuilt.returncode, rebuilt.stdout) == (0, f"made anew as of position {EVENTS}: figures\n")
    indexed = anjie("rebuild", "search", data_dir=product.data_dir)
    assert (indexed.returncode, indexed.stdout) == (0, f"made anew as of position {EVENTS}: search\n")
    assert f"search: position {EVENTS}, 0 behind" in anjie("status", data_dir=product.data_dir).stdout
    unknown = anjie("rebuild", "nothing", data_dir=product.data_dir)
    assert unknown.returncode == 1
    assert "nothing is none of" in unknown.stderr


def lags(product: Product) -> list[int]:
    status = msgspec.json.decode(anjie("status", "--json", data_dir=product.data_dir).stdout)
    assert (status["head"], status["parked"]) == (EVENTS, [])
    return [shard["lag"] for shard in status["projections"]]


def test_commands_do_without_a_running_product(history: Path) -> None:
    assert anjie("token", "--role", "mediator", "--unit", TOWN, data_dir=history).stdout.count(".") == 2
    unknown = anjie("token", "--role", "mediator", "--unit", "北镇", data_dir=history)
    assert (unknown.returncode, unknown.stderr) == (2, "anjie: no unit is called 北镇\n")
    without = anjie("token", "--role", "mediator", data_dir=history)
    assert (without.returncode, without.stderr) == (2, "anjie: unit: needed for the role mediator\n")


def test_a_taken_port_is_named_and_nothing_is_made(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = anjie("serve", data_dir=data_dir, ANJIE_PORT=str(port))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"anjie: can't listen on 127.0.0.1 port {port}: Address already in use")
    assert len(refused.stderr.splitlines()) == 1
    assert {path.name for path in data_dir.iterdir()} == {"lock"}


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = anjie("serve", data_dir=tmp_path / "file" / "data")
    assert (refused.returncode, refused.stderr) == (2, f"anjie: Not a directory: {tmp_path}/file/data\n")


@pytest.fixture
def small_disk() -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk, given its options."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        directory = new_directory()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            directory.rmdir()
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        mounted.append(directory)
        return directory

    yield mount
    for directory in mounted:
        subprocess.run(["umount", "-l", str(directory)], check=True)
        directory.rmdir()


def test_a_read_only_disk_is_named(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("size=1m,ro")
    refused = anjie("serve", data_dir=disk / "data")
    assert (refused.returncode, refused.stderr) == (2, f"anjie: Read-only file system: {disk}/data\n")


@pytest.mark.parametrize("options", ["size=1m", "size=500m,nr_inodes=200"])
def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_written(
    small_disk: Callable[[str], Path], options: str
) -> None:
    """Seen beforehand when there is no room for bytes, while the database is made when none for files."""
    disk = small_disk(f"{options},mode=755")
    refused = anjie("serve", data_dir=disk / "data")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "No space left on device" in line
    assert not list((disk / "data").glob("postgres*/"))


_PARENT = """
import os, subprocess, sys
subprocess.run([sys.argv[1], "-m", "services.cli", "serve", f"--end-with-parent={os.getpid()}"])
"""


def test_a_start_by_make_ends_with_make_even_if_that_is_killed(history: Path) -> None:
    command = [sys.executable, "-c", _PARENT, sys.executable]
    with subprocess.Popen(command, env=environment(history), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert "http://" in parent.stdout.readline()
        (product,) = psutil.Process(parent.pid).children()
        family = [product, *product.children(recursive=True)]
        parent.kill()
        assert eventually(lambda: not any(alive(member) for member in family))


@pytest.mark.parametrize("arguments", [("--only", "escalation"), ("--only", ",")])
def test_parts_that_do_not_exist_are_refused(data_dir: Path, arguments: tuple[str, ...]) -> None:
    refused = anjie("serve", *arguments, data_dir=data_dir)
    assert refused.returncode == 2
    assert "projector" in refused.stderr
    assert not data_dir.exists()
