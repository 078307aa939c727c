"""`GET /v1/reference`: every list that bodies choose from, in both languages."""

from typing import Any

import msgspec

from shared.policy.policy import Policy
from shared.policy.reference import reference
from shared.runtime.web import Answer, Operation, Request


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Lists by name, each `{version, items [{code zh en …}]}`."""

    version: str
    """Of the rules that they come from."""
    lists: dict[str, dict[str, Any]]


def operation(policy: Policy) -> Operation:
    content = msgspec.json.encode(reference(policy))

    async def handle(request: Request) -> Answer:
        return Answer(200, content)

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
