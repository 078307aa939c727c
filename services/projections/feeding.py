"""What feeds the read models: batches of events, with the positions up to which they tell of each shard."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, Protocol

import msgspec
from psycopg import AsyncConnection

from services.projections.parking import ParkedRecord
from shared.events.ledger.feed import Feed
from shared.events.ledger.reader import fetch_range
from shared.events.recorded import Recorded

BATCH_EVENTS_MAX: Final = 25_000
"""What a worker that is far behind tells at once: a row that begins and ends in a batch costs no update.
From the ledger an event took 77 µs of processors' time, and 90 with batches of 5,000."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    events: Sequence[Recorded]
    """In order of position within each shard; some may have been told before."""
    positions: Mapping[int, int]
    """For each shard, up to where it is told with this batch: none of its events up to there is missing."""
    parked: Sequence[ParkedRecord] = ()
    """Records found on the way that are no event of this ledger, or can't be read."""


class Source(Protocol):
    """Where batches come from."""

    async def shards(self) -> Collection[int] | None:
        """The shards that are this worker's to tell (None: all), once there are any."""

    def follow(self, positions: Mapping[int, int]) -> AsyncGenerator[Batch, None]:
        """What comes after the positions of these shards, until they are somebody else's.

        Whoever follows keeps the positions up to date with what was stored. That may come later: when
        the next batch is asked for, this one is perhaps only told.
        """


class LedgerSource:
    """The ledger itself: every event in order, so all shards move on together."""

    def __init__(self, feed: Feed, only: Collection[int] | None = None) -> None:
        self._feed = feed
        self._only = only

    async def shards(self) -> Collection[int] | None:
        return self._only

    async def follow(self, positions: Mapping[int, int]) -> AsyncGenerator[Batch, None]:
        async with aclosing(self._feed.follow(min(positions.values()))) as following:
            async for events in following:
                yield dense(events, positions)


def dense(events: Sequence[Recorded], shards: Collection[int]) -> Batch:
    """A batch of events without gaps between their positions, which tells of every shard up to its last."""
    return Batch(events=events, positions=dict.fromkeys(shards, events[-1].position))


async def catch_up(
    connection: AsyncConnection[Any], after: int, to: int, shards: Collection[int]
) -> AsyncIterator[Batch]:
    """What the ledger has after a position up to and including `to`, for these shards."""
    while events := await fetch_range(connection, after, BATCH_EVENTS_MAX, to):
        after = events[-1].position
        yield dense(events, shards)
