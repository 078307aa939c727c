"""The HTTP application, put together: what serves what, and what starts and ends with it."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from prometheus_client.core import GaugeMetricFamily
from psycopg import AsyncConnection
from starlette.types import Receive, Scope, Send

from services import about, commands_batch, device_key, reference, saved_views
from services.accounts import AccountOperations
from services.demo.people import Known
from services.intake.api import beside, files, publications, rule_packs
from services.intake.api import routes as intake
from services.intake.application.file_store import FileStore
from services.intake.application.files import Files
from services.intake.application.rule_packs import ensure_default
from services.pages.pages import made_pages, problem_page
from services.pages.pages import operations as page_operations
from services.pages.sign_in.sign_in import SignInPages
from services.projections.api import asyncapi
from services.projections.api import routes as projections
from services.projections.api.publications import figure_reader
from services.projections.gauges import fetch_gauges
from services.projections.reads.inbox_items import find_waiting
from services.projections.reads.reads import Reads
from services.relay.standing import relay_gauges
from services.resolution.api import inbox
from services.resolution.api import routes as resolution
from shared.events.ledger.appender import Appender
from shared.events.ledger.loader import StreamLoader
from shared.policy.clock_starts import calendar_of
from shared.policy.moments import day_of
from shared.policy.rules import GUARDS, REFUSALS
from shared.runtime import metrics
from shared.runtime.accounts import Accounts
from shared.runtime.command_handling import Desk
from shared.runtime.database import service_pool
from shared.runtime.garbage import rarely_collected
from shared.runtime.identity import TokenVerifier
from shared.runtime.imports import Imports
from shared.runtime.openapi import openapi_document
from shared.runtime.problem_kinds import KINDS, Text
from shared.runtime.reception import Reception
from shared.runtime.saved_views import SavedViews
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets
from shared.runtime.sessions import Sessions
from shared.runtime.settings import Settings
from shared.runtime.sign_in import SignIn
from shared.runtime.trees import Trees
from shared.runtime.vault import Vault
from shared.runtime.web import Operation, Operations

SERVICES: Final = ("intake", "resolution", "projections")

_CONNECTIONS_MAX: Final = 12
"""One committer, two readers, and what reads and housekeeping need."""
_READING_CONNECTIONS_MAX: Final = 8
"""Apart from the others, so that no read, however many there are, keeps a command waiting."""
_DESCRIPTION: Final = (
    "Cases of grassroots issue resolution as immutable events: commands, reads as of any moment, streams."
)


class HttpApplication(FastAPI):
    """The framework's application without its layers: the one route answers whatever goes wrong itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.router(scope, receive, send)


def create_app(
    settings: Settings,
    secrets: Secrets,
    services: Collection[str] = SERVICES,
    demo_people: Mapping[str, Known] | None = None,
) -> FastAPI:
    """The application of some services over the database of `settings.database_url`, which is migrated.

    Whoever sits at this machine may step into one of `demo_people`.

    Its connections, its committer and what it keeps in memory begin and end with its lifespan;
    `app.state.end_streams()` ends the streams before, which else would go on until they are cut off.
    """
    assert settings.database_url is not None
    pool = service_pool(settings.database_url, name="http", connections_max=_CONNECTIONS_MAX)
    reads_pool = service_pool(settings.database_url, name="reads", connections_max=_READING_CONNECTIONS_MAX)
    appender = Appender(pool, observe=metrics.observe_append)
    loader = StreamLoader(pool)
    vault = Vault(pool, MasterKey(secrets.master_key))
    trees = Trees(pool)
    desk = Desk(pool, appender, loader, vault, trees, Imports(loader))
    kept = Files(desk, pool, loader, vault, trees, FileStore(settings.data_dir / "files"))
    reads = Reads(reads_pool, trees, Vault(reads_pool, vault.master))
    sessions = Sessions(pool)
    sign_in = SignIn(TokenVerifier(secrets), sessions)
    served_by: dict[str, list[Operation]] = {
        "intake": [
            *intake.operations(desk),
            *beside.operations(desk),
            *files.operations(kept),
            rule_packs.operation(desk, pool),
            publications.operation(desk, figure_reader(reads)),
        ],
        "resolution": [
            *resolution.operations(desk),
            inbox.operation(desk, partial(find_waiting, reads.sources)),
        ],
        "projections": [*projections.operations(reads, sign_in)],
    }
    documented = [operation for name in services for operation in served_by[name]]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pool, reads_pool:
            await vault.check_master_key()
            await trees.refresh()
            async with appender, loader, reads.running():
                if "intake" in services:
                    await ensure_default(pool, appender, trees, vault.master)
                following = asyncio.create_task(trees.follow(), name="follow units")
                try:
                    with rarely_collected():
                        yield
                finally:
                    following.cancel()
                    with suppress(asyncio.CancelledError):
                        await following

    app = HttpApplication(
        title="Anjie 案结", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.end_streams = reads.end_streams
    pages = made_pages()
    reception = Reception(pool, sessions, vault.master)
    entrance = SignInPages(pages, sessions, reception, demo_people or {})
    served = Operations(documented, sign_in, partial(problem_page, pages))
    served.add(reference.operation(trees))
    served.add(device_key.operation(vault.master))
    for operation in saved_views.operations(SavedViews(pool)):
        served.add(operation)
    served.add(asyncapi.operation(_version()))
    served.add(commands_batch.operation(served.answer))
    for operation in AccountOperations(Accounts(pool), sessions, trees, reception).operations():
        served.add(operation)

    async def read_gauges(connection: AsyncConnection[Any]) -> list[GaugeMetricFamily]:
        rules = trees.current.policy(None, day_of(datetime.now(UTC)))
        known_until = calendar_of(rules).known_until
        return [
            *await fetch_gauges(connection, reads.hub.subscribers, known_until),
            *await relay_gauges(connection),
        ]

    @cache
    def document() -> bytes:
        return msgspec.json.encode(
            openapi_document(
                [operation for operation in served.operations if operation.documented],
                title=app.title,
                version=_version(),
                description=_DESCRIPTION,
            )
        )

    for operation in about.operations(pool, _problem_kinds(), document, read_gauges):
        served.add(operation)
    if set(services) == set(SERVICES):
        for operation in page_operations(pages, served.answer, entrance):
            served.add(operation)
    app.router.routes.append(served)
    return app


def _problem_kinds() -> dict[str, about.KindText]:
    """Every problem that an answer may name, with its status, title and explanation."""
    kinds: dict[str, about.KindText] = {
        code: (kind.status, kind.title, kind.advice) for code, kind in KINDS.items()
    }
    statuses = {"unknown-case": "not-found", "unknown": "not-found", "wrong-state": "wrong-state",
                "wrong-procedure": "wrong-state", "id-taken": "id-taken"}  # fmt: skip
    for code, rule in (REFUSALS | GUARDS).items():
        kind = KINDS["guard" if code in GUARDS else statuses.get(code, "forbidden")]
        kinds[code] = (
            kind.status,
            kind.title,
            Text(f"{_unfilled(rule.en)} ({rule.source})", f"{_unfilled(rule.zh)}（{rule.source}）"),
        )
    return kinds


def _unfilled(words: str) -> str:
    """Words of a rule as they are said of no case in particular."""
    return re.sub(r"{\w+}", "…", words)


def _version() -> str:
    try:
        return version("anjie")
    except PackageNotFoundError:
        return "0"
