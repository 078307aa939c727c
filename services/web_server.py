"""The HTTP server with what lives as long as it answers: workers, the embedded database, the demo."""

import asyncio
import signal
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn

from services import demo, installation
from services.application import create_app
from services.children import Child, keep, keep_database
from services.demo.people import people
from services.welcome import STORIES, welcome
from shared.runtime import metrics
from shared.runtime.database import service_pool
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets
from shared.runtime.settings import Settings, is_loopback
from shared.runtime.vault import Vault

_DRAIN_TIMEOUT_S: Final = 10
"""How long requests under way may take after the signal to stop."""

log = structlog.stdlib.get_logger("anjie.serve")


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: what a signal stops is not only the server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    settings: Settings,
    secrets: Secrets,
    services: Collection[str],
    bound: socket.socket,
    database: EmbeddedPostgres | None,
    children: Collection[Child],
    environment: Mapping[str, str],
) -> None:
    """Answers for the services on the socket until SIGTERM or SIGINT, then drains and ends the children.

    A second signal doesn't wait for requests under way.
    Raises: vault.MasterKeyWrong, InstallationUnfit; psycopg.Error when the database isn't reached.
    """
    await _check_master_key(settings, secrets)
    names = installation.demo_sets(settings)
    if names:
        children = [*children, Child(name="demo", arguments=("demo", "load", *names), for_good=False)]
    welcoming = list(welcome(settings, secrets, names))
    stepped_into = database is not None and is_loopback(settings.host) and STORIES in names
    app = create_app(settings, secrets, services, people() if stepped_into else None)
    metrics.add_gauges(lambda: demo.gauges(settings.data_dir))
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_TIMEOUT_S,
    )
    server = _Server(config)
    stopping = asyncio.Event()

    def stop() -> None:
        log.info("draining")
        server.force_exit = stopping.is_set()
        server.should_exit = True
        stopping.set()
        app.state.end_streams()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.ensure_future(_when_ready(server, welcoming, children, environment, stopping))]
    if database is not None:
        tasks.append(asyncio.ensure_future(keep_database(database, stopping)))
    try:
        await server.serve(sockets=[bound])
    except SystemExit as error:
        raise installation.InstallationUnfit("the application did not start; the log says why") from error
    finally:
        stopping.set()
        await asyncio.gather(*tasks)
        log.info("stopped")


async def _check_master_key(settings: Settings, secrets: Secrets) -> None:
    pool = service_pool(settings.service_url, name="start", connections_max=1)
    try:
        await pool.open(wait=True)
        await Vault(pool, MasterKey(secrets.master_key)).check_master_key()
    finally:
        await pool.close()


async def _when_ready(
    server: uvicorn.Server,
    welcoming: Iterable[str],
    children: Iterable[Child],
    environment: Mapping[str, str],
    stopping: asyncio.Event,
) -> None:
    """Tells the operator where to go once that answers, and only then starts what would have slowed it."""
    while not server.started:
        if stopping.is_set():
            return
        await asyncio.sleep(0.02)
    print("\n".join(welcoming), flush=True)
    await asyncio.gather(*(keep(child, environment, stopping) for child in children))
