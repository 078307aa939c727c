"""The phone without a signal: nothing typed is lost, nothing is sent twice, nothing lies open."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, Playwright, Route, expect

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.browser.phones import PASSWORD, Json, Person, Phone, Server, phone, until

SAVE: Final = "form[data-command='/v1/cases'] button.main"
WAITING: Final = "#waiting > li"
_CHECKOUT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Village:
    server: Server
    group: str
    leader: Person
    other_leader: Person

    def cases(self) -> list[Json]:
        """All that the group has, whichever test recorded them."""
        return self.server.list(self.leader, "/v1/cases")

    def titled(self, title: str) -> list[Json]:
        return [case for case in self.cases() if case["title"] == title]

    def case(self, title: str) -> Json:
        """A case that the group's leader handles, and that lists know of."""
        told = self.server.done(
            self.leader,
            "/v1/cases",
            {
                "channel": "VISIT",
                "category": "NEIGHBOUR",
                "origin_unit": self.group,
                "title": title,
                "description": "两户争地",
                "people": [{"role": "COMPLAINANT", "name": "王小明"}],
            },
        )
        for command, body in (("accept-case", {}), ("assign-handler", {"handler_ref": "leader-37"})):
            told = self.server.done(
                self.leader, f"/v1/cases/{told['case_id']}/{command}", body, told["version"]
            )
        self.cases()
        return told

    def topics(self, case_id: str) -> list[str]:
        items = self.server.read(self.leader, f"/v1/cases/{case_id}/timeline")["items"]
        return [item["topic"] for item in items]


@pytest.fixture(scope="module")
def village() -> Iterator[Village]:
    with tempfile.TemporaryDirectory(prefix="anjie-test-") as directory:
        server = Server(Path(directory))
        server.start()
        operator = server.person("operator", "operator")
        parent = None
        for kind, name in (("TOWNSHIP", "余东镇"), ("VILLAGE", "大洪村"), ("GROUP", "十一组")):
            body = {"kind": kind, "name": name} | ({"parent_id": parent} if parent else {})
            parent = server.done(operator, "/v1/units", body)["unit_id"]
        assert parent is not None
        leader, other = (
            server.account(login, "group_leader", parent) for login in ("leader-37", "leader-38")
        )
        village = Village(server, parent, leader, other)
        village.cases()
        yield village
        server.stop()


NewPhone = Callable[[], Phone]


@pytest.fixture
def new_phone(village: Village, driver: Playwright, chromium_path: Path) -> Iterator[NewPhone]:
    with tempfile.TemporaryDirectory(prefix="anjie-phone-") as directory, ExitStack() as stack:

        def made() -> Phone:
            profile = Path(tempfile.mkdtemp(dir=directory))
            return stack.enter_context(phone(driver, chromium_path, village.server.url, profile))

        yield made


def fill(page: Page, title: str, *, name: str = "张三") -> None:
    page.fill("#title", title)
    page.fill("#description", "门口的路灯坏了三天")
    page.fill("[name='people/0/name']", name)


def await_kept(page: Page, title: str) -> None:
    """A draft is there as soon as it is written, which nothing on the page tells."""
    until(
        page,
        """async title => {
            const version = (await caches.keys())[0].slice("anjie-".length);
            const { keeper, readAll } = await import(`/static/${version}/phone-store.js`);
            const whose = await keeper();
            const drafts = whose ? await readAll(whose, "drafts") : [];
            return drafts.some(draft => draft.entries.some(([, value]) => value === title));
        }""",
        title,
    )


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


def test_the_app_opens_without_a_server_and_keeps_nothing_open(village: Village, new_phone: NewPhone) -> None:
    case = village.case("墙根积水")
    path = f"/m/cases/{case['case_id']}"
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare(path, "/m/record")
    page.goto(path)
    expect(page.get_by_role("link", name="Receipt")).to_be_visible()
    stored = stored_text(page)
    for said in ("墙根积水", "王小明", "两户争地", case["case_id"]):
        assert said not in stored
    village.server.stop()
    try:
        for address, heading in (("/m", "Cases"), ("/m/record", "Record"), (path, "墙根积水")):
            page.goto(address)
            expect(page.locator("h1")).to_have_text(heading)
            expect(page.locator("[data-notice=kept-page]")).to_be_visible()
        expect(page.get_by_text("A receipt needs a signal.")).to_be_visible()
        expect(page.get_by_text("Receipt", exact=True)).to_be_hidden()
        page.goto("/m/nowhere")
        expect(page.locator("h1")).to_contain_text("没有信号")
        assert_accessible(page)
    finally:
        village.server.start()
    page.goto("/m")
    phone.await_standing("done")


