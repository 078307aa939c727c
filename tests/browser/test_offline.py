"""The phone without a signal: nothing typed is lost, nothing is sent twice, nothing lies open."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.browser.phones import PASSWORD, PHOTO, Phone, Server, await_draft, of_profile, phone, until
from tests.browser.villages import Json, Village
from tests.product import Product, anjie

RECORD: Final = "/m/record"
SAVE: Final = "#opening button.main"
WAITING: Final = "#waiting > li"
_CHECKOUT: Final = Path(__file__).parents[2]


def fill(page: Page, title: str, *, name: str = "张三") -> None:
    page.get_by_role("radio", name="邻里", exact=True).check()
    page.fill("#description", "门口的路灯坏了三天")
    page.fill("#title", title)
    page.get_by_role("radio", name="走访", exact=True).check()
    page.fill("[name='people/0/name']", name)


def save(page: Page) -> None:
    """Submits it, and waits for the page of the case."""
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")


def titled(place: Village, title: str) -> list[Json]:
    position = place.read("/v1/units")["as_of_position"]
    cases = place.read("/v1/cases", origin=place.group, min_position=position)["items"]
    return [case for case in cases if case["title"] == title]


def topics(place: Village, case_id: str) -> list[str]:
    items = place.read(f"/v1/cases/{case_id}/timeline")["items"]
    return [item["topic"] for item in items if "deadline" not in item["topic"]]


@pytest.fixture(scope="module")
def place(product: Product) -> Iterator[Village]:
    """Shared by all tests, as are its people."""
    village = Village(product)
    yield village
    village.close()


@pytest.fixture
def page(my_phone: Phone, place: Village) -> Page:
    """The leader's, who is signed in."""
    return place.signed_in(my_phone.open())


@pytest.fixture
def courtyard(my_phone: Phone, page: Page) -> Page:
    """The form of a new case, where there is no signal."""
    my_phone.prepare(RECORD, "/m/new")
    my_phone.signal(False)
    page.goto(RECORD)
    return page


def stored_text(page: Page) -> str:
    """All that lies in IndexedDB and in the caches, read as text, once the page goes nowhere any more."""
    page.wait_for_load_state("networkidle")
    text: str = page.evaluate(
        """async () => {
            const asText = value => {
                const isBytes = value instanceof ArrayBuffer || ArrayBuffer.isView(value);
                if (isBytes) return new TextDecoder().decode(value);
                if (value === null || typeof value !== "object") return String(value);
                return Object.entries(value).map(([name, part]) => name + asText(part)).join();
            };
            const db = await new Promise(done => {
                const asked = indexedDB.open("anjie");
                asked.onsuccess = () => done(asked.result);
            });
            const all = [];
            for (const store of db.objectStoreNames) {
                const rows = await new Promise(done => {
                    const asked = db.transaction(store).objectStore(store).getAll();
                    asked.onsuccess = () => done(asked.result);
                });
                all.push(...rows.map(asText));
            }
            db.close();
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const request of await cache.keys()) all.push(await (await cache.match(request)).text());
            }
            all.push(JSON.stringify(localStorage), JSON.stringify(sessionStorage));
            return all.join("\\n");
        }"""
    )
    return text


BACKDATE: Final = """async ms => {
    const db = await new Promise(done => {
        const asked = indexedDB.open("anjie");
        asked.onsuccess = () => done(asked.result);
    });
    const transaction = db.transaction([...db.objectStoreNames], "readwrite");
    for (const name of db.objectStoreNames) {
        transaction.objectStore(name).openCursor().onsuccess = ({ target: { result: cursor } }) => {
            if (!cursor) return;
            const { at, syncedAt, ...rest } = cursor.value;
            cursor.update({ ...rest, at: at - ms, syncedAt: syncedAt - ms });
            cursor.continue();
        };
    }
    await new Promise(done => (transaction.oncomplete = done));
    db.close();
}"""
"""Makes all that the phone keeps older."""


def await_gone(page: Page) -> None:
    expect(page.locator(WAITING)).to_have_count(0)


