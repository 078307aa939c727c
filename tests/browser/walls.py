"""A product that can be stopped and started behind a wall, and a town whose cases the wall shows."""

import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import httpx
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings
from tests.e2e.conftest import Json, Person
from tests.product import Product, serving

FULL_HD: Final = (1_920, 1_080)
_WAIT_MS: Final = 20_000
_ASKED_KEPT: Final = 1_000
_EXPECTED: Final = (
    *(
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
        "ERR_EMPTY_RESPONSE",
        "ERR_CONNECTION_RESET",
    ),
    *("ERR_INTERNET_DISCONNECTED", "status of 401", "status of 503"),
)
"""What a browser says of a server that isn't there, is about to end, or doesn't know its reader any more."""


class Hall:
    """The product, with a town of two villages; `people` are known by their roles."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running = ExitStack()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.product: Product
        self.start()
        secret = read_secrets(Settings(data_dir=directory)).jwt_secret
        assert secret is not None
        self._secret = secret
        self._position = 0
        self._http = httpx.Client(base_url=self.url, timeout=30)
        self._settle()

    def start(self) -> None:
        """On the same port each time, as a wall expects."""
        self.product = self._running.enter_context(serving(self._directory, ANJIE_PORT=str(self._port)))

    def stop(self) -> None:
        self._running.close()

    def close(self) -> None:
        self._http.close()
        self.stop()

    def token(self, role: Role, unit: str | None, lifetime: timedelta = timedelta(hours=12)) -> str:
        unit_id = None if unit is None else UUID(unit)
        return issue_token(self._secret, sub=f"{role}-1", role=role, unit=unit_id, lifetime=lifetime)

    def person(self, role: Role, unit: str | None) -> Person:
        return Person(self._http, self.token(role, unit), f"{role}-1")

    def _settle(self) -> None:
        operator = self.person("operator", None)

        def unit(kind: str, name: str, parent: str | None = None) -> str:
            body = {"kind": kind, "name": name} | ({"parent_id": parent} if parent else {})
            unit_id: str = operator.done("/v1/units", body)["unit_id"]
            return unit_id

        self.town = unit("TOWNSHIP", "余东镇")
        self.villages = [unit("VILLAGE", name, self.town) for name in ("新河村", "富民村", "召良村")]
        self.groups = [unit("GROUP", f"{number}组", village) for number, village in enumerate(self.villages)]
        self.leaders = [self.person("group_leader", group) for group in self.groups]
        self.officers = [self.person("village_officer", village) for village in self.villages]
        self.supervisor = self.person("supervisor", self.town)

    def opened(self, group: int, *, days_ago: int = 0, category: str = "NEIGHBOUR") -> Json:
        """A case that the group's leader has accepted and handles."""
        at = _ago(days_ago)
        body = {
            "channel": "VISIT",
            "category": category,
            "origin_unit": self.groups[group],
            "title": "张三家的宅基地",
            "description": "张三与李四因宅基地边界发生争执",
        }
        leader = self.leaders[group]
        case = leader.done("/v1/cases", body | at)
        case = self._command(leader, case, "accept-case", {"procedure": "SELF_GOVERNANCE"} | at)
        return self._command(leader, case, "assign-handler", {"handler_ref": leader.ref} | at)

    def resolved(self, group: int, case: Json, *, days_ago: int = 0) -> Json:
        body = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "已说明"}
        return self._command(self.leaders[group], case, "resolve-case", body | _ago(days_ago))

    def urgent(self, group: int, case: Json, urgent: bool = True) -> Json:
        body = {"urgent": urgent, "reason": "急"}
        return self._command(self.officers[group], case, "classify-urgency", body)

    def read(self, path: str, *, who: Person | None = None, **query: Any) -> Json:
        """The answer once it has everything that was done in the town."""
        answer = (who or self.supervisor).get(path, min_position=self._position, **query)
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    def until_overdue(self, number: int) -> None:
        """Waits until the clock has found so many deadlines that are over."""
        give_up_at = time.monotonic() + _WAIT_MS / 1_000
        while self.read("/v1/deadlines")["overdue"] != number:
            assert time.monotonic() < give_up_at, "the clock has not found them"
            time.sleep(0.05)

    def _command(self, who: Person, case: Json, name: str, body: Json) -> Json:
        path = f"/v1/cases/{case['case_id']}/{name}"
        case = case | who.done(path, body, version=case["version"])
        self._position = case["position"]
        return case


