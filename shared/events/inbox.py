"""Events of an inbox: one stream for each reader and item, begun when the reader has seen it."""

from typing import ClassVar
from uuid import UUID

from shared.events.base import Event


class InboxEvent(Event, frozen=True, kw_only=True):
    stream_kind: ClassVar[str] = "inbox"


class ItemSeen(InboxEvent, frozen=True, kw_only=True):
    """Whoever recorded it has seen the item."""

    item_id: UUID
