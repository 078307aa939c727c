"""The account that the embedded server runs as when the product runs as root, and what it may reach."""

import contextlib
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Final

_SYSTEM_USER: Final = "pgserver"


def server_account() -> tuple[int, int]:
    """Uid and gid that the server runs under when we are root, which PostgreSQL refuses to run as."""
    try:
        account = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
        # A lost race with another start is no failure: what counts is that the account exists.
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(command, check=False, capture_output=True)
        try:
            account = pwd.getpwnam(_SYSTEM_USER)
        except KeyError:
            account = pwd.getpwnam("nobody")
    return account.pw_uid, account.pw_gid


def let_traverse(directory: Path) -> None:
    """Lets every user pass through a directory and those above it, but not list them."""
    for path in (directory, *directory.parents):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)


def let_read(tree: Path) -> None:
    """Lets every user read a tree that was installed under a narrow umask; it holds programs, no data."""
    if tree.joinpath("bin", "postgres").stat().st_mode & stat.S_IXOTH:
        return
    libraries = tree.parent.with_name(f"{tree.parent.name}.libs")
    for path in (*tree.rglob("*"), tree, *libraries.rglob("*"), libraries):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
