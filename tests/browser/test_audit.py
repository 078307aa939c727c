"""Somebody who oversees finds a case and goes back and forth in it: what is seen is what stood then."""

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from playwright.sync_api import Error, Page, expect
from pypdf import PdfReader

from services.demo.lines import Desk, Person
from services.demo.places import Place, registering
from services.demo.stories import GROUP_37, Stage, s1
from shared.policy.moments import SHANGHAI
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.e2e.players import Players, elsewhere, players
from tests.product import Product, anjie

Json = dict[str, Any]
PASSWORD: Final = "a phrase nobody guesses"
NOW: Final = Desk(name="audit", import_id=None)


@dataclass
class Scene:
    """Group 37's case, which went up to the township and was settled there."""

    cast: Players
    group: Place
    case_id: str
    told: list[Json]
    session: str
    """The cookie of the supervisor, who has signed in."""

    @property
    def supervisor(self) -> Person:
        return self.group.village.someone("supervisor")

    @property
    def case(self) -> str:
        return f"/v1/cases/{self.case_id}"

    @property
    def path(self) -> str:
        return f"/audit/cases/{self.case_id}"

    def reach(self, position: int) -> None:
        """Waits for the read models; each ask waits for some seconds itself."""
        while self.cast.get("/v1/cases", self.supervisor, min_position=position).status_code == 503:
            pass

    def timeline(self) -> list[Json]:
        items: list[Json] = self.cast.read(f"{self.case}/timeline", self.supervisor)["items"]
        return items

    def position_of(self, topic: str) -> int:
        position: int = next(item["position"] for item in self.timeline() if item["topic"] == topic)
        return position

    def enter(self, page: Page, session: str | None = None) -> None:
        """Lets the supervisor, or whose session it is, look at the pages of its browser."""
        url = str(self.cast.http.base_url)
        page.context.add_cookies([{"name": "anjie_session", "value": session or self.session, "url": url}])

    def open(
        self, new_page: NewPage, path: str, *, language: str = "zh-CN", refused: str | None = None
    ) -> Page:
        page = new_page(width=1_400, height=900, language=language, refused=refused)
        self.enter(page)
        page.goto(path)
        return page


@pytest.fixture(scope="module")
def scene(product: Product) -> Iterator[Scene]:
    with httpx.Client(base_url=product.url, timeout=30) as http:
        cast = players(product, http)
        group = elsewhere(GROUP_37, "aud")
        path = [group]
        while path[0].parent is not None:
            path.insert(0, path[0].parent)
        for line in registering(NOW, datetime.now(UTC), path):
            cast.play(line)
        telling = Stage(NOW, "S1", datetime.now(UTC) - timedelta(hours=30), timedelta(hours=2))
        told = cast.finish(s1(telling, group))
        session = signed_in(product, group.village.someone("supervisor"))
        scene = Scene(cast, group, str(telling.case_id), told, session)
        scene.reach(told[-1]["position"])
        yield scene


