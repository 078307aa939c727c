"""Given the timeline of a mediated case, when its agreement is printed, then it is the last one, whole."""

import io
from typing import Any, Final

from pypdf import PdfReader

from services.pages.pages import made_pages
from services.pages.phone.agreement import agreement_document, recorded_in
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
        "position": position, "topic": f"case.{topic}", "data": data, "unit": None,
        "occurred_at": instant, "recorded_at": instant,
    }  # fmt: skip


def agreed(position: int, *terms: str, li: str = "SIGNED") -> dict[str, Any]:
    """`li`: how Li Si signed; Zhang San does it by hand."""
    return item(
        position, "agreement_reached", form="WRITTEN", facts="事实", responsibilities="责任",
        terms=[{"term_no": number, "text": text} for number, text in enumerate(terms, 1)],
        signatures=[{"person_ref": ZHANG, "kind": "SIGNED"}, {"person_ref": LI, "kind": li}],
    )  # fmt: skip


def signed(position: int, party: str, file_id: str) -> dict[str, Any]:
    return item(position, "document_attached", document_kind="AGREEMENT", file_id=file_id, person_ref=party)


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


def test_where_nothing_was_agreed_there_is_nothing_to_print() -> None:
    assert recorded_in([item(1, "mediation_offered", parties=[ZHANG, LI])]) is None


def test_two_hundred_terms_are_all_printed_in_order() -> None:
    terms = [f"第{number}项由李四于年内办妥。" for number in range(TERMS)]
    recorded = recorded_in([item(1, "mediation_offered", parties=[ZHANG, LI]), agreed(2, *terms)])
    assert recorded is not None
    wording = Wording("zh", made_pages().words, {}, {})
    content = printed(agreement_document(CASE, recorded, {}, "新河村", wording))
    pages = ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages]
    ends = [page.rindex("编号33333333") for page in pages]
    text = "".join(page[:end] for page, end in zip(pages, ends, strict=True))
    assert "".join(f"{number}．{term}" for number, term in enumerate(terms, 1)) in text
    assert "第200条未约定期限。" in text
    assert "当事人（签名、盖章或按指印）" in text, "who isn't known any more signs all the same"
    assert len(content) < 200_000
