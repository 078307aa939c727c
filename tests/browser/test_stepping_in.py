"""The people of the demo, for somebody who has just started it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.product import Product, serving


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """One with the demo set in whose town they live."""
    with (
        tempfile.TemporaryDirectory(prefix="anjie-test-") as directory,
        serving(Path(directory), ANJIE_DEMO="haimen") as running,
    ):
        yield running


def test_one_click_from_the_first_page_into_somebody(new_page: NewPage) -> None:
    for language, first, mediator in (("zh-CN", "登录", "调解员"), ("en", "Sign in", "Mediator")):
        page = new_page(language=language)
        page.goto("/")
        page.get_by_role("link", name=first, exact=True).click()
        assert_accessible(page)
        expect(page.locator("button[name=person]")).to_have_count(5)
        page.get_by_role("button", name=mediator).click()
        page.wait_for_url("/")
        told = page.request.get("/v1/me").json()
        assert told["role"] == "mediator"
        assert_accessible(page)