def signed_in(product: Product, person: Person) -> str:
    """The cookie of a session of theirs."""
    added = anjie(
        "account", "add", person.sub, "--role", person.role, "--unit", str(person.unit), "--password-stdin",
        "--chosen-by-owner",
        data_dir=product.data_dir, stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    return again(product, person)


def again(product: Product, person: Person) -> str:
    """The cookie of another session of somebody who has an account."""
    entered = httpx.post(f"{product.url}/sign-in", data={"login": person.sub, "password": PASSWORD})
    return entered.cookies["anjie_session"]


def part(page: Page, name: str) -> Any:
    return page.locator(f"main [data-part={name}]")


def shown(page: Page, step: int) -> None:
    """Waits until the parts of the step are there."""
    expect(page.locator("[data-slider]")).to_have_attribute("data-shown", str(step))


def test_the_room_is_for_those_who_oversee(new_page: NewPage, product: Product, scene: Scene) -> None:
    page = scene.open(new_page, "/")
    page.get_by_role("link", name=re.compile("监督回放")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("查找案件")
    for who, status in ((scene.group.staff(), 403), (None, 403), (scene.supervisor, 200)):
        headers = scene.cast.token(who) | {"Accept": "text/html", "Accept-Language": "zh"}
        answer = httpx.get(f"{product.url}/audit/figures", headers=headers)
        assert answer.status_code == status
        assert ("仅供监督员" in answer.text) == (status == 403)
    stranger = new_page()
    stranger.goto("/audit")
    expect(stranger).to_have_url(re.compile(r"/sign-in\?next=%2Faudit$"))


# --- finding -------------------------------------------------------------------------------------


def test_a_case_is_found_by_what_is_known_of_it(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, "/audit")
    link = page.get_by_role("link", name=scene.case_id)
    for name, value in (
        ("q", scene.case_id),
        ("q", "LAND_ACQUISITION"),
        ("q", "新河村37组"),
        ("unit_name", "新河村37组"),
    ):
        page.goto("/audit?side=origin")
        page.locator(f"[name={name}]").fill(value)
        page.get_by_role("button", name="查找").click()
        expect(link).to_be_visible()
    page.get_by_label("状态").select_option("CLOSED")
    page.get_by_label("类别", exact=True).select_option("LAND_ACQUISITION")
    page.get_by_role("button", name="查找").click()
    expect(link).to_be_visible()
    row = page.get_by_role("row").filter(has=link)
    expect(row).to_contain_text("已结案")
    expect(row).to_contain_text("已遮蔽")
    link.click()
    expect(page).to_have_url(re.compile(f"{scene.path}$"))


def test_what_finds_nothing_says_so_and_what_does_not_fit_stays_typed(
    new_page: NewPage, scene: Scene
) -> None:
    page = scene.open(new_page, "/audit?state=SUSPENDED")
    expect(page.get_by_text("没有符合条件的案件")).to_be_visible()
    page.get_by_label("截至位置").fill("999999999")
    page.get_by_role("button", name="查找").click()
    typed = page.get_by_label("截至位置")
    expect(typed).to_have_value("999999999")
    expect(typed).to_have_attribute("aria-invalid", "true")
    page.get_by_label("截至位置").fill("")
    page.get_by_label("单位（含下属）").fill("没有的村")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text("没有这个名称的单位")).to_be_visible()
    expect(page.get_by_label("单位（含下属）")).to_have_value("没有的村")
    page.get_by_label("单位（含下属）").fill("余东镇aud")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text("该单位不在您的范围内")).to_be_visible()


# --- the slider ----------------------------------------------------------------------------------


def test_the_past_is_seen_as_it_stood_and_cannot_be_acted_on(new_page: NewPage, scene: Scene) -> None:
    timeline = scene.timeline()
    page = scene.open(new_page, scene.path)
    slider = page.get_by_role("slider", name="时间")
    main = page.locator("main")
    expect(part(page, "state")).to_contain_text("已结案")
    expect(part(page, "banner")).to_contain_text("现在的情形")
    assert page.locator(".timeline > li:visible").count() == len(timeline)

    escalated = next(n for n, item in enumerate(timeline, 1) if item["topic"] == "case.escalated")
    slider.fill(str(escalated))
    shown(page, escalated)
    expect(main).to_have_class(re.compile("in-past"))
    expect(part(page, "banner")).to_contain_text("这是过去")
    expect(part(page, "banner")).to_contain_text(f"位置 {timeline[escalated - 1]['position']}")
    expect(part(page, "state")).to_contain_text("待接办")
    expect(part(page, "changed")).to_contain_text(re.compile(r"状态.*之前.*办理中|受理.*之后.*待接办", re.S))
    assert page.locator(".timeline > li:visible").count() == escalated
    then = scene.cast.read(scene.case, scene.supervisor, at_position=timeline[escalated - 1]["position"])
    assert then["state"] == "PENDING_ESCALATION"

    page.get_by_role("button", name="进一步").click()
    shown(page, escalated + 1)
    slider.fill("1")
    shown(page, 1)
    expect(part(page, "changed")).to_contain_text("此前还没有这个案件")
    page.get_by_role("button", name="播放").click()
    shown(page, 3)
    page.get_by_role("button", name="暂停").click()
    page.get_by_role("button", name="到现在").click()
    shown(page, len(timeline))
    expect(main).not_to_have_class(re.compile("in-past"))
    expect(part(page, "state")).to_contain_text("已结案")


