"""A mediator's day on the phone: record, accept, hand up, agree; and what is told of what is wrong."""

import io
import re
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect
from pypdf import PdfReader

from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NewPage
from tests.browser.phones import draw
from tests.browser.villages import Village
from tests.product import Product

FIRST_SCREEN_BYTES = 400_000
FIRST_SCREEN_REQUESTS = 12


@pytest.fixture
def phone(new_page: NewPage, place: Village) -> Page:
    """The leader's."""
    return place.signed_in(new_page())


def record(page: Page, description: str, category: str = "邻里") -> None:
    page.goto("/m")
    page.get_by_role("link", name="记一个问题").click()
    page.get_by_role("radio", name=category, exact=True).check()
    page.get_by_label("什么事").fill(description)
    page.get_by_role("radio", name="走访", exact=True).check()


def test_a_mediator_records_a_problem_takes_it_on_and_hands_it_up(phone: Page, place: Village) -> None:
    record(phone, "两家为排水沟争执。雨水流进了邻居的院子，想请人来看。")
    expect(phone.get_by_label("一句话标题")).to_have_value("两家为排水沟争执")
    phone.get_by_label("姓名").first.fill("张三")
    phone.get_by_role("button", name="保存").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("两家为排水沟争执")
    assert "排水沟" not in phone.title(), "a browser keeps titles in its history"
    expect(phone.get_by_text("本级办理：")).to_contain_text("还剩1个工作日，计至")
    expect(phone.get_by_text("张三", exact=True)).to_be_visible()

    phone.get_by_text("受理这件事", exact=True).first.click()
    phone.get_by_role("button", name="受理这件事").click()
    expect(phone.get_by_text("已受理", exact=True)).to_be_visible()

    phone.get_by_text("上交村里", exact=True).first.click()
    phone.get_by_role("button", name="本级多次调解未成").first.click()
    expect(phone.get_by_text("待接办", exact=True)).to_be_visible()
    expect(phone.get_by_text("本级多次调解未成", exact=True).last).to_be_visible()

    case_id = phone.url.rsplit("/", 1)[1]
    case = place.read(f"/v1/cases/{case_id}")
    assert (case["state"], case["pending_unit"]) == ("PENDING_ESCALATION", place.village)
    assert [person["name"] for person in case["people"]] == ["张三"]
    place.wait(case["as_of_position"])
    phone.goto("/m")
    expect(phone.get_by_role("link", name="两家为排水沟争执")).to_contain_text("待接办")


def test_the_same_problem_is_not_recorded_twice(phone: Page, place: Village) -> None:
    case = place.open_case()
    record(phone, "排水沟又堵了，雨水流进院子")
    expect(phone.get_by_text("是不是已经记过了？")).to_be_visible()
    phone.get_by_role("button", name="就是这件").click()
    expect(phone.get_by_label("看到、听到了什么")).to_have_value("排水沟又堵了，雨水流进院子")
    phone.get_by_role("button", name="记一次走访").click()
    expect(phone).to_have_url(re.compile(case["case_id"]))
    expect(phone.get_by_text("排水沟又堵了，雨水流进院子")).to_be_visible()
    assert len(place.read("/v1/me/cases")["items"]) == 1


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(phone: Page, place: Village) -> None:
    record(phone, "路灯坏了三天")
    phone.get_by_label("电话").first.fill("1" * 64 + "0")
    phone.locator("[name='people/0/phone']").evaluate("field => field.value = '1'.repeat(65)")
    phone.get_by_role("button", name="保存").click()
    wrong = phone.locator("[name='people/0/phone']")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    told = phone.locator(f"[id='{wrong.get_attribute('aria-describedby')}']")
    expect(told).not_to_be_empty()
    expect(phone.get_by_label("什么事")).to_have_value("路灯坏了三天")
    assert_accessible(phone)
    wrong.fill("13800000000")
    phone.get_by_role("button", name="保存").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("路灯坏了三天")


