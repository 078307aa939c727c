"""Saying that an item of one's inbox was seen."""

from uuid import UUID

from shared.events.inbox import ItemSeen
from shared.policy.bodies import Body
from shared.policy.deciding import with_note
from shared.policy.refusal import Unknown
from shared.policy.rules import refusal


class SeeItem(Body, frozen=True, kw_only=True):
    pass


def see_item(item_id: UUID, body: SeeItem, *, waits: bool) -> ItemSeen:
    """`waits`: whether there is such an item for whoever says so.

    Raises:
        Unknown: there is none.
    """
    if not waits:
        raise refusal(Unknown, "unknown")
    return with_note(ItemSeen(item_id=item_id), body)
