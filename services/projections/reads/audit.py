"""The register of reads: who of those that oversee and run the system read a case, when, and which answer.

And who had it unmasked, why: with the reason sealed under a key of its own, as any text of a case.
"""

import asyncio
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.projections.figures.queries import AsOf
from shared.events.base import Private
from shared.policy.actor import Actor
from shared.runtime.database import Pool
from shared.runtime.identifiers import new_id
from shared.runtime.problems import Problem
from shared.runtime.sealing import MasterKey, Sealing

REGISTERED_ROLES: Final = frozenset(("supervisor", "auditor", "privacy_officer", "operator"))
"""Whose reads of single cases are written down."""
UNMASKINGS_MAX: Final = 30
"""Of one person within the window; more would be reading everything."""
WINDOW: Final = timedelta(hours=1)

_STORE: Final = """
    INSERT INTO audit.reads (case_id, actor_ref, actor_role, unit, read, as_of_position, at_occurred)
    SELECT * FROM unnest(
        %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s::bigint[], %s::timestamptz[]
    )
"""
_OLDEST_FIRST: Final = """
    SELECT read_id, read_at, actor_ref, actor_role, unit, read, as_of_position, at_occurred, reason
    FROM audit.reads
    WHERE case_id = %s AND read_id > coalesce(%s, 0) ORDER BY read_id LIMIT %s
"""
_LATEST_FIRST: Final = """
    SELECT read_id, read_at, actor_ref, actor_role, unit, read, as_of_position, at_occurred, reason
    FROM audit.reads
    WHERE case_id = %s AND read_id < coalesce(%s, 9223372036854775807) ORDER BY read_id DESC LIMIT %s
"""

_UNMASK: Final = "SELECT audit.unmask(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


class Read(NamedTuple):
    case_id: UUID
    actor_ref: str
    actor_role: str
    unit: UUID | None
    read: str
    as_of_position: int
    at_occurred: datetime | None


class ReadRegister:
    """Writes reads down before they are answered; those that arrive during a write go into the next one."""

    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master
        self._waiting: list[list[Read]] = []
        self._writing = asyncio.Lock()

    async def note(self, actor: Actor, case_ids: Iterable[UUID], read: str, as_of: AsOf) -> None:
        """Returns once it is stored; does nothing for those whose reads aren't registered."""
        if actor.role not in REGISTERED_ROLES:
            return
        reads = [
            Read(case_id, actor.ref, actor.role, actor.unit, read, as_of.position, as_of.occurred)
            for case_id in case_ids
        ]
        if not reads:
            return
        self._waiting.append(reads)
        async with self._writing:
            # Whoever had the turn before may have written these along with its own.
            if any(waiting is reads for waiting in self._waiting):
                await self._write(reads)

    async def note_unmasking(
        self, actor: Actor, case_id: UUID, read: str, reason: str, as_of: AsOf, about: Iterable[UUID]
    ) -> None:
        """Returns once it is stored, with the reason sealed; `about` are the people whom that may concern.

        Raises: Problem 429 after too many within the hour, and nothing is stored.
        """
        sealing = Sealing(self._master, tuple(about))
        sealed = sealing.seal_text(reason, new_id(), "reason")
        (key,) = sealing.keys
        async with self._pool.connection() as connection:
            values = (
                case_id, actor.ref, actor.role, actor.unit, as_of.position, as_of.occurred,
                msgspec.json.encode(sealed), key.key_id, key.wrapped, list(key.persons),
                WINDOW, UNMASKINGS_MAX, read,
            )  # fmt: skip
            row = await (await connection.execute(_UNMASK, values)).fetchone()
        wait: timedelta | None = None if row is None else row[0]
        if wait is not None:
            seconds = max(1, math.ceil(wait.total_seconds()))
            raise Problem("unmasked-too-often", headers={"Retry-After": str(seconds)})

    async def page(
        self, case_id: UUID, *, after: int | None, limit: int, latest_first: bool = False
    ) -> tuple[list[dict[str, Any]], int | None]:
        """A page of the reads of a case, and after which the next one begins.

        Reasons stand in it sealed.
        """
        async with self._pool.connection() as connection:
            listed = _LATEST_FIRST if latest_first else _OLDEST_FIRST
            rows = await (await connection.execute(listed, (case_id, after, limit + 1))).fetchall()
        items = [
            {
                "read_at": read_at,
                "actor_ref": actor_ref,
                "actor_role": actor_role,
                "unit": unit,
                "read": read,
                "as_of_position": position,
                "at_occurred": occurred,
                "reason": reason and msgspec.json.decode(reason, type=Private),
            }
            for _, read_at, actor_ref, actor_role, unit, read, position, occurred, reason in rows[:limit]
        ]
        return items, rows[limit - 1][0] if len(rows) > limit else None

    async def _write(self, own: list[Read]) -> None:
        taken, self._waiting = self._waiting, []
        columns = zip(*(read for reads in taken for read in reads), strict=True)
        try:
            async with self._pool.connection() as connection:
                await connection.execute(_STORE, [list(column) for column in columns])
        except BaseException:
            # Nobody of these is answered without it: who still waits tries again.
            self._waiting += [reads for reads in taken if reads is not own]
            raise
