"""An officer's desk: what waits, lists and views, many at once, search, two cases into one, the rules."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from shared.events.vocabulary import Role
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.browser.villages import Village
from tests.product import Product

Json = dict[str, Any]
WIDTH = 1280
LIVE_MS = 30_000
"""Read models, a stream and a page that is fetched anew, on a busy machine."""


class Office(Village):
    """A village seen from its officer's desk."""

    @property
    def mediator_ref(self) -> str:
        return f"mediator of {self.village}"

    @property
    def mediator(self) -> dict[str, str]:
        return self.headers(self.mediator_ref, "mediator", self.village)

    @property
    def supervisor(self) -> dict[str, str]:
        return self.headers(f"supervisor of {self.village}", "supervisor", self.village)

    @property
    def reader(self) -> dict[str, str]:
        return self.officer

    def act(self, who: dict[str, str], case: Json, command: str, **body: Any) -> Json:
        return self.done(who, f"/v1/cases/{case['case_id']}/{command}", body, case["version"])

    def open_here(self, title: str, **more: Any) -> Json:
        """A case that the village itself holds."""
        body = {
            "channel": "WALK_IN",
            "category": "NEIGHBOUR",
            "origin_unit": self.village,
            "title": title,
            "description": "雨水流进了邻居的院子",
            "people": [{"role": "COMPLAINANT", "name": "张三"}, {"role": "RESPONDENT", "name": "李四"}],
        }
        return self.done(self.mediator, "/v1/cases", body | more)

    def hand_up(self, title: str) -> Json:
        accepted = self.act(self.leader, self.open_case(title), "accept-case")
        return self.act(self.leader, accepted, "escalate-case", to_level="VILLAGE", reason="组里协调不了")

    def settle(self, title: str) -> Json:
        """A case that the village's mediator has settled."""
        case = self.act(self.mediator, self.open_here(title), "accept-case", procedure="GRID")
        case = self.act(self.mediator, case, "assign-handler", handler_ref=self.mediator_ref)
        how = {"outcome": "EXPLAINED", "degree": "FULL", "detail": "讲明了"}
        return self.act(self.mediator, case, "resolve-case", **how)

    def wait_until_found(self, case: Json, text: str) -> None:
        """The index of texts comes after the lists."""
        path = f"/v1/cases:search?min_position={case['position']}"
        answer = self._http.post(path, json={"text": text}, headers=self.officer)
        while answer.status_code == 503:
            answer = self._http.post(path, json={"text": text}, headers=self.officer)
        assert [item["case_id"] for item in answer.json()["items"]] == [case["case_id"]]

    def case(self, case: Json) -> Json:
        return self.read(f"/v1/cases/{case['case_id']}")


@pytest.fixture(scope="module")
def office(product: Product) -> Iterator[Office]:
    made = Office(product)
    yield made
    made.close()


def at_desk(new_page: NewPage, office: Office, path: str = "/desk", **how: Any) -> Page:
    page = office.signed_in(new_page(width=WIDTH, height=900, **how), "village_officer")
    page.goto(path)
    return page


def part(page: Page, name: str, title: str) -> Locator:
    """What a part of the desk says of a case."""
    return page.locator(f"#{name} .card").filter(has_text=title)


def test_what_is_handed_up_is_received_or_sent_back_with_a_reason(new_page: NewPage, office: Office) -> None:
    first, second = office.hand_up("上交一：排水沟"), office.hand_up("上交二：院墙")
    office.wait(second["position"])
    page = at_desk(new_page, office, refused="return-escalation")
    waiting = part(page, "to-receive", "上交一")
    expect(waiting).to_contain_text("上交待接")
    expect(waiting).to_contain_text(re.compile("接办：.*24:00"))
    waiting.get_by_role("button", name="接下这件事").click()
    expect(part(page, "to-receive", "上交一")).to_have_count(0)
    assert office.case(first)["holder_unit"] == office.village
    back = part(page, "to-receive", "上交二")
    back.get_by_text("退回下级").first.click()
    back.get_by_role("button", name="退回下级").click()
    reason = back.get_by_label("原因")
    expect(reason).to_have_accessible_description("必填")
    expect(reason).to_be_focused()
    reason.fill("材料不全，请先走访")
    expect(page.locator("#news")).to_be_hidden()
    back.get_by_role("button", name="退回下级").click()
    expect(part(page, "to-receive", "上交二")).to_have_count(0)
    assert office.case(second)["holder_unit"] == office.group
    expect(page.locator("#to-receive .empty")).to_have_text("没有等着接收的上交。")


