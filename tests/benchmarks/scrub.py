"""Going back in a case of 1,000 events, in a real browser: how long a step takes until it is seen."""

import sys
from statistics import median, quantiles
from typing import Any, Final
from uuid import UUID

from playwright.async_api import async_playwright

from infra.browser import OPTIONS, chromium
from infra.programs import ProgramUnavailable
from services.projections.schema import create_views
from shared.runtime.identity import issue_token
from shared.runtime.migrations import migrate
from tests.benchmarks.command_server import JWT_SECRET
from tests.benchmarks.reads import CASE_EVENTS, long_case, registered, serving
from tests.benchmarks.table import BenchRow

GOAL_MS: Final = 100.0
WARM_UP: Final = 10
STEPS: Final = (("one by one", 200, -1), ("leaps of 23", 30, -23))
"""How they go: how often, and by how many events; each as soon as the one before is seen."""
_SCRUB: Final = """
async ([count, by]) => {
  const root = document.querySelector("[data-slider]");
  const range = root.querySelector("input");
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const taken = [];
  for (let number = 0; number < count; number += 1) {
    const step = Number(range.value) + by;
    const started = performance.now();
    range.value = step;
    range.dispatchEvent(new Event("input", { bubbles: true }));
    while (root.dataset.shown !== String(step)) await new Promise((done) => setTimeout(done, 1));
    await painted();
    taken.push(performance.now() - started);
  }
  return taken;
}
"""


async def rows(owner_url: str, *, full: bool) -> list[BenchRow]:
    """None where there is no browser, which is said."""
    try:
        browser = chromium()
    except ProgramUnavailable as error:
        print(f"scrub: {error}", file=sys.stderr)
        return []
    migrate(owner_url, steps=[create_views])
    async with serving(owner_url) as port, async_playwright() as playwright:
        units = await registered(port)
        case = await long_case(port, units)
        running = await playwright.chromium.launch(executable_path=browser, args=list(OPTIONS))
        try:
            return [await _scrubbed(running, port, units, case.path, *steps) for steps in STEPS]
        finally:
            await running.close()


async def _scrubbed(
    browser: Any, port: int, units: list[UUID], case: str, way: str, count: int, by: int
) -> BenchRow:
    token = issue_token(JWT_SECRET, sub="supervisor-1", role="supervisor", unit=units[1])
    context = await browser.new_context(
        viewport={"width": 1_400, "height": 900}, extra_http_headers={"Authorization": f"Bearer {token}"}
    )
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{port}{case.replace('/v1/', '/audit/')}")
    await page.evaluate(_SCRUB, [WARM_UP, by])
    taken = await page.evaluate(_SCRUB, [count, by])
    await context.close()
    return BenchRow(
        name=f"scrub a case of {CASE_EVENTS:,} events, {way}, p95 (median {median(taken):.0f} ms)",
        ours=quantiles(taken, n=20)[-1],
        unit="ms",
        goal=GOAL_MS,
        at_most=True,
    )
