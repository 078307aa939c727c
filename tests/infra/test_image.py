"""The image, as far as it can be proved without a container engine: what it copies is all that it takes."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from infra.processes import free_ports
from shared.runtime.server_account import let_traverse, server_account
from tests.infra import dockerfile
from tests.infra.dockerfile import CHECKOUT
from tests.integration.test_serve import eventually

USER: Final = 10001
LOCK: Final = "requirements.lock"
NODE: Final = "node:22-bookworm-slim"
PYTHON: Final = "python:3.11-slim-bookworm"


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A directory laid out as the image is, with what the lock file names and nothing else."""
    # Not pytest's temporary directory: its name is too long for a socket, its mode too narrow for the user.
    root = Path(tempfile.mkdtemp(prefix="anjie-image-"))
    let_traverse(root)
    for copy in dockerfile.copies():
        source, to = CHECKOUT / copy.source, within(root, copy.to)
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and copy.to.startswith("/opt/"):
            shutil.copytree(
                source, to, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "bundle")
            )
        elif copy.to.startswith("/usr/"):
            shutil.copy(source, to)
    for copy in dockerfile.front_end():
        source, to = CHECKOUT / copy.source, within(root, copy.to)
        if source.is_dir():
            shutil.copytree(source, to)
        else:
            to.mkdir(parents=True)
            shutil.copy(source, to)
    python = (CHECKOUT / ".venv/bin/python").resolve()
    let_traverse(python.parent)
    uv("venv", "--python", str(python), str(root / "opt/venv"))
    options = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(CHECKOUT / LOCK)]
    uv("pip", "install", "--python", str(root / "opt/venv/bin/python"), *options)
    data_dir = within(root, dockerfile.environment()["ANJIE_DATA_DIR"])
    data_dir.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(data_dir, *server_account())
    yield root
    shutil.rmtree(root)


def within(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def uv(*arguments: str) -> None:
    """The one that `infra/set-up.sh` uses."""
    found = shutil.which("uv") or str(CHECKOUT / ".venv/bin/uv")
    subprocess.run([found, "--quiet", *arguments], check=True)


def environment(root: Path, port: int) -> dict[str, str]:
    """The image's environment, with its directories under `root`."""
    there = {
        name: ":".join(str(within(root, part)) if part.startswith("/") else part for part in value.split(":"))
        for name, value in dockerfile.environment().items()
    }
    path = there["PATH"].replace("$PATH", f"{root}/usr/local/bin:/usr/bin:/bin")
    return there | {"PATH": path, "ANJIE_PORT": str(port), "ANJIE_HOST": "127.0.0.1", "ANJIE_DEMO": "off"}


def contained() -> list[str]:
    """Begins a command that is process 1 and of a user without rights, where that can be had."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return []
    uid, gid = server_account()
    user = [f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
    return ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "setpriv", *user]


def healthy(root: Path, port: int) -> bool:
    """What the image's own check says."""
    [python, *arguments] = dockerfile.arguments("HEALTHCHECK")
    command = [str(root / "opt/venv/bin" / python), *arguments]
    asked = subprocess.run(command, env=environment(root, port), check=False, capture_output=True)
    return asked.returncode == 0


def test_it_is_made_of_what_is_there_and_of_nothing_else() -> None:
    sources = {copy.source for copy in dockerfile.copies()}
    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()
    [everything, *others] = [line for line in lines if not line.startswith("#")]
    assert everything == "*"
    let_in = {line.removeprefix("!") for line in others if line.startswith("!")}
    assert let_in <= sources
    assert all(any(Path(source).is_relative_to(path) for path in let_in) for source in sources)
    assert all((CHECKOUT / source).exists() for source in sources)


def test_packages_are_those_of_the_lock_file_by_their_hashes() -> None:
    [installing] = [rest for name, rest in dockerfile.instructions() if name == "RUN" and "pip " in rest]
    [directory] = [copy.to for copy in dockerfile.copies() if copy.source == LOCK]
    wanted = f"--require-hashes --only-binary :all: --requirement {directory}{LOCK}"
    assert " ".join(installing.split()).endswith(wanted)


def test_its_stages_stand_on_one_pinned_python_and_the_last_runs_as_nobody_else() -> None:
    bases = [rest.split()[0] for name, rest in dockerfile.instructions() if name == "FROM"]
    assert bases == [PYTHON, NODE, PYTHON]
    assert dockerfile.last("USER") == f"{USER}:{USER}"


def test_what_it_holds_serves_and_as_process_1_it_ends_in_order(root: Path) -> None:
    [port] = free_ports(1)
    command = [str(root / "usr/local/bin" / dockerfile.arguments("ENTRYPOINT")[0])]
    subprocess.run([*command, "--help"], env=environment(root, port), cwd=root, check=True)
    assert not healthy(root, port)
    with subprocess.Popen(
        [*contained(), *command, *dockerfile.arguments("CMD")], env=environment(root, port), cwd=root
    ) as process:
        try:
            assert eventually(lambda: process.poll() is not None or healthy(root, port), 120)
            serving = psutil.Process(process.pid)
            if contained():
                [serving] = serving.children()
                assert serving.uids().effective != os.geteuid()
            serving.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
