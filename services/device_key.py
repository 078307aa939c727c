"""`GET /v1/me/device-key`: under which a device of the caller's seals what it keeps for them."""

from base64 import urlsafe_b64encode
from typing import Final

import msgspec

from shared.runtime.sealing import MasterKey
from shared.runtime.web import Answer, Operation, Request, json_answer

_KEPT_BY_NOBODY: Final = ((b"cache-control", b"no-store"),)


class DeviceKey(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    """256 bits, base64url; always the same for an account, of no use for another."""


def operation(master: MasterKey) -> Operation:
    async def handle(request: Request) -> Answer:
        key = urlsafe_b64encode(master.device_key(request.actor.ref)).decode()
        return json_answer(DeviceKey(key=key), headers=_KEPT_BY_NOBODY)

    return Operation(
        method="GET",
        path="/v1/me/device-key",
        name="device-key",
        summary="The key under which a device of yours seals what it keeps until it has a signal.",
        tag="register",
        handler=handle,
        answers={200: DeviceKey},
        headers=("?Accept-Language",),
    )
