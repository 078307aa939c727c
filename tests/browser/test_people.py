"""An officer looks after who may sign in, the operator after the units too: clicked through in a browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from services.demo.lines import Desk
from services.demo.places import Place, registering
from services.demo.stories import GROUP_37
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.e2e.players import Players, elsewhere, players
from tests.product import Product, anjie

PASSWORD: Final = "a phrase nobody guesses"
TOWN: Final = "余东镇ppl"


@dataclass
class Office:
    """Group 37 with its village and township, and who has signed in there: role to cookie."""

    cast: Players
    group: Place
    sessions: dict[str, str]

    @property
    def village(self) -> Place:
        return self.group.village

    def open(
        self, new_page: NewPage, role: str, path: str, *, width: int = 1_280, language: str = "zh-CN"
    ) -> Page:
        page = new_page(width=width, language=language)
        url = str(self.cast.http.base_url)
        page.context.add_cookies([{"name": "anjie_session", "value": self.sessions[role], "url": url}])
        page.goto(path)
        return page

    def let_in(self, role: str, unit: Place, login: str) -> str:
        """The id of an account that the operator makes."""
        body = {"login": login, "role": role, "unit": str(unit.unit_id)}
        answer = self.cast.http.post("/v1/accounts", json=body, headers=self.cast.token(None))
        assert answer.status_code == 201, answer.text
        account_id: str = answer.json()["account_id"]
        return account_id


@pytest.fixture(scope="module")
def office(product: Product) -> Iterator[Office]:
    with httpx.Client(base_url=product.url, timeout=30) as http:
        cast = players(product, http)
        group = elsewhere(GROUP_37, "ppl")
        village, town = group.village, group.town
        for line in registering(
            Desk(name="people", import_id=None), datetime.now(UTC), [town, village, group]
        ):
            cast.play(line)
        sessions = {}
        for role, unit in (("village_officer", village), ("township_officer", town), ("operator", None)):
            of = () if unit is None else ("--unit", str(unit.unit_id))
            login = f"{role} ppl"
            added = anjie(
                "account", "add", login, "--role", role, *of, "--password-stdin", "--chosen-by-owner",
                data_dir=product.data_dir, stdin=f"{PASSWORD}\n",
            )  # fmt: skip
            assert added.returncode == 0, added.stderr
            entered = http.post("/sign-in", data={"login": login, "password": PASSWORD})
            sessions[role] = entered.cookies["anjie_session"]
            http.cookies.clear()
        yield Office(cast, group, sessions)


def told_password(page: Page) -> str:
    return page.locator("[data-password]").inner_text()


def signs_in(new_page: NewPage, login: str, password: str, path: str = "/sign-in") -> Page:
    page = new_page()
    page.goto(path)
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    return page


def chooses(page: Page, given: str, chosen: str) -> None:
    page.get_by_label("别人给您的密码").fill(given)
    page.get_by_label("新密码").fill(chosen)
    page.get_by_role("button", name="设置自己的密码").click()


def test_an_officer_lets_in_a_mediator_who_chooses_a_password(new_page: NewPage, office: Office) -> None:
    page = office.open(new_page, "village_officer", "/")
    page.get_by_role("link", name=re.compile("人员与单位")).click()
    page.get_by_role("link", name="开通账户").click()
    page.get_by_role("link", name="换一个单位").click()
    page.get_by_role("link", name=f"选择 {office.group.name}").click()
    expect(page.locator("main")).to_contain_text(office.group.name)
    roles = page.get_by_label("身份").locator("option").all_inner_texts()
    assert "调解员" in roles
    assert not {"监督员", "镇负责人", "系统操作员"} & set(roles)
    page.get_by_label("登录名").fill("张霞 ppl")
    page.get_by_label("身份").select_option("mediator")
    page.get_by_role("button", name="开通账户").click()
    expect(page.get_by_role("status")).to_contain_text("只显示这一次")
    expect(page.get_by_text("只有系统操作员能再给密码")).to_be_visible()
    password = told_password(page)
    page.get_by_role("link", name="已交给本人").click()
    standing = page.locator(".facts")
    expect(standing).to_contain_text("从未登录")
    expect(standing.locator(".badge")).to_have_text("待本人另设密码")
    assert_accessible(page)
    theirs = signs_in(new_page, "张霞 ppl", password, "/m/record")
    expect(theirs.get_by_role("status")).to_contain_text("别人给的")
    page.reload()
    expect(standing).not_to_contain_text("从未登录")
    expect(standing.locator(".badge")).to_have_text("待本人另设密码")
    chooses(theirs, password, password)
    expect(theirs.get_by_label("新密码")).to_have_accessible_description(re.compile("与现在的密码相同"))
    theirs.goto("/m")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("设置自己的密码")
    chooses(theirs, password, PASSWORD)
    theirs.wait_for_url("/m")
    page.reload()
    expect(standing.locator(".badge")).to_have_text("可登录")
    expect(standing).to_contain_text("本人自设")
    assert page.locator(".changes strong").all_inner_texts() == ["本人另设密码", "开通"]
    expect(page.get_by_text("密码由本人修改")).to_be_visible()
    assert password not in page.content()
    page.get_by_role("link", name="人员", exact=True).click()
    page.get_by_label("登录名或其中一部分").fill("张霞")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_first_sign_in_by_keyboard_leads_back_to_where_they_wanted(
    new_page: NewPage, office: Office
) -> None:
    account = office.let_in("mediator", office.group, "First ppl")
    page = office.open(new_page, "village_officer", f"/desk/people/{account}")
    page.locator("summary", has_text="重置密码").click()
    page.get_by_role("button", name="生成新密码").click()
    theirs = new_page(language="en")
    theirs.goto("/m/record")
    theirs.get_by_label("Login").focus()
    theirs.keyboard.type("First ppl")
    theirs.keyboard.press("Tab")
    theirs.keyboard.type(told_password(page))
    theirs.keyboard.press("Enter")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Choose your password")
    expect(theirs.get_by_role("status")).to_contain_text("knows it")
    assert_accessible(theirs)
    theirs.get_by_role("button", name="中文").click()
    expect(theirs.get_by_role("heading", level=1)).to_have_text("设置自己的密码")
    assert_accessible(theirs)
    theirs.get_by_role("button", name="English").click()
    theirs.get_by_label("The password that you were given").focus()
    theirs.keyboard.type("it was another")
    theirs.keyboard.press("Tab")
    theirs.keyboard.type(PASSWORD)
    theirs.keyboard.press("Enter")
    given = theirs.get_by_label("The password that you were given")
    expect(given).to_have_accessible_description("is not the password that you sign in with")
    given.focus()
    theirs.keyboard.type(told_password(page))
    theirs.keyboard.press("Tab")
    theirs.keyboard.type(PASSWORD)
    theirs.keyboard.press("Enter")
    theirs.wait_for_url("/m/record")


def test_the_operator_lets_in_a_privacy_officer_who_oversees(new_page: NewPage, office: Office) -> None:
    page = office.open(new_page, "operator", f"/desk/people/new?unit={office.village.unit_id}")
    page.get_by_label("登录名").fill("隐私 ppl")
    page.get_by_label("身份").select_option("privacy_officer")
    page.get_by_role("button", name="开通账户").click()
    password = told_password(page)
    theirs = signs_in(new_page, "隐私 ppl", password, "/audit")
    chooses(theirs, password, PASSWORD)
    theirs.wait_for_url("/audit")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("查找案件")
    theirs.goto("/")
    expect(theirs.get_by_role("link", name=re.compile("监督回放"))).to_be_visible()


def test_somebody_changes_a_password_of_their_own(new_page: NewPage, office: Office) -> None:
    account = office.let_in("mediator", office.group, "钱三 ppl")
    page = office.open(new_page, "village_officer", f"/desk/people/{account}")
    page.locator("summary", has_text="重置密码").click()
    page.get_by_role("button", name="生成新密码").click()
    theirs = signs_in(new_page, "钱三 ppl", told_password(page))
    chooses(theirs, told_password(page), PASSWORD)
    theirs.get_by_role("link", name="修改密码").click()
    theirs.get_by_label("现在的密码").fill("it was another")
    theirs.get_by_label("新密码").fill(f"{PASSWORD} at all")
    theirs.get_by_role("button", name="修改密码").click()
    expect(theirs.get_by_label("现在的密码")).to_have_accessible_description("不是您现在的密码")
    assert_accessible(theirs)
    theirs.get_by_label("现在的密码").fill(PASSWORD)
    theirs.get_by_label("新密码").fill(f"{PASSWORD} at all")
    theirs.get_by_role("button", name="修改密码").click()
    expect(theirs.get_by_role("status")).to_contain_text("密码已修改")
    theirs.get_by_role("link", name="继续").click()
    expect(theirs.get_by_role("link", name=re.compile("我手上的事"))).to_be_visible()


def test_a_new_password_and_an_end_are_given_with_a_word_first(new_page: NewPage, office: Office) -> None:
    account = office.let_in("mediator", office.group, "李根 ppl")
    page = office.open(new_page, "township_officer", f"/desk/people/{account}")
    page.locator("summary", has_text="重置密码").click()
    page.get_by_role("button", name="生成新密码").click()
    password = told_password(page)
    theirs = signs_in(new_page, "李根 ppl", password)
    expect(theirs.get_by_role("heading", level=1)).to_have_text("设置自己的密码")
    page.get_by_role("link", name="已交给本人").click()
    page.locator("summary", has_text="停用").click()
    page.get_by_role("button", name="停用账户").click()
    expect(page.locator(".facts .badge")).to_have_text("已停用")
    refused = signs_in(new_page, "李根 ppl", password)
    expect(refused.locator(".wrong")).to_be_visible()
    page.locator("summary", has_text="恢复").click()
    page.get_by_role("button", name="恢复账户").click()
    expect(page.locator(".facts .badge")).to_have_text("待本人另设密码")
    assert page.locator(".changes strong").all_inner_texts() == ["恢复", "停用", "重置密码", "开通"]


def test_what_somebody_is_changes_with_the_unit_that_is_chosen(new_page: NewPage, office: Office) -> None:
    account = office.let_in("mediator", office.group, "王芳 ppl")
    page = office.open(new_page, "township_officer", f"/desk/people/{account}")
    page.get_by_role("link", name="变更身份").click()
    page.get_by_role("link", name="换一个单位").click()
    page.get_by_role("link", name=f"选择 {office.village.name}").click()
    page.get_by_label("身份").select_option("village_officer")
    page.get_by_role("button", name="变更身份").click()
    expect(page.locator(".facts")).to_contain_text(office.village.name)
    expect(page.locator(".changes strong").first).to_have_text("变更身份")


def test_what_does_not_fit_stands_beside_what_was_typed(new_page: NewPage, office: Office) -> None:
    office.let_in("mediator", office.group, "赵六 ppl")
    page = office.open(new_page, "village_officer", "/desk/people/new")
    login = page.get_by_label("登录名")
    page.get_by_role("button", name="开通账户").click()
    expect(page.get_by_label("身份")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("身份").select_option("mediator")
    page.get_by_role("button", name="开通账户").click()
    expect(login).to_have_attribute("aria-invalid", "true")
    login.fill("赵六 PPL")
    page.get_by_role("button", name="开通账户").click()
    expect(login).to_have_accessible_description(re.compile("已被使用"))
    expect(login).to_have_value("赵六 PPL")


def test_whom_one_may_not_change_one_only_sees(new_page: NewPage, office: Office) -> None:
    supervisor = office.let_in("supervisor", office.village, "监督 ppl")
    page = office.open(new_page, "village_officer", f"/desk/people/{supervisor}")
    expect(page.get_by_text("不由您管理")).to_be_visible()
    expect(page.locator("form[action^='/desk/people']")).to_have_count(0)
    above = office.let_in("mediator", office.group.town, "镇里 ppl")
    page.goto(f"/desk/people/{above}")
    expect(page.get_by_role("heading", level=1)).to_have_text("未找到")


def test_the_room_is_for_those_who_look_after_people(office: Office, product: Product) -> None:
    for who, status in (
        (office.village.someone("supervisor"), 403),
        (office.village.officer(), 200),
        (None, 200),
    ):
        headers = office.cast.token(who) | {"Accept": "text/html", "Accept-Language": "zh"}
        for path in ("/desk/people", "/desk/units", "/desk/people/new"):
            assert httpx.get(f"{product.url}{path}", headers=headers).status_code == status, path


def test_units_are_seen_by_officers_and_changed_by_the_operator(new_page: NewPage, office: Office) -> None:
    seen = office.open(new_page, "township_officer", "/desk/units")
    row = seen.get_by_role("row").filter(has_text=office.village.name)
    assert int(row.locator("td").last.inner_text()) >= 1
    expect(seen.get_by_text("登记下属单位")).to_have_count(0)
    page = office.open(new_page, "operator", f"/desk/units?unit={office.village.unit_id}")
    act(page, "登记下属单位", "名称", "99组")
    expect(page.get_by_role("link", name="99组")).to_be_visible()
    act(page, "登记下属单位", "名称", "99组")
    expect(page.locator("#name-wrong")).to_be_visible()
    expect(page.locator("#name")).to_have_value("99组")
    page.get_by_role("link", name="99组").click()
    act(page, "更名", "名称", "100组")
    expect(page.get_by_role("heading", level=1)).to_contain_text("100组")
    act(page, "调整隶属", "新的上级单位", "没有这个村")
    expect(page.locator("#parent-wrong")).to_contain_text("没有、或不止一个单位")
    page.locator("summary", has_text="撤销").click()
    page.get_by_role("button", name="撤销单位").click()
    page.goto(f"/desk/units?unit={office.village.unit_id}")
    expect(page.get_by_role("row").filter(has_text="100组")).to_contain_text("已撤销")


def act(page: Page, summary: str, label: str, typed: str) -> None:
    opened = page.locator("details", has=page.locator("summary", has_text=summary))
    if opened.get_attribute("open") is None:
        opened.locator("summary").click()
    opened.get_by_label(label).fill(typed)
    opened.get_by_role("button", name=summary).click()


def test_a_unit_is_moved_by_its_new_parent_s_name(new_page: NewPage, office: Office) -> None:
    page = office.open(new_page, "operator", f"/desk/units?unit={office.group.town.unit_id}")
    act(page, "登记下属单位", "名称", "新桥村ppl")
    page.goto(f"/desk/units?unit={office.village.unit_id}")
    act(page, "登记下属单位", "名称", "55组")
    page.get_by_role("link", name="55组").click()
    act(page, "调整隶属", "新的上级单位", "新桥村ppl")
    expect(page.get_by_role("link", name="新桥村ppl")).to_be_visible()


def test_everything_can_be_done_with_the_keyboard(new_page: NewPage, office: Office) -> None:
    page = office.open(new_page, "village_officer", "/desk/people/new", language="en")
    page.get_by_label("Name to sign in with").focus()
    page.keyboard.type("Keys ppl")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Role")).to_be_focused()
    page.keyboard.type("med")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-password]")).to_be_visible()
    handed = page.get_by_role("link", name="It is handed over")
    handed.focus()
    page.keyboard.press("Enter")
    page.locator("summary", has_text="Give a new password").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Make a new password")).to_be_visible()


def test_the_pages_can_be_used_by_everybody(new_page: NewPage, office: Office, product: Product) -> None:
    account = office.let_in("mediator", office.group, "看看 ppl")
    paths = (
        "/desk/people",
        "/desk/people/new",
        f"/desk/people/{account}",
        f"/desk/people/{account}/change?unit={office.village.unit_id}",
        "/desk/units",
        f"/desk/units?unit={office.village.unit_id}",
        "/desk/units?for=new",
    )
    for look, width, role in (
        ("zh.light.normal", 360, "operator"),
        ("en.dark.large", 1_280, "township_officer"),
        ("zh.dark.normal", 1_280, "village_officer"),
    ):
        page = office.open(new_page, role, "/", width=width)
        page.context.add_cookies([{"name": "anjie_look", "value": look, "url": product.url}])
        for path in paths:
            page.goto(path)
            assert_accessible(page)
