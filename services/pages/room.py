"""What a room of pages is made of: operations that answer whoever has signed in with a page."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from services.pages.api import Api, Refused
from services.pages.screens import Screen
from shared.runtime.problems import Problem, Text
from shared.runtime.web import Answer, Operation, Request
from shared.web.pages import Pages

SIGN_IN: Final = "/sign-in"
PASSWORD: Final = "/password"


class Me(msgspec.Struct, frozen=True):
    """Who looks at the page, as `GET /v1/me` tells it."""

    sub: str
    role: str
    unit: str | None
    unit_name: str | None
    unit_path: list[dict[str, Any]]
    clearances: list[str]
    password_given: bool

    @property
    def account(self) -> str:
        """What the phone names the account by, of which nobody can tell who it is."""
        return sha256(self.sub.encode()).hexdigest()


Handler = Callable[[Request, Me], Awaitable[Answer]]


class Room:
    """Pages for people who have signed in, with a password that is theirs alone.

    Others are asked to, and come back to where they wanted to go.
    """

    def __init__(
        self, pages: Pages, api: Api, screen: Screen | None = None, refusal: Text | None = None
    ) -> None:
        """`refusal` is told to whoever the screen, if there is one, isn't for."""
        self.pages = pages
        self.api = api
        self._screen = screen
        self._refusal = refusal

    def of(self, screen: Screen, refusal: Text | None = None) -> "Room":
        """The same for those alone whom the screen is for."""
        return Room(self.pages, self.api, screen, refusal)

    def page(self, path: str, name: str, handler: Handler, *, method: str = "GET") -> Operation:
        """What the handler refuses, or the interface does for it, is told on a page as well."""

        async def handle(request: Request) -> Answer:
            try:
                me = msgspec.convert(await self.api.get(request, "/v1/me"), Me)
                if me.password_given and request.path != PASSWORD:
                    return to_choosing(_asked_for(request))
                if self._screen is not None and me.role not in self._screen.roles:
                    raise Problem("forbidden", self._refusal)
                return await handler(request, me)
            except Refused as refused:
                if refused.status == 401:
                    return see_other(f"{SIGN_IN}?{urlencode({'next': _asked_for(request)})}")
                told = {name: refused.problem[name] for name in ("title", "detail")}
                return self.pages.render(request, "problem.html", status=refused.status, **told)

        return page(path, name, handle, method=method)


def page(
    path: str, name: str, handler: Callable[[Request], Awaitable[Answer]], *, method: str = "GET"
) -> Operation:
    """An operation for people, which the documents for programs don't tell of."""
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


def to_choosing(following: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Sends whoever signed in with a password that somebody gave them on to choose another, and then on."""
    return see_other(f"{PASSWORD}?{urlencode({'next': following})}", *headers)


def _asked_for(request: Request) -> str:
    """What to come back to: the page with its query, or the first page after what was to be done."""
    if request.method != "GET":
        return "/"
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path


def see_other(path: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Sends the browser on to a page of this server."""
    return Answer(303, b"", ((b"location", path.encode()), *headers))