def test_a_moment_has_an_address_of_its_own(new_page: NewPage, scene: Scene) -> None:
    timeline = scene.timeline()
    page = scene.open(new_page, scene.path)
    page.get_by_role("slider").fill("5")
    shown(page, 5)
    expect(page).to_have_url(re.compile(rf"\?at_position={timeline[4]['position']}$"))
    state = part(page, "state").inner_text()
    page.reload()
    expect(page.get_by_role("slider")).to_have_value("5")
    chosen = page.locator(".timeline [aria-current=step]")
    chosen.scroll_into_view_if_needed()
    assert page.locator(".timeline").evaluate("list => list.scrollTop") > 0
    expect(chosen).to_be_in_viewport()
    assert part(page, "state").inner_text() == state
    expect(page.locator("main")).to_have_class(re.compile("in-past"))


def test_as_it_happened_is_in_the_order_in_which_it_came_about(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path)
    page.get_by_role("link", name="按实际发生").click()
    instants = sorted({item["occurred_at"] for item in scene.timeline()})
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("max", str(len(instants)))
    slider.fill("2")
    shown(page, 2)
    then = scene.cast.read(scene.case, scene.supervisor, at_occurred=instants[1])
    assert then["state"] == "ACCEPTED"
    expect(part(page, "state")).to_contain_text("已受理")
    expect(part(page, "banner")).to_contain_text("实际的情形")


def test_who_did_what_and_when_it_was_recorded_is_told(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path)
    events = page.locator(".timeline > li")
    escalated = events.filter(has_text=re.compile(r"^\s*上报"))
    expect(escalated).to_contain_text("村民小组长")
    expect(escalated).to_contain_text("新河村37组")
    expect(escalated).to_contain_text("已遮蔽")
    expect(escalated).to_contain_text(re.compile("晚记 \\d+ (小时|天)"))
    by_rule = events.filter(has_text="开始计时").first
    expect(by_rule).to_have_class(re.compile("by-system"))
    expect(by_rule).to_contain_text("系统")
    assert escalated.evaluate("e => getComputedStyle(e).borderLeftStyle") == "solid"
    assert by_rule.evaluate("e => getComputedStyle(e).borderLeftStyle") == "dashed"


def test_everything_can_be_done_with_the_keyboard(new_page: NewPage, scene: Scene) -> None:
    steps = len(scene.timeline())
    page = scene.open(new_page, scene.path)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    slider = page.get_by_role("slider")
    while not slider.evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    shown(page, steps - 1)
    page.keyboard.press("Home")
    shown(page, 1)
    page.keyboard.press("Tab")
    chosen = page.locator(".timeline [aria-current=step] .what")
    expect(chosen).to_be_focused()
    page.keyboard.press("ArrowDown")
    shown(page, 2)
    expect(chosen).to_be_focused()
    slider.focus()
    page.keyboard.press("End")
    shown(page, steps)