def test_what_comes_meanwhile_shows_by_itself_and_disturbs_nobody(new_page: NewPage, office: Office) -> None:
    page = at_desk(new_page, office)
    office.hand_up("刚刚上交的")
    waiting = part(page, "to-receive", "刚刚上交的")
    expect(waiting).to_be_visible(timeout=LIVE_MS)
    waiting.get_by_text("退回下级").first.click()
    waiting.get_by_label("原因").fill("正在写")
    office.hand_up("又来一件")
    expect(page.locator("#news")).to_be_visible(timeout=LIVE_MS)
    expect(waiting.get_by_label("原因")).to_have_value("正在写")
    page.locator("#news").get_by_role("button").click()
    expect(part(page, "to-receive", "又来一件")).to_be_visible()


def test_a_desk_that_hears_nothing_any_more_says_so(new_page: NewPage, office: Office) -> None:
    page = at_desk(new_page, office, refused="/v1/streams/")
    page.route("**/v1/streams/**", lambda route: route.abort())
    page.reload()
    lost = page.get_by_text("可能不是最新的")
    expect(lost).to_be_visible()
    page.unroute("**/v1/streams/**")
    expect(lost).to_be_hidden()


def test_an_officer_calls_a_complainant_and_puts_down_what_they_said(
    new_page: NewPage, office: Office
) -> None:
    settled = office.settle("办好了的路灯")
    office.wait(settled["position"])
    page = at_desk(new_page, office)
    call = part(page, "calls", "办好了的路灯")
    call.locator("summary").click()
    for question in ("联系上了吗", "问题解决了吗", "满意吗"):
        call.get_by_role("group", name=question).get_by_role("radio", name="是").check()
    call.get_by_role("button", name="记一次回访").click()
    expect(part(page, "calls", "办好了的路灯")).to_have_count(0)
    topics = [item["topic"] for item in office.read(f"/v1/cases/{settled['case_id']}/timeline")["items"]]
    assert topics[-1] == "case.follow_up_recorded"


def test_a_query_waits_first_where_its_case_is_urgent_and_can_be_seen_off(
    new_page: NewPage, office: Office
) -> None:
    plain, urgent = office.open_here("先问的普通事"), office.open_here("后问的急事")
    urgent = office.act(office.mediator, urgent, "classify-urgency", urgent=True, reason="老人独居")
    for case in (plain, urgent):
        asked = office.done(
            office.supervisor, f"/v1/cases/{case['case_id']}/raise-query", {"question": "怎么样了？"}
        )
    office.wait(asked["position"])
    page = at_desk(new_page, office)
    cards = page.locator("#others .card").filter(has_text="问的")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("后问的急事")
    expect(cards.first).to_contain_text("监督质询")
    cards.first.get_by_role("button", name="知道了").click()
    expect(cards.first.get_by_role("button", name="知道了")).to_have_count(0)
    expect(cards.last.get_by_role("button", name="知道了")).to_have_count(1)


def test_many_are_assigned_at_once_and_each_line_says_what_became_of_it(
    new_page: NewPage, office: Office
) -> None:
    ready = [
        office.act(office.mediator, office.open_here(f"待分办{n}"), "accept-case", procedure="GRID")
        for n in range(2)
    ]
    new = office.open_here("待分办：还没受理", category="ROADS")
    office.wait(new["position"])
    page = at_desk(new_page, office, f"/desk/cases?holder={office.village}&assigned=false&state=OPEN")
    result = page.locator("#assign-result")
    page.get_by_role("button", name="分办选中的").click()
    expect(result).to_have_text("请先选案件和经办人。")
    for case in (*ready, new):
        page.locator(f"[data-case='{case['case_id']}']").check()
    page.get_by_label("交给谁办").select_option(office.mediator_ref)
    page.get_by_role("button", name="分办选中的").press("Enter")
    expect(result).to_contain_text("已分办 2 件，没有分办 1 件")
    for case in ready:
        expect(page.locator(f"[data-result='{case['case_id']}']")).to_contain_text("已交给mediator of")
        assert office.case(case)["handler_ref"] == office.mediator_ref
    refused = page.locator(f"[data-result='{new['case_id']}']")
    expect(refused).to_have_class("wrong")
    expect(refused).not_to_be_empty()
    assert office.case(new)["handler_ref"] is None
    expect(page.locator(f"[data-case='{new['case_id']}']")).to_be_checked()