def test_the_app_opens_without_a_signal_and_keeps_nothing_open(
    my_phone: Phone, place: Village, page: Page
) -> None:
    case = place.open_case("墙根积水")
    path = f"/m/cases/{case['case_id']}"
    my_phone.prepare(path, RECORD)
    page.goto(path)
    expect(page.get_by_role("link", name="打印登记回执")).to_be_visible()
    stored = stored_text(page)
    for said in ("墙根积水", "李四", "雨水流进", case["case_id"]):
        assert said not in stored
    my_phone.signal(False)
    for address, heading in (("/m", "我手上的事"), (RECORD, "记一个问题"), (path, "墙根积水")):
        page.goto(address)
        expect(page.locator("h1")).to_have_text(heading)
        expect(page.locator("[data-notice=kept-page]")).to_be_visible()
    expect(page.get_by_text("有信号时可以打印登记回执。")).to_be_visible()
    expect(page.get_by_text("打印登记回执", exact=True)).to_be_hidden()
    page.goto("/m/nowhere")
    expect(page.locator("h1")).to_contain_text("没有信号")
    assert_accessible(page)


def test_a_case_that_is_in_the_phone_alone_takes_visits_people_and_photos(
    my_phone: Phone, place: Village, courtyard: Page
) -> None:
    page = courtyard
    fill(page, "路灯坏了", name="赵钱孙")
    save(page)
    address = page.url
    for summary, answers in (
        ("添一次走访", {"了解到的情况": "电线老化"}),
        ("添一个人", {"姓名": "孙七", "备注": "住在对门"}),
    ):
        form = page.locator("details").filter(has=page.get_by_text(summary, exact=True))
        form.locator("summary").click()
        for label, answer in answers.items():
            form.get_by_label(label).fill(answer)
        with page.expect_navigation():
            form.get_by_role("button", name="保存").click()
    page.get_by_text("添一张照片", exact=True).click()
    page.set_input_files("#photo", PHOTO)
    page.locator("details[open]").get_by_label("备注").fill("灯罩也碎了")
    with page.expect_navigation():
        page.locator("details[open]").get_by_role("button", name="保存").click()
    expect(page.locator(WAITING)).to_have_count(4)
    assert_accessible(page)
    stored = stored_text(page)
    for said in ("路灯坏了", "赵钱孙", "电线老化", "住在对门", "灯罩也碎了", "a lamp"):
        assert said not in stored
    my_phone.signal(True)
    # The page that said that it is in the phone alone becomes that of the case.
    expect(page.locator("h1")).to_have_text("路灯坏了")
    await_gone(page)
    my_phone.await_standing("done")
    [case] = titled(place, "路灯坏了")
    assert address.endswith(case["case_id"])
    assert topics(place, case["case_id"]) == [
        "case.registered", "case.visit_recorded", "case.person_added", "case.document_attached",
    ]  # fmt: skip
    [attached] = [
        item
        for item in place.read(f"/v1/cases/{case['case_id']}/timeline")["items"]
        if item["topic"] == "case.document_attached"
    ]
    assert attached["data"]["note"] == "灯罩也碎了"


def test_a_conflict_is_shown_beside_what_happened_and_sent_again(
    my_phone: Phone, place: Village, page: Page
) -> None:
    case = place.open_case("晒场归谁")
    path = f"/m/cases/{case['case_id']}"
    my_phone.prepare(path)
    my_phone.signal(False)
    page.goto(path)
    for command, answers in (
        ("认定急难愁盼", {"否": None, "原因": "双方愿意轮流使用"}),
        ("记一次走访", {"看到、听到了什么": "又去看了一次"}),
    ):
        form = page.locator("details.act").filter(has=page.get_by_text(command, exact=True))
        if not form.is_visible():
            page.get_by_text("还可以做", exact=True).click()
        form.locator("summary").click()
        for label, answer in answers.items():
            field = form.get_by_label(label, exact=True)
            field.check() if answer is None else field.fill(answer)
        with page.expect_navigation():
            form.get_by_role("button", name=command).click()
    urgent = {"urgent": True, "facets": ["JI"], "reason": "双方动手"}
    place.done(place.leader, f"/v1{path[2:]}/classify-urgency", urgent, case["version"])
    my_phone.signal(True)
    my_phone.await_standing("attention")
    first, second = page.locator(WAITING).all()
    expect(first).to_have_attribute("data-standing", "needs_you")
    expect(second).to_have_attribute("data-standing", "behind")
    assert_accessible(page)
    mine, meanwhile = first.locator(".side-by-side > section").all()
    expect(mine).to_contain_text("双方愿意轮流使用")
    expect(meanwhile.locator("li")).to_have_count(1)
    first.get_by_role("button", name="按现在的情况再发一次").click()
    await_gone(page)
    assert topics(place, case["case_id"])[-2:] == ["case.urgency_classified", "case.visit_recorded"]


