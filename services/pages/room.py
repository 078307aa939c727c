"""What a room of pages is made of: operations that answer with a page."""

from collections.abc import Awaitable, Callable

from shared.runtime.web import Answer, Operation, Request


def page(
    path: str, name: str, handler: Callable[[Request], Awaitable[Answer]], *, method: str = "GET"
) -> Operation:
    """An operation for people, which the documents for programs don't tell of; it signs in by itself."""
    return Operation(
        method=method,
        path=path,
        name=name,
        summary="",
        tag="pages",
        handler=handler,
        signed_in=False,
        documented=False,
    )
