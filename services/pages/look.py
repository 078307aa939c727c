"""`POST /look`: language, light or dark, and size, as somebody chose them on any page."""

from services.pages.local_paths import local_path
from services.pages.room import page, see_other
from shared.runtime.web import Answer, Operation, Request
from shared.web.look import chosen, look_of


def operation() -> Operation:
    async def handle(request: Request) -> Answer:
        fields = request.form()
        now = look_of(request)
        kept: dict[str, str] = now._asdict() | fields
        look = chosen(kept["language"], kept["theme"], kept["size"], now.language)
        return see_other(local_path(fields.get("next")), (b"set-cookie", look.cookie().encode()))

    return page("/look", "choose-look", handle, method="POST")
