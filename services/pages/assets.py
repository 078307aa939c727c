"""`/static/{version}/{name}`: what pages load, good for a year, since another version has another path."""

from services.pages.room import page
from shared.runtime.problems import Problem
from shared.runtime.web import Answer, Operation, Request
from shared.web.assets import Assets

_HEADERS = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"vary", b"accept-encoding"),
)


def operation(assets: Assets) -> Operation:
    async def handle(request: Request) -> Answer:
        asset = assets.get(request.parameters["name"])
        if asset is None or request.parameters["version"] != assets.version:
            raise Problem("not-found")
        if asset.compressed is not None and "gzip" in (request.header(b"accept-encoding") or ""):
            headers = (*_HEADERS, (b"content-encoding", b"gzip"))
            return Answer(200, asset.compressed, headers, asset.media_type)
        return Answer(200, asset.content, _HEADERS, asset.media_type)

    return page("/static/{version}/{name}", "asset", handle)