def test_a_refused_answer_is_told_beside_its_field_and_edited(
    my_phone: Phone, place: Village, page: Page
) -> None:
    my_phone.prepare(RECORD)
    page.goto(RECORD)
    my_phone.await_standing("done")
    fill(page, "号码写错了")
    number = page.locator("[name='people/0/phone']")
    number.evaluate("field => field.value = '1'.repeat(65)")
    page.set_input_files("#photo", PHOTO)
    page.click(SAVE)
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#description")).to_have_value("门口的路灯坏了三天")
    page.goto("/m")
    page.locator(WAITING).get_by_role("button", name="修改").first.click()
    page.wait_for_url(f"**{RECORD}")
    expect(page.locator("#description")).to_have_value("门口的路灯坏了三天")
    number.fill("13800000000")
    save(page)
    await_gone(page)
    [case] = titled(place, "号码写错了")
    assert topics(place, case["case_id"]).count("case.document_attached") == 1


def test_a_sign_in_that_expired_loses_nothing(my_phone: Phone, place: Village, page: Page) -> None:
    my_phone.prepare(RECORD)
    page.goto(RECORD)
    my_phone.await_standing("done")
    my_phone.expire()
    fill(page, "过期以后")
    page.click(SAVE)
    page.wait_for_url(re.compile("/sign-in"), wait_until="networkidle")
    my_phone.signal(False)
    page.goto("/m")
    expect(page.locator(WAITING)).to_have_count(1)
    my_phone.signal(True)
    my_phone.await_standing("attention")
    expect(page.locator("#sync")).to_contain_text("登录已过期")
    place.signed_in(page).goto("/m")
    my_phone.await_standing("done")
    await_gone(page)
    assert len(titled(place, "过期以后")) == 1


def test_what_waits_goes_once_a_given_password_was_replaced(
    my_phone: Phone, place: Village, product: Product, page: Page
) -> None:
    """Given a password that the operator reset, who knows that one gets no key to what a phone keeps."""
    my_phone.send_from_pages_alone()
    my_phone.prepare(RECORD)
    my_phone.context.route("**/v1/commands:batch", lambda route: route.abort())
    page.goto(RECORD)
    fill(page, "重置以后")
    save(page)
    page.goto("/")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录")).to_be_visible()
    my_phone.context.unroute("**/v1/commands:batch")
    login, told = place.account("group_leader"), "told by the operator"
    reset = ("account", "password", login, "--password-stdin")
    assert anjie(*reset, data_dir=product.data_dir, stdin=f"{told}\n").returncode == 0
    assert my_phone.context.request.post("/sign-in", form={"login": login, "password": told}).ok
    page.goto("/m/without-signal")
    my_phone.await_standing("attention")
    page.goto("/m")
    expect(page.get_by_role("heading", level=1)).to_have_text("设置自己的密码")
    assert titled(place, "重置以后") == []
    page.get_by_label("别人给您的密码").fill(told)
    page.get_by_label("新密码").fill(PASSWORD)
    page.get_by_role("button", name="设置自己的密码").click()
    page.wait_for_url("/m")
    my_phone.await_standing("done")
    await_gone(page)
    assert len(titled(place, "重置以后")) == 1


def test_two_tabs_send_once_and_keep_each_its_own_draft(
    my_phone: Phone, place: Village, courtyard: Page
) -> None:
    fill(courtyard, "头一个标签页")
    await_draft(courtyard)
    other = my_phone.tab()
    other.goto(RECORD)
    expect(other.locator("[data-notice=elsewhere]")).to_be_visible()
    fill(other, "另一个标签页")
    await_draft(other)
    for tab, title in ((courtyard, "头一个标签页"), (other, "另一个标签页")):
        tab.reload()
        expect(tab.locator("#title")).to_have_value(title)
        save(tab)
    my_phone.signal(True)
    for tab in (courtyard, other):
        await_gone(tab)
    for title in ("头一个标签页", "另一个标签页"):
        assert len(titled(place, title)) == 1


