"""The route by which an officer publishes a figure.

It is a command like those beside it; what it publishes is read by the projections, which
write nothing to the ledger. So the composition root hands their reading in.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.api.beside import BesideAnswer
from services.intake.application.beside import BesideWork
from services.intake.domain.publications import PublishFigure, publish_figure, published_figure
from shared.events.publications import Figure
from shared.policy.bodies import with_ids
from shared.policy.refusal import Refused
from shared.runtime.command_handling import Desk
from shared.runtime.command_http import COMMAND_PROBLEMS, created, read_sent
from shared.runtime.drafts import appended_events
from shared.runtime.identifiers import new_id
from shared.runtime.problems import Text, invalid
from shared.runtime.web import Answer, Operation, Request

ReadFigure = Callable[[Figure, int], Awaitable[tuple[Any, datetime]]]
"""The value of a figure as of a position, and when that was recorded. Raises: Problem about a field."""
_TOO_EARLY: Final = Text("lies before its position was recorded", "早于该位置的记录时间")

_EXAMPLE: Final = {
    "measure": "disposition_rate",
    "parameters": {"from": "2025-01-01", "to": "2025-12-31"},
    "position": 1,
}


class PublicationAnswer(BesideAnswer, frozen=True, kw_only=True):
    publication_id: UUID


def operation(desk: Desk, read_figure: ReadFigure) -> Operation:
    async def handle(request: Request) -> Answer:
        sent = read_sent(request, PublishFigure)
        body = with_ids(sent.body, new_id)
        assert isinstance(body, PublishFigure)
        assert body.publication_id is not None
        # The tree the desk will judge by: a unit may be news of another process.
        await desk.trees.refresh()
        try:
            figure = published_figure(body, sent.actor, desk.trees.current)
        except Refused:
            value = None  # The desk says so, unless the key was used before.
        else:
            value, recorded_at = await read_figure(figure, body.position)
            if body.occurred_at is not None and body.occurred_at < recorded_at:
                raise invalid("/occurred_at", "too-early", _TOO_EARLY)
        work = BesideWork(
            desk,
            sent,
            body.publication_id,
            body,
            lambda basis: publish_figure(body, value, basis.actor, basis.tree),
            begins="publication_id",
        )
        outcome = await desk.take(sent, work)
        [recorded] = outcome.events
        answer = PublicationAnswer(
            publication_id=recorded.stream_id,
            version=recorded.version,
            position=recorded.position,
            events=appended_events(outcome.events),
        )
        return created(answer, answer.version)

    return Operation(
        method="POST",
        path="/v1/publications",
        name=PublishFigure.command,
        summary="Publish a figure as of a position.",
        tag="figures",
        handler=handle,
        body=PublishFigure,
        example=_EXAMPLE,
        answers={201: PublicationAnswer},
        problems=COMMAND_PROBLEMS,
        headers=("Idempotency-Key", "?Anjie-Import", "?Accept-Language"),
        batchable=True,
    )
