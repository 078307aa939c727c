"""Signing in as people do, with a keyboard alone."""

from playwright.sync_api import expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.product import Product, anjie

PASSWORD = "a phrase nobody guesses"


def test_signing_in_and_out_by_keyboard(new_page: NewPage, product: Product) -> None:
    added = anjie(
        "account", "add", "Xu", "--role", "operator", "--password-stdin", "--chosen-by-owner",
        data_dir=product.data_dir, stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    page = new_page(language="en")
    page.goto("/sign-in?next=/design")
    page.get_by_label("Login").focus()
    page.keyboard.type("xu")
    page.keyboard.press("Tab")
    page.keyboard.type("a wrong one")
    page.keyboard.press("Enter")
    password = page.get_by_label("Password")
    expect(password).to_have_accessible_description("Login or password is wrong")
    expect(page.get_by_label("Login")).to_have_value("xu")
    assert_accessible(page)
    page.get_by_role("button", name="中文").click()
    assert page.url.endswith("/sign-in?next=/design"), "another look leads back to the same form"
    page.get_by_label("登录名").fill("xu")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{product.url}/design")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["anjie_session"]["httpOnly"]
    assert_accessible(page)
    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(f"{product.url}/")
    expect(page.get_by_role("link", name="登录")).to_be_visible()
    assert "anjie_session" not in {cookie["name"] for cookie in page.context.cookies()}
