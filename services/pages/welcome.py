"""`/`: what this is, and where to go on; for somebody who has signed in, their screens."""

from services.pages.api import Api, Refused
from services.pages.room import page, to_choosing
from services.pages.screens import screens_of
from shared.runtime.web import Answer, Operation, Request
from shared.web.pages import Pages


def operation(pages: Pages, api: Api) -> Operation:
    async def handle(request: Request) -> Answer:
        try:
            me = await api.get(request, "/v1/me")
        except Refused:
            return pages.render(request, "welcome.html", me=None, screens=[])
        if me["password_given"]:
            return to_choosing("/")
        return pages.render(request, "welcome.html", me=me, screens=screens_of(me["role"]))

    return page("/", "welcome", handle)
