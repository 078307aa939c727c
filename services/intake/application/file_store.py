"""Where sealed files lie: one file each in the data directory, named by its id."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import UUID


class FileStore:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, file_id: UUID, sealed: bytes) -> None:
        """Puts the bytes there whole and lasting, or not at all. Raises OSError, as when the disk is full."""
        path = self._path(file_id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp gives mode 0600; only a whole file ever gets the final name.
        descriptor, draft = tempfile.mkstemp(prefix=".draft-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).rename(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(draft).unlink()
            raise
        self._sync(path.parent)

    def read(self, file_id: UUID) -> bytes | None:
        """The sealed bytes, or None where there are none."""
        try:
            return self._path(file_id).read_bytes()
        except FileNotFoundError:
            return None

    def _path(self, file_id: UUID) -> Path:
        # The last characters of a UUIDv7 are random, so folders fill evenly.
        name = str(file_id)
        return self._directory / name[-2:] / name

    def _sync(self, directory: Path) -> None:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