def test_another_account_sees_and_sends_nothing_of_the_first(
    my_phone: Phone, place: Village, courtyard: Page
) -> None:
    page = courtyard
    my_phone.send_from_pages_alone()
    page.reload()
    fill(page, "只属于头一个人")
    save(page)
    page.goto("about:blank")
    place.signed_in(page, "village_officer")
    my_phone.signal(True)
    page.goto("/m")
    my_phone.await_standing("done")
    await_gone(page)
    assert titled(place, "只属于头一个人") == []
    place.signed_in(page).goto("/m")
    my_phone.await_standing("done")
    await_gone(page)
    assert len(titled(place, "只属于头一个人")) == 1


def test_who_signs_in_before_the_other_signed_out_is_shown_nothing_of_theirs(
    my_phone: Phone, place: Village, page: Page
) -> None:
    # Given somebody's draft, and their page in a tab that stays open,
    my_phone.prepare(RECORD)
    page.goto(RECORD)
    fill(page, "不给别人看的")
    await_draft(page)
    # when another one, who has an account as well, signs in on the phone by the form,
    tab = my_phone.tab()
    login = place.account("village_officer")
    tab.goto(f"/sign-in?next={RECORD}")
    tab.get_by_label("登录名").fill(login)
    tab.get_by_label("密码").fill(PASSWORD)
    tab.get_by_role("button", name="登录", exact=True).click()
    tab.wait_for_url(f"**{RECORD}")
    # then their form is empty, what is saved in the open tab goes to nobody, and the tab says why;
    tab.wait_for_selector("#sync[data-state=done]")
    expect(tab.locator("#title")).to_have_value("")
    page.click(SAVE)
    expect(page.locator("#opening [data-notice=kept]")).to_contain_text("另一个账户")
    expect(page.locator("#title")).to_have_value("不给别人看的")
    assert titled(place, "不给别人看的") == []
    # and the draft is there again for whoever wrote it.
    page.close()
    place.signed_in(tab).goto(RECORD)
    expect(tab.locator("#title")).to_have_value("不给别人看的")


def test_signing_out_leaves_only_what_was_typed_and_that_sealed(
    my_phone: Phone, place: Village, page: Page
) -> None:
    my_phone.send_from_pages_alone()
    my_phone.prepare(RECORD)
    my_phone.context.route("**/v1/commands:batch", lambda route: route.abort())
    page.goto(RECORD)
    fill(page, "退出以前")
    save(page)
    expect(page.locator(WAITING)).to_have_count(1)
    page.goto(RECORD)
    fill(page, "写了一半")
    await_draft(page)
    page.goto("/")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录")).to_be_visible()
    # The first page is none of the phone's, so nothing of it is kept.
    page.wait_for_load_state("networkidle")
    my_phone.signal(False)
    page.goto(RECORD)
    expect(page.locator("h1")).to_contain_text("没有信号")
    expect(page.locator(WAITING)).to_have_count(0)
    stored = stored_text(page)
    assert "退出以前" not in stored
    assert "写了一半" not in stored
    my_phone.signal(True)
    my_phone.context.unroute("**/v1/commands:batch")
    assert titled(place, "退出以前") == []
    place.signed_in(page).goto("/m")
    my_phone.await_standing("done")
    await_gone(page)
    assert len(titled(place, "退出以前")) == 1
    page.goto(RECORD)
    expect(page.locator("#title")).to_have_value("写了一半")


def test_after_two_weeks_without_a_sync_only_what_was_not_sent_is_left(
    my_phone: Phone, place: Village, courtyard: Page
) -> None:
    page = courtyard
    fill(page, "两周以前")
    save(page)
    expect(page.locator(WAITING)).to_have_count(1)
    page.evaluate(BACKDATE, 15 * 24 * 3_600_000)
    page.goto(RECORD)
    expect(page.locator("h1")).to_contain_text("没有信号")
    expect(page.locator(WAITING)).to_have_count(1)
    my_phone.signal(True)
    await_gone(page)
    assert len(titled(place, "两周以前")) == 1


