"""All pages, put together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.pages import assets, look, welcome
from services.pages.api import Api, Ask
from services.pages.audit import audit
from services.pages.design import design
from services.pages.desk import desk
from services.pages.offline import offline
from services.pages.people import people
from services.pages.phone import phone
from services.pages.room import Room
from services.pages.sign_in.sign_in import SignInPages
from services.pages.wall import wall
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request
from shared.web.assets import Assets
from shared.web.look import look_of
from shared.web.pages import Pages

_HERE: Final = Path(__file__).parent


def made_pages() -> Pages:
    """What renders the pages of all rooms. Raises: FileNotFoundError where `Assets` lacks something."""
    return Pages(Assets(), [_HERE])


def operations(pages: Pages, ask: Ask, sign_in: SignInPages) -> Sequence[Operation]:
    """Every page; `ask` answers a request as the public interface does."""
    api = Api(ask)
    room = Room(pages, api)
    return (
        assets.operation(pages.assets),
        look.operation(),
        welcome.operation(pages, api),
        *sign_in.operations(),
        design.operation(pages),
        *wall.operations(room),
        *audit.operations(room),
        *desk.operations(room),
        *people.operations(room),
        *offline.operations(room),
        *phone.operations(room),
    )


def problem_page(pages: Pages, request: Request, problem: Problem) -> Answer | None:
    """The problem as a page, where a page was asked for."""
    if request.path.startswith("/v1/") or "text/html" not in (request.header(b"accept") or ""):
        return None
    language = look_of(request).language
    told = {"title": problem.kind.title.in_language(language), "detail": problem.detail.in_language(language)}
    answer = pages.render(request, "problem.html", status=problem.status, **told)
    headers = tuple((name.lower().encode(), value.encode()) for name, value in problem.headers.items())
    return answer._replace(headers=(*answer.headers, *headers))
