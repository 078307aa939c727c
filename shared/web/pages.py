"""From a template to an answer: words, look and the headers that keep a page to itself."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.runtime.sessions import csrf_token, session_token
from shared.runtime.web import Answer, Request
from shared.web.assets import Assets
from shared.web.dates import day_in_words, local, moment_in_words
from shared.web.look import Look, look_of
from shared.web.words import Words

HTML: Final = b"text/html; charset=utf-8"
SECURITY: Final[tuple[tuple[bytes, bytes], ...]] = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none';"
        b" form-action 'self'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self), camera=(self), microphone=()"),
)
"""No third party, no inline script or style, in nobody's frame."""
_TEMPLATES: Final = Path(__file__).with_name("templates")


class Pages:
    """Renders templates of ours and of `rooms`, directories that may have a `words.yaml`, too."""

    def __init__(self, assets: Assets, rooms: Iterable[Path]) -> None:
        directories = [_TEMPLATES, *rooms]
        self.assets = assets
        self.words = Words(file for room in directories for file in sorted(room.rglob("words.yaml")))
        self._environment = Environment(
            loader=FileSystemLoader(directories),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["asset"] = assets.path

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Answer:
        """The page for whoever asks, in their language and look; never kept by anybody in between."""
        look = look_of(request)
        content = self._environment.get_template(template).render(
            look=look,
            t=partial(self.words.say, look.language),
            day=partial(_day, look),
            moment=partial(_moment, look),
            path=_asked(request),
            same_again=_same_again(request),
            csrf=_csrf(request),
            **values,
        )
        headers = (*SECURITY, (b"cache-control", b"no-store"), (b"content-language", look.language.encode()))
        return Answer(status, content.encode(), headers, HTML)


def _asked(request: Request) -> str:
    """Where this page was asked for."""
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path


def _same_again(request: Request) -> str:
    """What to come back to once another look was chosen: the page, or that of the form which it answers.

    Where a form is sent to, there may be no page to see.
    """
    if request.method != "POST":
        return _asked(request)
    try:
        form = urlsplit(request.header(b"referer") or "")
    except ValueError:
        return "/"
    if form.netloc != request.header(b"host"):
        return "/"
    return f"{form.path}?{form.query}" if form.query else form.path


def _csrf(request: Request) -> str | None:
    """What forms of the page have to send along; None where nobody has signed in."""
    token = session_token(request.headers)
    return None if token is None else csrf_token(token)


def _moment(look: Look, instant: str | datetime) -> Markup:
    """An instant as people in China say it, to the minute; exactly, for machines."""
    said = moment_in_words(look.language, instant)
    return Markup('<time datetime="{}">{}</time>').format(local(instant).isoformat(), said)


def _day(look: Look, day: str | date) -> Markup:
    """A date of the calendar, or the one on which an instant falls in China."""
    if isinstance(day, str):
        day = date.fromisoformat(day) if len(day) == len("2025-01-01") else local(day).date()
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), day_in_words(look.language, day))
