"""The route by which an operator adopts a rule pack for a unit."""

import asyncio
from typing import Final
from uuid import UUID

from services.intake.api.beside import BesideAnswer
from services.intake.application.rule_packs import adopt
from services.intake.domain.rule_packs import AdoptRulePack
from shared.events.registry import event_of
from shared.events.units import RulePackAdopted
from shared.policy.packs import Pack, PackBroken, read_pack
from shared.runtime.command_handling import Desk
from shared.runtime.command_http import COMMAND_PROBLEMS, created, read_sent
from shared.runtime.database import Pool
from shared.runtime.drafts import appended_events
from shared.runtime.problems import FieldError, Text, invalid_fields
from shared.runtime.web import Answer, Operation, Request

_EXAMPLE: Final = {
    "unit": "01932f4a-8a00-7000-8000-000000000037",
    "from": "2026-01-01",
    "content": "name: my-town\nversion: 1\ntitle: {zh: 本镇规则, en: Our town}\nextends: cn-default\n",
}


class RulePackAnswer(BesideAnswer, frozen=True, kw_only=True):
    unit_id: UUID
    pack: str
    pack_version: int
    hash: str
    """Under which its content is kept."""


def operation(desk: Desk, pool: Pool) -> Operation:
    async def handle(request: Request) -> Answer:
        sent = read_sent(request, AdoptRulePack)
        body = sent.body
        assert isinstance(body, AdoptRulePack)
        # Whoever may not adopt any is told so, whatever the content.
        pack = await _read(body.content) if sent.actor.role == "operator" else None
        outcome = await adopt(desk, pool, sent, body, pack)
        [recorded] = outcome.events
        adopted = event_of(recorded)
        assert isinstance(adopted, RulePackAdopted)
        answer = RulePackAnswer(
            unit_id=recorded.stream_id,
            pack=adopted.pack,
            pack_version=adopted.pack_version,
            hash=adopted.hash,
            version=recorded.version,
            position=recorded.position,
            events=appended_events(outcome.events),
        )
        return created(answer, answer.version)

    return Operation(
        method="POST",
        path="/v1/rule-packs",
        name=AdoptRulePack.command,
        summary="Adopt a rule pack for a unit and those beneath it.",
        tag="rules",
        handler=handle,
        body=AdoptRulePack,
        example=_EXAMPLE,
        answers={201: RulePackAnswer},
        problems=COMMAND_PROBLEMS,
        headers=("Idempotency-Key", "?Accept-Language"),
        batchable=True,
    )


async def _read(content: str) -> Pack:
    """Raises: Problem 422 with each fault of the pack."""
    try:
        # Apart from the event loop: a large pack takes a while to read.
        return await asyncio.to_thread(read_pack, content, file="content")
    except PackBroken as broken:
        raise invalid_fields(
            [FieldError("/content", "rule-pack", Text(str(fault), str(fault))) for fault in broken.faults]
        ) from None
