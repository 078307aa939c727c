"""How somebody wants the pages to look, kept in a cookie that says nothing else."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal, NamedTuple, get_args

from shared.runtime.problems import language_of
from shared.runtime.web import Request

COOKIE: Final = "anjie_look"
_MAX_AGE_S: Final = 365 * 24 * 3_600

Language = Literal["zh", "en"]
Theme = Literal["auto", "light", "dark"]
Size = Literal["normal", "large"]


_LANGUAGES: Final[Mapping[str, Language]] = {name: name for name in get_args(Language)}
_THEMES: Final[Mapping[str, Theme]] = {name: name for name in get_args(Theme)}
_SIZES: Final[Mapping[str, Size]] = {name: name for name in get_args(Size)}


class Look(NamedTuple):
    language: Language
    theme: Theme = "auto"
    """`auto` follows the device."""
    size: Size = "normal"

    def cookie(self) -> str:
        """The value of a Set-Cookie header."""
        return f"{COOKIE}={'.'.join(self)}; Path=/; Max-Age={_MAX_AGE_S}; SameSite=Lax"


def look_of(request: Request) -> Look:
    """What the cookie says; else the language that the browser prefers, Chinese where it prefers none."""
    kept = (cookie(request.header(b"cookie"), COOKIE) or "").split(".")
    language, theme, size = (*kept, "", "")[:3]
    accepted = request.headers.get(b"accept-language")
    preferred: Language = "en" if accepted and language_of(accepted) == "en" else "zh"
    return chosen(language, theme, size, preferred)


def chosen(language: str, theme: str, size: str, preferred: Language) -> Look:
    """The look that is named, by default as far as it isn't."""
    return Look(_LANGUAGES.get(language, preferred), _THEMES.get(theme, "auto"), _SIZES.get(size, "normal"))


def cookie(header: str | None, name: str) -> str | None:
    """The value of a cookie in a Cookie header."""
    try:
        found = SimpleCookie(header or "").get(name)
    except CookieError:
        return None
    return None if found is None else found.value
