"""A document as an answer: a file for whoever asked, kept by nobody on the way."""

import asyncio

from shared.paper.content import Document
from shared.paper.printing import MEDIA_TYPE, printed
from shared.runtime.web import Answer


async def print_out(document: Document, name: str) -> Answer:
    """The PDF, shown in the browser; `name`, without its ending, says nothing of anybody."""
    content = await asyncio.to_thread(printed, document)
    headers = (
        (b"content-disposition", f'inline; filename="{name}.pdf"'.encode("ascii")),
        (b"cache-control", b"no-store"),
    )
    return Answer(200, content, headers, MEDIA_TYPE)
