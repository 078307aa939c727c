"""Given a case, when it is printed, then those who work on it have it on paper, and nobody else."""

import io
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader

from shared.policy.moments import day_of
from tests.e2e.conftest import Anjie, Json, Person, Town
from tests.e2e.test_files import upload

FACTS = "排水沟堵塞，雨水流进邻居院子。"
TERMS = ["李四三天内疏通排水沟。", "张三出一半费用。"]


@pytest.fixture
def case(town: Town) -> Json:
    """In mediation between its two parties."""
    opened = town.open_case(
        people=[
            {"role": "COMPLAINANT", "name": "张三", "phone": "13800000000", "address": "新河村37组5号"},
            {"role": "RESPONDENT", "name": "李四"},
        ]
    )
    path = f"/v1/cases/{opened['case_id']}"
    parties = [person["person_ref"] for person in opened["people"]]
    version = town.leader.done(f"{path}/accept-case", version=opened["version"])["version"]
    version = town.leader.done(f"{path}/offer-mediation", {"parties": parties}, version=version)["version"]
    for party in parties:
        consent = {"person_ref": party, "on_behalf_of": {"person_ref": party, "means": "IN_PERSON"}}
        version = town.leader.done(f"{path}/consent-to-mediation", consent, version=version)["version"]
    return opened | {"version": version, "parties": parties}


def agree(town: Town, case: Json, form: str = "WRITTEN", **first: Any) -> Json:
    """`first`: what the signature of the first party says beside how it was given."""
    path = f"/v1/cases/{case['case_id']}"
    told: Json = town.leader.get(path).json()
    today = day_of(datetime.fromisoformat(told["as_of_instant"]))
    body: Json = {
        "form": form,
        "facts": FACTS,
        "responsibilities": "李四疏通，张三出一半费用。",
        "terms": [{"text": TERMS[0], "due_on": str(today + timedelta(days=3))}, {"text": TERMS[1]}],
    }
    if form == "WRITTEN":
        signatures = [{"person_ref": party, "kind": "SIGNED"} for party in case["parties"]]
        signatures[0] |= first
        body |= {"signatures": signatures, "mediator_signed": True, "committee_sealed": True}
    return town.leader.done(f"{path}/record-agreement", body, version=told["version"])


def sign(town: Town, case: Json, party: str) -> str:
    """On the glass, as the phone's page sends it."""
    drawn = io.BytesIO()
    image = Image.new("RGB", (600, 200), "white")
    ImageDraw.Draw(image).line([(40, 150), (300, 40), (500, 120)], "black", 6)
    image.save(drawn, "PNG")
    file_id = upload(town.leader, drawn.getvalue(), key=f"signature {party}").json()["file_id"]
    document = {"document_kind": "AGREEMENT", "file_id": file_id, "person_ref": party}
    town.leader.done(f"/v1/cases/{case['case_id']}/attach-document", document)
    return str(file_id)


def fetch(anjie: Anjie, who: Person, case: Json, name: str, language: str = "zh") -> httpx.Response:
    headers = who.credentials | {"Accept": "text/html", "Accept-Language": language}
    return anjie.http.get(f"/m/cases/{case['case_id']}/{name}.pdf", headers=headers)


