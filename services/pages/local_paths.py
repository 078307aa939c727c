"""Where a page may send its reader back to."""

from urllib.parse import parse_qs

from shared.runtime.web import Request


def next_path(request: Request) -> str:
    """Where its `next` says that the reader wanted to go."""
    return local_path(parse_qs(request.query_string.decode("latin-1")).get("next", [None])[-1])


def local_path(asked: str | None) -> str:
    """The path if it is one of this server, else the first page: a link must not lead elsewhere from here."""
    path = asked or ""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
