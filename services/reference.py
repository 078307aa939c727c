"""`GET /v1/reference`: every list that bodies choose from under the rules of the caller's unit."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from shared.policy.moments import day_of
from shared.policy.policy import Policy
from shared.policy.reference import reference
from shared.runtime.trees import Trees
from shared.runtime.web import Answer, Operation, Request


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Lists by name, each `{version, items [{code zh en …}]}`."""

    version: str
    """Of the rules that they come from."""
    lists: dict[str, dict[str, Any]]


def operation(trees: Trees) -> Operation:
    async def handle(request: Request) -> Answer:
        policy = trees.current.policy(request.actor.unit, day_of(datetime.now(UTC)))
        return Answer(200, _encoded(policy))

    return Operation(
        method="GET",
        path="/v1/reference",
        name="reference",
        summary="Every list that bodies choose from, with Chinese and English labels.",
        tag="register",
        handler=handle,
        answers={200: Reference},
        headers=("?Accept-Language",),
    )


@lru_cache(maxsize=64)
def _encoded(policy: Policy) -> bytes:
    return msgspec.json.encode(reference(policy))
