"""A real browser before a real product, which everything that a test opens is held to."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from infra.browser import OPTIONS, chromium
from infra.programs import ProgramUnavailable
from tests.browser.phones import CONTEXT, Phone, phone
from tests.browser.villages import Village
from tests.product import Product, serving

WAIT_MS = 15_000
expect.set_options(timeout=WAIT_MS)
NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    try:
        return chromium()
    except ProgramUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def browser(driver: Playwright, chromium_path: Path) -> Iterator[Browser]:
    running = driver.chromium.launch(executable_path=chromium_path, args=list(OPTIONS))
    yield running
    running.close()


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """One with an empty ledger, shared by all tests."""
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory, serving(Path(directory)) as running:
        yield running


@pytest.fixture
def place(product: Product) -> Iterator[Village]:
    village = Village(product)
    yield village
    village.close()


@pytest.fixture
def my_phone(browser: Browser, product: Product) -> Iterator[Phone]:
    with phone(lambda: browser.new_context(base_url=product.url, **CONTEXT)) as mine:
        yield mine


@pytest.fixture
def new_page(browser: Browser, product: Product) -> Iterator[NewPage]:
    """Opens a page in a browser of its own, by default a phone of somebody who reads Chinese.

    At the end nothing may have gone wrong in any of them, and nothing may have been asked of anybody else.
    """
    contexts: list[BrowserContext] = []
    amiss: list[str] = []

    def opened(
        *,
        width: int = 360,
        height: int = 740,
        language: str = "zh-CN",
        refused: str | None = None,
    ) -> Page:
        """`refused` is a part of the addresses that may be refused to its scripts."""
        context = browser.new_context(
            base_url=product.url,
            locale=language,
            viewport={"width": width, "height": height},
        )
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: amiss.extend(_amiss(page, said, refused)))
        page.on("pageerror", lambda error: amiss.append(str(error)))
        page.on("request", lambda asked: amiss.extend(_foreign(product, asked)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert amiss == []


def _amiss(page: Page, said: ConsoleMessage, refused: str | None) -> list[str]:
    """What a page complains of; that it was itself refused is its answer, which a test looks at."""
    address = said.location["url"]
    expected = address == page.url or (refused is not None and refused in address)
    return [said.text] if said.type in ("error", "warning") and not expected else []


def _foreign(product: Product, asked: Request) -> list[str]:
    return [] if asked.url.startswith((product.url, "blob:")) else [asked.url]
