"""Whatever is recorded in a courtyard, wherever the signal goes: it arrives once, as it was typed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.phones import PHOTO, Phone, await_draft, draw, until
from tests.browser.villages import Json, Village

RECORD: Final = "/m/record"
IS_INKED: Final = """async () => [...document.querySelectorAll("canvas")].every(canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, index) => index % 4 === 3 && value === 255 && data[index - 3] === 0);
})"""
"""Whether black is on every glass."""
WATCH: Final = """() => {
    const place = document.querySelector("#sync");
    window.states = [];
    new MutationObserver(() => states.push(place.dataset.state)).observe(place, { attributes: true });
}"""


class Work(NamedTuple):
    """What somebody does on a form of the phone."""

    said: str
    """On the button that the form is opened with, where it stands on the page of a case, and in the queue."""
    fill: Callable[[Locator], None]
    button: str
    typed: tuple[str, ...]
    happens: Mapping[str, int]
    """So many events of each topic, of the case."""
    case: str = ""
    """On which one, by its title; none where one is recorded."""


def record(form: Locator) -> None:
    form.get_by_role("radio", name="邻里", exact=True).check()
    form.get_by_label("什么事").fill("路灯坏了三天。晚上看不见台阶")
    form.get_by_role("radio", name="走访", exact=True).check()
    form.get_by_label("姓名").first.fill("王小明")
    form.get_by_label("照片").set_input_files(PHOTO)


def visit(form: Locator) -> None:
    form.get_by_label("看到、听到了什么").fill("水已经漫到门口")
    form.get_by_label("照片").set_input_files(PHOTO)


def person(form: Locator) -> None:
    form.get_by_label("姓名").fill("赵六")
    form.get_by_label("电话").fill("13800000000")


def photo(form: Locator) -> None:
    form.get_by_label("照片").set_input_files(PHOTO)


def hand_up(form: Locator) -> None:
    form.get_by_role("textbox", name="原因").fill("排水沟归镇里管")


def consent(form: Locator) -> None:
    draw(form.locator("canvas"))


def agree(form: Locator) -> None:
    form.get_by_label("事实和争议").fill("排水沟堵塞")
    form.get_by_label("各方责任").fill("李四疏通，张三出一半费用")
    form.get_by_label("谁做什么").first.fill("三天内疏通排水沟")
    for index in range(2):
        draw(form.locator("canvas").nth(index), down=40 + 20 * index)
        expect(form.get_by_role("checkbox", name="已签名").nth(index)).to_be_checked()
    for name in ("调解员已签名", "调解委员会已盖章"):
        form.get_by_role("checkbox", name=name).check()


DRAIN: Final = "两家为排水沟争执"
OFFERED: Final = "两家同意坐下来谈"
AGREED: Final = "两家谈好了"
ATTACHED: Final = "case.document_attached"
WORKS: Final = (
    Work("记一个问题", record, "保存", ("晚上看不见台阶", "王小明"), {"case.registered": 1, ATTACHED: 1}),
    Work(
        "记一次走访", visit, "记一次走访", ("水已经漫到门口",), {"case.visit_recorded": 1, ATTACHED: 1}, DRAIN
    ),
    Work("补充一个人", person, "补充一个人", ("赵六", "13800000000"), {"case.person_added": 1}, DRAIN),
    Work("附上照片或材料", photo, "附上照片或材料", (), {ATTACHED: 1}, DRAIN),
    Work("上交村里", hand_up, "上交村里", ("排水沟归镇里管",), {"case.escalated": 1}, DRAIN),
    Work(
        "李四（被诉求人）同意调解",
        consent,
        "李四（被诉求人）同意调解",
        (),
        {"case.mediation_consented": 1, ATTACHED: 1},
        OFFERED,
    ),
    Work(
        "记下达成的协议",
        agree,
        "记下达成的协议",
        ("排水沟堵塞", "李四疏通，张三出一半费用", "三天内疏通排水沟"),
        {"case.agreement_reached": 1, "case.agreement_effective": 1, ATTACHED: 2},
        AGREED,
    ),
)

PHOTOS_BESIDE: Final = 5
"""Of the record, the visit and the consent one, of the agreement two: each waits by itself."""


class Courtyard:
    """A village with a case at each point from which somebody goes on."""

    def __init__(self, place: Village) -> None:
        self._place = place
        self._cases = {title: place.open_case(title)["case_id"] for title in (DRAIN, OFFERED, AGREED)}
        for title in self._cases:
            self._do(title, "accept-case")
        for title in (OFFERED, AGREED):
            parties = [person["person_ref"] for person in self._case(title)["people"]]
            self._do(title, "offer-mediation", parties=parties)
            for party in parties if title == AGREED else parties[:1]:
                self._do(title, "consent-to-mediation", person_ref=party, on_behalf_of=_in_person(party))
        place.wait(self._case(AGREED)["as_of_position"])
        self._before = self._topics()

    def path(self, work: Work) -> str:
        return f"/m/cases/{self._cases[work.case]}" if work.case else RECORD

    def happened(self) -> Counter[str]:
        """So many events of each topic since, of all cases; clocks aside."""
        return self._topics() - self._before

    def told(self) -> list[Json]:
        """What the timelines of all cases say."""
        position = self._place.read("/v1/units")["as_of_position"]
        cases = self._place.read("/v1/cases", origin=self._place.group, min_position=position)["items"]
        timelines = [self._place.read(f"/v1/cases/{case['case_id']}/timeline") for case in cases]
        return [item for timeline in timelines for item in timeline["items"]]

    def _topics(self) -> Counter[str]:
        return Counter(item["topic"] for item in self.told() if "deadline" not in item["topic"])

    def _case(self, title: str) -> Json:
        return self._place.read(f"/v1/cases/{self._cases[title]}")

    def _do(self, title: str, command: str, **body: object) -> None:
        path = f"/v1/cases/{self._cases[title]}/{command}"
        self._place.done(self._place.leader, path, body, self._case(title)["version"])


def _in_person(party: str) -> Json:
    return {"person_ref": party, "means": "IN_PERSON"}


def opened(page: Page, work: Work) -> Locator:
    """The form of it on its page."""
    if not work.case:
        return page.locator("#opening")
    form = page.locator("details.act").filter(has=page.get_by_text(work.said, exact=True))
    if not form.is_visible():
        page.get_by_text("还可以做", exact=True).click()
    if form.get_attribute("open") is None:
        form.locator("summary").first.click()
    return form


def send(page: Page, work: Work) -> None:
    """Submits the form, and waits for the page that follows."""
    with page.expect_navigation():
        opened(page, work).get_by_role("button", name=work.button, exact=True).click()


def assert_arrived_once(courtyard: Courtyard) -> None:
    expected = Counter[str]()
    for work in WORKS:
        expected += Counter(work.happens)
    assert courtyard.happened() == expected
    text = json.dumps(courtyard.told(), ensure_ascii=False)
    assert {said: text.count(said) for work in WORKS for said in work.typed} == {
        said: 1 for work in WORKS for said in work.typed
    }


@pytest.mark.parametrize("cut", ["before any form is opened", "once they are filled in"])
def test_what_is_recorded_without_a_signal_arrives_with_the_next(
    my_phone: Phone, place: Village, cut: str
) -> None:
    courtyard = Courtyard(place)
    place.signed_in(my_phone.open())
    by_page = [(path, list(works)) for path, works in groupby(WORKS, courtyard.path)]
    my_phone.prepare(*(path for path, _ in by_page))
    # Given forms that are filled in, and a signal that is lost,
    my_phone.signal(cut != "before any form is opened")
    tabs = []
    for path, works in by_page:
        page = my_phone.tab()
        page.goto(path)
        for work in works:
            work.fill(opened(page, work))
        await_draft(page)
        tabs.append((page, works))
    my_phone.signal(False)
    # when each page is loaded again and sent,
    for page, works in tabs:
        page.reload()
        for index, work in enumerate(works):
            expect(page.locator("[data-notice=restored]")).to_have_count(len(works) - index)
            until(page, IS_INKED)
            send(page, work)
        page.close()
    # then all of it waits, whatever becomes of the page,
    page = my_phone.kill()
    page.goto("/m")
    my_phone.await_standing("offline")
    waiting = page.locator("#waiting > li")
    expect(waiting).to_have_count(len(WORKS) + PHOTOS_BESIDE)
    for work in WORKS:
        for said in (work.said, *work.typed):
            expect(waiting.filter(has_text=said).first).to_be_visible()
    assert not courtyard.happened()
    # and arrives once there is a signal.
    page.evaluate(WATCH)
    my_phone.signal(True)
    my_phone.await_standing("done")
    expect(waiting).to_have_count(0)
    assert "syncing" in page.evaluate("states")
    assert_arrived_once(courtyard)


def lose_what_is_sent(route: Route) -> None:
    route.abort()


def lose_half_the_answer(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text()[: len(answer.text()) // 2])


def lose_the_answer(route: Route) -> None:
    assert route.fetch().ok
    route.abort()


LOSSES: Final = (lose_what_is_sent, lose_half_the_answer, lose_the_answer)


def test_what_is_cut_off_again_and_again_while_it_is_sent_arrives_once(
    my_phone: Phone, place: Village
) -> None:
    courtyard = Courtyard(place)
    page = my_phone.open()
    my_phone.send_from_pages_alone()
    place.signed_in(page)
    losses: dict[str, Iterator[Callable[[Route], None]]] = {}

    def lose(route: Route) -> None:
        kind = urlsplit(route.request.url).path
        next(losses.setdefault(kind, iter(LOSSES)), Route.continue_)(route)

    my_phone.context.route(re.compile("/v1/(files|commands:batch)$"), lose)
    for work in WORKS:
        losses.clear()
        page.goto(courtyard.path(work))
        work.fill(opened(page, work))
        send(page, work)
        # Tried again by itself, or as soon as somebody looks.
        standing = page.locator("#sync[data-state]:not([data-state=syncing])")
        while standing.get_attribute("data-state") == "offline":
            page.reload()
        my_phone.await_standing("done")
        expect(page.locator("#waiting > li")).to_have_count(0)
        assert "/v1/commands:batch" in losses
    assert_arrived_once(courtyard)
