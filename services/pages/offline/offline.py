"""What lets the phone's pages be installed and open without a signal.

Programs: the service worker, the manifest. Pages that the phone keeps beforehand: one for a case that is
still in the phone alone, one for whatever was not kept.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from services.pages.room import Me, Room, page
from services.pages.wording import wording_of
from shared.runtime.web import Answer, Operation, Request
from shared.web.look import look_of
from shared.web.pages import SECURITY, Pages

_PRELOADED: Final = (
    "tokens.css",
    "components.css",
    "phone.css",
    "mark.svg",
    "phone.js",
    "phone-leaving.js",
    "phone-record.js",
)
"""What the phone's pages load."""
_ICON_SIZES: Final = (192, 512)


def operations(room: Room) -> Sequence[Operation]:
    pages = room.pages

    async def worker(request: Request) -> Answer:
        return Answer(200, _worker(pages), (*SECURITY, (b"cache-control", b"no-cache")), b"text/javascript")

    async def manifest(request: Request) -> Answer:
        content = msgspec.json.encode(_manifest(pages, look_of(request).language))
        headers = (*SECURITY, (b"cache-control", b"no-cache"))
        return Answer(200, content, headers, b"application/manifest+json")

    async def without_signal(request: Request) -> Answer:
        return pages.render(request, "offline/without_signal.html", me=None)

    async def new_case(request: Request, me: Me) -> Answer:
        wording = await wording_of(room, request)
        visits, roles = wording.codes("visit_kind"), wording.codes("person_role")
        return pages.render(request, "offline/new_case.html", me=me, visits=visits, roles=roles)

    return (
        page("/sw.js", "service-worker", worker),
        page("/manifest.webmanifest", "web-app-manifest", manifest),
        page("/m/without-signal", "without-signal", without_signal),
        room.page("/m/new", "case-in-the-phone", new_case),
    )


def _worker(pages: Pages) -> bytes:
    """Another text for every version of the assets, by which browsers notice that there is a new one."""
    assets = pages.assets
    paths = msgspec.json.encode([assets.path(name) for name in _PRELOADED]).decode()
    return (
        f'import {{ serve }} from "{assets.path("phone-sw.js")}";\nserve("{assets.version}", {paths});\n'
    ).encode()


def _manifest(pages: Pages, language: str) -> dict[str, Any]:
    """Source: W3C Web Application Manifest."""
    brand, cases = (pages.words.say(language, name) for name in ("frame.brand", "offline.my_cases"))
    sizes = [f"{size}x{size}" for size in _ICON_SIZES]
    png = [
        {"src": pages.assets.path(f"phone-icon-{size}.png"), "sizes": named, "type": "image/png"}
        for size, named in zip(_ICON_SIZES, sizes, strict=True)
    ]
    return {
        "id": "/m",
        "name": f"{brand} · {cases}",
        "short_name": brand,
        "lang": "zh-CN" if language == "zh" else "en",
        "start_url": "/m",
        "scope": "/m",
        "display": "standalone",
        "icons": [*png, {"src": pages.assets.path("mark.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
