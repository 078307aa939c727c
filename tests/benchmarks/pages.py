"""Pages in a real browser, from a server of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, async_playwright

from infra.browser import OPTIONS, chromium
from services.projections.schema import create_views
from shared.events.vocabulary import Role
from shared.runtime.identity import issue_token
from shared.runtime.migrations import migrate
from tests.benchmarks.command_server import JWT_SECRET
from tests.benchmarks.reads import registered, serving


class Opened(NamedTuple):
    """A browser before a server that knows a township, its village and its group, in this order."""

    browser: Browser
    port: int
    units: list[UUID]

    async def context(self, sub: str, role: Role, level: int, *, width: int, height: int) -> BrowserContext:
        """Of somebody of the unit at a level, from the township down, with nothing kept from before."""
        token = issue_token(JWT_SECRET, sub=sub, role=role, unit=self.units[level])
        return await self.browser.new_context(
            base_url=f"http://127.0.0.1:{self.port}",
            viewport={"width": width, "height": height},
            extra_http_headers={"Authorization": f"Bearer {token}"},
        )


@asynccontextmanager
async def opened(owner_url: str) -> AsyncIterator[Opened]:
    """Raises: ProgramUnavailable where there is no browser."""
    path = chromium()
    migrate(owner_url, steps=[create_views])
    async with serving(owner_url) as port, async_playwright() as playwright:
        units = await registered(port)
        browser = await playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        try:
            yield Opened(browser, port, units)
        finally:
            await browser.close()