@pytest.mark.parametrize(("language", "names"), [
    ("zh-CN", ("时间", "播放", "退一步", "进一步", "经过", "这一步改变了什么")),
    ("en", ("Time", "Play", "One step back", "One step on", "Timeline", "What this step changed")),
])  # fmt: skip
def test_what_is_heard_names_everything(
    new_page: NewPage, scene: Scene, language: str, names: tuple[str, ...]
) -> None:
    page = scene.open(new_page, scene.path, language=language)
    slider, play, back, on, timeline, changed = names
    expect(page.get_by_role("slider", name=slider)).to_have_attribute(
        "aria-valuetext", re.compile(rf"\b{len(scene.timeline())}\b")
    )
    for name in (play, back, on):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    for name in (timeline, changed):
        expect(page.get_by_role("region", name=name)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("现在" if language == "zh-CN" else "now")


def test_the_room_can_be_used_by_everybody(new_page: NewPage, scene: Scene, product: Product) -> None:
    past = f"{scene.path}?at_position={scene.position_of('case.escalated')}"
    for look, width in (("zh.light.normal", 360), ("en.dark.large", 1_400), ("zh.dark.normal", 1_400)):
        page = new_page(width=width)
        scene.enter(page)
        page.context.add_cookies([{"name": "anjie_look", "value": look, "url": product.url}])
        for path in (
            "/audit",
            scene.path,
            past,
            f"{scene.path}/reads",
            f"{scene.path}/unmask",
            f"{scene.path}/verify",
            "/audit/figures",
            "/audit/figures/explain/registered",
            "/audit/figures/compare?measure=backlog&a=1&b=9",
        ):
            page.goto(path)
            assert_accessible(page)


# --- acts ----------------------------------------------------------------------------------------


def test_a_supervisor_asks_demands_and_notes(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path, refused="raise-query")
    steps = len(scene.timeline())
    page.get_by_text("质询", exact=True).first.click()
    question = page.get_by_label("要问什么")
    asking = page.locator("form[data-command$=raise-query] button")
    asking.click()
    expect(question).to_have_attribute("aria-invalid", "true")
    expect(question).to_be_focused()
    expect(question).to_have_accessible_description("必填")
    question.fill("为何越过村级直接上报？")
    asking.click()
    expect(part(page, "state")).to_contain_text("待答复")
    expect(page.locator(".timeline > li").nth(steps)).to_contain_text("监督质询")
    for command, label, text in (
        ("demand-correction", "要求更正什么", "请补正受理日期。"),
        ("annotate-audit", "记事内容", "已核对会商记录。"),
    ):
        page.locator(f"details:has(form[data-command$={command}]) > summary").click()
        page.get_by_label(label).fill(text)
        page.locator(f"form[data-command$={command}] button").click()
        expect(page.get_by_label(label)).to_have_value("")
        assert scene.timeline()[-1]["actor_ref"] == scene.supervisor.sub
    topics = [item["topic"] for item in scene.timeline()[steps:]]
    assert [topic for topic in topics if "deadline" not in topic] == [
        "case.query_raised",
        "case.correction_demanded",
        "case.audit_noted",
    ]
    expect(page.get_by_role("heading", name="监督", exact=True)).to_be_visible()
    page.get_by_role("button", name="退一步").click()
    expect(page.get_by_role("heading", name="监督", exact=True)).to_be_hidden()
    expect(page.locator("form[data-command$=raise-query]")).to_be_hidden()


def test_what_was_written_stays_where_it_cannot_be_sent(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path, refused="annotate-audit")
    page.locator("details:has(form[data-command$=annotate-audit]) > summary").click()
    page.get_by_label("记事内容").fill("网络断了也不能丢。")
    page.context.set_offline(True)
    page.locator("form[data-command$=annotate-audit] button").click()
    expect(page.get_by_role("alert")).to_contain_text("没有发出去")
    expect(page.get_by_label("记事内容")).to_have_value("网络断了也不能丢。")
    page.context.set_offline(False)
    before = len(scene.timeline())
    page.locator("form[data-command$=annotate-audit] button").click()
    expect(page.locator(".timeline > li")).to_have_count(before + 1)


def test_what_was_written_outlasts_the_sign_in(new_page: NewPage, scene: Scene, product: Product) -> None:
    # Given a note that somebody writes while their session ends,
    page = scene.open(new_page, scene.path, refused="annotate-audit")
    writing = page.get_by_label("记事内容")
    sending = page.locator("form[data-command$=annotate-audit] button")
    page.locator("details:has(form[data-command$=annotate-audit]) > summary").click()
    writing.fill("写到一半，登录过期了。")
    page.context.clear_cookies()
    # when it is sent,
    sending.click()
    # then it is told where to sign in, and nothing was lost,
    expect(page.get_by_role("alert")).to_contain_text("登录已过期")
    with page.context.expect_page() as opened:
        page.get_by_role("alert").get_by_role("link", name="去登录").click()
    expect(opened.value.get_by_label("登录名")).to_be_visible()
    expect(writing).to_have_value("写到一半，登录过期了。")
    # it isn't sent in the name of somebody else,
    before = len(scene.timeline())
    scene.enter(page, signed_in(product, scene.group.village.someone("supervisor", 2)))
    sending.click()
    expect(page.get_by_role("alert")).to_contain_text("现在登录的是另一个人")
    assert len(scene.timeline()) == before
    # and it goes on once they are there again.
    scene.enter(page, again(product, scene.supervisor))
    sending.click()
    expect(page.locator(".timeline > li")).to_have_count(before + 1)
    assert scene.timeline()[-1]["actor_ref"] == scene.supervisor.sub


def test_whoever_looks_is_seen_to_have_looked(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path)
    step = scene.timeline()[2]
    page.get_by_role("slider").fill("3")
    shown(page, 3)
    page.goto(f"{scene.path}/reads")
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text=scene.supervisor.sub).filter(has_text="经过").first).to_be_visible()
    looked = rows.filter(has=page.get_by_role("cell", name=str(step["position"]), exact=True))
    expect(looked.filter(has_text="案件").first).to_be_visible()