def test_an_empty_form_says_beside_each_field_that_it_is_needed(phone: Page, place: Village) -> None:
    phone.goto("/m/record")
    phone.get_by_role("button", name="保存").click()
    for name in ("category", "description", "title", "channel"):
        field = phone.locator(f"#opening [name={name}]").first
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(
            phone.locator(f"[id='{(field.get_attribute('aria-describedby') or '').split()[-1]}']")
        ).to_be_visible()
    expect(phone.locator("#opening [name=category]").first).to_be_focused()
    assert_accessible(phone)


def test_a_refused_command_is_told_in_words(phone: Page, place: Village) -> None:
    case = place.open_case()
    phone.goto(f"/m/cases/{case['case_id']}")
    place.done(place.leader, f"/v1/cases/{case['case_id']}/accept-case", version=case["version"])
    phone.get_by_text("受理这件事", exact=True).first.click()
    phone.get_by_role("button", name="受理这件事").click()
    needs_you = phone.locator("#waiting [data-standing=needs_you]")
    expect(needs_you).to_contain_text("您读取之后已有新的办理")


def test_two_parties_agree_and_sign_on_the_glass(phone: Page, place: Village) -> None:
    case = place.open_case()
    path = f"/m/cases/{case['case_id']}"
    place.done(place.leader, f"/v1{path[2:]}/accept-case", version=case["version"])
    phone.goto(path)
    phone.get_by_text("提出调解", exact=True).first.click()
    for name in ("张三（诉求人）", "李四（被诉求人）"):
        phone.get_by_role("checkbox", name=name).check()
    phone.get_by_role("button", name="提出调解").click()
    for name in ("张三", "李四"):
        phone.get_by_text(re.compile(f"^{name}.*同意调解$")).first.click()
        phone.get_by_role("button", name=re.compile(f"{name}.*同意调解")).click()
        expect(phone.get_by_text(re.compile(f"^{name}.*同意调解$"))).to_have_count(0)
    expect(phone.get_by_text("调解中", exact=True)).to_be_visible()

    phone.get_by_text("记下达成的协议", exact=True).first.click()
    phone.get_by_label("事实和争议").fill("排水沟堵塞，雨水流进邻居院子")
    phone.get_by_label("各方责任").fill("李四疏通，张三出一半费用")
    phone.get_by_label("谁做什么").first.fill("李四三天内疏通排水沟")
    for index, name in enumerate(("张三", "李四")):
        glass = phone.locator(f"canvas[data-signs='signature-{index}']")
        signed = phone.get_by_role("checkbox", name=f"{name}已签名")
        draw(glass, down=60)
        expect(signed).to_be_checked()
        phone.get_by_role("button", name="重签").nth(index).click()
        expect(signed).not_to_be_checked()
        draw(glass, down=80 - 20 * index)
        one_stroke = ink(glass)
        draw(glass, down=20)
        assert ink(glass) > one_stroke
        expect(signed).to_be_checked()
    phone.get_by_role("checkbox", name="调解员已签名").check()
    phone.get_by_role("checkbox", name="调解委员会已盖章").check()
    assert_accessible(phone)
    phone.get_by_role("button", name="记下达成的协议").click()
    expect(phone.get_by_text("已办结", exact=True)).to_be_visible()
    told = place.read(f"/v1/cases/{case['case_id']}")
    assert told["agreement"]["effective"]
    assert [document["document_kind"] for document in told["documents"]] == ["AGREEMENT", "AGREEMENT"]
    assert [document["person_ref"] for document in told["documents"]] == told["mediation"]["parties"]
    steps = place.read(f"/v1/cases/{case['case_id']}/timeline")["items"]
    drawn = [step["data"]["digest"] for step in steps if step["topic"] == "case.document_attached"]
    [reached] = [step["data"] for step in steps if step["topic"] == "case.agreement_reached"]
    assert [signature["digest"] for signature in reached["signatures"]] == drawn

    reader, text = printed(phone, "打印协议书")
    assert "人民调解协议书" in text
    assert len([image for page in reader.pages for image in page.images]) == 2
    assert "登记回执" in printed(phone, "打印登记回执")[1]