def test_filters_are_kept_under_a_name(new_page: NewPage, office: Office) -> None:
    flood, drain = office.open_here("积水的路口", category="FLOODING"), office.open_here("堵了的沟")
    office.wait(drain["position"])
    page = at_desk(new_page, office, "/desk/cases")
    page.get_by_label("类别").select_option("FLOODING")
    page.get_by_label("状态").select_option("OPEN")
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_role("link", name="积水的路口")).to_be_visible()
    expect(page.get_by_role("link", name="堵了的沟")).to_have_count(0)
    name = page.get_by_label("给这组条件起个名字")
    name.fill("积水")
    name.press("Enter")
    view = page.get_by_role("link", name="积水", exact=True)
    expect(view).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="清除条件").first.click()
    view.click()
    expect(page.get_by_label("类别")).to_have_value("FLOODING")
    expect(page.get_by_label("状态")).to_have_value("OPEN")
    expect(page.get_by_role("link", name="积水的路口")).to_be_visible()
    page.get_by_role("button", name="删除名单“积水”").click()
    expect(view).to_have_count(0)
    assert flood["state"] == "REGISTERED"


def test_a_case_is_found_by_its_words_which_stand_in_no_address(new_page: NewPage, office: Office) -> None:
    case = office.open_here("晒谷场的纷争", description="两家为晒谷场的早晚吵了三回")
    office.wait_until_found(case, "晒谷场")
    page = at_desk(new_page, office, "/desk/search")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found = page.get_by_role("link", name="晒谷场的纷争")
    text = page.get_by_label("找什么")
    text.fill("晒谷场 早晚")
    text.press("Enter")
    expect(found).to_be_visible()
    expect(text).to_have_value("晒谷场 早晚")
    assert not [url for url in asked if "%E6%99%92" in url.upper() or "晒" in url]
    text.fill(" ")
    page.get_by_role("button", name="查找").click()
    expect(text).to_have_accessible_description(re.compile("不能为空"))
    text.fill("从来没有的词语")
    page.get_by_role("button", name="查找").click()
    expect(page.locator(".empty")).to_have_text("没有符合条件的案件。")


def test_what_no_page_holds_is_on_the_next(new_page: NewPage, office: Office) -> None:
    for n in range(51):
        case = office.open_here(f"第{n}根电杆", category="LIGHTING", description=f"电杆歪了，编号{n}")
    office.wait_until_found(case, "编号50")
    page = at_desk(new_page, office, "/desk/cases?category=LIGHTING")
    earliest, latest = (page.get_by_role("link", name=f"第{n}根电杆", exact=True) for n in (0, 50))
    expect(latest).to_be_visible()
    expect(earliest).to_have_count(0)
    page.get_by_role("link", name="下一页").click()
    expect(earliest).to_be_visible()
    expect(latest).to_have_count(0)
    page.goto("/desk")
    expect(page.locator("#unassigned h2")).to_contain_text("20+")
    page.goto("/desk/search")
    page.get_by_label("找什么").fill("电杆")
    page.get_by_role("button", name="查找").click()
    expect(latest).to_be_visible()
    expect(earliest).to_have_count(0)
    page.get_by_role("button", name="下一页").click()
    expect(earliest).to_be_visible()
    expect(latest).to_have_count(0)


def test_two_cases_become_one_as_the_preview_said(new_page: NewPage, office: Office) -> None:
    early = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    duplicate = office.open_here("同一条沟，先来的", occurred_at=early)
    duplicate = office.act(office.mediator, duplicate, "classify-urgency", urgent=True, reason="要进水了")
    primary = office.open_here("同一条沟，后来的")
    office.wait_until_found(primary, "后来的")
    before = office.case(duplicate)
    page = at_desk(new_page, office, f"/m/cases/{duplicate['case_id']}")
    page.get_by_role("link", name="与另一件对照并案").click()
    found = page.get_by_role("link", name="放在一起看：同一条沟，后来的")
    expect(found).to_be_visible()
    page.get_by_label("找什么").fill("从来没有的词语")
    page.get_by_role("button", name="查找").click()
    expect(page.locator(".empty")).to_have_text("没有符合条件的案件。")
    page.get_by_label("找什么").fill("后来的")
    page.get_by_role("button", name="查找").click()
    assert_accessible(page)
    found.click()
    after = page.locator("section:has(#after)")
    expect(page.locator("section:has(#primary)")).to_contain_text("还没有认定")
    expect(after).to_contain_text("急难愁盼")
    told = after.locator(".clock").all_inner_texts()
    assert told == page.locator("section:has(#duplicate) .clock").all_inner_texts()
    assert_accessible(page)
    page.get_by_label("原因").fill("同一条沟")
    page.get_by_role("button", name="确认并案").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("同一条沟，后来的")
    merged, stays = office.case(duplicate), office.case(primary)
    assert (merged["state"], merged["merged_into"]) == ("MERGED", primary["case_id"])
    assert stays["urgent"] is True
    [clock], [inherited] = before["deadlines"], stays["deadlines"]
    assert (inherited["started_at"], inherited["due_at"]) == (clock["started_at"], clock["due_at"])


