"""Files: sealed under a key of their own before they lie on a disk, read as their cases may be read."""

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from services.intake.application.beside import BesideWork
from services.intake.application.file_store import FileStore
from services.intake.domain.records import may_store_files
from shared.events.evolve import fold
from shared.events.files import FileStored
from shared.events.ledger.loader import StreamLoader
from shared.events.registry import event_of
from shared.policy.actor import Actor
from shared.policy.bodies import Body
from shared.policy.refusal import Forbidden, Unknown
from shared.policy.rules import refusal
from shared.policy.sight import Sight, sight, sight_of
from shared.runtime.command_handling import Desk, Outcome, Sent
from shared.runtime.database import Pool
from shared.runtime.problems import Problem
from shared.runtime.sealing import open_file, seal_file
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault
from shared.runtime.web import RETRY_AFTER_S

_CASES_NAMING: Final = """
    SELECT DISTINCT stream_id FROM ledger.events
    WHERE topic IN ('case.document_attached', 'case.resolved')
        AND ledger.files_named(topic, data) @> ARRAY[%s::text]
    LIMIT 100
"""


log = structlog.stdlib.get_logger("anjie.files")


class StoreFile(Body, frozen=True, kw_only=True):
    """What is remembered of an upload; its bytes travel beside."""

    file_id: UUID
    digest: str
    size: int
    media_type: str


class StoredFile(NamedTuple):
    file_id: UUID
    event: FileStored


class Files:
    def __init__(
        self, desk: Desk, pool: Pool, loader: StreamLoader, vault: Vault, trees: Trees, store: FileStore
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._loader = loader
        self._vault = vault
        self._trees = trees
        self._store = store

    def digest(self, content: bytes) -> str:
        return self._vault.master.file_digest(content)

    async def store(self, sent: Sent, file_id: UUID, body: StoreFile, content: bytes) -> StoredFile:
        """Seals and stores a file. A file whose event is refused stays behind unread, sealed by a lost key.

        Raises: Refused; Problem, 503 when it can't be written.
        """
        # Looked at beforehand too, so that whoever may not store a file doesn't fill the disk.
        may_store_files(sent.actor, self._trees.current)
        sealed, key = await asyncio.to_thread(seal_file, file_id, content, self._vault.master)
        try:
            await asyncio.to_thread(self._store.write, file_id, sealed)
        except OSError as error:
            log.warning("file not written", error=str(error.strerror))
            raise Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)}) from error
        event = FileStored(digest=body.digest, size=body.size, media_type=body.media_type)

        def decide(basis: object) -> FileStored:
            may_store_files(sent.actor, self._trees.current)
            return event

        work = BesideWork(self._desk, sent, file_id, body, decide, begins="file_id", keys=(key,))
        return stored_file(await self._desk.take(sent, work))

    async def read(self, file_id: UUID, actor: Actor) -> tuple[FileStored, bytes]:
        """A file in the clear, for its uploader and whoever sees a case that names it in the clear.

        Raises: Unknown, Forbidden.
        """
        stream = (await self._loader.load([file_id], None)).streams[file_id]
        event = event_of(stream[0]) if stream else None
        if not isinstance(event, FileStored):
            raise refusal(Unknown, "unknown")
        if stream[0].actor_ref != actor.ref:
            self._check_sight(actor, await self._sights(file_id, actor))
        keys = await self._vault.keys([file_id])
        sealed = await asyncio.to_thread(self._store.read, file_id)
        if sealed is None or file_id not in keys:
            raise refusal(Unknown, "unknown")
        return event, await asyncio.to_thread(open_file, file_id, sealed, keys[file_id])

    async def _sights(self, file_id: UUID, actor: Actor) -> list[Sight]:
        """How the actor sees each of the cases that name the file."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_CASES_NAMING, (str(file_id),), prepare=True)).fetchall()
        loaded = await self._loader.load([row[0] for row in rows], None)
        cases = (fold(stream) for stream in loaded.streams.values())
        return [sight(actor, sight_of(case), self._trees.current) for case in cases if case is not None]

    def _check_sight(self, actor: Actor, sights: Iterable[Sight]) -> None:
        seen = set(sights)
        if Sight.CLEAR in seen:
            return
        if seen <= {Sight.HIDDEN}:
            raise refusal(Unknown, "unknown")
        raise refusal(Forbidden, "only-in-the-clear")


def stored_file(outcome: Outcome) -> StoredFile:
    """The file that a command stored, now or before."""
    event = event_of(outcome.events[0])
    assert isinstance(event, FileStored)
    return StoredFile(outcome.events[0].stream_id, event)
