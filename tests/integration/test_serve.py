"""`anjie serve` as a process: starting, being killed, being refused, ending."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from shared.runtime.postgres import EmbeddedPostgres
from tests.product import Product, anjie, environment, serving


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory of its own, under a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as path:
        yield Path(path) / "data"


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def ready(product: Product) -> bool:
    try:
        return httpx.get(f"{product.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def register_unit(product: Product) -> str:
    token = anjie("token", "--role", "operator", data_dir=product.data_dir).stdout.strip()
    answer = httpx.post(
        f"{product.url}/v1/units",
        json={"kind": "TOWNSHIP", "name": "惠南镇"},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "unit-1"},
    )
    assert answer.status_code in (200, 201), answer.text
    return answer.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_all_its_children(data_dir: Path, number: signal.Signals) -> None:
    with serving(data_dir) as product:
        assert ready(product)
        children = product.descendants()
        names = {argument for child in children for argument in child.cmdline()}
        assert "projector" in names
        assert str(data_dir / "postgres") in names
        assert product.stop(number) == 0
        assert not any(alive(child) for child in children)


def test_what_was_acknowledged_survives_being_killed(data_dir: Path) -> None:
    with serving(data_dir) as product:
        first = register_unit(product)
        children = product.descendants()
        product.process.kill()
        product.process.wait()
        assert eventually(lambda: not any(alive(child) for child in children))
    with serving(data_dir) as product:
        assert ready(product)
        # The same key again: the first answer, so the first command was stored.
        assert register_unit(product) == first


def test_a_killed_worker_or_database_comes_back(data_dir: Path) -> None:
    with serving(data_dir) as product:

        def running(word: str) -> list[psutil.Process]:
            return [
                child for child in product.descendants() if alive(child) and word in " ".join(child.cmdline())
            ]

        def replaced(word: str, killed: psutil.Process) -> bool:
            return any(process.pid != killed.pid for process in running(word))

        for word in ("--only projector", "postgres -D"):
            (killed,) = running(word)
            killed.kill()
            assert eventually(partial(replaced, word, killed))
        assert eventually(lambda: ready(product))
        register_unit(product)
        assert product.stop() == 0


def test_a_second_start_on_the_same_directory_is_refused(data_dir: Path) -> None:
    with serving(data_dir) as product:
        second = anjie("serve", data_dir=data_dir)
        assert second.returncode == 2
        assert second.stderr.splitlines() == [
            f"anjie: {data_dir} is in use by a running anjie (process {product.process.pid})"
        ]
        assert ready(product)


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
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [f"anjie: Not a directory: {tmp_path}/file/data"]


@pytest.fixture
def small_disk() -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk, given its options; where that isn't allowed, in a namespace there is none."""
    mounted: list[str] = []

    def mount(options: str) -> Path:
        directory = tempfile.mkdtemp(prefix="anjie-test-")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            Path(directory).rmdir()
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        mounted.append(directory)
        return Path(directory)

    yield mount
    for directory in mounted:
        subprocess.run(["umount", "-l", directory], check=True)
        Path(directory).rmdir()


def test_a_read_only_disk_is_named(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("size=1m,ro")
    refused = anjie("serve", data_dir=disk / "data")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [f"anjie: Read-only file system: {disk}/data"]


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


def test_a_master_key_that_does_not_open_the_stored_ones_is_refused(data_dir: Path) -> None:
    with serving(data_dir) as product:
        token = anjie("token", "--role", "operator", data_dir=data_dir).stdout.strip()
        unit = httpx.post(
            f"{product.url}/v1/units",
            json={"kind": "TOWNSHIP", "name": "惠南镇"},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "unit-1"},
        ).json()
        officer = anjie(
            "token", "--role", "township_officer", "--unit", "惠南镇", data_dir=data_dir
        ).stdout.strip()
        opened = httpx.post(
            f"{product.url}/v1/cases",
            json={
                "channel": "WALK_IN",
                "category": "NEIGHBOUR",
                "origin_unit": unit["unit_id"],
                "title": "漏水",
                "description": "楼上漏水",
            },
            headers={"Authorization": f"Bearer {officer}", "Idempotency-Key": "case-1"},
        )
        assert opened.status_code == 201, opened.text
    refused = anjie("serve", data_dir=data_dir, ANJIE_MASTER_KEY="00" * 32)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("anjie: the master key does not open the keys")


def test_make_stops_what_it_started(data_dir: Path) -> None:
    """A start by `make run` ends with make, even if make is killed."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, sys.executable],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent:
        assert "http://" in parent.stdout.readline()
        (product,) = psutil.Process(parent.pid).children()
        family = [product, *product.children(recursive=True)]
        parent.kill()
    assert eventually(lambda: not any(alive(member) for member in family))


_PARENT = """
import subprocess, sys
subprocess.run([sys.argv[1], "-m", "services.cli", "serve", "--end-with-parent"])
"""


def test_starting_over_empties_the_ledger_and_keeps_demos_out(data_dir: Path) -> None:
    with serving(data_dir) as product:
        register_unit(product)
    declined = anjie("serve", "--fresh", data_dir=data_dir)
    assert declined.returncode == 1
    with serving(data_dir, "--fresh", "--yes") as product:
        assert ready(product)
        with psycopg.connect(EmbeddedPostgres(data_dir).url()) as connection:
            assert connection.execute("SELECT count(*) FROM ledger.events").fetchone() == (0,)
    assert (data_dir / "no-demo").exists()


@pytest.mark.parametrize("arguments", [("--only", "relay"), ("--only", ","), ("--only", "intake,clock")])
def test_parts_that_do_not_exist_are_refused(data_dir: Path, arguments: tuple[str, ...]) -> None:
    refused = anjie("serve", *arguments, data_dir=data_dir)
    assert refused.returncode == 2
    assert "projector" in refused.stderr
    assert not data_dir.exists()


def test_tokens(data_dir: Path) -> None:
    with serving(data_dir) as product:
        unit_id = httpx.Response(200, text=register_unit(product)).json()["unit_id"]
        for unit in ("惠南镇", unit_id):
            made = anjie(
                "token", "--role", "village_officer", "--unit", unit, "--person", "李四", data_dir=data_dir
            )
            assert made.returncode == 0, made.stderr
            me = httpx.get(f"{product.url}/v1/me", headers={"Authorization": f"Bearer {made.stdout.strip()}"})
            if me.status_code == 200:
                assert (me.json()["sub"], me.json()["unit"]) == ("李四", unit_id)
    # Without a running product the database is started for as long as the name is looked up.
    assert anjie("token", "--role", "mediator", "--unit", "惠南镇", data_dir=data_dir).returncode == 0
    unknown = anjie("token", "--role", "mediator", "--unit", "北镇", data_dir=data_dir)
    assert (unknown.returncode, unknown.stderr) == (2, "anjie: no unit is called 北镇\n")
    without = anjie("token", "--role", "mediator", data_dir=data_dir)
    assert (without.returncode, without.stderr) == (2, "anjie: unit: needed for the role mediator\n")


def test_migrating_again_changes_nothing(data_dir: Path) -> None:
    first = anjie("migrate", "--json", data_dir=data_dir)
    assert first.returncode == 0, first.stderr
    assert "ledger" in first.stdout
    with serving(data_dir):
        assert anjie("migrate", "--json", data_dir=data_dir).stdout == '{"applied": []}\n'
