"""A courtyard without a signal, on the pages of the phone: what is recorded there arrives with the next."""

from pathlib import Path

from playwright.sync_api import Playwright, expect

from tests.browser.phones import phone
from tests.browser.villages import Village
from tests.product import Product

NEW = "路灯坏了三天"
SEEN = "水已经漫到门口"


def test_what_is_recorded_without_a_signal_arrives_once_there_is_one(
    driver: Playwright, chromium_path: Path, product: Product, place: Village, tmp_path: Path
) -> None:
    case = place.open_case()
    path = f"/m/cases/{case['case_id']}"
    with phone(driver, chromium_path, product.url, tmp_path) as mine:
        # Given a phone that has seen its cases while there was a signal,
        page = mine.open()
        place.signed_in(page)
        mine.prepare(path, "/m/record")
        # when a visit and a new problem are recorded without one,
        mine.signal(False)
        page.goto("/m")
        page.get_by_role("link", name="两家为排水沟争执").click()
        visit = page.locator("details.act").filter(has=page.locator("summary", has_text="记一次走访"))
        visit.locator("summary").click()
        visit.get_by_label("看到、听到了什么").fill(SEEN)
        visit.get_by_role("button", name="记一次走访").click()
        waiting = page.locator("#waiting")
        expect(waiting).to_contain_text("记一次走访")
        mine.await_standing("offline")
        page.goto("/m/record")
        page.get_by_role("radio", name="邻里", exact=True).check()
        page.get_by_label("什么事").fill(NEW)
        page.get_by_role("radio", name="走访", exact=True).check()
        page.get_by_role("button", name="保存").click()
        expect(waiting).to_contain_text(NEW)
        before = [item["topic"] for item in place.read(f"/v1{path[2:]}/timeline")["items"]]
        assert "case.visit_recorded" not in before
        # then both arrive with the signal, once, as they were typed.
        mine.signal(True)
        mine.await_standing("done")
        visits = [
            item["data"]["findings"]
            for item in place.read(f"/v1{path[2:]}/timeline")["items"]
            if item["topic"] == "case.visit_recorded"
        ]
        assert visits == [SEEN]
        place.wait(place.read("/v1/units")["as_of_position"])
        titles = [item["title"] for item in place.read("/v1/me/cases")["items"]]
        assert titles.count(NEW) == 1
