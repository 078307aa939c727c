"""Imports under which commands come in: read once a second at most, however many lines there are."""

import time
from typing import Final
from uuid import UUID

from shared.events.ledger.loader import StreamLoader
from shared.policy.imports import Import, fold_import

_TRUSTED_S: Final = 1.0
"""How long an import that another process closes may still be taken for open."""
_REMEMBERED_MAX: Final = 1024


class Imports:
    def __init__(self, loader: StreamLoader) -> None:
        self._loader = loader
        self._seen: dict[UUID, tuple[float, Import]] = {}

    async def find(self, import_id: UUID) -> Import | None:
        seen = self._seen.get(import_id)
        if seen is not None and time.monotonic() - seen[0] < _TRUSTED_S:
            return seen[1]
        found = fold_import((await self._loader.load([import_id], None)).streams[import_id])
        if found is not None:
            if len(self._seen) >= _REMEMBERED_MAX:
                self._seen.clear()
            self._seen[import_id] = (time.monotonic(), found)
        return found

    def forget(self, import_id: UUID) -> None:
        """Has an import read anew: something was just stored in its stream."""
        self._seen.pop(import_id, None)
