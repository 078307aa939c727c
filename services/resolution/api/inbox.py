"""The route of what is done with one's inbox."""

from typing import Final
from uuid import UUID

import msgspec

from services.resolution.application.inbox import FindItem, see
from services.resolution.domain.inbox import SeeItem
from shared.runtime.command_handling import Desk
from shared.runtime.command_http import COMMAND_PROBLEMS, created, read_sent
from shared.runtime.drafts import AppendedEvent, appended_events
from shared.runtime.web import Answer, Operation, Request

_HEADERS: Final = ("Idempotency-Key", "?Anjie-Import", "?Accept-Language")


class SeenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is that of the stream which says what the caller has seen of the item."""

    item_id: UUID
    version: int
    position: int
    events: tuple[AppendedEvent, ...]


def operation(desk: Desk, find: FindItem) -> Operation:
    async def handle(request: Request) -> Answer:
        item_id = request.id("item_id")
        outcome = await see(desk, read_sent(request, SeeItem), item_id, find)
        last = outcome.events[-1]
        answer = SeenAnswer(
            item_id=item_id,
            version=last.version,
            position=last.position,
            events=appended_events(outcome.events),
        )
        return created(answer, answer.version, status=200)

    return Operation(
        method="POST",
        path="/v1/inbox/{item_id}/seen",
        name=SeeItem.command,
        summary="Say that an item was seen.",
        tag="inbox",
        handler=handle,
        body=SeeItem,
        answers={200: SeenAnswer},
        problems=COMMAND_PROBLEMS,
        headers=_HEADERS,
        batchable=True,
    )
