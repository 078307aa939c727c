"""Programs that surround the product: found on this machine, else installed where that may be done."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.processes import last_line

_RUN_S: Final = 300.0
_SYSTEM: Final = "/usr/sbin:/sbin"
"""Where servers lie, which isn't on everybody's path."""


class ProgramUnavailable(Exception):
    """A program can't be had or doesn't do its work; the message says which and why in one line."""


def obtain(program: str, package: str) -> Path:
    """Where a program is: on the path, else where Debian's package puts it, which root may install.

    Raises: ProgramUnavailable.
    """
    if _find(program) is None:
        install(package)
    found = _find(program)
    if found is None:
        raise ProgramUnavailable(f"no {program} on this machine; on Debian: apt-get install {package}")
    return Path(found)


def install(package: str) -> None:
    """Installs Debian's package, where that may be done. Raises: ProgramUnavailable where it fails."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        run(["apt-get", "-qq", "update"])
        run(["apt-get", "-qq", "install", "--yes", "--no-install-recommends", package])


def run(command: Sequence[str]) -> None:
    """Runs a command to its good end. Raises: ProgramUnavailable."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_RUN_S,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramUnavailable(f"{name} took more than {_RUN_S:.0f} s") from error
    if done.returncode != 0:
        raise ProgramUnavailable(f"{name}: {last_line(done.stdout + done.stderr)}")


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}")