def test_an_officer_acts_on_the_page_of_the_case(new_page: NewPage, office: Office) -> None:
    case = office.open_here("村里自己的事")
    demand = {"demand": "请补记走访"}
    office.done(office.supervisor, f"/v1/cases/{case['case_id']}/demand-correction", demand)
    page = at_desk(new_page, office, f"/m/cases/{case['case_id']}")
    for title, label, text in (
        ("答复更正要求", "具体情况", "已补记。"),
        ("更正下属的记录", "应当怎么写", "雨水流进了东边邻居的院子。"),
    ):
        act = page.locator("details.act").filter(has=page.get_by_text(title, exact=True).first)
        page.locator("details:not(.act) > summary", has_text="还可以做").click()
        act.locator("summary").click()
        for choice in act.locator("select").all():
            choice.select_option(index=1)
        for radio in act.get_by_role("radio", name="已更正", exact=True).all():
            radio.check()
        act.get_by_label(label).fill(text)
        with page.expect_navigation():
            act.get_by_role("button", name=title).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("村里自己的事")
    assert office.case(case)["demands"][0]["outcome"] == "CORRECTED"
    topics = [item["topic"] for item in office.read(f"/v1/cases/{case['case_id']}/timeline")["items"]]
    assert topics[-1] == "case.record_corrected"


def test_a_wide_screen_shows_what_to_do_beside_what_has_happened(new_page: NewPage, office: Office) -> None:
    case = office.act(office.officer, office.hand_up("从组里到村里的事"), "accept-escalation")
    page = at_desk(new_page, office, f"/m/cases/{case['case_id']}")

    def is_beside(name: str, other: str) -> bool:
        boxes = [page.locator(f"section:has(> #{id})").bounding_box() for id in (name, other)]
        left, right = (box for box in boxes if box is not None)
        return right["x"] >= left["x"] + left["width"] and right["y"] <= left["y"]

    assert is_beside("do", "timeline")
    assert is_beside("people", "timeline")
    held = page.locator("section:has(> #held) li")
    expect(held).to_have_count(2)
    expect(held.first).to_contain_text("37组")
    expect(held.last).to_contain_text("新河村")
    assert_accessible(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert not is_beside("do", "timeline")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_whoever_oversees_goes_from_a_case_to_its_replay(new_page: NewPage, office: Office) -> None:
    case = office.open_here("要核对的事")
    page = office.signed_in(new_page(width=WIDTH), "supervisor")
    page.goto(f"/m/cases/{case['case_id']}")
    page.get_by_role("link", name="回放与核对").click()
    expect(page).to_have_url(re.compile(f"/audit/cases/{case['case_id']}"))
    expect(
        at_desk(new_page, office, f"/m/cases/{case['case_id']}").get_by_role("link", name="回放")
    ).to_have_count(0)


def test_the_rules_in_force_are_told_in_words(new_page: NewPage, office: Office) -> None:
    page = at_desk(new_page, office, "/desk/rules")
    ladder = page.get_by_role("row").filter(has_text="T13")
    expect(ladder).to_contain_text("1个工作日")
    expect(page.get_by_text("回访最多试几次")).to_be_visible()
    rules = office.read("/v1/rules")
    expect(page.locator("code")).to_have_text(rules["rules"].partition("+")[2])


@pytest.mark.parametrize(
    ("role", "language", "scheme"),
    [("village_officer", "zh-CN", "light"), ("township_officer", "en", "dark")],
)
def test_everybody_can_use_the_desk(
    new_page: NewPage, office: Office, role: Role, language: str, scheme: Literal["light", "dark"]
) -> None:
    office.wait(office.hand_up("谁都能用")["position"])
    page = office.signed_in(new_page(width=WIDTH, language=language), role)
    page.emulate_media(color_scheme=scheme)
    for path in ("/desk", "/desk/inbox", "/desk/cases?state=OPEN", "/desk/search", "/desk/rules"):
        page.set_viewport_size({"width": WIDTH, "height": 900})
        page.goto(path)
        assert_accessible(page)
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_the_desk_is_for_officers(new_page: NewPage, office: Office) -> None:
    page = new_page(width=WIDTH)
    page.context.set_extra_http_headers(office.leader)
    answer = page.goto("/desk")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("main")).to_contain_text("仅供村级或镇级工作人员使用")
