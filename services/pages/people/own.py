"""`/password`: whoever has signed in with a password gives themselves another one."""

from collections.abc import Mapping
from typing import Final

from services.pages.api import Refused
from services.pages.given import wrong_fields
from services.pages.room import Me, Room
from shared.runtime.web import Answer, Operation, Request

_FIELDS: Final = ("password", "new_password")


def operations(room: Room) -> tuple[Operation, ...]:
    async def ask(request: Request, me: Me) -> Answer:
        return _form(request, {})

    async def change(request: Request, me: Me) -> Answer:
        fields = request.form()
        body = {name: fields[name] for name in _FIELDS if fields.get(name)}
        try:
            await room.api.post(request, "/v1/me/password", body)
        except Refused as refused:
            if refused.status not in (422, 429):
                raise
            return _form(request, wrong_fields(refused, "password"))
        return room.pages.render(request, "people/own_changed.html")

    def _form(request: Request, wrong: Mapping[str, str]) -> Answer:
        return room.pages.render(request, "people/own.html", status=422 if wrong else 200, wrong=wrong)

    return (
        room.page("/password", "own-password", ask),
        room.page("/password", "own-password-change", change, method="POST"),
    )
