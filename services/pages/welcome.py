"""`/`: what this is, and where to go on."""

from services.pages.room import page
from shared.runtime.web import Answer, Operation, Request
from shared.web.pages import Pages


def operation(pages: Pages) -> Operation:
    async def handle(request: Request) -> Answer:
        return pages.render(request, "welcome.html")

    return page("/", "welcome", handle)