def _ago(days: int) -> Json:
    return {"occurred_at": (datetime.now(UTC) - timedelta(days=days)).isoformat()} if days else {}


class Wall:
    """A page of a hall in a browser of its own; in the end nothing may have gone wrong in it."""

    def __init__(self, browser: Browser, hall: Hall, token: str, **screen: Any) -> None:
        width, height = screen.pop("size", FULL_HD)
        self.context: BrowserContext = browser.new_context(
            base_url=hall.url,
            viewport={"width": width, "height": height},
            extra_http_headers={"authorization": f"Bearer {token}"},
            locale=screen.pop("language", "zh-CN"),
            **screen,
        )
        self.context.set_default_timeout(_WAIT_MS)
        self.page: Page = self.context.new_page()
        self.asked: deque[Request] = deque(maxlen=_ASKED_KEPT)
        self.amiss: list[str] = []
        self.page.on("request", self._asks)
        self.page.on("pageerror", lambda error: self.amiss.append(str(error)))
        self.page.on("console", self._complained)

    def open(self, path: str = "/wall") -> Page:
        """The wall once it shows live figures."""
        self.page.goto(path)
        self.page.locator("main.wall:not(.stale)").wait_for()
        return self.page

    def figure(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    def _asks(self, request: Request) -> None:
        self.asked.append(request)

    def _complained(self, said: ConsoleMessage) -> None:
        """A server that isn't there, or refuses, is told to the browser's own log as well."""
        own = said.location["url"] == self.page.url
        if said.type in ("error", "warning") and not own and not any(name in said.text for name in _EXPECTED):
            self.amiss.append(said.text)


@contextmanager
def wall_of(browser: Browser, hall: Hall, token: str, **screen: Any) -> Iterator[Wall]:
    wall = Wall(browser, hall, token, **screen)
    try:
        yield wall
    finally:
        wall.context.close()
    assert wall.amiss == []


class Size(NamedTuple):
    """What a page takes up once all that is no longer needed is thrown away."""

    heap_bytes: int
    nodes: int
    listeners: int


class WallDay:
    """The time of a wall, which goes by faster: before each step something happens in the town."""

    STEP_S: Final = 15
    _CASES: Final = 12

    def __init__(self, hall: Hall, wall: Wall) -> None:
        self._hall = hall
        self._page = wall.page
        self._page.clock.install()
        wall.open()
        self._browser = wall.context.new_cdp_session(self._page)
        self._browser.send("HeapProfiler.enable")
        self._browser.send("Performance.enable")
        self._cases = [hall.opened(number % len(hall.groups)) for number in range(self._CASES)]
        self._steps = 0

    def live(self, steps: int) -> Size:
        """Goes on by so many steps, each a command and 15 seconds, and tells the size of the page then."""
        for _ in range(steps):
            place = self._steps % len(self._cases)
            urgent = self._steps // len(self._cases) % 2 == 0
            case = self._cases[place]
            self._cases[place] = self._hall.urgent(place % len(self._hall.groups), case, urgent)
            self._page.clock.fast_forward(self.STEP_S * 1_000)
            self._steps += 1
        self._page.locator("main.wall:not(.stale)").wait_for()
        return self._size()

    def _size(self) -> Size:
        self._browser.send("HeapProfiler.collectGarbage")
        metrics = {
            metric["name"]: int(metric["value"])
            for metric in self._browser.send("Performance.getMetrics")["metrics"]
        }
        return Size(metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"])