# --- personal data -------------------------------------------------------------------------------

REASON: Final = "核对群众反映的补偿差异，涉及张霞"


def clear_title(scene: Scene) -> str:
    """What the title says to those who hold the case."""
    officer = scene.group.village.parent
    assert officer is not None
    told: str = scene.cast.read(scene.case, officer.someone("township_officer"))["title"]
    return told


def unmask(page: Page, reason: str) -> None:
    page.get_by_role("link", name=re.compile("显示个人信息|Show personal data")).click()
    page.locator("dialog textarea").fill(reason)
    page.locator("dialog .button.main").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_personal_data_is_shown_for_a_reason_and_does_not_stay(new_page: NewPage, scene: Scene) -> None:
    title = clear_title(scene)
    page = scene.open(new_page, scene.path)
    assert title not in page.content()
    unmask(page, REASON)
    expect(page.get_by_role("alert")).to_contain_text("个人信息正以明文显示")
    expect(page.get_by_role("region", name="案件情形")).to_contain_text(title)
    expect(page.locator("main")).not_to_contain_text("已遮蔽")
    assert page.locator(".timeline > li").count() == len(scene.timeline())
    page.get_by_role("link", name="恢复遮蔽").click()
    expect(part(page, "state")).to_contain_text("已遮蔽")
    assert title not in page.content()
    with contextlib.suppress(Error):
        # The browser has nothing of it any more, and doesn't send the reason again by itself.
        page.go_back()
    expect(page.locator("body")).not_to_contain_text(title)
    # Another page: that one may still be going somewhere.
    page = scene.open(new_page, f"{scene.path}/reads")
    row = page.get_by_role("row").filter(has_text=REASON)
    expect(row).to_have_count(1)
    expect(row.locator(".badge.warn")).to_have_text("明文查看个人信息")
    expect(row).to_contain_text(scene.supervisor.sub)


def test_the_past_is_shown_in_the_clear_as_it_stood(new_page: NewPage, scene: Scene) -> None:
    timeline = scene.timeline()
    page = scene.open(new_page, scene.path)
    escalated = next(n for n, item in enumerate(timeline, 1) if item["topic"] == "case.escalated")
    page.get_by_role("slider").fill(str(escalated))
    shown(page, escalated)
    unmask(page, "核对上报经过")
    expect(page.get_by_role("region", name="案件情形")).to_contain_text("待接办")
    expect(page.get_by_role("region", name="案件情形")).to_contain_text(clear_title(scene))
    expect(page.locator("main")).to_have_class(re.compile("in-past"))
    expect(page.locator("main")).to_contain_text(f"位置 {timeline[escalated - 1]['position']}")
    assert page.locator(".timeline > li").count() == escalated
    with page.expect_download() as taken:
        page.get_by_role("button", name="CSV").click()
    written = taken.value.path().read_text("utf-8-sig")
    assert f"位置 {timeline[escalated - 1]['position']}" in written
    assert f"明文，由 {scene.supervisor.sub} 调取" in written
    assert "核对上报经过" in written
    assert clear_title(scene) in written
    expect(page.get_by_role("region", name="案件情形")).to_contain_text(clear_title(scene))
    query = {"case_id": scene.case_id, "limit": 1_000}
    on_record = scene.cast.read("/v1/audit/reads", scene.supervisor, **query)["items"]
    reasoned = [item["read"] for item in on_record if item["reason"] == "核对上报经过"]
    assert reasoned == ["unmask", "export/unmask"]


