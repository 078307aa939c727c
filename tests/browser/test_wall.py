"""The wall: always a number, always a true one, and never anybody's name."""

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.policy.moments import day_of
from tests.browser.accessible import assert_accessible
from tests.browser.walls import Hall, WallDay, wall_of
from tests.product import anjie

OPEN = ["REGISTERED", "ACCEPTED", "IN_PROGRESS", "IN_MEDIATION", "PENDING_ESCALATION", "SUSPENDED"]
SCREENS = ((1_366, 768), (1_920, 1_080), (3_840, 2_160))
TILES = 7
FIGURES = ("urgent", "backlog", "overdue", "today")
SEEN = """() => {
  window.seen = [];
  for (const id of ["urgent", "backlog", "overdue", "today"]) {
    const tile = document.getElementById(id);
    new MutationObserver(() => window.seen.push([id, tile.textContent])).observe(tile, {childList: true});
  }
}"""
"""Keeps everything that a figure ever shows."""


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    """A town with cases of some weeks, of which some are urgent, some closed, some late."""
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        running = Hall(Path(directory))
        try:
            for number in range(9):
                case = running.opened(number % 3, days_ago=28 - 3 * number)
                if number % 2:
                    running.urgent(number % 3, case)
                elif number % 4:
                    running.urgent(number % 3, case, urgent=False)
                else:
                    running.resolved(number % 3, case, days_ago=max(0, 20 - 3 * number))
            running.until_overdue(6)
            yield running
        finally:
            running.close()


@pytest.fixture
def supervisor(hall: Hall) -> str:
    return hall.token("supervisor", hall.town)


def test_the_tiles_are_what_the_reads_say(browser: Browser, hall: Hall, supervisor: str) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        assert page.locator("[data-tile]").count() == TILES
        check_tiles(hall, page)
        days = hall.read("/v1/trend", unit=hall.town)["days"][-14:]
        for name in ("came", "left"):
            expect(wall.figure("turns-note")).to_contain_text(str(sum(day[name] for day in days)))
        oldest = hall.read("/v1/cases", origin=hall.town, state=OPEN, order="oldest", limit=5)["items"]
        assert [text.split()[0] for text in page.locator("#oldest .case").all_inner_texts()] == [
            case["case_id"][-8:] for case in oldest
        ]
        rows = hall.read("/v1/backlog", by="origin", unit=hall.town)["rows"]
        shown = dict(
            zip(
                page.locator("#units .name").all_inner_texts(),
                page.locator("#units .number").all_inner_texts(),
                strict=True,
            )
        )
        assert shown == {row["name"]: str(row["open"]) for row in rows if row["unit_id"] != hall.town}
        assert "张三" not in page.content()


def check_tiles(hall: Hall, page: Page, **at: Any) -> None:
    """The four figures of a wall, in the words of the reads."""
    urgent = hall.read("/v1/urgent", unit=hall.town, **at)["open"]
    number = f"≥{urgent['at_least']}" if urgent["value"] is None else str(urgent["value"])
    expect(page.locator("#urgent")).to_have_text(number)
    deadlines = hall.read("/v1/deadlines", unit=hall.town, **at)
    expect(page.locator("#overdue")).to_have_text(str(deadlines["overdue"]))
    if not at:
        expect(page.locator("#today")).to_have_text(str(deadlines["due_today"]))
    backlog = hall.read("/v1/backlog", by="origin", unit=hall.town, **at)["total"]
    expect(page.locator("#backlog")).to_have_text(str(backlog))


def test_a_command_elsewhere_moves_the_numbers(browser: Browser, hall: Hall, supervisor: str) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        backlog = int(wall.figure("backlog").inner_text())
        wall.asked.clear()
        case = hall.opened(1, category="ROADS")
        expect(wall.figure("backlog")).to_have_text(str(backlog + 1))
        came = hall.read("/v1/trend", unit=hall.town)["days"][-1]["came"]
        expect(wall.figure("turns-note")).to_contain_text(f"其中当天收到 {came} 件")
        hall.resolved(1, hall.urgent(1, case))
        expect(wall.figure("backlog")).to_have_text(str(backlog))
        check_tiles(hall, page)
        assert not [request for request in wall.asked if "/v1/streams/" in request.url], "it listens"


