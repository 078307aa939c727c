"""`/password`: whoever has signed in with a password chooses another one, or has to."""

from collections.abc import Mapping
from typing import Final

from services.pages.api import Refused
from services.pages.given import given, wrong_fields
from services.pages.local_paths import next_path
from services.pages.room import PASSWORD, Me, Room, see_other
from shared.runtime.web import Answer, Operation, Request

_FIELDS: Final = ("password", "new_password")


def operations(room: Room) -> tuple[Operation, ...]:
    async def ask(request: Request, me: Me) -> Answer:
        return _form(request, me, {})

    async def change(request: Request, me: Me) -> Answer:
        fields = request.form()
        body = {name: fields[name] for name in _FIELDS if fields.get(name)}
        try:
            changed = await room.api.posted(request, "/v1/me/password", body)
        except Refused as refused:
            if refused.status not in (422, 429):
                raise
            return _form(request, me, wrong_fields(refused, "password"))
        goes_on = [(name, value) for name, value in changed.headers if name == b"set-cookie"]
        if given(request).one("next"):
            return see_other(next_path(request), *goes_on)
        answer = room.pages.render(request, "people/own_changed.html")
        return answer._replace(headers=(*answer.headers, *goes_on))

    def _form(request: Request, me: Me, wrong: Mapping[str, str]) -> Answer:
        status = 422 if wrong else 200
        return room.pages.render(request, "people/own.html", status=status, me=me, wrong=wrong)

    return (
        room.page(PASSWORD, "own-password", ask),
        room.page(PASSWORD, "own-password-change", change, method="POST"),
    )
