"""Going back in a case of 1,000 events, in a real browser: how long a step takes until it is seen."""

import sys
from statistics import median, quantiles
from typing import Final

from infra.programs import ProgramUnavailable
from tests.benchmarks.pages import Opened, opened
from tests.benchmarks.reads import CASE_EVENTS, long_case
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
        async with opened(owner_url) as before:
            case = await long_case(before.port, before.units)
            return [await _scrubbed(before, case.path, *steps) for steps in STEPS]
    except ProgramUnavailable as error:
        print(f"scrub: {error}", file=sys.stderr)
        return []


async def _scrubbed(before: Opened, case: str, way: str, count: int, by: int) -> BenchRow:
    context = await before.context("supervisor-1", "supervisor", 1, width=1_400, height=900)
    page = await context.new_page()
    await page.goto(case.replace("/v1/", "/audit/"))
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
