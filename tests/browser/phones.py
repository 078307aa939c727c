"""Phones, which are closed and opened again, before a server that comes and goes."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import httpx
from playwright.sync_api import BrowserContext, Page, Playwright, Request

from infra.browser import OPTIONS
from infra.processes import Process, free_ports
from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.secrets import read_secrets
from shared.runtime.settings import Settings
from tests.product import anjie, environment

Json = dict[str, Any]

WAIT_MS: Final = 15_000
PASSWORD: Final = "a phrase nobody guesses"
_READY_S: Final = 60.0
_PAGES: Final = "tests.browser.phone_pages.serve"


@dataclass(frozen=True)
class Person:
    login: str
    headers: dict[str, str]
    """Of their requests from elsewhere."""


class Server:
    """The product at an address that it comes back to."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process = self.of_checkout(Path.cwd())
        self._keys = 0

    def of_checkout(self, checkout: Path) -> Process:
        """The product of a checkout, not yet started, with the same data at the same address."""
        changes = {"ANJIE_PORT": str(self._port), "PYTHONPATH": str(checkout)}
        # -P: not from the directory that the tests run in.
        command = [sys.executable, "-P", "-m", _PAGES, "serve"]
        return Process(command, self.data_dir / "log", environment(self.data_dir, changes))

    def start(self, process: Process | None = None) -> Process:
        """The process that ran before, or would have."""
        before, self._process = self._process, process or self._process
        self._process.start()
        end = time.monotonic() + _READY_S
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.url}/readyz").is_success:
                    return before
            except httpx.HTTPError:
                assert self._process.running(), self._process.last_words()
            time.sleep(0.05)
        raise AssertionError("the server isn't ready")

    def stop(self) -> None:
        self._process.stop()

    def person(self, login: str, role: Role, unit: str | None = None) -> "Person":
        """Somebody with a token for what they do elsewhere than on the phone."""
        secret = read_secrets(Settings(data_dir=self.data_dir)).jwt_secret
        assert secret is not None
        token = issue_token(secret, sub=login, role=role, unit=None if unit is None else UUID(unit))
        return Person(login, {"Authorization": f"Bearer {token}"})

    def account(self, login: str, role: Role, unit: str) -> "Person":
        """Somebody who may sign in, too."""
        added = anjie(
            "account", "add", login, "--role", role, "--unit", unit, "--password-stdin", "--chosen-by-owner",
            data_dir=self.data_dir, stdin=f"{PASSWORD}\n",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        return self.person(login, role, unit)

    def done(self, who: Person, path: str, body: Json, version: int | None = None) -> Json:
        """The answer to a command that must be accepted."""
        self._keys += 1
        headers = who.headers | {"Idempotency-Key": f"key {self._keys}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        answer = httpx.post(f"{self.url}{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return cast(Json, answer.json())

    def read(self, who: Person, path: str) -> Json:
        """The answer to a read, as soon as the server can give it."""
        end = time.monotonic() + _READY_S
        while (answer := httpx.get(f"{self.url}{path}", headers=who.headers)).status_code == 503:
            assert time.monotonic() < end, answer.text
        assert answer.is_success, answer.text
        return cast(Json, answer.json())

    def list(self, who: Person, path: str) -> list[Json]:
        """The items of a list that knows all that has happened until now."""
        position = self.read(who, "/v1/units")["as_of_position"]
        return cast(list[Json], self.read(who, f"{path}?limit=1000&min_position={position}")["items"])


class Phone:
    """A browser with a profile of its own; at the end nothing may have gone wrong in it."""

    def __init__(self, driver: Playwright, chromium: Path, url: str, profile: Path) -> None:
        self._driver = driver
        self._chromium = chromium
        self._url = url
        self.profile = profile
        self.amiss: list[str] = []
        self.context: BrowserContext
        self.page: Page

    def open(self) -> Page:
        """Starts the browser, or starts it again."""
        self.context = self._driver.chromium.launch_persistent_context(
            str(self.profile),
            executable_path=self._chromium,
            args=list(OPTIONS),
            base_url=self._url,
            locale="zh-CN",
            viewport={"width": 360, "height": 740},
        )
        self.context.set_default_timeout(WAIT_MS)
        self.page = self.tab()
        return self.page

    def sign_in(self, who: Person) -> None:
        """As the form of /sign-in does, in place of whoever was signed in."""
        fields: dict[str, str | float | bool] = {"login": who.login, "password": PASSWORD}
        assert self.context.request.post("/sign-in", form=fields).ok

    def send_from_pages_alone(self) -> None:
        """As where there is no Background Sync; what the worker sends can't be caught on its way."""
        self.context.add_init_script("delete globalThis.ServiceWorkerRegistration?.prototype.sync")

    def expire(self) -> None:
        """Lets the session end without signing out."""
        self.context.clear_cookies()

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.amiss.append(str(error)))
        page.on("requestfailed", lambda asked: self.amiss.extend(_missing(asked)))
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def signal(self, there_is: bool) -> None:
        self.context.set_offline(not there_is)

    def prepare(self, *paths: str) -> None:
        """Lets the phone keep what it needs without a signal, these pages among it."""
        self.page.goto("/m")
        self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        self.await_standing("done")
        self.page.evaluate(_KEEP_STORE)
        for path in paths:
            until(self.page, _IS_KEPT, path)

    def await_standing(self, state: str) -> None:
        self.page.wait_for_selector(f"#sync[data-state={state}]")

    def close(self) -> None:
        self.context.close()


def _missing(asked: Request) -> list[str]:
    """What pages are made of is there without a signal."""
    return [asked.url] if "/static/" in asked.url else []


def until(page: Page, asked: str, argument: object = None) -> None:
    """Waits until an async function of the page says yes."""
    end = time.monotonic() + WAIT_MS / 1_000
    while not page.evaluate(asked, argument):
        assert time.monotonic() < end, f"not in time: {asked}"
        page.wait_for_timeout(20)


_KEEP_STORE: Final = """async () => {
    const [name] = await caches.keys();
    await (await caches.open(name)).add(`/static/${name.slice("anjie-".length)}/phone-store.js`);
}"""
"""Lets tests look into the store without a signal, by a module that no page loads by itself."""
_IS_KEPT: Final = """async path => {
    const version = (await caches.keys())[0].slice("anjie-".length);
    const { keptPage } = await import(`/static/${version}/phone-pages.js`);
    return (await keptPage(path)) !== undefined;
}"""


@contextmanager
def phone(driver: Playwright, chromium: Path, url: str, profile: Path) -> Iterator[Phone]:
    made = Phone(driver, chromium, url, profile)
    try:
        yield made
    finally:
        made.close()
    assert made.amiss == []
