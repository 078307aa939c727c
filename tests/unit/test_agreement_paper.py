"""Given the timeline of a mediated case, when its agreement is printed, then it is the last one, whole."""

import io
from typing import Any, Final

from pypdf import PdfReader

from services.pages.pages import made_pages
from services.pages.phone.agreement import Recorded, agreement_document, recorded_in
from services.pages.wording import Wording
from shared.paper.printing import printed

ZHANG, LI = "11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"
CASE: Final = {
    "case_id": "33333333-3333-7333-8333-333333333333",
    "people": [{"person_ref": ZHANG, "role": "COMPLAINANT", "name": "张三"}],
    "mediation": None,
}
"""Reopened since: nothing is being mediated."""
TERMS: Final = 200


def item(position: int, topic: str, **data: Any) -> dict[str, Any]:
    instant = f"2026-03-05T02:{position:02}:00+00:00"
    return {
        "position": position, "event_id": f"event {position}", "topic": f"case.{topic}", "data": data,
        "unit": None, "occurred_at": instant, "recorded_at": instant,
    }  # fmt: skip


def agreed(position: int, *terms: str, li: str = "SIGNED", **zhang: Any) -> dict[str, Any]:
    """`li`: how Li Si signed; Zhang San does it by hand, `zhang` says where."""
    return item(
        position, "agreement_reached", form="WRITTEN", facts="事实", responsibilities="责任",
        terms=[{"term_no": number, "text": text} for number, text in enumerate(terms, 1)],
        signatures=[{"person_ref": ZHANG, "kind": "SIGNED", **zhang}, {"person_ref": LI, "kind": li}],
    )  # fmt: skip


def signed(position: int, party: str, file_id: str) -> dict[str, Any]:
    of = {"file_id": file_id, "digest": f"digest of {file_id}", "person_ref": party}
    return item(position, "document_attached", document_kind="AGREEMENT", **of)


def test_the_last_agreement_has_the_signatures_that_were_given_for_it() -> None:
    recorded = recorded_in([
        item(1, "mediation_offered", parties=[ZHANG, LI]),
        signed(2, ZHANG, "first"),
        signed(3, LI, "second"),
        agreed(4, "旧约"),
        item(5, "mediation_offered", parties=[LI, ZHANG]),
        item(6, "document_attached", document_kind="AGREEMENT", file_id="scan"),
        signed(7, ZHANG, "smudged"),
        signed(8, ZHANG, "again"),
        agreed(9, "新约"),
    ])  # fmt: skip
    assert recorded is not None
    assert recorded.event["position"] == 9
    assert recorded.parties == [LI, ZHANG]
    assert recorded.signed == {ZHANG: "again"}


def test_what_was_signed_for_an_agreement_that_never_came_about_stands_under_no_other() -> None:
    recorded = recorded_in([
        item(1, "mediation_offered", parties=[ZHANG, LI]),
        signed(2, ZHANG, "for terms that were refused"),
        item(3, "mediation_terminated", ground="FAILED"),
        item(4, "mediation_offered", parties=[ZHANG, LI]),
        signed(5, LI, "before they chose the fingerprint"),
        agreed(6, "新约", li="FINGERPRINT"),
    ])  # fmt: skip
    assert recorded is not None
    assert recorded.signed == {}


def test_a_signature_is_the_one_that_the_agreement_names() -> None:
    before = [
        item(1, "mediation_offered", parties=[ZHANG, LI]),
        signed(2, ZHANG, "first"),
        signed(3, ZHANG, "second"),
        signed(4, LI, "li's"),
    ]
    for zhang, expected in (
        ({"digest": "digest of first"}, {ZHANG: "first", LI: "li's"}),
        ({"on_paper": True}, {LI: "li's"}),
        ({"digest": "of what isn't there"}, {LI: "li's"}),
        ({}, {ZHANG: "second", LI: "li's"}),
    ):
        recorded = recorded_in([*before, agreed(5, "约定", **zhang)])
        assert recorded is not None
        assert recorded.signed == expected


def test_a_correction_is_told_below_what_was_signed_which_stays() -> None:
    def corrected(position: int, event: int, field: str, text: str) -> dict[str, Any]:
        data = {"event_id": f"event {event}", "field": field, "correction": text}
        return item(position, "record_corrected", **data)

    recorded = recorded_in([
        item(1, "mediation_offered", parties=[ZHANG, LI]),
        agreed(2, "约定"),
        corrected(3, 1, "note", "不相干"),
        corrected(4, 2, "facts", "事实写错了"),
        corrected(5, 2, "terms", "第1条应为三日"),
    ])  # fmt: skip
    assert recorded is not None
    text = text_of(on_paper(recorded))
    assert "争议事项：事实各方" in text, "as it was signed"
    assert text.index("约定") < text.index(
        "2026年3月5日，本协议记录中的“事实和争议”更正为“事实写错了”（账本位置4）"
    )
    assert "“terms”更正为“第1条应为三日”（账本位置5）" in text
    assert "不相干" not in text


def on_paper(recorded: Recorded) -> bytes:
    wording = Wording("zh", made_pages().words, {}, {})
    return printed(agreement_document(CASE, recorded, {}, "新河村", wording))


def text_of(content: bytes) -> str:
    """Without spaces, and what stands at the foot of each page."""
    pages = ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages]
    return "".join(page[: page.rindex("编号33333333")] for page in pages)


def test_where_nothing_was_agreed_there_is_nothing_to_print() -> None:
    assert recorded_in([item(1, "mediation_offered", parties=[ZHANG, LI])]) is None


def test_two_hundred_terms_are_all_printed_in_order() -> None:
    terms = [f"第{number}项由李四于年内办妥。" for number in range(TERMS)]
    recorded = recorded_in([item(1, "mediation_offered", parties=[ZHANG, LI]), agreed(2, *terms)])
    assert recorded is not None
    content = on_paper(recorded)
    text = text_of(content)
    assert "".join(f"{number}．{term}" for number, term in enumerate(terms, 1)) in text
    assert "第200条未约定期限。" in text
    assert "当事人（签名、盖章或按指印）" in text, "who isn't known any more signs all the same"
    assert len(content) < 200_000
