"""The proxy in front of two real APIs: what clients see of it, also while an API dies."""

import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import pytest

from infra.processes import Process, anjie, environment, free_ports
from infra.programs import ProgramUnavailable
from infra.proxy.proxy import Proxy, haproxy
from shared.runtime.secrets import Secrets
from tests.conftest import Database
from tests.e2e.conftest import JWT_SECRET, Anjie, Person, build_town
from tests.e2e.reading import Listener, projecting
from tests.integration.test_serve import eventually

HEARTBEAT_S = 15
"""What a proxy held back would be passed on with the next heartbeat at the latest."""
COMMANDS = 60
BOARD = "/v1/streams/backlog_by_holder"
_keys = count(1)


@dataclass(frozen=True)
class Behind:
    """Two APIs on one database, and a proxy in front of them."""

    anjie: Anjie
    apis: list[Process]
    operator: Person


@pytest.fixture(scope="module")
def proxied() -> None:
    """Skips where no proxy can be had."""
    try:
        haproxy()
    except ProgramUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def behind(proxied: None, module_database: Database) -> Iterator[Behind]:
    with tempfile.TemporaryDirectory(prefix="anjie-proxy-") as name, projecting(module_database):
        directory = Path(name)
        master_key = bytes(32)
        settings = {
            "ANJIE_DATA_DIR": name,
            "ANJIE_LOG": "json",
            "ANJIE_MASTER_KEY": master_key.hex(),
            "ANJIE_JWT_SECRET": JWT_SECRET.decode(),
            "DATABASE_URL": module_database.url,
        }
        ports = free_ports(2)
        apis = [
            Process(
                anjie("serve", "--only", "intake,resolution,projections"),
                directory / f"api-{port}.log",
                environment(settings | {"ANJIE_PORT": str(port)}),
            )
            for port in ports
        ]
        proxy = Proxy(directory, [f"127.0.0.1:{port}" for port in ports])
        processes = [*apis, proxy]
        try:
            for process in processes:
                process.start()
            for address in (*(f"http://127.0.0.1:{port}" for port in ports), proxy.address):
                assert eventually(partial(ready, address), 60)
            with httpx.Client(base_url=proxy.address, timeout=30) as http:
                secrets = Secrets(master_key=master_key, jwt_secret=JWT_SECRET)
                running = Anjie(proxy.address, http, module_database, directory, secrets)
                yield Behind(running, apis, running.person("operator", "operator"))
        finally:
            for process in reversed(processes):
                process.stop()


def ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def register(operator: Person) -> httpx.Response:
    """Registers a township under a key of its own; again where the connection is closed without a word."""
    number = next(_keys)
    body, key = {"kind": "TOWNSHIP", "name": f"镇 {number}"}, f"township {number}"
    try:
        return operator.post("/v1/units", body, key=key)
    except httpx.RemoteProtocolError:
        return operator.post("/v1/units", body, key=key)


def test_a_delta_passes_at_once(behind: Behind) -> None:
    town = build_town(behind.anjie)
    position = town.operator.get("/v1/units").json()["as_of_position"]
    assert town.leader.get("/v1/backlog", min_position=position).is_success
    with Listener(town.auditor, "/v1/streams/backlog_by_holder", unit=town.township) as stream:
        assert stream.next()[0] == "snapshot"
        opened = town.open_case()
        acknowledged = time.monotonic()
        stream.until(opened["position"])
        assert time.monotonic() - acknowledged < HEARTBEAT_S / 3


@pytest.mark.parametrize("end", [Process.stop, Process.kill])
def test_an_api_that_ends_is_missed_by_nobody(behind: Behind, end: Callable[[Process], None]) -> None:
    town = build_town(behind.anjie, f"镇 {end.__name__}")
    [ending, _] = behind.apis
    before = townships(behind.operator)
    with Listener(behind.operator, BOARD, unit=town.township) as stream:
        assert stream.next()[0] == "snapshot"
        answers = [register(behind.operator) for _ in range(COMMANDS // 3)]
        thread = threading.Thread(target=end, args=[ending])
        thread.start()
        answers += [register(behind.operator) for _ in range(2 * COMMANDS // 3)]
        thread.join()
        assert Counter(answer.status_code for answer in answers) == {201: COMMANDS}
        opened = town.open_case()
        # The stream was either with the one that ended, and has ended too, or goes on.
        with suppress(EOFError):
            assert stream.until(opened["position"])
    registered = {answer.json()["unit_id"] for answer in answers}
    assert len(registered) == COMMANDS
    assert eventually(lambda: townships(behind.operator) - before == registered)
    with Listener(behind.operator, BOARD, unit=town.township) as stream:
        assert stream.next()[0] == "snapshot"
        assert stream.until(town.open_case()["position"])
    ending.start()


def townships(operator: Person) -> set[str]:
    found = operator.get("/v1/units", kind="TOWNSHIP", limit=1_000).json()["items"]
    return {unit["unit_id"] for unit in found}


def test_when_no_api_is_left_clients_are_told_to_come_again(behind: Behind) -> None:
    for api in behind.apis:
        api.kill()
    answer = register(behind.operator)
    assert answer.status_code in (502, 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "/problems/unavailable"
    behind.apis[1].start()
    assert eventually(lambda: register(behind.operator).status_code == 201, 60)


@pytest.fixture
def hang_up() -> Iterator[tuple[str, Counter[str]]]:
    """Where an API says that it is ready and hangs up on every other request; how often each was sent."""
    seen: Counter[str] = Counter()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                with listener.accept()[0] as connection:
                    method, path = connection.recv(65_536).decode().split(" ", 2)[:2]
                    if path == "/readyz":
                        connection.sendall(
                            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                        )
                    else:
                        seen[method] += 1

        def serving() -> None:
            with suppress(OSError, ValueError):
                serve()

        thread = threading.Thread(target=serving, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", seen


def test_only_what_may_be_repeated_is_tried_again(
    proxied: None, tmp_path: Path, hang_up: tuple[str, Counter[str]]
) -> None:
    api, seen = hang_up
    proxy = Proxy(tmp_path, [api, api])
    proxy.start()
    try:
        # Each on a connection of its own: one that was used before is closed without a word, as between
        # the two themselves, so that the client tries again.
        units = f"{proxy.address}/v1/units"
        assert httpx.post(units, json={}).status_code == 502
        assert seen == {"POST": 1}
        assert httpx.post(units, json={}, headers={"Idempotency-Key": "one"}).status_code == 502
        assert seen == {"POST": 1 + 4}
        assert httpx.get(units).status_code == 502
        assert seen == {"POST": 1 + 4, "GET": 4}
    finally:
        proxy.stop()