def test_a_server_that_is_away_leaves_the_numbers_with_their_age(
    browser: Browser, hall: Hall, supervisor: str
) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        before = {name: wall.figure(name).inner_text() for name in FIGURES}
        page.evaluate(SEEN)
        wall.asked.clear()
        hall.stop()
        expect(page.locator("main.wall")).to_have_class(re.compile("stale"))
        expect(wall.figure("state")).to_have_text("连接中断，正在重连")
        expect(wall.figure("age")).to_have_text(re.compile(r"^\d+秒前的数$"))
        assert {name: wall.figure(name).inner_text() for name in before} == before
        hall.start()
        page.locator("main.wall:not(.stale)").wait_for()
        expect(wall.figure("state")).to_have_text("实时")
        resumed = [request for request in wall.asked if "/v1/streams/" in request.url]
        assert all(request.headers.get("last-event-id", "").isdigit() for request in resumed)
        assert {(name, text) for name, text in page.evaluate("window.seen")} <= set(before.items())
        hall.opened(2)
        expect(wall.figure("backlog")).to_have_text(str(int(before["backlog"]) + 1))
        check_tiles(hall, page)


def test_rows_that_are_made_anew_change_no_number(browser: Browser, hall: Hall, supervisor: str) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        before = {name: wall.figure(name).inner_text() for name in FIGURES}
        page.evaluate(SEEN)
        rebuilt = anjie("rebuild", data_dir=hall.product.data_dir)
        assert rebuilt.returncode == 0, rebuilt.stderr
        hall.opened(0)
        expect(wall.figure("backlog")).to_have_text(str(int(before["backlog"]) + 1))
        backlogs = [text for name, text in page.evaluate("window.seen") if name == "backlog"]
        assert backlogs == [str(int(before["backlog"]) + 1)]


def test_it_does_not_grow(browser: Browser, hall: Hall, supervisor: str) -> None:
    """An hour of a wall, in which something happens every 15 seconds; `make soak` has the day."""
    with wall_of(browser, hall, supervisor) as wall:
        day = WallDay(hall, wall)
        before = day.live(60)
        after = day.live(180)
        assert after.nodes <= before.nodes + 50
        assert after.listeners <= before.listeners + 20
        assert after.heap_bytes <= before.heap_bytes + 1_500_000
        expect(wall.page.locator("main.wall")).not_to_have_class(re.compile("stale"))
        check_tiles(hall, wall.page)


def test_a_sign_in_that_expires_is_said_quietly(browser: Browser, hall: Hall) -> None:
    token = hall.token("supervisor", hall.town, lifetime=timedelta(seconds=6))
    with wall_of(browser, hall, token) as wall:
        page = wall.open()
        backlog = wall.figure("backlog").inner_text()
        expect(wall.figure("state")).to_have_text("登录已过期", timeout=15_000)
        expect(page.locator("main.wall")).to_have_class(re.compile("stale"))
        expect(page.get_by_role("link", name="重新登录")).to_be_visible()
        expect(wall.figure("backlog")).to_have_text(backlog)


@pytest.mark.parametrize("size", SCREENS)
def test_everything_fits_on_one_screen(
    browser: Browser, hall: Hall, supervisor: str, size: tuple[int, int]
) -> None:
    with wall_of(browser, hall, supervisor, size=size) as wall:
        page = wall.open()
        for _ in ("now", "past"):
            across, down = page.evaluate(
                "[document.documentElement.scrollWidth - innerWidth,"
                " document.documentElement.scrollHeight - innerHeight]"
            )
            assert (across, down) == (0, 0)
            for tile in page.locator("[data-tile]").all():
                assert tile.evaluate("tile => tile.scrollHeight <= tile.clientHeight"), tile.inner_text()
            page.get_by_role("button", name="回看").click()
        text = page.locator(".definition").first.evaluate(
            "each => parseFloat(getComputedStyle(each).fontSize)"
        )
        assert text >= 11 * size[0] / SCREENS[0][0], "text grows with the screen"


