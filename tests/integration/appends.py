"""Appends to write in tests of the ledger, and the pools to write them with."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from shared.events.recorded import Append, IdempotencyKey, Metadata, NewEvent, WrappedKey
from shared.runtime.database import Pool, service_pool


def new_append(
    *streams: tuple[UUID, int, int],
    key: IdempotencyKey | None = None,
    persons: Sequence[UUID] = (),
) -> Append:
    """An append of events to streams, each given as (stream id, first version, number of events)."""
    events = [
        NewEvent(
            originator_id=stream_id,
            originator_version=first + n,
            topic="case.escalated",
            state=b'{"n": %d}' % n,
            event_id=uuid4(),
            schema_version=1,
        )
        for stream_id, first, count in streams
        for n in range(count)
    ]
    metadata = Metadata(
        occurred_at=datetime(2014, 3, 1, 8, 30, tzinfo=UTC),
        actor_ref="张组长",
        actor_role="group_leader",
        unit=uuid4(),
        correlation_id=streams[0][0],
        policy="built-in",
    )
    keys = [WrappedKey(person, b"wrapped", (person,), claims=True) for person in persons]
    return Append(events=events, metadata=metadata, idempotency=key, keys=keys)


def new_key(key: int, body: int = 0) -> IdempotencyKey:
    return IdempotencyKey(key.to_bytes(32, "big"), body.to_bytes(32, "big"))


@asynccontextmanager
async def open_pool(url: str, connections_max: int = 6) -> AsyncIterator[Pool]:
    async with service_pool(url, name="test", connections_max=connections_max) as pool:
        yield pool


async def until(true: Callable[[], bool]) -> None:
    """Waits for what another task brings about. Raises: TimeoutError after 10 s."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # what is awaited has no event of its own
            await asyncio.sleep(0.002)
