"""The cookie that an answer sets, for the browser that asked."""

from urllib.parse import urlsplit

from shared.runtime.sessions import Session, session_cookie
from shared.runtime.settings import is_loopback
from shared.runtime.web import Request


def session_header(request: Request, session: Session | None) -> tuple[bytes, bytes]:
    """The header that begins a session in the browser, or (None) ends it."""
    secure = not at_this_machine(request)
    return b"set-cookie", session_cookie(session, secure=secure).encode()


def at_this_machine(request: Request) -> bool:
    """Whether the browser asked for a loopback address, which no name of somebody else's can be.

    A proxy may ask for one as well; most say that they do.
    """
    if b"x-forwarded-for" in request.headers:
        return False
    try:
        return is_loopback(urlsplit(f"//{request.header(b'host')}").hostname or "")
    except ValueError:
        return False
