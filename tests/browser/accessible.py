"""Whether everybody can use a page: WCAG 2.2 AA, as far as axe can tell, and nothing beside the screen."""

from functools import cache
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

_AXE: Final = Path(__file__).parents[2] / "shared" / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def assert_accessible(page: Page) -> None:
    page.evaluate(_axe())
    found = page.evaluate("rules => axe.run({runOnly: rules})", list(_RULES))
    told = [
        f"{rule['id']}: {node['html']} — {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert told == [], told
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "wider than the screen"


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")