def ink(glass: Locator) -> int:
    """So many black pixels."""
    drawn: int = glass.evaluate(
        """canvas => {
            const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
            pen.drawImage(canvas, 0, 0);
            const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, index) => index % 4 === 0 && value === 0).length;
        }"""
    )
    return drawn


def printed(page: Page, link: str) -> tuple[PdfReader, str]:
    """The file that a link leads to, and its text without spaces."""
    href = page.get_by_role("link", name=link, exact=True).get_attribute("href")
    assert href is not None
    reader = PdfReader(io.BytesIO(page.request.get(href).body()))
    return reader, "".join("".join(page.extract_text() for page in reader.pages).split())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_everybody_can_use_every_page(
    new_page: NewPage, product: Product, place: Village, language: str
) -> None:
    case = place.open_case()
    for theme, size in (("light", "normal"), ("dark", "large")):
        page = place.signed_in(new_page())
        look = {"name": "anjie_look", "value": f"{language}.{theme}.{size}", "url": product.url}
        page.context.add_cookies([cast(Any, look)])
        for path in ("/m", "/m?state=RESOLVED", "/m/record", f"/m/cases/{case['case_id']}"):
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach(part => (part.open = true))")
            assert_accessible(page)


_SMALL = """px => [...document.querySelectorAll("a[href], button, summary, select, textarea, .tile, .check")]
    .filter(each => !each.matches(".skip") && each.checkVisibility())
    .map(each => [each.textContent.trim().slice(0, 20), each.getBoundingClientRect()])
    .filter(([, box]) => Math.min(box.width, box.height) < px - 0.5)
    .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""


@pytest.mark.parametrize(("size", "px"), [("normal", 44), ("large", 60)])
def test_everything_that_is_pressed_is_as_large_as_a_finger(
    phone: Page, place: Village, product: Product, size: str, px: int
) -> None:
    cookie: Any = {"name": "anjie_look", "value": f"zh.light.{size}", "url": product.url}
    phone.context.add_cookies([cookie])
    case = place.open_case()
    person = {"role": "WITNESS", "name": "王五", "phone": "13900000000"}
    place.done(place.leader, f"/v1/cases/{case['case_id']}/add-person", person)
    for path in ("/", "/m", "/m/record", f"/m/cases/{case['case_id']}", "/m/new"):
        phone.goto(path)
        assert phone.evaluate(_SMALL, px) == [], path
        assert phone.evaluate("document.documentElement.scrollWidth") == 360


def test_the_keyboard_alone_is_enough_to_take_a_case_on(phone: Page, place: Village) -> None:
    case = place.open_case()
    phone.goto(f"/m/cases/{case['case_id']}")
    for words in ("SUMMARY", "BUTTON"):
        for _ in range(60):
            phone.keyboard.press("Tab")
            focused = phone.evaluate("[document.activeElement.tagName, document.activeElement.textContent]")
            if focused[0] == words and "受理这件事" in focused[1]:
                break
        phone.keyboard.press("Enter")
    expect(phone.get_by_text("已受理", exact=True)).to_be_visible()


def test_the_first_screen_is_light(new_page: NewPage, place: Village) -> None:
    """All that the page asks for counts; what the worker fetches to open without a signal is told apart."""
    kept = {"/m", "/m/record", "/m/new"}
    kept |= {f"/m/cases/{place.open_case(f'第{number}件')['case_id']}" for number in range(3)}
    page = place.signed_in(new_page())
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    def by_worker() -> list[str]:
        return [urlsplit(request.url).path for request in asked if request.service_worker]

    page.context.on("requestfinished", note)
    with page.context.expect_event("requestfinished", lambda _: kept <= set(by_worker())):
        page.goto("/m")
        page.wait_for_selector("#sync[data-state=done]")
    page.wait_for_load_state("networkidle")
    by_page = [request for request in asked if not request.service_worker]
    assert len(by_page) <= FIRST_SCREEN_REQUESTS, [request.url for request in by_page]
    sizes = [request.sizes() for request in by_page]
    assert sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes) <= FIRST_SCREEN_BYTES
    assert len(by_worker()) == len(set(by_worker()))
