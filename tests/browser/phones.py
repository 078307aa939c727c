"""Phones, which lose the signal and are closed and opened again, and a server that comes and goes."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, Playwright, Request

from infra.browser import OPTIONS
from infra.processes import Process, free_ports
from tests.product import environment

PHOTO: Final[FilePayload] = {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG a lamp"}
WAIT_MS: Final = 15_000
PASSWORD: Final = "a phrase nobody guesses"
CONTEXT: Final[dict[str, Any]] = {"locale": "zh-CN", "viewport": {"width": 360, "height": 740}}
"""Of a phone of somebody who reads Chinese."""
_READY_S: Final = 60.0


class Server:
    """The product at an address that it comes back to."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process = self.of_checkout(Path.cwd())

    def of_checkout(self, checkout: Path) -> Process:
        """The product of a checkout, not yet started, with the same data at the same address."""
        changes = {"ANJIE_PORT": str(self._port), "PYTHONPATH": str(checkout)}
        # -P: not from the directory that the tests run in.
        command = [sys.executable, "-P", "-m", "services.cli", "serve"]
        return Process(command, self.data_dir / "log", environment(self.data_dir, changes))

    def start(self, process: Process | None = None) -> None:
        """The process that ran before, or another instead."""
        self._process = process or self._process
        self._process.start()
        end = time.monotonic() + _READY_S
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.url}/readyz").is_success:
                    return
            except httpx.HTTPError:
                assert self._process.running(), self._process.last_words()
            time.sleep(0.05)
        raise AssertionError("the server isn't ready")

    def stop(self) -> None:
        self._process.stop()


class Phone:
    """The browser of one person; at the end nothing may have gone wrong in it."""

    def __init__(self, begin: Callable[[], BrowserContext]) -> None:
        self._begin = begin
        self.amiss: list[str] = []
        self.context: BrowserContext
        self.page: Page

    def open(self) -> Page:
        """Starts the browser, or starts it again."""
        self.context = self._begin()
        self.context.set_default_timeout(WAIT_MS)
        self.page = self.tab()
        return self.page

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.amiss.append(str(error)))
        page.on("requestfailed", lambda asked: self.amiss.extend(_missing(asked)))
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def kill(self) -> Page:
        """The page ends as it is, as where the phone runs out of memory; another one is opened."""
        self.page.close(run_before_unload=False)
        self.page = self.tab()
        return self.page

    def send_from_pages_alone(self) -> None:
        """As where there is no Background Sync; what the worker sends can't be caught on its way."""
        self.context.add_init_script("delete globalThis.ServiceWorkerRegistration?.prototype.sync")

    def expire(self) -> None:
        """Lets the session end without signing out."""
        self.context.clear_cookies()

    def signal(self, there_is: bool) -> None:
        self.context.set_offline(not there_is)

    def prepare(self, *paths: str) -> None:
        """Lets the phone keep what it needs without a signal, these pages among it."""
        self.page.goto("/m")
        self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        self.await_standing("done")
        self.page.evaluate(_KEEP_MODULES)
        for path in paths:
            until(self.page, _IS_KEPT, path)

    def await_standing(self, state: str) -> None:
        self.page.wait_for_selector(f"#sync[data-state={state}]")

    def close(self) -> None:
        self.context.close()


def _missing(asked: Request) -> list[str]:
    """What pages are made of is there without a signal; a page that is left may not have waited for it."""
    return [asked.url] if "/static/" in asked.url and asked.failure != "net::ERR_ABORTED" else []


def until(page: Page, asked: str, argument: object = None) -> None:
    """Waits until an async function of the page says yes."""
    end = time.monotonic() + WAIT_MS / 1_000
    while not page.evaluate(asked, argument):
        assert time.monotonic() < end, f"not in time: {asked}"
        page.wait_for_timeout(20)


def await_draft(page: Page) -> None:
    """Until what is typed into the page is in the store, which nothing on the page tells."""
    until(page, _IS_DRAFT_KEPT)


def draw(canvas: Locator, down: int = 40) -> None:
    """A stroke of a signature."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    mouse = canvas.page.mouse
    mouse.move(box["x"] + 20, box["y"] + 20)
    mouse.down()
    mouse.move(box["x"] + 120, box["y"] + down, steps=5)
    mouse.up()


_MODULE: Final = """const version = (await caches.keys())[0].slice("anjie-".length);
    const module = name => `/static/${version}/${name}.js`;"""
"""The product's modules, which tests look into the store with."""
_KEEP_MODULES: Final = f"""async () => {{
    {_MODULE}
    const cache = await caches.open(`anjie-${{version}}`);
    await cache.addAll(["phone-store", "forms-body"].map(module));
}}"""
_IS_KEPT: Final = f"""async path => {{
    {_MODULE}
    const {{ keptPage }} = await import(module("phone-pages"));
    return (await keptPage(path)) !== undefined;
}}"""
_IS_DRAFT_KEPT: Final = f"""async () => {{
    {_MODULE}
    const {{ keeper, readAll }} = await import(module("phone-store"));
    const {{ entriesOf, photosOf }} = await import(module("forms-body"));
    const whose = await keeper();
    const kept = (whose ? await readAll(whose, "drafts") : [])
        .map(({{ entries, files }}) => JSON.stringify([entries, files.map(file => file.name)]));
    return [...document.querySelectorAll("form[data-typed]")].every(form =>
        kept.includes(JSON.stringify([entriesOf(form), photosOf(form).map(({{ file }}) => file.name)])));
}}"""


def of_profile(driver: Playwright, chromium: Path, url: str, profile: Path) -> Callable[[], BrowserContext]:
    """Begins a browser that finds what it kept when it ran before."""
    return lambda: driver.chromium.launch_persistent_context(
        str(profile), executable_path=chromium, args=list(OPTIONS), base_url=url, **CONTEXT
    )


@contextmanager
def phone(begin: Callable[[], BrowserContext]) -> Iterator[Phone]:
    made = Phone(begin)
    try:
        yield made
    finally:
        made.close()
    assert not made.amiss, made.amiss