def test_a_case_recorded_without_a_signal_is_registered_once(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record", "/m/new")
    phone.signal(False)
    page.goto("/m/record")
    fill(page, "路灯坏了", name="赵钱孙")
    page.set_input_files("#photo", {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG a lamp"})
    await_kept(page, "路灯坏了")
    page.reload()
    expect(page.locator("#title")).to_have_value("路灯坏了")
    assert page.evaluate("document.querySelector('#photo').files[0].size") == len(b"\x89PNG a lamp")
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    address = page.url
    expect(page.locator(WAITING)).to_have_count(2)
    phone.close()
    assert village.titled("路灯坏了") == []
    # A browser that starts with a signal sends in the background.
    village.server.stop()

    page = phone.open()
    page.goto(address)
    expect(page.locator(WAITING)).to_have_count(2)
    assert_accessible(page)
    page.click("summary >> nth=0")
    page.fill("#findings", "电线老化")
    page.click("form[data-command$='record-visit'] button.main")
    expect(page.locator(WAITING)).to_have_count(3)
    for said in ("路灯坏了", "赵钱孙", "电线老化", "a lamp"):
        assert said not in stored_text(page)

    village.server.start()
    page.reload()
    await_gone(page)
    phone.await_standing("done")
    [case] = village.titled("路灯坏了")
    assert address.endswith(case["case_id"])
    topics = village.topics(case["case_id"])
    assert [
        topics.count(topic) for topic in ("case.registered", "case.document_attached", "case.visit_recorded")
    ] == [1, 1, 1]
    page.reload()
    expect(page.locator("#state")).to_have_text("REGISTERED")


def test_what_was_stored_without_an_answer_is_stored_once(village: Village, new_phone: NewPhone) -> None:
    case = village.case("树枝挡窗")
    path = f"/m/cases/{case['case_id']}"
    phone = new_phone()
    page = phone.open()
    phone.send_from_pages_alone()
    phone.sign_in(village.leader)
    phone.prepare(path)
    phone.signal(False)
    page.goto(path)
    page.fill("#detail", "双方当面说好")
    page.click("text=Resolve")
    expect(page.locator(WAITING)).to_have_count(1)
    lost: list[bool] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            assert route.fetch().ok
            lost.append(True)
            route.abort()

    phone.context.route("**/v1/commands:batch", lose_first)
    phone.signal(True)
    phone.await_standing("done")
    await_gone(page)
    assert lost == [True]
    assert village.topics(case["case_id"]).count("case.resolved") == 1


def test_a_conflict_is_shown_beside_what_happened_and_sent_again(
    village: Village, new_phone: NewPhone
) -> None:
    case = village.case("晒场归谁")
    path = f"/m/cases/{case['case_id']}"
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare(path)
    phone.signal(False)
    page.goto(path)
    page.fill("#reason", "双方愿意轮流使用")
    page.click("text=Not urgent")
    expect(page.locator(WAITING)).to_have_count(1)
    page.fill("#findings", "又去看了一次")
    page.click("text=Visited")
    expect(page.locator(WAITING)).to_have_count(2)
    urgent = {"urgent": True, "facets": ["JI"], "reason": "双方动手"}
    village.server.done(
        village.other_leader, f"/v1/cases/{case['case_id']}/classify-urgency", urgent, case["version"]
    )
    phone.signal(True)
    phone.await_standing("attention")
    first, second = page.locator(WAITING).all()
    expect(first).to_have_attribute("data-standing", "needs_you")
    expect(second).to_have_attribute("data-standing", "behind")
    assert_accessible(page)
    mine, meanwhile = first.locator(".side-by-side > section").all()
    expect(mine).to_contain_text("双方愿意轮流使用")
    expect(meanwhile.locator("li")).to_have_count(1)
    first.get_by_role("button", name="按现在的情况再发一次").click()
    await_gone(page)
    assert village.topics(case["case_id"])[-2:] == ["case.urgency_classified", "case.visit_recorded"]


def test_a_refused_answer_is_told_beside_its_field_and_edited(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    page.goto("/m/record")
    phone.await_standing("done")
    fill(page, "")
    page.set_input_files("#photo", {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG a wall"})
    page.click(SAVE)
    expect(page.locator("#title[aria-invalid=true]")).to_be_visible()
    expect(page.locator("#description")).to_have_value("门口的路灯坏了三天")
    page.goto("/m")
    page.locator(WAITING).get_by_role("button", name="修改").first.click()
    page.wait_for_url("**/m/record")
    expect(page.locator("#description")).to_have_value("门口的路灯坏了三天")
    page.fill("#title", "改过的题目")
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    await_gone(page)
    [case] = village.titled("改过的题目")
    assert village.topics(case["case_id"]).count("case.document_attached") == 1
    assert "" not in [case["title"] for case in village.cases()]


def test_a_sign_in_that_expired_loses_nothing(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    page.goto("/m/record")
    phone.await_standing("done")
    phone.expire()
    fill(page, "过期以后")
    page.click(SAVE)
    page.wait_for_url(re.compile("/sign-in"), wait_until="commit")
    phone.signal(False)
    page.goto("/m")
    expect(page.locator(WAITING)).to_have_count(1)
    phone.signal(True)
    phone.await_standing("attention")
    expect(page.locator("#sync")).to_contain_text("登录已过期")
    phone.sign_in(village.leader)
    page.goto("/m")
    phone.await_standing("done")
    await_gone(page)
    assert len(village.titled("过期以后")) == 1


def test_two_tabs_send_once_and_keep_each_its_own_draft(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    phone.signal(False)
    page.goto("/m/record")
    fill(page, "头一个标签页")
    await_kept(page, "头一个标签页")
    other = phone.tab()
    other.goto("/m/record")
    expect(other.locator("[data-notice=elsewhere]")).to_be_visible()
    fill(other, "另一个标签页")
    await_kept(other, "另一个标签页")
    for tab, title in ((page, "头一个标签页"), (other, "另一个标签页")):
        tab.reload()
        expect(tab.locator("#title")).to_have_value(title)
        tab.click(SAVE)
        tab.wait_for_url("**/m/cases/*")
    phone.signal(True)
    for tab in (page, other):
        await_gone(tab)
    for title in ("头一个标签页", "另一个标签页"):
        assert len(village.titled(title)) == 1


def test_another_account_sees_and_sends_nothing_of_the_first(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.send_from_pages_alone()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    phone.signal(False)
    page.goto("/m/record")
    fill(page, "只属于头一个人")
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    page.goto("about:blank")
    phone.sign_in(village.other_leader)
    phone.signal(True)
    page.goto("/m")
    phone.await_standing("done")
    await_gone(page)
    assert village.titled("只属于头一个人") == []
    phone.sign_in(village.leader)
    page.goto("/m")
    phone.await_standing("done")
    await_gone(page)
    assert len(village.titled("只属于头一个人")) == 1


def test_who_signs_in_before_the_other_signed_out_is_shown_nothing_of_theirs(
    village: Village, new_phone: NewPhone
) -> None:
    # Given somebody's draft, and their page in a tab that stays open,
    phone = new_phone()
    theirs = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    theirs.goto("/m/record")
    fill(theirs, "不给别人看的")
    await_kept(theirs, "不给别人看的")
    # when another one signs in on the phone by the form,
    page = phone.tab()
    page.goto("/sign-in?next=/m/record")
    page.get_by_label("登录名").fill(village.other_leader.login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/m/record")
    # then their form is empty, what is saved in the open tab goes to nobody, and the tab says why;
    phone.await_standing("done")
    expect(page.locator("#title")).to_have_value("")
    assert page.get_by_text("不给别人看的").count() == 0
    theirs.click(SAVE)
    expect(theirs.locator("form [data-notice=kept]")).to_contain_text("另一个账户")
    expect(theirs.locator("#title")).to_have_value("不给别人看的")
    assert village.titled("不给别人看的") == []
    # and the draft is there again for whoever wrote it.
    theirs.close()
    phone.sign_in(village.leader)
    page.goto("/m/record")
    expect(page.locator("#title")).to_have_value("不给别人看的")


def test_signing_out_leaves_only_what_was_typed_and_that_sealed(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.send_from_pages_alone()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    phone.context.route("**/v1/commands:batch", lambda route: route.abort())
    page.goto("/m/record")
    fill(page, "退出以前")
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    expect(page.locator(WAITING)).to_have_count(1)
    page.goto("/m/record")
    fill(page, "写了一半")
    await_kept(page, "写了一半")
    page.goto("/")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录")).to_be_visible()
    phone.signal(False)
    page.goto("/m/record")
    expect(page.locator("h1")).to_contain_text("没有信号")
    expect(page.locator(WAITING)).to_have_count(0)
    stored = stored_text(page)
    assert "退出以前" not in stored
    assert "写了一半" not in stored
    phone.signal(True)
    phone.context.unroute("**/v1/commands:batch")
    assert village.titled("退出以前") == []
    phone.sign_in(village.leader)
    page.goto("/m")
    phone.await_standing("done")
    await_gone(page)
    assert len(village.titled("退出以前")) == 1
    page.goto("/m/record")
    expect(page.locator("#title")).to_have_value("写了一半")


def test_after_two_weeks_without_a_sync_only_what_was_not_sent_is_left(
    village: Village, new_phone: NewPhone
) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record", "/m/new")
    phone.signal(False)
    page.goto("/m/record")
    fill(page, "两周以前")
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    expect(page.locator(WAITING)).to_have_count(1)
    page.evaluate(BACKDATE, 15 * 24 * 3_600_000)
    page.goto("/m/record")
    expect(page.locator("h1")).to_contain_text("没有信号")
    expect(page.locator(WAITING)).to_have_count(1)
    phone.signal(True)
    await_gone(page)
    assert len(village.titled("两周以前")) == 1


def test_a_full_phone_says_so_and_keeps_what_was_typed(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    session = phone.context.new_cdp_session(page)
    # Before anything is kept: what is left is asked for again only where it was too little.
    quota = {"origin": village.server.url, "quotaSize": 3 << 20}
    session.send("Storage.overrideQuotaForOrigin", quota)
    phone.prepare("/m/record")
    phone.signal(False)
    page.goto("/m/record")
    fill(page, "存不下")
    page.set_input_files("#photo", {"name": "a.png", "mimeType": "image/png", "buffer": os.urandom(8 << 20)})
    expect(page.locator("[data-notice=full]")).to_be_visible()
    page.click(SAVE)
    expect(page.locator("[data-notice=kept]")).to_contain_text("存储已满")
    expect(page.locator("#title")).to_have_value("存不下")
    session.send("Storage.overrideQuotaForOrigin", {"origin": village.server.url})
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    phone.signal(True)
    await_gone(page)
    assert len(village.titled("存不下")) == 1


def test_a_server_with_another_version_loses_nothing_that_waits(
    village: Village, new_phone: NewPhone, tmp_path: Path
) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    before = page.evaluate("caches.keys()")
    phone.signal(False)
    page.goto("/m/record")
    fill(page, "升级以前")
    page.click(SAVE)
    page.wait_for_url("**/m/cases/*")
    village.server.stop()
    older = village.server.start(village.server.of_checkout(upgraded(tmp_path / "upgraded")))
    try:
        phone.signal(True)
        await_gone(page)
        page.goto("/m")
        until(page, "async before => !(await caches.keys()).includes(before)", before[0])
        phone.signal(False)
        page.goto("/m/record")
        expect(page.locator("h1")).to_have_text("Record")
        assert page.evaluate("getComputedStyle(document.querySelector('.button.main')).cursor") == "crosshair"
    finally:
        village.server.stop()
        village.server.start(older)
    assert len(village.titled("升级以前")) == 1


def test_the_app_can_be_installed(village: Village, new_phone: NewPhone) -> None:
    phone = new_phone()
    page = phone.open()
    phone.sign_in(village.leader)
    phone.prepare("/m/record")
    session = phone.context.new_cdp_session(page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    told = session.send("Page.getAppManifest")
    assert told["errors"] == []
    assert told["manifest"]["startUrl"] == f"{village.server.url}/m"


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