def read(answer: httpx.Response) -> tuple[PdfReader, str]:
    """The file, and its text without spaces."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    reader = PdfReader(io.BytesIO(answer.content))
    return reader, "".join("".join(page.extract_text() for page in reader.pages).split())


def test_an_agreement_is_printed_as_it_is_to_be_signed(anjie: Anjie, town: Town, case: Json) -> None:
    assert fetch(anjie, town.leader, case, "agreement").status_code == 404, "there is none yet"
    sign(town, case, case["parties"][0])
    events = agree(town, case)["events"]
    answer = fetch(anjie, town.leader, case, "agreement")
    reader, text = read(answer)
    for said in (
        "人民调解协议书", case["case_id"], "当事人姓名张三", "联系方式13800000000", "单位或住址新河村37组5号",
        "纠纷主要事实、争议事项：" + FACTS, "1．" + TERMS[0], "2．" + TERMS[1], "第2条未约定期限",
        "本协议一式3份", "当事人张三（签名、盖章或按指印）", "人民调解员（签名）",
        "新河村人民调解委员会（印章）",
    ):  # fmt: skip
        assert said in text
    assert len([image for page in reader.pages for image in page.images]) == 1, "the other signs by hand"
    [reached] = [event["position"] for event in events if event["topic"] == "case.agreement_reached"]
    assert f"账本位置{reached}第1页" in text
    for kept in (answer.headers["content-disposition"], str(reader.metadata)):
        assert "张三" not in kept
    assert fetch(anjie, town.leader, case, "agreement").content == answer.content
    assert fetch(anjie, town.leader, case, "agreement", "en").content == answer.content
    assert len(answer.content) < 200_000


def images(reader: PdfReader) -> int:
    return sum(len(page.images) for page in reader.pages)


def test_what_was_drawn_stands_under_no_signature_that_is_on_paper(
    anjie: Anjie, town: Town, case: Json
) -> None:
    sign(town, case, case["parties"][0])
    agree(town, case, on_paper=True)
    assert images(read(fetch(anjie, town.leader, case, "agreement"))[0]) == 0


def test_an_agreement_names_the_signature_and_a_correction_changes_nothing_of_it(
    anjie: Anjie, town: Town, case: Json
) -> None:
    file_id = sign(town, case, case["parties"][0])
    agree(town, case, file_id=file_id)
    path = f"/v1/cases/{case['case_id']}"
    timeline = town.leader.get(f"{path}/timeline").json()["items"]
    [reached] = [item for item in timeline if item["topic"] == "case.agreement_reached"]
    [attached] = [item for item in timeline if item["topic"] == "case.document_attached"]
    assert reached["data"]["signatures"][0]["digest"] == attached["data"]["digest"]
    body = {"event_id": reached["event_id"], "field": "facts", "correction": "流进院子的是雨水。"}
    corrected = town.village_officer.done(f"{path}/record-correction", body)
    reader, text = read(fetch(anjie, town.leader, case, "agreement"))
    assert images(reader) == 1
    assert "纠纷主要事实、争议事项：" + FACTS in text
    assert f"“事实和争议”更正为“流进院子的是雨水。”（账本位置{corrected['position']}）" in text


def test_an_agreement_by_word_of_mouth_is_registered(anjie: Anjie, town: Town, case: Json) -> None:
    agree(town, case, "ORAL")
    _, text = read(fetch(anjie, town.leader, case, "agreement"))
    assert "人民调解口头协议登记表" in text
    assert "达成口头协议内容：1．" + TERMS[0] in text
    assert "本协议一式" not in text
    assert "按指印" not in text


def test_a_receipt_says_what_was_taken_in_what_follows_and_until_when(anjie: Anjie, town: Town) -> None:
    case = town.open_case()
    told = town.leader.get(f"/v1/cases/{case['case_id']}").json()
    _, text = read(fetch(anjie, town.leader, case, "receipt"))
    for said in (
        "登记回执",
        f"编号{case['case_id']}",
        "提出人张三",
        "新河村37组决定是否受理",
    ):
        assert said in text
    [clock] = [clock for clock in told["deadlines"] if clock["state"] == "RUNNING"]
    last = day_of(datetime.fromisoformat(clock["due_at"])) - timedelta(days=1)
    assert f"至迟{last.year}年{last.month}月{last.day}日24时" in text
    assert "Whathappensnext" not in text
    _, both = read(fetch(anjie, town.leader, case, "receipt", "en"))
    assert "新河村37组决定是否受理" in both
    assert "Whathappensnext" in both
    town.leader.done(f"/v1/cases/{case['case_id']}/accept-case", version=case["version"])
    town.supervisor.done(f"/v1/cases/{case['case_id']}/raise-query", {"question": "怎么样了？"})
    _, later = read(fetch(anjie, town.leader, case, "receipt"))
    assert "已经受理" in later
    assert "质询" not in later


@pytest.mark.parametrize("name", ["agreement", "receipt"])
def test_paper_is_for_those_who_see_the_case_in_the_clear(
    anjie: Anjie, town: Town, case: Json, name: str
) -> None:
    agree(town, case)
    for who, status in (
        (town.supervisor, 403),
        (town.auditor, 403),
        (town.other_leader, 403),
        (town.dashboard, 403),
    ):
        refused = fetch(anjie, who, case, name)
        assert refused.status_code == status
        assert refused.headers["content-type"].startswith("text/html")
        assert "张三" not in refused.text
    assert fetch(anjie, town.leader, {"case_id": uuid4()}, name).status_code == 404
    path = f"/m/cases/{case['case_id']}/{name}.pdf"
    asked = anjie.http.get(path, headers={"Accept": "text/html"})
    assert (asked.status_code, asked.headers["location"][:8]) == (303, "/sign-in")


def test_a_document_is_of_somebody_on_the_case(town: Town, case: Json) -> None:
    path = f"/v1/cases/{case['case_id']}"
    document = {"document_kind": "IDENTITY_PROOF", "paper_location": "柜一", "person_ref": case["parties"][1]}
    town.leader.done(f"{path}/attach-document", document)
    [shown] = town.leader.get(path).json()["documents"]
    assert shown["person_ref"] == case["parties"][1]
    refused = town.leader.post(f"{path}/attach-document", document | {"person_ref": str(uuid4())})
    assert (refused.status_code, refused.json()["rule"]) == (422, "person-unknown")
