"""The data directory: one product at a time, with the embedded database in it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from shared.runtime.migrations import SERVICE_ROLE
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.settings import Settings

_LOCK_FILE: Final = "lock"


class DataDirectoryBusy(Exception):
    """Another process works in the data directory; the message says which."""


@contextmanager
def occupied(data_dir: Path) -> Iterator[None]:
    """Holds the data directory, which is made if need be; the kernel gives it free when the process ends.

    Raises: DataDirectoryBusy; OSError when it can't be made or written.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data_dir / _LOCK_FILE).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise DataDirectoryBusy(f"{data_dir} is in use by a running anjie (process {holder})") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def database_at_hand(settings: Settings) -> Iterator[Settings]:
    """The settings with a database that answers, for a command that ends by itself.

    The operator's own; else the embedded one, of the product that is running if one is, else
    started for as long as the command takes.

    Raises: postgres.PostgresFailed, OSError.
    """
    if settings.database_url is not None:
        yield settings
        return
    server = EmbeddedPostgres(settings.data_dir)
    try:
        with occupied(settings.data_dir):
            server.start()
            try:
                yield embedded_settings(settings, server)
            finally:
                server.stop()
    except DataDirectoryBusy:
        yield embedded_settings(settings, server)


def embedded_settings(settings: Settings, server: EmbeddedPostgres) -> Settings:
    """The settings with the embedded database's two roles in the place of the operator's."""
    return replace(settings, database_url=server.url(SERVICE_ROLE), database_owner_url=server.url())
