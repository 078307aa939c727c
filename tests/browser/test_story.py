"""Residents talk of petitioning over every head: who settles it and who oversees that click through it."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewPage
from tests.browser.villages import Village

TITLE = "电网项目搬迁，几户不满意"
OVER_EVERY_HEAD = "居民说要越级上访"


def test_a_group_leader_a_mediator_and_an_officer_settle_what_many_complain_of(
    new_page: NewPage, place: Village
) -> None:
    leader = place.signed_in(new_page())
    mediator = place.signed_in(new_page(width=800, height=1_000), "mediator")
    officer = place.signed_in(new_page(width=1_200, height=900), "township_officer")

    # Given what the leader heard in the courtyards and took on,
    case = recorded(leader)
    act(leader, "受理这件事")
    expect(state(leader)).to_have_text("已受理")
    act(leader, "记一次走访", 看到="几户都不接受补偿方案")
    act(leader, "提示风险", 什么风险="越级上访", 具体情况=OVER_EVERY_HEAD)
    act(leader, "确认预警等级", 等级="橙色(关注)", 原因=OVER_EVERY_HEAD)
    act(leader, "记录稳控情况", 具体情况="当晚上门，大家愿意等镇里答复")
    # when the leader hands it to the township at once, whose mediator receives it,
    act(leader, "紧急：直接上交镇里", 原因="时间紧，村里定不了")
    expect(state(leader)).to_have_text("待接办")
    mediator.goto(case)
    act(mediator, "接下这件事")
    act(mediator, "我来办")
    act(mediator, "记录会商", 谁参加了="村委会", 谈了什么="按新标准补偿")
    act(mediator, "记录政策完善", 具体情况="补偿标准作了调整")
    act(mediator, "记录座谈", 谁参加了="居民", 谈了什么="居民都同意")
    act(mediator, "办好了", 怎么解决的="解释疏导", 解决的经过="新标准公布，没有人再要上访")
    expect(state(mediator)).to_have_text("已办结")
    # then an officer, who didn't handle it, asks the residents and closes it,
    officer.goto(case)
    act(officer, "记一次回访", 联系上了吗="是", 问题解决了吗="是", 满意吗="是")
    act(officer, "结案")
    expect(state(officer)).to_have_text("已结案")
    # nobody went over anybody's head, and it counts as the group's that the township settled.
    told = place.read(f"/v1{case.removeprefix('/m')}")
    assert (told["origin_unit"], told["holder_unit"]) == (place.group, place.township)
    timeline = place.read(f"/v1{case.removeprefix('/m')}/timeline")
    topics = [item["topic"] for item in timeline["items"]]
    assert "case.level_notified" in topics
    assert not any("petition" in topic for topic in topics)
    handed_up = next(
        item["position"] for item in timeline["items"] if item["topic"] == "case.escalation_accepted"
    )
    assert place.read("/v1/backlog", by="origin", at_position=handed_up)["total"] == 1
    kpi = place.read("/v1/kpi", min_position=told["as_of_position"])
    assert kpi["measures"]["containment_rate"]["TOWNSHIP"]["numerator"] == 1

    supervisor_goes_back(place.signed_in(new_page(width=1_400, height=900), "supervisor"), case)


def recorded(leader: Page) -> str:
    """Where the page of the case is, which the leader's phone records."""
    leader.goto("/m")
    leader.get_by_role("link", name="记一个问题").click()
    leader.get_by_text("其他", exact=True).first.click()
    leader.get_by_role("radio", name="征地拆迁").check()
    leader.get_by_label("什么事").fill(f"{TITLE}。{OVER_EVERY_HEAD}。")
    leader.get_by_role("radio", name="走访", exact=True).check()
    leader.get_by_role("checkbox", name="许多人共同的事").check()
    leader.get_by_label("姓名").first.fill("张三")
    leader.get_by_role("button", name="保存").click()
    expect(leader.get_by_role("heading", level=1)).to_have_text(TITLE)
    return re.sub("^https?://[^/]+", "", leader.url)


def act(page: Page, command: str, **answers: str) -> None:
    """Sends a command from the page of the case, with what is asked for by its label."""
    form = page.locator("details.act").filter(
        has=page.locator("summary", has_text=re.compile(f"^{command}$"))
    )
    if not form.is_visible():
        page.get_by_text("还可以做", exact=True).click()
    form.locator("summary").click()
    for label, answer in answers.items():
        give(form, label, answer)
    with page.expect_navigation():
        form.get_by_role("button", name=command, exact=True).click()


def give(form: Locator, label: str, answer: str) -> None:
    choices = form.get_by_role("group", name=re.compile(f"^{label}"))
    if choices.count():
        choices.get_by_label(answer, exact=True).check()
        return
    field = form.get_by_label(re.compile(f"^{label}")).first
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(label=answer)
    else:
        field.fill(answer)


def state(page: Page) -> Locator:
    return page.locator("h1 + p .badge").first


def supervisor_goes_back(page: Page, case: str) -> None:
    """To when it was handed up: one open case, in whose hands, and nobody's name."""
    page.goto(case.replace("/m/", "/audit/"))
    handed_up = page.locator(".timeline > li").filter(has_text=re.compile(r"^\s*上报"))
    handed_up.locator(".what").click()
    expect(page.locator("main")).to_have_class(re.compile("in-past"))
    then = page.locator("main [data-part=state]")
    expect(then).to_contain_text("待接办")
    expect(page.locator("main")).not_to_contain_text("张三")
    expect(page.locator("main")).not_to_contain_text(OVER_EVERY_HEAD)
