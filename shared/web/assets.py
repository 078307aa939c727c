"""What the browser loads: style sheets, pictures and modules of ours, and packages of the npm registry."""

import gzip
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

_STATIC: Final = Path(__file__).with_name("static")
_BUNDLE: Final = Path(__file__).with_name("bundle")
"""Each module of `_STATIC` with what it imports, as `bundle.sh` makes them."""
PACKAGES: Final = Path(__file__).with_name("node_modules")
_FROM_PACKAGES: Final[Mapping[str, str]] = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "echarts.js": "echarts/dist/echarts.simple.min.js",
}
_MEDIA_TYPES: Final[Mapping[str, bytes]] = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
}
_COMPRESSED: Final = frozenset({".css", ".js", ".svg"})


class Asset(NamedTuple):
    content: bytes
    compressed: bytes | None
    """The same with gzip, where that is smaller."""
    media_type: bytes


class Assets:
    """All of them by name, read once; `version` is another one as soon as one of them is."""

    def __init__(self) -> None:
        """Raises: FileNotFoundError where the packages aren't installed, or the modules not bundled."""
        paths = {path.name: path for path in _STATIC.iterdir() if path.suffix != ".js"}
        paths |= {path.name: path for path in _BUNDLE.iterdir()}
        paths |= {name: PACKAGES / path for name, path in _FROM_PACKAGES.items()}
        self._by_name = {name: _asset(path) for name, path in paths.items()}
        digest = sha256()
        for name, asset in sorted(self._by_name.items()):
            digest.update(name.encode() + sha256(asset.content).digest())
        self.version = digest.hexdigest()[:12]

    def get(self, name: str) -> Asset | None:
        return self._by_name.get(name)

    def path(self, name: str) -> str:
        """Where the browser finds it, for as long as it is the same. Raises: KeyError."""
        if name not in self._by_name:
            raise KeyError(f"no asset {name}")
        return f"/static/{self.version}/{name}"


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    compressed = gzip.compress(content, 9, mtime=0) if path.suffix in _COMPRESSED else None
    return Asset(content, compressed, _MEDIA_TYPES[path.suffix])
