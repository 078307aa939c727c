"""A case that was recorded without a signal, in the eyes of whoever stays on its page until there is one."""

from pathlib import Path

from playwright.sync_api import Playwright, expect

from tests.browser.phones import phone
from tests.browser.villages import Village
from tests.product import Product

NEW = "路灯坏了三天"


def test_the_page_of_a_new_case_becomes_that_of_the_case_once_it_was_sent(
    driver: Playwright, chromium_path: Path, product: Product, place: Village, tmp_path: Path
) -> None:
    with phone(driver, chromium_path, product.url, tmp_path) as mine:
        page = mine.open()
        place.signed_in(page)
        mine.prepare("/m/record", "/m/new")
        mine.signal(False)
        page.goto("/m/record")
        page.get_by_role("radio", name="邻里", exact=True).check()
        page.get_by_label("什么事").fill(NEW)
        page.get_by_role("radio", name="走访", exact=True).check()
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("还没有发出的新事项")
        mine.signal(True)
        expect(page.get_by_role("heading", level=1)).to_have_text(NEW)
        expect(page.get_by_text("已登记", exact=True)).to_be_visible()