@pytest.mark.parametrize("size", SCREENS[1:])
def test_enlarged_every_tile_stays_on_the_screen(
    browser: Browser, hall: Hall, supervisor: str, size: tuple[int, int]
) -> None:
    with wall_of(browser, hall, supervisor, size=size) as wall:
        cookie = {"name": "anjie_look", "value": "zh.auto.large", "url": hall.url}
        wall.context.add_cookies([cookie])  # type: ignore[list-item]
        page = wall.open()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for tile in page.locator("[data-tile]").all():
            fits = "tile => tile.scrollHeight <= tile.clientHeight && tile.scrollWidth <= tile.clientWidth"
            assert tile.evaluate(fits), tile.inner_text()
            assert tile.evaluate("tile => tile.getBoundingClientRect().bottom <= innerHeight"), (
                tile.inner_text()
            )


def test_on_a_phone_the_tiles_follow_one_another(browser: Browser, hall: Hall, supervisor: str) -> None:
    with wall_of(browser, hall, supervisor, size=(360, 740)) as wall:
        page = wall.open()
        assert_accessible(page)
        for target in page.locator("button, #units a").all():
            box = target.bounding_box()
            if box is not None:
                assert box["height"] >= 44, target.inner_text()


def test_it_runs_backwards(browser: Browser, hall: Hall, supervisor: str) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        now = wall.figure("backlog").inner_text()
        page.get_by_role("button", name="回看").click()
        page.get_by_role("button", name="前一天").click()
        today = day_of(datetime.now(UTC))
        for days_ago in (1, 10, 60):
            wall.figure("day").fill(str(89 - days_ago))
            day = today - timedelta(days=days_ago)
            words = f"这是 {day.year}年{day.month}月{day.day}日 24:00 的情形"
            expect(wall.figure("past-words")).to_have_text(words)
            expect(page.locator("main.wall")).to_have_class(re.compile(r"\bpast\b"))
            check_tiles(hall, page, at_occurred=f"{day}T23:59:59.999999+08:00")
        wall.context.set_offline(True)
        wall.figure("day").fill("40")
        expect(wall.figure("past-words")).to_contain_text("另一天的数现在取不到")
        expect(wall.figure("day")).to_have_value("29")
        wall.context.set_offline(False)
        wall.figure("day").fill("4")
        page.get_by_role("button", name="倒放").click()
        expect(wall.figure("day")).to_have_value("0")
        expect(page.get_by_role("button", name="倒放")).to_have_attribute("aria-pressed", "false")
        page.get_by_role("button", name="回到现在").click()
        expect(wall.figure("backlog")).to_have_text(now)
        expect(page.locator("main.wall")).not_to_have_class(re.compile(r"\bpast\b"))


@pytest.mark.parametrize(("language", "theme"), [("zh", "auto"), ("en", "light")])
def test_everybody_can_use_it(
    browser: Browser, hall: Hall, supervisor: str, language: str, theme: str
) -> None:
    with wall_of(browser, hall, supervisor, reduced_motion="reduce", color_scheme="light") as wall:
        cookie = {"name": "anjie_look", "value": f"{language}.{theme}.normal", "url": hall.url}
        wall.context.add_cookies([cookie])  # type: ignore[list-item]
        page = wall.open()
        dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        paper = page.locator(".wall-tile").first.evaluate("tile => getComputedStyle(tile).backgroundColor")
        assert not dark
        assert (paper == "rgb(255, 255, 255)") == (theme == "light"), "dark unless light was chosen"
        assert_accessible(page)
        page.locator("#look-back").click()
        page.locator("#earlier").click()
        page.locator("main.wall.past").wait_for()
        assert_accessible(page)
        for path in ("/wall/units", f"/wall/{hall.town}/cases?list=urgent"):
            answer = page.goto(path)
            assert answer is not None
            assert answer.ok
            assert_accessible(page)


