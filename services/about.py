"""What the application says of itself: its health, its figures, its documents. Open to all."""

import html
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
import psycopg
from prometheus_client.core import GaugeMetricFamily
from psycopg_pool import PoolTimeout

from shared.runtime import metrics
from shared.runtime.database import Pool
from shared.runtime.migrations import read_migrations
from shared.runtime.problems import Problem, Text
from shared.runtime.web import RETRY_AFTER_S, Answer, Operation, Request, json_answer

_HTML: Final = b"text/html; charset=utf-8"
_MIGRATED: Final = "SELECT count(*) FROM runtime.migrations"
_READY_WAIT_S: Final = 2.0

ReadGauges = Callable[[psycopg.AsyncConnection[Any]], Awaitable[list[GaugeMetricFamily]]]
KindText = tuple[int, Text, Text]
"""Status, title and explanation of a sort of problem."""


class Health(msgspec.Struct, kw_only=True):
    status: str


class ProblemKind(msgspec.Struct, kw_only=True):
    """What a `type` of a problem means."""

    type: str
    status: int
    title: dict[str, str]
    meaning: dict[str, str]


def operations(
    pool: Pool, kinds: Mapping[str, KindText], document: Callable[[], bytes], read_gauges: ReadGauges
) -> Sequence[Operation]:
    """The operations; `document` gives the OpenAPI document, `kinds` every problem by its code,
    `read_gauges` what `/metrics` shows beside what this process counts itself.
    """
    expected = len(read_migrations())

    async def healthz(request: Request) -> Answer:
        return json_answer(Health(status="alive"))

    async def readyz(request: Request) -> Answer:
        try:
            async with pool.connection(timeout=_READY_WAIT_S) as connection:
                row = await (await connection.execute(_MIGRATED)).fetchone()
        except (psycopg.Error, PoolTimeout):
            raise Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)}) from None
        if row is None or row[0] < expected:
            raise Problem("not-migrated", headers={"Retry-After": str(RETRY_AFTER_S)})
        return json_answer(Health(status="ready"))

    async def exposition(request: Request) -> Answer:
        try:
            async with pool.connection(timeout=_READY_WAIT_S) as connection:
                gauges = await read_gauges(connection)
        except (psycopg.Error, PoolTimeout):
            gauges = []  # what this process itself counts can be told without the database
        return Answer(200, metrics.exposition(gauges), media_type=metrics.MEDIA_TYPE)

    async def openapi(request: Request) -> Answer:
        return Answer(200, document())

    async def docs(request: Request) -> Answer:
        return Answer(200, _page(msgspec.json.decode(document())).encode(), _SECURITY, _HTML)

    async def problem(request: Request) -> Answer:
        code = request.parameters["code"]
        if code not in kinds:
            raise Problem("not-found")
        status, title, meaning = kinds[code]
        described = ProblemKind(
            type=f"/problems/{code}",
            status=status,
            title={"en": title.en, "zh": title.zh},
            meaning={"en": meaning.en, "zh": meaning.zh},
        )
        return json_answer(described)

    def of(path: str, name: str, summary: str, handler: Any, answer: Any, *problems: int) -> Operation:
        return Operation(
            method="GET", path=path, name=name, summary=summary, tag="system", handler=handler,
            signed_in=False, answers={200: answer}, problems=problems,
        )  # fmt: skip

    return (
        of("/healthz", "healthz", "The process lives.", healthz, Health),
        of("/readyz", "readyz", "Migrated, and the database is reachable.", readyz, Health, 503),
        of("/metrics", "metrics", "Figures for Prometheus.", exposition, "text/plain"),
        of("/openapi.json", "openapi", "This interface, for programs.", openapi, "application/json"),
        of("/docs", "docs", "This interface, for people.", docs, "text/html"),
        of("/problems/{code}", "problem", "What a sort of problem means.", problem, ProblemKind),
    )


_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f4f4f4;padding:.7rem;overflow:auto}"
    "summary{cursor:pointer;padding:.3rem 0}.m{display:inline-block;min-width:4rem;font-weight:600}"
)
_SECURITY: Final = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'sha256-%b'; base-uri 'none'; frame-ancestors 'none'"
        % b64encode(sha256(_STYLE.encode()).digest()),
    ),
)
"""Nothing but the page and its style."""


def _page(document: Mapping[str, Any]) -> str:
    """A page that needs nothing but itself: every operation with what it takes and gives."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_entry(method, path, operation))
    sections = "".join(f"<h2>{html.escape(tag)}</h2>{''.join(entries)}" for tag, entries in by_tag.items())
    schemas = "".join(
        f"<details><summary><code>{html.escape(name)}</code></summary>{_pre(schema)}</details>"
        for name, schema in document["components"]["schemas"].items()
    )
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(info["title"])}</title>'
        f"<style>{_STYLE}</style><h1>{html.escape(info['title'])}</h1><p>{html.escape(info['description'])}</p>"
        f'<p><a href="/openapi.json">openapi.json</a></p>{sections}<h2>schemas</h2>{schemas}</html>'
    )


def _entry(method: str, path: str, operation: Mapping[str, Any]) -> str:
    details = {
        name: operation[name] for name in ("parameters", "requestBody", "responses") if name in operation
    }
    return (
        f'<details><summary><span class="m">{method.upper()}</span> <code>{html.escape(path)}</code> '
        f"{html.escape(operation['summary'])}</summary>{_pre(details)}</details>"
    )


def _pre(value: Any) -> str:
    return f"<pre>{html.escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())}</pre>"