def test_why_is_asked_in_a_dialog_that_the_keyboard_reaches(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path, language="en")
    opening = page.get_by_role("link", name="Show personal data")
    opening.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Show personal data")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opening).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("textbox", name="Why you have to see it")).to_be_focused()
    dialog.get_by_role("button", name="Show personal data").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Leave it masked").click()
    expect(dialog).to_be_hidden()
    unmask(page, "To compare the compensation that was agreed.")
    expect(page.get_by_role("alert")).to_contain_text("Personal data is shown in the clear")
    assert_accessible(page)


def test_what_does_not_fit_as_a_reason_stays_typed(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, f"{scene.path}/unmask")
    reason = page.get_by_label("查看的理由")
    reason.fill("  ")
    page.get_by_role("button", name="显示个人信息").click()
    expect(reason).to_have_attribute("aria-invalid", "true")
    expect(reason).to_have_value("  ")


def test_a_case_is_verified_in_plain_words(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path)
    page.get_by_role("link", name="核验").click()
    expect(page.get_by_role("status")).to_contain_text(f"核验通过：{len(scene.timeline())} 个事件")
    expect(page.locator(".checks .good")).to_have_count(5)


# --- figures -------------------------------------------------------------------------------------


def figure(page: Page, name: str) -> Any:
    """The value beside a figure's name."""
    return (
        page.get_by_role("row")
        .filter(has=page.get_by_role("cell", name=name, exact=True))
        .locator("td")
        .nth(1)
    )


def test_figures_are_those_of_the_moment(new_page: NewPage, scene: Scene) -> None:
    unit = scene.group.village.unit_id
    resolved = scene.position_of("case.resolved")
    page = scene.open(new_page, f"/audit/figures?at_position={resolved - 1}")
    banner = part(page, "banner")
    expect(banner).to_contain_text("这是过去")
    expect(banner).to_contain_text(f"位置 {resolved - 1}")
    backlog = scene.cast.read(
        "/v1/backlog", scene.supervisor, by="origin", unit=unit, at_position=resolved - 1
    )
    assert backlog["total"] == 1
    expect(figure(page, "未结数")).to_have_text("1")
    page.goto(f"/audit/figures?at_position={resolved}")
    expect(figure(page, "未结数")).to_have_text("0")
    slider = page.get_by_role("slider", name="时间")
    slider.fill("1")
    shown(page, 1)
    expect(banner).to_contain_text("位置 1）")
    expect(figure(page, "登记数")).to_have_text("0")
    slider.press("End")
    expect(banner).to_contain_text("现在的情形")
    expect(page.locator("main")).not_to_have_class(re.compile("in-past"))
    expect(figure(page, "登记数")).to_have_text("1")
    expect(figure(page, "处置率")).to_have_text("100.00% (1/1)")


