"""Telling batches of events: which rows they begin and end, and which streams can't be told."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.projections.actors.sightings import Sightings
from services.projections.catalogue import projector_of
from services.projections.parking import Parked
from services.projections.shards import shard_of
from services.projections.temporal import Projector, Story, TemporalRow
from services.projections.writer import Changes
from shared.events.recorded import Recorded
from shared.events.registry import event_of

STORIES_MAX: Final = 4_096
"""Streams kept in memory; another one is read from the ledger when it goes on."""

_STREAMS_AT_ONCE: Final = 50
"""So many are told before what else there is to do has its turn: the batch before may be on its way."""

Past = Callable[[Mapping[UUID, int]], AsyncIterator[Recorded]]
"""The events of streams up to a version each, that included: stream by stream, in order of version."""
ProjectorOf = Callable[[str], Projector[Any] | None]
"""The projector of a topic's streams; None where they leave no rows."""


class Teller:
    """Tells events in order of position, and remembers the streams told last."""

    def __init__(self, past: Past, *, shards: int, projectors: ProjectorOf = projector_of) -> None:
        self._past = past
        self._shards = shards
        self._projector_of = projectors
        self._stories: OrderedDict[UUID, Story[Any]] = OrderedDict()
        self._sightings = Sightings()

    async def tell(
        self, batch: Sequence[Recorded], parked: Iterable[UUID] = ()
    ) -> tuple[Changes, list[Parked]]:
        """What a batch changes, and the streams that stand still from now on, beside those `parked`.

        What a stream changed before it stood still is kept.
        """
        changes = Changes()
        changes.sightings = [seen for event in batch if (seen := self._sightings.notice(event)) is not None]
        streams = self._by_stream(batch, set(parked))
        newly = await self._recall(streams)
        for number, (stream_id, events) in enumerate(streams.items()):
            if stream_id not in newly:
                self._tell_stream(stream_id, events, changes, newly)
            if number % _STREAMS_AT_ONCE == 0:
                await asyncio.sleep(0)
        while len(self._stories) > STORIES_MAX:
            self._stories.popitem(last=False)
        return changes, list(newly.values())

    def forget(self, streams: Iterable[UUID] | None = None) -> None:
        """Drops streams from memory (None: all), when what was told of them may not have been stored."""
        for stream_id in list(self._stories) if streams is None else streams:
            self._stories.pop(stream_id, None)
        self._sightings.forget()

    def _by_stream(self, batch: Sequence[Recorded], parked: set[UUID]) -> dict[UUID, list[Recorded]]:
        streams: dict[UUID, list[Recorded]] = {}
        for recorded in batch:
            if recorded.stream_id not in parked and self._projector_of(recorded.topic) is not None:
                streams.setdefault(recorded.stream_id, []).append(recorded)
        return streams

    async def _recall(self, streams: Mapping[UUID, Sequence[Recorded]]) -> dict[UUID, Parked]:
        """Makes the stories that aren't in memory, and whole ones of streams with a late event."""
        newly: dict[UUID, Parked] = {}
        wanted: dict[UUID, int] = {}
        for stream_id, events in streams.items():
            story = self._stories.get(stream_id)
            before = events[0].version - 1
            if story is not None and story.version == before and not _has_late(events, story):
                continue
            self._begin(events[0])
            if before:
                wanted[stream_id] = before
        if not wanted:
            return newly
        previous: UUID | None = None
        async for recorded in self._past(wanted):
            if previous is not None and previous != recorded.stream_id:
                self._shorten(previous, streams[previous])
            previous = recorded.stream_id
            if previous in newly:
                continue
            try:
                for row in self._stories[previous].tell(recorded, event_of(recorded)):
                    row.stored = True
            except Exception as error:
                newly[previous] = self._park(streams[previous][0], error)
        return newly

    def _tell_stream(
        self, stream_id: UUID, events: Sequence[Recorded], changes: Changes, newly: dict[UUID, Parked]
    ) -> None:
        story = self._stories[stream_id]
        touched: dict[int, TemporalRow] = {}
        for recorded in events:
            try:
                if recorded.version != story.version + 1:
                    raise OutOfOrder(f"version {recorded.version} after {story.version}")
                touched.update((id(row), row) for row in story.tell(recorded, event_of(recorded)))
            except Exception as error:
                newly[stream_id] = self._park(recorded, error)
                break
        else:
            self._keep(stream_id, events[0].topic, story)
        try:
            changes.add(stream_id, shard_of(stream_id, self._shards), events[0].position, touched.values())
        except Exception as error:
            newly[stream_id] = self._park(events[0], error)

    def _keep(self, stream_id: UUID, topic: str, story: Story[Any]) -> None:
        """Remembers of a stream what its next events need, if any will come."""
        projector = self._projector_of(topic)
        if projector is not None and projector.lasting:
            story.shorten()
            self._stories.move_to_end(stream_id)
        else:
            del self._stories[stream_id]

    def _begin(self, recorded: Recorded) -> None:
        projector = self._projector_of(recorded.topic)
        assert projector is not None
        self._stories[recorded.stream_id] = Story(projector)

    def _shorten(self, stream_id: UUID, events: Sequence[Recorded]) -> None:
        """Keeps of a recalled story what its next events need."""
        story = self._stories.get(stream_id)
        if story is not None and not _has_late(events, story):
            story.shorten()

    def _park(self, recorded: Recorded, error: Exception) -> Parked:
        self._stories.pop(recorded.stream_id, None)
        return Parked.because(error, recorded.stream_id, self._shards, recorded.position)


class OutOfOrder(Exception):
    """An event doesn't follow the one told before it in its stream."""


def _has_late(events: Sequence[Recorded], story: Story[Any] | None) -> bool:
    latest = None if story is None else story.occurred_max
    for recorded in events:
        if latest is not None and recorded.occurred_at < latest:
            return True
        latest = recorded.occurred_at
    return False
