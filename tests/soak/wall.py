"""A day of a wall in a real browser, gone by faster, with a restart of the server in the middle."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from infra.browser import OPTIONS, chromium
from tests.browser.walls import Hall, Size, WallDay, wall_of

_STEPS: Final = int(timedelta(days=1).total_seconds()) // WallDay.STEP_S
_WARM_UP: Final = 500
"""Steps after which everything is there that a page keeps: caches, compiled code, the rows of a stream."""
_HEAP_MORE_MAX: Final = 2_000_000
_NODES_MORE_MAX: Final = 50


def day_on_the_wall(steps: int = _STEPS) -> str:
    """Raises: AssertionError when the page has grown; infra.programs.ProgramUnavailable without a browser."""
    path = chromium()
    with tempfile.TemporaryDirectory(prefix="anjie-soak-") as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        hall = Hall(Path(directory))
        try:
            with wall_of(browser, hall, hall.token("supervisor", hall.town)) as wall:
                day = WallDay(hall, wall)
                before = day.live(_WARM_UP)
                day.live((steps - _WARM_UP) // 2)
                hall.stop()
                wall.page.locator("main.wall.stale").wait_for()
                hall.start()
                after = day.live((steps - _WARM_UP) // 2)
        finally:
            hall.close()
            browser.close()
    _judge(before, after)
    return f"a day on the wall, {steps} commands; {before} after {_WARM_UP} of them, {after} in the end"


def _judge(before: Size, after: Size) -> None:
    assert after.heap_bytes <= before.heap_bytes + _HEAP_MORE_MAX, (before, after)
    assert after.nodes <= before.nodes + _NODES_MORE_MAX, (before, after)
    assert after.listeners <= before.listeners + _NODES_MORE_MAX, (before, after)
