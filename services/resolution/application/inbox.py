"""Seeing an item of an inbox: an event on a stream of the reader's own, however often they say so."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from uuid import UUID, uuid5

from services.resolution.domain.inbox import SeeItem, see_item
from shared.policy.actor import Actor
from shared.policy.imports import Import
from shared.runtime.command_handling import (
    Decided,
    Desk,
    Outcome,
    Sent,
    Streams,
    concerned,
    happened_at,
    under_import,
)
from shared.runtime.drafts import Placed

_SEEN: Final = UUID("0199c0f2-6b1e-7c35-9d0a-5b1f9a6e1c61")
"""The namespace of the streams."""


class WaitingItem(Protocol):
    @property
    def case_id(self) -> UUID | None:
        """The case on which it waits."""


FindItem = Callable[[Actor, UUID], Awaitable[WaitingItem | None]]
"""Finds what waits for an actor by its id, as far as is known now."""


async def see(desk: Desk, sent: Sent, item_id: UUID, find: FindItem) -> Outcome:
    """Raises: Refused, Problem."""
    return await desk.take(sent, SeenWork(desk, sent, item_id, await find(sent.actor, item_id)))


class SeenWork:
    def __init__(self, desk: Desk, sent: Sent, item_id: UUID, waiting: WaitingItem | None) -> None:
        assert isinstance(sent.body, SeeItem)
        self._desk = desk
        self._sent = sent
        self._body = sent.body
        self._item_id = item_id
        self._waiting = waiting
        self._stream_id = uuid5(_SEEN, f"{item_id}/{sent.actor.ref}")

    @property
    def cases(self) -> Sequence[UUID]:
        return ()

    @property
    def turns(self) -> Sequence[UUID]:
        return (self._stream_id,)

    @property
    def new(self) -> Sequence[UUID]:
        return ()

    @property
    def others(self) -> Sequence[UUID]:
        return (self._stream_id,)

    def decide(self, streams: Streams, found: Import | None) -> Decided:
        sent, tree = self._sent, self._desk.trees.current
        imported = under_import(sent, found, tree)
        occurred_at, policy, late = happened_at(sent, self._body, sent.actor.unit, tree, imported=imported)
        seen = see_item(self._item_id, self._body, waits=self._waiting is not None)
        if late:
            raise late
        stream = streams.events(self._stream_id)
        # Of the case, so that whoever may not know of that isn't told of this either.
        case_id = None if self._waiting is None else self._waiting.case_id
        return Decided(
            placed=[Placed(self._stream_id, len(stream) + 1, seen)],
            occurred_at=occurred_at,
            correlation_id=case_id or self._stream_id,
            about=concerned(self._body, ()),
            policy=policy.id,
        )
