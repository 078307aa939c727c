"""`/design`: every part that pages are made of, as it is now."""

from typing import Final

from services.pages.room import page
from shared.runtime.web import Answer, Operation, Request
from shared.web.pages import Pages

_COLOURS: Final = (
    "paper", "ground", "sunken", "ink", "ink-soft", "line", "line-strong", "accent", "accent-soft",
    "good", "good-soft", "warn", "warn-soft", "bad", "bad-soft", "past", "past-soft", "focus",
)  # fmt: skip


def operation(pages: Pages) -> Operation:
    async def handle(request: Request) -> Answer:
        return pages.render(request, "design/design.html", colours=_COLOURS)

    return page("/design", "design", handle)