def test_a_full_phone_says_so_and_keeps_what_was_typed(
    my_phone: Phone, place: Village, page: Page, product: Product
) -> None:
    session = my_phone.context.new_cdp_session(page)
    # Before anything is kept: what is left is asked for again only where it was too little.
    session.send("Storage.overrideQuotaForOrigin", {"origin": product.url, "quotaSize": 3 << 20})
    my_phone.prepare(RECORD)
    my_phone.signal(False)
    page.goto(RECORD)
    fill(page, "存不下")
    page.set_input_files("#photo", {"name": "b.png", "mimeType": "image/png", "buffer": os.urandom(8 << 20)})
    expect(page.locator("[data-notice=full]")).to_be_visible()
    page.click(SAVE)
    expect(page.locator("[data-notice=kept]")).to_contain_text("存储已满")
    expect(page.locator("#title")).to_have_value("存不下")
    session.send("Storage.overrideQuotaForOrigin", {"origin": product.url})
    save(page)
    my_phone.signal(True)
    await_gone(page)
    assert len(titled(place, "存不下")) == 1


@pytest.fixture
def server() -> Iterator[Server]:
    """A product of its own, to be stopped."""
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        server = Server(Path(directory))
        server.start()
        yield server
        server.stop()


def test_a_browser_that_ends_and_a_server_with_another_version_lose_nothing(
    server: Server, driver: Playwright, chromium_path: Path, tmp_path: Path
) -> None:
    place = Village(server)
    with phone(of_profile(driver, chromium_path, server.url, tmp_path / "profile")) as mine:
        page = place.signed_in(mine.open())
        mine.prepare(RECORD)
        session = mine.context.new_cdp_session(page)
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        told = session.send("Page.getAppManifest")
        assert (told["errors"], told["manifest"]["startUrl"]) == ([], f"{server.url}/m")
        before = page.evaluate("caches.keys()")
        server.stop()
        page.goto(RECORD)
        fill(page, "升级以前")
        await_draft(page)
        mine.close()
        page = mine.open()
        page.goto(RECORD)
        expect(page.locator("#title")).to_have_value("升级以前")
        save(page)
        mine.close()
        page = mine.open()
        page.goto("/m")
        expect(page.locator(WAITING)).to_have_count(1)
        server.start(server.of_checkout(upgraded(tmp_path / "upgraded")))
        page.reload()
        await_gone(page)
        until(page, "async before => !(await caches.keys()).includes(before)", before[0])
        mine.signal(False)
        page.goto(RECORD)
        expect(page.locator("h1")).to_have_text("记一个问题")
        assert page.evaluate("getComputedStyle(document.querySelector('.button.main')).cursor") == "crosshair"
    assert len(titled(place, "升级以前")) == 1
    place.close()


def upgraded(checkout: Path) -> Path:
    """This checkout with another look."""
    for name in ("services", "shared", "tests", "infra"):
        shutil.copytree(
            _CHECKOUT / name, checkout / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    style = checkout / "shared" / "web" / "static" / "components.css"
    style.write_text(f"{style.read_text()}\n.button.main {{ cursor: crosshair; }}\n")
    return checkout


def item(number: int, **changes: Any) -> Json:
    """A queued command on one and the same case."""
    path = f"/v1/cases/c/{number}"
    plain: Json = {"id": f"{number}", "case_id": "c", "path": path, "version": 7, "tried": False}
    return plain | {"refusal": None} | changes


PLANNED: Final = {
    "the second follows the first": ([item(1), item(2)], [("1", '"7"'), ("2", "*")]),
    "nothing hides behind what may be old": ([item(1, tried=True), item(2)], [("1", '"7"')]),
    "what only adds guards nothing": ([item(1, version=None), item(2)], [("1", None), ("2", '"7"')]),
    "a refused one holds its case": ([item(1, refusal={}), item(2), item(3, case_id="d")], [("3", '"7"')]),
    "an opening comes first": ([item(1, path="/v1/cases", version=None), item(2)], [("1", None), ("2", "*")]),
}


def test_what_is_sent_next(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/design")
    for rule, (items, planned) in PLANNED.items():
        lines = page.evaluate(
            """async items => {
                const style = document.querySelector("link[rel=stylesheet]").href;
                const { plan } = await import(style.replace("tokens.css", "phone-outbox.js"));
                return plan(items).map(({ item, ifMatch }) => [item.id, ifMatch]);
            }""",
            items,
        )
        assert [tuple(line) for line in lines] == planned, rule
