"""`anjie serve`: one process that answers requests and keeps the database and the workers going."""

import asyncio
import os
import signal
import socket
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType
from typing import Final, NoReturn

import psycopg
import structlog
import uvicorn
import uvloop

from services import installation
from services.application import create_app
from services.children import Child, keep, keep_database
from services.projections import worker
from services.welcome import welcome
from shared.runtime.data_directory import embedded_settings, occupied
from shared.runtime.database import service_pool
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.sealing import MasterKey
from shared.runtime.secrets import Secrets, read_secrets
from shared.runtime.settings import Settings
from shared.runtime.vault import Vault

SERVICES: Final = ("intake", "resolution", "projections")
PROJECTOR: Final = "projector"
PARTS: Final = (*SERVICES, PROJECTOR)

_DRAIN_TIMEOUT_S: Final = 10
"""How long requests under way may take after the signal to stop."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

log = structlog.stdlib.get_logger("anjie.serve")


class _Stopped(BaseException):
    """A signal to stop came while nothing was served yet."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: what a signal stops is not only the server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(settings: Settings, parts: Collection[str], *, start_over: bool = False) -> None:
    """Serves the parts until SIGTERM or SIGINT, then ends with everything that it started.

    Raises: InstallationUnfit, and what may be wrong with secrets, data directory and database.
    """
    for number in _SIGNALS:
        signal.signal(number, _stop_starting)
    with ExitStack() as stack:
        try:
            _compose(settings, parts, stack, start_over=start_over)
        except _Stopped:
            log.info("stopped_while_starting")
        finally:
            # From here on everything ends in order; a second signal must not cut that off.
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)


def _compose(settings: Settings, parts: Collection[str], stack: ExitStack, *, start_over: bool) -> None:
    # Parts of a product on the operator's database may share a directory; the whole may not.
    if settings.database_url is None or set(parts) == set(PARTS):
        stack.enter_context(occupied(settings.data_dir))
    if start_over:
        installation.start_over(settings)
    bound = None
    if not set(SERVICES).isdisjoint(parts):
        # Before anything is made, so that a taken port leaves nothing behind.
        bound, settings = stack.enter_context(_listening(settings))
    secrets = read_secrets(settings)
    server = None
    if settings.database_url is None:
        server = EmbeddedPostgres(settings.data_dir)
        stack.callback(server.stop)
        server.start()
        settings = embedded_settings(settings, server)
        installation.prepare_database(settings)
    if bound is None:
        worker.run(settings)
        return
    children = []
    if PROJECTOR in parts:
        arguments = ("serve", "--only", PROJECTOR, "--end-with-parent")
        children.append(Child(name=PROJECTOR, arguments=arguments, for_good=True))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, secrets, bound, server, children))


@contextmanager
def _listening(settings: Settings) -> Iterator[tuple[socket.socket, Settings]]:
    """The bound socket, not yet answering, and the settings with the port that it got.

    Raises: InstallationUnfit.
    """
    with ExitStack() as stack:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            bound = stack.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except OSError as error:
            raise installation.InstallationUnfit(
                f"can't listen on {settings.host} port {settings.port}: {error.strerror or error}; "
                "ANJIE_PORT chooses another port"
            ) from error
        yield bound, replace(settings, port=bound.getsockname()[1])


async def _serve(
    settings: Settings,
    secrets: Secrets,
    bound: socket.socket,
    database: EmbeddedPostgres | None,
    children: Collection[Child],
) -> None:
    await _check_master_key(settings, secrets)
    server = _Server(
        uvicorn.Config(
            create_app(settings, secrets),
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_TIMEOUT_S,
        )
    )
    stopping = asyncio.Event()

    def stop() -> None:
        log.info("draining")
        server.force_exit = stopping.is_set()
        server.should_exit = True
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.ensure_future(_when_ready(server, settings, secrets, stopping))]
    for child in children:
        tasks.append(asyncio.ensure_future(keep(child, _environment(settings), stopping)))
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
    """Raises: vault.MasterKeyWrong; psycopg.OperationalError."""
    pool = service_pool(settings.service_url, name="start", connections_max=1)
    try:
        await pool.open(wait=True)
        await Vault(pool, MasterKey(secrets.master_key)).check_master_key()
    except psycopg.errors.UndefinedTable:
        log.warning("not_migrated", remedy="anjie migrate")
    finally:
        await pool.close()


async def _when_ready(
    server: uvicorn.Server, settings: Settings, secrets: Secrets, stopping: asyncio.Event
) -> None:
    """Tells the operator where to go once that answers, and sees to the demo."""
    while not server.started:
        if stopping.is_set():
            return
        await asyncio.sleep(0.02)
    names = installation.demo_sets(settings)
    print("\n".join(welcome(settings, secrets, names)), flush=True)
    if names:
        arguments = ("demo", "load", *names, "--end-with-parent")
        await keep(Child(name="demo", arguments=arguments, for_good=False), _environment(settings), stopping)


def _environment(settings: Settings) -> dict[str, str]:
    """What a child starts with: the same, at the database and the port that are really in use."""
    environment = os.environ | {
        "ANJIE_HOST": settings.host,
        "ANJIE_PORT": str(settings.port),
        "ANJIE_DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.service_url,
    }
    # No child needs to be the owner.
    environment.pop("DATABASE_OWNER_URL", None)
    return environment


def _stop_starting(number: int, frame: FrameType | None) -> NoReturn:
    raise _Stopped
