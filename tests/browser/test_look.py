"""Every page in both languages, light and dark, normal and enlarged, on a phone and on a desk."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.pages.pages import made_pages
from shared.runtime.web import Request
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.product import Product

OPEN_TO_ALL = ("/", "/sign-in", "/design", "/nowhere")
LOOKS = (
    ("zh", 360, "light", "normal"),
    ("zh", 1_280, "dark", "large"),
    ("en", 360, "dark", "large"),
    ("en", 1_280, "light", "normal"),
)
_TARGETS = "button, .button, .tile, .check, nav a, input:not(.check > input), select, textarea"
_ROOMS = (Path("shared/web/templates"), Path("services/pages"))


def choose(page: Page, name: str, value: str) -> None:
    """Presses the switch until the page is so; it goes through all of them."""
    while page.locator("html").get_attribute(f"data-{name}") != value:
        page.locator(f".look [name={name}]").click()


@pytest.mark.parametrize("path", OPEN_TO_ALL)
def test_a_page_can_be_used_by_everybody(new_page: NewPage, product: Product, path: str) -> None:
    for language, width, theme, size in LOOKS:
        page = new_page(width=width)
        page.context.add_cookies(
            [{"name": "anjie_look", "value": f"{language}.{theme}.{size}", "url": product.url}]
        )
        page.goto(path)
        assert page.locator("html").get_attribute("data-theme") == theme
        assert_accessible(page)


def test_the_description_for_programs_has_its_style_and_runs_nothing_else(new_page: NewPage) -> None:
    page = new_page(width=1_280)
    answer = page.goto("/docs")
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    width = page.evaluate("document.body.clientWidth")
    assert width < 1_000, "the style wasn't applied"


def test_what_was_chosen_stays_chosen(new_page: NewPage) -> None:
    page = new_page(language="zh-CN")
    page.goto("/design")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Design")
    assert page.url.endswith("/design")
    page.goto("/")
    assert page.locator("html").get_attribute("lang") == "en"


def test_targets_are_large_enough_for_a_thumb(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/design")
    for size, least in (("normal", 44), ("large", 60)):
        choose(page, "size", size)
        for target in page.locator(_TARGETS).all():
            if target.is_visible():
                box = target.bounding_box()
                assert box is not None
                assert box["height"] >= least, target.inner_text()


def test_pages_say_nothing_that_is_not_written_down_and_write_nothing_that_is_not_said() -> None:
    said: set[str] = set()
    beginnings: set[str] = set()
    for source in [file for room in _ROOMS for kind in ("*.html", "*.py") for file in room.rglob(kind)]:
        text = source.read_text(encoding="utf-8")
        said |= set(re.findall(r'\b(?:t|say)\(\s*"([\w.]+)"[,)]', text))
        beginnings |= set(re.findall(r'\b(?:t\(|say\(f)"([\w.]+)(?:" ~|{)', text))
    written = made_pages().words.names()
    assert said <= written
    assert {name for name in written - said if not name.startswith(tuple(beginnings))} == set()


@pytest.mark.parametrize(
    ("method", "referer", "back"),
    [
        ("GET", "", "/desk/people/1?a=b"),
        ("POST", "http://here/desk/people?unit=7", "/desk/people?unit=7"),
        ("POST", "http://elsewhere/desk/people", "/"),
        ("POST", "http://[", "/"),
        ("POST", "", "/"),
    ],
)
def test_another_look_comes_back_to_a_page_that_can_be_seen(method: str, referer: str, back: str) -> None:
    headers = {b"host": b"here", b"referer": referer.encode()}
    request = Request(method, "/desk/people/1", headers, query_string=b"a=b")
    page = made_pages().render(request, "problem.html", title="", detail="").content.decode()
    assert set(re.findall(r'name="next" value="([^"]*)"', page)) == {back}
