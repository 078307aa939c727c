"""Where a page may send its reader back to."""


def local_path(asked: str | None) -> str:
    """The path if it is one of this server, else the first page: a link must not lead elsewhere from here."""
    path = asked or ""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