def test_figures_are_never_shown_under_a_name_that_is_not_theirs(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, "/audit/figures?unit_name=哪里都不是")
    unit = page.get_by_label("单位（含下属）")
    expect(unit).to_have_value("哪里都不是")
    expect(unit).to_have_accessible_description(re.compile("没有这个名称的单位"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(scene.group.village.name)


@pytest.mark.parametrize(
    ("asked", "field", "told"),
    [
        ("at_position=abc", "截至位置", "须是整数"),
        ("from=2025-02-30", "统计时段从", "不是日期"),
        ("from=2025-02-02&to=2025-01-01", "统计时段到", "早于起始日期"),
        ("day=9999-12-31", "截至日期", "须是今天或以前的日期"),
    ],
)
def test_what_does_not_fit_is_told_in_words(
    new_page: NewPage, scene: Scene, asked: str, field: str, told: str
) -> None:
    page = scene.open(new_page, "/audit")
    # An address that somebody wrote: the fields themselves take no such thing.
    page.goto(f"/audit/figures?{asked}")
    expect(page.get_by_label(field)).to_have_accessible_description(re.compile(told))


def test_a_number_is_explained_by_as_many_cases_down_to_their_events(new_page: NewPage, scene: Scene) -> None:
    resolved = scene.position_of("case.resolved")
    page = scene.open(new_page, f"/audit/figures?at_position={resolved - 1}")
    number = figure(page, "未结数")
    counted = number.inner_text()
    number.get_by_role("link").click()
    expect(page.locator(".figure")).to_have_text(counted)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(int(counted))
    rows.first.get_by_role("link", name=re.compile("登记（位置")).click()
    registered = scene.position_of("case.registered")
    expect(part(page, "banner")).to_contain_text(f"位置 {registered}）")
    expect(page.locator("main")).to_have_class(re.compile("in-past"))


def test_a_ratio_is_explained_by_both_its_numbers(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, "/audit/figures")
    ratio = figure(page, "处置率")
    numerator, denominator = re.findall(r"\((\d+)/(\d+)\)", ratio.inner_text())[0]
    ratio.get_by_role("link").click()
    for name, count in (("分子", numerator), ("分母", denominator)):
        expect(page.get_by_role("region", name=name, exact=True).first.locator("tbody tr")).to_have_count(
            int(count)
        )


def test_two_moments_are_compared(new_page: NewPage, scene: Scene) -> None:
    registered, resolved = scene.position_of("case.registered"), scene.position_of("case.resolved")
    page = scene.open(new_page, "/audit/figures")
    page.get_by_role("link", name="比较两个时刻").click()
    page.get_by_label("较早").fill("2013-99-99")
    page.get_by_label("较晚").fill(str(registered))
    page.get_by_role("button", name="比较两个时刻").click()
    expect(page.get_by_label("较早")).to_have_value("2013-99-99")
    expect(page.get_by_label("较早")).to_have_attribute("aria-invalid", "true")
    for a, b, values, change in (
        (registered - 1, registered, ["0", "1"], "计入了"),
        (registered, resolved, ["1", "0"], "不再计入"),
    ):
        page.get_by_label("较早").fill(str(a))
        page.get_by_label("较晚").fill(str(b))
        page.get_by_role("button", name="比较两个时刻").click()
        expect(page.locator("dd.figure")).to_have_text(values)
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text(scene.case_id)
        expect(rows.first).to_contain_text(change)


def test_moments_that_are_none_are_told_in_words(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, "/audit/figures/compare?measure=backlog&a=2025-13-01&b=9999-12-31")
    for name in ("较早", "较晚"):
        told = re.compile("须是位置号，或今天以前的日期")
        expect(page.get_by_label(name)).to_have_accessible_description(told)
    expect(page.get_by_label("较早")).to_have_value("2025-13-01")


def test_figures_as_they_came_about_go_by_days(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, "/audit/figures")
    page.get_by_role("link", name="按实际发生").click()
    opened = datetime.fromisoformat(scene.timeline()[0]["occurred_at"]).astimezone(SHANGHAI).date()
    days = (datetime.now(SHANGHAI).date() - opened).days + 1
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("max", str(days))
    slider.press("Home")
    expect(part(page, "banner")).to_contain_text("实际的情形")
    expect(figure(page, "登记数")).to_have_text("1")
    expect(figure(page, "未结数")).to_have_text("1")


# --- taking it along -----------------------------------------------------------------------------


def taken(page: Page, form: str) -> bytes:
    """The file that a link to it gives."""
    with page.expect_download() as download:
        page.get_by_role("link", name=form, exact=True).click()
    return download.value.path().read_bytes()


def csv_rows(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def seen_rows(page: Page) -> list[list[str]]:
    rows = page.locator("tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("td").all()] for row in rows]


def test_a_list_is_taken_along_as_it_is_seen(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, "/audit?category=LAND_ACQUISITION")
    seen = seen_rows(page)
    position = re.findall("位置 (\\d+)", page.get_by_role("status").inner_text())[0]
    stamp, columns, *rows = csv_rows(taken(page, "CSV"))
    assert stamp[2].endswith(f"位置 {position}")
    assert columns == page.locator("th").all_inner_texts()
    assert [row for row in rows if row] == seen
    book = load_workbook(io.BytesIO(taken(page, "Excel")))
    assert position in footer(book.worksheets[0])
    assert [
        ["" if cell is None else str(cell) for cell in row] for row in list(book.worksheets[0].values)[3:]
    ] == seen


def footer(sheet: Worksheet) -> str:
    assert sheet.oddFooter is not None
    return str(sheet.oddFooter.left.text)


def test_a_past_moment_is_taken_along_without_what_came_later(new_page: NewPage, scene: Scene) -> None:
    page = scene.open(new_page, scene.path)
    timeline = scene.timeline()
    escalated = next(n for n, item in enumerate(timeline, 1) if item["topic"] == "case.escalated")
    page.get_by_role("slider").fill(str(escalated))
    shown(page, escalated)
    facts = list(zip(
        page.locator("[data-part=state] dt").all_inner_texts(),
        [re.sub(r"\n+", "\n", text) for text in page.locator("[data-part=state] dd").all_inner_texts()],
        strict=True,
    ))  # fmt: skip
    events = page.locator(".timeline > li:visible .what").all_inner_texts()
    book = load_workbook(io.BytesIO(taken(page, "Excel")))
    position = timeline[escalated - 1]["position"]
    assert {f"位置 {position}）" in footer(sheet) for sheet in book.worksheets} == {True}
    state, happened, changed = [list(sheet.values)[3:] for sheet in book.worksheets]
    assert [tuple(row) for row in state] == facts
    assert [row[1] for row in happened] == events
    assert [row[0] for row in happened] == [item["position"] for item in timeline[:escalated]]
    assert [row[0] for row in changed] == page.locator("[data-part=changed] dt").all_inner_texts()


def test_figures_are_taken_along_as_they_are_seen(new_page: NewPage, scene: Scene) -> None:
    resolved = scene.position_of("case.resolved")
    page = scene.open(new_page, f"/audit/figures?at_position={resolved}")
    seen = seen_rows(page)
    rows = csv_rows(taken(page, "CSV"))
    told = [row for row in rows if row and "案件" not in row[0] and len(row) in (2, 5)]
    headings = [["指标", "数值"], ["单位", "未结", "其中急难愁盼", "其中逾期", "最早登记"]]
    assert [row for row in told if row not in headings] == seen
    assert {row[2] for row in rows if len(row) == 3} != set()
    assert all(f"位置 {resolved}）" in row[2] for row in rows if len(row) == 3)


def test_what_is_seen_is_taken_along_on_paper_that_says_its_position(new_page: NewPage, scene: Scene) -> None:
    registered, resolved = scene.position_of("case.registered"), scene.position_of("case.resolved")
    page = scene.open(new_page, "/audit?category=LAND_ACQUISITION")
    position = re.findall("位置 (\\d+)", page.get_by_role("status").inner_text())[0]
    assert scene.case_id in on_paper(taken(page, "PDF"), f"位置{position}")
    page.goto(f"{scene.path}?at_position={registered}")
    seen = page.locator(".timeline > li:visible .what").all_inner_texts()
    found = on_paper(taken(page, "PDF"), f"位置{registered}）。")
    assert all(without_spaces(event) in found for event in seen)
    assert "办结" not in found, "it was settled later"
    page.goto(f"/audit/figures?at_position={resolved}")
    assert "未结案件" in on_paper(taken(page, "PDF"), f"位置{resolved}）。")
    page.goto(f"/audit/figures/explain/registered?at_position={resolved}")
    assert scene.case_id in on_paper(taken(page, "PDF"), f"位置{resolved}")
    page.goto(f"/audit/figures/compare?measure=backlog&a={registered}&b={resolved}")
    found = on_paper(taken(page, "PDF"), f"位置{registered}：1；位置{resolved}：0")
    assert f"{scene.case_id}不再计入" in found


def on_paper(content: bytes, stamp: str) -> str:
    """The text of a PDF, each page of which has the stamp and its number."""
    pages = [without_spaces(page.extract_text()) for page in PdfReader(io.BytesIO(content)).pages]
    for number, text in enumerate(pages, 1):
        assert text.endswith(f"{stamp}第{number}页，共{len(pages)}页")
    return "".join(pages)


def without_spaces(text: str) -> str:
    return "".join(text.split())