def test_a_tile_opens_its_cases_from_the_keyboard(browser: Browser, hall: Hall, supervisor: str) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        for name in ("urgent", "overdue", "today", "turns", "backlog"):
            number = int(wall.figure(name).inner_text().lstrip("≥") or 0) if name != "turns" else None
            page.locator(f"#tile-{name} a").focus()
            page.keyboard.press("Enter")
            page.wait_for_url(re.compile(r"/cases\?list="))
            rows = page.locator("tbody tr")
            expect(rows if number else page.locator("main")).not_to_have_count(0)
            if number is not None:
                expect(rows).to_have_count(number)
            assert "张三" not in page.content()
            wall.open()
        page.locator("#units a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/wall/[0-9a-f-]{36}$"))


def test_a_tile_of_an_earlier_evening_opens_the_cases_of_that_evening(
    browser: Browser, hall: Hall, supervisor: str
) -> None:
    with wall_of(browser, hall, supervisor) as wall:
        page = wall.open()
        day = day_of(datetime.now(UTC)) - timedelta(days=60)
        for name in ("urgent", "overdue", "backlog"):
            page.get_by_role("button", name="回看").click()
            wall.figure("day").fill(str(89 - 60))
            expect(wall.figure("past-words")).to_contain_text(f"{day.month}月{day.day}日")
            number = int(wall.figure(name).inner_text().lstrip("≥"))
            page.locator(f"#tile-{name} a").click()
            expect(page.locator("main")).to_contain_text(f"{day.month}月{day.day}日 24:00 的情形")
            expect(page.locator("tbody tr")).to_have_count(number)
            wall.open()
        # Back from the past they are those of now.
        page.get_by_role("button", name="回看").click()
        page.get_by_role("button", name="前一天").click()
        page.get_by_role("button", name="回到现在").click()
        expect(page.locator("#tile-backlog a")).to_have_attribute("href", re.compile(r"list=open$"))


def test_a_dashboard_sees_no_case(browser: Browser, hall: Hall) -> None:
    dashboard = hall.person("dashboard", hall.town)
    with wall_of(browser, hall, dashboard.token) as wall:
        page = wall.open()
        assert page.locator("#units .number").all_inner_texts().count("<5*") > 0
        expect(page.get_by_text("少于 5，或公布后")).to_be_visible()
        assert page.locator(".opens").count() == 0
        known = hall.read("/v1/cases", limit=1_000)["items"]
        content = page.content()
        assert not [case for case in known if case["case_id"][-8:] in content]
        assert not [request for request in wall.asked if "/v1/cases" in request.url]
        backlog = hall.read("/v1/backlog", who=dashboard, by="origin", unit=hall.town)
        expect(wall.figure("backlog")).to_have_text(str(backlog["total"]))
        refused = page.goto(f"/wall/{hall.town}/cases?list=urgent")
        assert refused is not None
        assert "张三" not in page.content()
        assert page.locator("tbody tr").count() == 0


def test_any_unit_beneath_has_a_wall_and_no_other(browser: Browser, hall: Hall) -> None:
    officer = hall.token("village_officer", hall.villages[0])
    with wall_of(browser, hall, officer) as wall:
        page = wall.open("/wall")
        expect(page.get_by_role("heading", level=1)).to_have_text("新河村")
        page.get_by_role("link", name="换单位").click()
        page.get_by_label("单位名称").fill("0组")
        page.get_by_role("button", name="查找").click()
        page.get_by_role("link", name="0组").click()
        page.locator("main.wall:not(.stale)").wait_for()
        expect(page.get_by_role("heading", level=1)).to_have_text("0组")
        answer = page.goto(f"/wall/{hall.villages[1]}")
        assert answer is not None
        assert answer.status == 403
    with wall_of(browser, hall, hall.token("resident", hall.groups[0])) as wall:
        answer = wall.page.goto("/wall")
        assert answer is not None
        assert answer.status == 403
    with wall_of(browser, hall, hall.token("auditor", None)) as wall:
        page = wall.open("/wall")
        expect(page.get_by_role("heading", level=1)).to_have_text("全部单位")
        expect(wall.figure("backlog")).to_have_text(str(hall.read("/v1/kpi")["measures"]["backlog"]))
