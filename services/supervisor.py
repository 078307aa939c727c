"""`anjie serve`: puts a process together from what it is to serve, and takes it apart again."""

import asyncio
import os
import signal
import socket
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType
from typing import Final, NoReturn

import structlog
import uvloop

from services import installation
from services.children import Child, keep_all
from shared.runtime.data_directory import embedded_settings, occupied
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.secrets import Secrets, read_secrets
from shared.runtime.settings import Settings

SERVICES: Final = ("intake", "resolution", "projections")
PROJECTOR: Final = "projector"
CLOCK: Final = "clock"
RELAY: Final = "relay"
WORKERS: Final = (PROJECTOR, CLOCK, RELAY)
PARTS: Final = (*SERVICES, *WORKERS)

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

log = structlog.stdlib.get_logger("anjie.serve")


class _Stopped(BaseException):
    """A signal to stop came while nothing was served yet."""


def whole(settings: Settings) -> tuple[str, ...]:
    """Every part that these settings call for."""
    return tuple(part for part in PARTS if part != RELAY or settings.kafka is not None)


def run(settings: Settings, parts: Collection[str], *, start_over: bool = False) -> None:
    """Serves the parts until SIGTERM or SIGINT, then ends with everything that it started.

    Raises: InstallationUnfit, and what may be wrong with secrets, data directory and database.
    """
    if RELAY in parts and settings.kafka is None:
        raise installation.InstallationUnfit("the relay needs KAFKA_BOOTSTRAP_SERVERS, which is unset")
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
    if settings.database_url is None or set(parts) == set(whole(settings)):
        stack.enter_context(occupied(settings.data_dir))
    if start_over:
        installation.start_over(settings)
    bound = None
    services = [part for part in parts if part in SERVICES]
    if services:
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
    else:
        installation.reach_database(settings)
    workers = [part for part in parts if part in WORKERS]
    if bound is None and len(workers) == 1:
        _work(workers[0], settings, secrets)
        return
    children = [
        Child(name=worker, arguments=("serve", "--only", worker), for_good=True) for worker in workers
    ]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if bound is None:
            runner.run(keep_all(children, _environment(settings)))
            return
        # Imported late, since workers alone need nothing of the web.
        from services.web_server import serve

        runner.run(serve(settings, secrets, services, bound, server, children, _environment(settings)))


def _work(worker: str, settings: Settings, secrets: Secrets) -> None:
    """One worker in this process."""
    if worker == PROJECTOR:
        from services.projections import worker as projector

        projector.run(settings, secrets)
    elif worker == RELAY:
        from services.relay import worker as relay

        assert settings.kafka is not None
        relay.run(settings, settings.kafka)
    else:
        from services import clock_worker

        clock_worker.run(settings, secrets)


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
